/** What the options of `watch` ask of the server. */
import { HoldfastError } from '../base/index.ts';
import type { WatchFilter } from '../protocol/index.ts';
import { FIRST_CLIENT_KEY, type ByteString } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import { wholeNumber } from './checks.ts';
import { encodeKey, prefixRange } from './edge.ts';
import type { WatchCause, WatchOptions } from './watch-types.ts';

/** Complete, or it does not compile. */
const CAUSES: Readonly<Record<WatchCause, true>> = {
  request: true,
  expired: true,
  sessionEnded: true,
  broken: true,
};

/** The part of a watch's request that is the same wherever it is placed. */
export interface WatchSubject {
  readonly start: ByteString;
  readonly end: ByteString | undefined;
  readonly filter: WatchFilter;
}

/** @throws HoldfastError `invalid-argument` or `invalid-key` for options that break a rule. */
export function watchSubject(
  options: Omit<WatchOptions, 'progress'>,
): WatchSubject & { readonly from: number } {
  knownOptions('watch', options);
  const from = wholeNumber(options.from ?? 0, 'from');
  return { ...watchRange(options), from, filter: watchFilter(options) };
}

function watchRange({ key, prefix, start, end }: WatchOptions): Omit<WatchSubject, 'filter'> {
  const ranged = start !== undefined || end !== undefined;
  if ([key !== undefined, prefix !== undefined, ranged].filter(Boolean).length > 1) {
    throw invalid('a watch takes key, prefix, or start and end: only one of these');
  }
  if (key !== undefined) {
    const encoded = encodeKey(key);
    return { start: encoded, end: `${encoded}\0` };
  }
  if (ranged) {
    const first = start === undefined ? FIRST_CLIENT_KEY : encodeKey(start, 'start');
    const before = end === undefined ? undefined : encodeKey(end, 'end');
    if (before === undefined || before > first) return { start: first, end: before };
    throw invalid('a watch ends after it starts: its end must be after its start, in byte order');
  }
  return prefixRange(prefix);
}

function watchFilter({ events, causes, previous }: WatchOptions): WatchFilter {
  if (events !== undefined && events !== 'put' && events !== 'delete') {
    throw invalid(`events is '${String(events)}': put or delete, or nothing for both`);
  }
  if (causes !== undefined && !(Array.isArray(causes) && causes.length > 0)) {
    throw invalid('causes is a list of at least one cause');
  }
  for (const cause of causes ?? []) {
    if (Object.hasOwn(CAUSES, cause)) continue;
    throw invalid(`causes has '${String(cause)}': ${Object.keys(CAUSES).join(', ')}`);
  }
  const named = [...new Set(causes ?? [])];
  return { types: events ?? 'all', causes: named, previous: previous !== false };
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid-argument', message);
}
