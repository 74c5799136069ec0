import { HoldfastError, unreachable } from '../base/index.ts';
import {
  queueKey,
  type ByteString,
  type FencingToken,
  type LockHolder,
  type LockMode,
  type LockQueueEntry,
  type SessionId,
} from '../registry/index.ts';
import { isGone } from './client-session.ts';
import { textOf } from './edge.ts';
import { PASSING } from './error-response.ts';
import { wholeQueue } from './pages.ts';
import type { Patience, Proposals } from './proposals.ts';
import type { CallOptions, WatchEvent } from './registry.ts';
import { pause, type WaitEnd } from './waiting.ts';
import { watchUntil, type WatchHost } from './watch-until.ts';

/** What waiting for locks needs of the registry. */
export interface LockHost extends WatchHost {
  readonly proposals: Proposals;
  /** As long as the call's own options say, or the registry's `requestTimeout`. */
  patience(options: CallOptions | undefined): Patience;
}

/** A place in a lock's queue; no two ever have the same token. */
export interface Place {
  readonly name: ByteString;
  readonly session: SessionId;
  readonly token: FencingToken;
  readonly mode: LockMode;
}

/**
 * What keeps a place from being granted. Of `one`, its end is worth a look at the queue: for a
 * writer the place directly ahead, for a reader the last writer ahead. A semaphore's permits can
 * come back from any of many: of `all`, so many must have left first.
 */
type Blocker =
  | { readonly type: 'none' }
  | { readonly type: 'one'; readonly session: SessionId }
  | { readonly type: 'all'; readonly ahead: readonly Wanted[]; readonly missing: number }
  /** Not known yet. */
  | { readonly type: 'ask' };

interface Wanted {
  readonly session: SessionId;
  readonly permits: number;
}

/** What blocks a place as of a revision. */
interface View {
  readonly blocker: Blocker;
  readonly revision: number;
}
export interface Queued extends Place, View {}

/** The last id that a queue key may end in. */
const LAST_ID = 'f'.repeat(16);
/** How long one look at the queue may take before it is tried again. */
const LOOK_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 500;

/** What blocks the place that a lock command has just been answered for. */
export function blockerOf(mode: LockMode, held: boolean, ahead: readonly LockHolder[]): Blocker {
  if (held) return { type: 'none' };
  const last = ahead.at(-1);
  if (mode === 'semaphore' || last === undefined) return { type: 'ask' };
  return { type: 'one', session: last.session };
}

/**
 * Waits until a place in a queue is granted. Without a herd: a waiter watches only what blocks it,
 * and asks for the queue, linearizably, before it believes that its turn has come; only those who
 * wait for permits are all told of each release, and ask once enough are back. Returns the revision
 * as of which the lock was held.
 */
export async function untilHeld(host: LockHost, queued: Queued, end: WaitEnd): Promise<number> {
  let view: View = queued;
  while (view.blocker.type !== 'none') {
    await untilUnblocked(host, queued.name, view, end);
    view = await look(host, queued, end);
  }
  end.throwIfEnded();
  return view.revision;
}

async function untilUnblocked(
  host: LockHost,
  name: ByteString,
  { blocker, revision }: View,
  end: WaitEnd,
): Promise<void> {
  switch (blocker.type) {
    case 'none':
    case 'ask':
      return;
    case 'one': {
      const key = queueKey(name, blocker.session);
      await watchUntil(host, [key, `${key}\0`], revision, end, isDelete);
      return;
    }
    case 'all': {
      const ahead = new Map<string, number>();
      for (const one of blocker.ahead) ahead.set(queueKeyText(name, one.session), one.permits);
      let { missing } = blocker;
      const range = [queueKey(name, 0 as SessionId), `${name}/${LAST_ID}\0`] as const;
      await watchUntil(host, range, revision, end, (event) => {
        if (event.type !== 'delete') return false;
        missing -= ahead.get(event.key) ?? 0;
        ahead.delete(event.key);
        return missing <= 0;
      });
      return;
    }
    default:
      unreachable(blocker);
  }
}

function queueKeyText(name: ByteString, session: SessionId): string {
  return textOf(queueKey(name, session));
}

function isDelete(event: WatchEvent): boolean {
  return event.type === 'delete';
}

/** Of a key owned by a session: it was deleted, or is left over for a lock-delay. */
function hasEnded(event: WatchEvent): boolean {
  return event.type === 'delete' || event.record.session === undefined;
}

/** Rejects once the place is lost, and only then; or with why the wait ended. */
export async function untilLost(
  host: LockHost,
  place: Place,
  heldAtRevision: number,
  end: WaitEnd,
): Promise<never> {
  const key = queueKey(place.name, place.session);
  let revision = heldAtRevision;
  for (;;) {
    await watchUntil(host, [key, `${key}\0`], revision, end, hasEnded);
    ({ revision } = await look(host, place, end));
  }
}

/** Asks until the cluster answers. Throws `not-held` when the place is not in the queue. */
async function look(host: LockHost, place: Place, end: WaitEnd): Promise<View> {
  const { proposals } = host;
  const { environment } = proposals;
  const { name } = place;
  for (;;) {
    const patience = { deadlineMs: environment.now() + LOOK_TIMEOUT_MS, signal: end.signal };
    try {
      const { queue, revision } = await wholeQueue(proposals, name, 'linearizable', patience);
      return { blocker: findBlocker(queue, place), revision };
    } catch (error) {
      end.throwIfEnded();
      if (!mayPass(error)) throw error;
      await pause(LOOK_AGAIN_MS, environment, end.signal);
      end.throwIfEnded();
    }
  }
}

function findBlocker(queue: readonly LockQueueEntry[], place: Place): Blocker {
  const position = queue.findIndex((one) => one.token === place.token);
  const own = queue[position];
  if (own === undefined || own.delayed) throw notInQueue(place);
  if (own.held) return { type: 'none' };
  const ahead = queue.slice(0, position);
  const last = ahead.findLast((one) => own.terms.mode !== 'shared' || isWriter(one));
  if (own.terms.mode !== 'semaphore' && last !== undefined) {
    return { type: 'one', session: last.session };
  }
  const wanted = ahead.map(({ session, terms }) => ({ session, permits: terms.permits }));
  const taken = wanted.reduce((sum, { permits }) => sum + permits, own.terms.permits);
  return { type: 'all', ahead: wanted, missing: taken - own.terms.limit };
}

function isWriter({ terms }: LockQueueEntry): boolean {
  return terms.mode === 'exclusive';
}

/** Whether the same call may succeed a little later. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof HoldfastError) || isGone(error)) return false;
  return PASSING.has(error.code) ? error.code !== 'closed' : error.code === 'overloaded';
}

function notInQueue({ name, session }: Place): HoldfastError {
  const what = `session ${session} is no longer in the queue of lock '${textOf(name)}'`;
  return new HoldfastError('not-held', `${what}: it was removed, or the session ended`);
}
