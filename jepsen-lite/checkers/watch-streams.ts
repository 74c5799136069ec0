/**
 * What each watch was told. A watch notes, all with its name in `value.watch`:
 * - `watch`: it begins, with `{ from?, prefix?, key?, events? }`; again after it ended, elsewhere;
 * - `watch-started`: everything after this revision will be told (when `from` was not given);
 * - `event`: a key's change `{ type, value, previous?, last? }` at a revision, where `previous` is
 *   `{ value, revision }`, null for a key that was not there, absent where that is not known, and
 *   `last` says that no more of its revision follow;
 * - `progress`: everything up to this revision was told;
 * - `watch-ended`: `{ code, resumeFrom }` of the error.
 */
import type { Operation } from '../history/operation.ts';
import { byCall, fieldOf, nameOf, numberOf, textFieldOf } from './values.ts';

/** From one beginning of a watch to its end. */
export interface Segment {
  readonly watch: string;
  readonly begin: Operation;
  /** First revision wanted; undefined until it is known. */
  from: number | undefined;
  readonly prefix: string;
  readonly key: string | undefined;
  readonly events: string | undefined;
  /** Events and progress marks, as they came. */
  readonly told: Operation[];
  ended: Operation | undefined;
}

/** Of every watch its segments, in order. */
export function segmentsOf(history: readonly Operation[]): ReadonlyMap<string, readonly Segment[]> {
  const watches = new Map<string, Segment[]>();
  for (const operation of byCall(history)) {
    const watch = nameOf(operation.value, 'watch');
    if (watch === undefined) continue;
    const segments = watches.get(watch) ?? [];
    watches.set(watch, segments);
    if (operation.f === 'watch') segments.push(segmentOf(watch, operation));
    const segment = segments.at(-1);
    if (segment !== undefined) note(segment, operation);
  }
  return watches;
}

function segmentOf(watch: string, begin: Operation): Segment {
  const { value } = begin;
  return {
    watch,
    begin,
    from: numberOf(value, 'from'),
    prefix: textFieldOf(value, 'prefix') ?? '',
    key: textFieldOf(value, 'key'),
    events: textFieldOf(value, 'events'),
    told: [],
    ended: undefined,
  };
}

function note(segment: Segment, operation: Operation): void {
  const { f, revision } = operation;
  if (f === 'event' || f === 'progress') segment.told.push(operation);
  if (f === 'watch-started' && revision !== undefined) segment.from ??= revision + 1;
  if (f === 'watch-ended') segment.ended = operation;
}

/** Whether a change of this key and type is one it asked for. */
export function isWanted(segment: Segment, key: string, type: string): boolean {
  if (segment.key !== undefined && key !== segment.key) return false;
  if (segment.events !== undefined && type !== segment.events) return false;
  return key.startsWith(segment.prefix);
}

/**
 * Everything it wanted up to here it must have been told; one before `from` when nothing is sure.
 */
export function toldUpTo(segment: Segment): number {
  let upTo = (segment.from ?? Infinity) - 1;
  for (const { f, revision, output } of segment.told) {
    if (revision === undefined) continue;
    // Of a revision that is not complete, more may follow.
    const complete = f === 'progress' || fieldOf(output, 'last') === true;
    upTo = Math.max(upTo, complete ? revision : revision - 1);
  }
  return upTo;
}
