/**
 * Who believed to hold what, and when, as far as the history shows it. A belief counts from the
 * answer that granted it to the last moment at which its holder acted on it: a client that stands
 * still believes nothing meanwhile, and must find out before it acts again.
 *
 * Granted by `lock` or `campaign`; shown by `holding` and by the call of `unlock` or `resign`,
 * which end it, as do `close-session`, and `lost`, which says that the holder found out.
 */
import type { Operation } from '../history/operation.ts';
import { byCall, nameOf, numberOf, textFieldOf } from './values.ts';

export type HoldMode = 'exclusive' | 'shared' | 'semaphore';

export interface Hold {
  readonly key: string;
  /** The session, where the history tells it, else the process. */
  readonly holder: string;
  readonly token: number | undefined;
  readonly mode: HoldMode;
  /** Of a semaphore: permits held, and permits there are. */
  readonly permits: number;
  readonly limit: number;
  readonly grant: Operation;
  readonly fromNs: number;
  /**
   * When its holder asked for it first, since it had certainly given it up: an earlier attempt may
   * have left a place in the queue, which a later one finds.
   */
  readonly askedNs: number;
  /** The last moment at which the holder acted on its belief. */
  toNs: number;
  /** What ended it. */
  end: Operation | undefined;
}

const GRANTS: ReadonlySet<string> = new Set(['lock', 'acquire', 'campaign']);
const SHOWS: ReadonlySet<string> = new Set(['holding']);
const RELEASES: ReadonlySet<string> = new Set(['unlock', 'release', 'resign']);

export function isGrant({ f, type }: Operation): boolean {
  return GRANTS.has(f) && type === 'ok';
}

/** Whether it asked for a hold, with whatever outcome. */
export function isAttempt({ f }: Operation): boolean {
  return GRANTS.has(f);
}

/** In order of their grants' returns. */
export function holdsOf(history: readonly Operation[]): Hold[] {
  const holds: Hold[] = [];
  const open = new Map<string, Hold>();
  const asked = new Map<string, number>();
  for (const { operation, isReturn } of momentsOf(history)) {
    const place = placeOf(operation);
    if (isReturn) {
      const hold = holdOf(operation, asked.get(place) ?? operation.call);
      holds.push(hold);
      open.set(place, hold);
    } else if (isAttempt(operation)) {
      if (!asked.has(place)) asked.set(place, operation.call);
    } else if (operation.f === 'close-session') {
      endAll(open, operation);
    } else {
      if (RELEASES.has(operation.f) && operation.type === 'ok') asked.delete(place);
      const hold = open.get(place);
      if (hold === undefined) continue;
      // A release that is refused is how a holder finds out.
      if (operation.f !== 'lost' && operation.type !== 'fail') hold.toNs = operation.call;
      if (SHOWS.has(operation.f)) continue;
      hold.end = operation;
      open.delete(place);
    }
  }
  return holds;
}

/** Attempts as they are called and grants as they return, with all the rest, in order. */
function momentsOf(
  history: readonly Operation[],
): { readonly operation: Operation; readonly isReturn: boolean; readonly ns: number }[] {
  const moments = byCall(history).flatMap((operation) => {
    const { f } = operation;
    const called = { operation, isReturn: false, ns: operation.call };
    if (isGrant(operation)) return [called, { operation, isReturn: true, ns: operation.return! }];
    const ends = RELEASES.has(f) || f === 'lost' || f === 'close-session';
    return isAttempt(operation) || SHOWS.has(f) || ends ? [called] : [];
  });
  // At one moment the grant comes first: nobody can act on what is not granted.
  return moments.toSorted((a, b) => a.ns - b.ns || Number(b.isReturn) - Number(a.isReturn));
}

function holdOf(grant: Operation, askedNs: number): Hold {
  const { key, value, output } = grant;
  const mode = textFieldOf(value, 'mode');
  const from = grant.return!;
  return {
    key: key ?? '',
    holder: holderOf(grant),
    token: typeof output === 'number' ? output : numberOf(output, 'token'),
    mode: mode === 'shared' || mode === 'semaphore' ? mode : 'exclusive',
    permits: numberOf(value, 'permits') ?? 1,
    limit: numberOf(value, 'limit') ?? 1,
    grant,
    fromNs: from,
    askedNs,
    toNs: from,
    end: undefined,
  };
}

/** The session's close ends all it holds. */
function endAll(open: Map<string, Hold>, operation: Operation): void {
  const holder = holderOf(operation);
  for (const [place, hold] of open) {
    if (hold.holder !== holder) continue;
    hold.end = operation;
    open.delete(place);
  }
}

export function holderOf({ process, value }: Operation): string {
  const session = nameOf(value, 'session');
  return session === undefined ? `process ${process}` : `session ${session}`;
}

function placeOf(operation: Operation): string {
  return `${holderOf(operation)} ${operation.key ?? ''}`;
}
