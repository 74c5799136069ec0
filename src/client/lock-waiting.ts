import { HoldfastError } from '../base/index.ts';
import { queueKey, type ByteString, type FencingToken, type SessionId } from '../registry/index.ts';
import { isGone } from './client-session.ts';
import { textOf } from './edge.ts';
import { PASSING } from './error-response.ts';
import { answerOf, type Patience, type Proposals } from './proposals.ts';
import type { CallOptions } from './registry.ts';
import { pause, type WaitEnd } from './waiting.ts';
import type { WatchStream } from './watch-stream.ts';

/** What waiting for locks needs of the registry. */
export interface LockHost {
  readonly proposals: Proposals;
  /** As long as the call's own options say, or the registry's `requestTimeout`. */
  patience(options: CallOptions | undefined): Patience;
  /** Events of one key from a revision on. */
  watchKey(key: ByteString, from: number, signal: AbortSignal): WatchStream;
}

/** A place in a lock's queue; no two ever have the same token. */
export interface Place {
  readonly name: ByteString;
  readonly session: SessionId;
  readonly token: FencingToken;
}

/** Who is directly ahead as of a revision; undefined for the holder. */
interface View {
  readonly ahead: SessionId | undefined;
  readonly revision: number;
}
export interface Queued extends Place, View {}

/** How long one look at the queue may take before it is tried again. */
const LOOK_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 500;
/**
 * A watch is a hint: it may hang on a node that lives but is cut off from the cluster, and would
 * then tell nothing for as long as that lasts. So the queue is asked for this often anyway.
 */
const TRUST_WATCH_MS = 10_000;

/**
 * Waits until a place in a queue has become the first. Without a herd: each waiter watches the
 * queue key directly ahead of its own, and asks for the queue, linearizably, before it believes
 * that its turn has come. Returns the revision as of which the lock was held.
 */
export async function untilHeld(host: LockHost, queued: Queued, end: WaitEnd): Promise<number> {
  let view: View = queued;
  while (view.ahead !== undefined) {
    await untilGone(host, queueKey(queued.name, view.ahead), view.revision, end);
    view = await look(host, queued, end);
  }
  end.throwIfEnded();
  return view.revision;
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
    await untilGone(host, key, revision, end);
    ({ revision } = await look(host, place, end));
  }
}

/** Until the key is deleted, or only a look at the queue can tell whether it is. */
async function untilGone(
  host: LockHost,
  key: ByteString,
  revision: number,
  end: WaitEnd,
): Promise<void> {
  const watch = host.watchKey(key, revision + 1, end.signal);
  const { environment } = host.proposals;
  const cancel = environment.setTimer(TRUST_WATCH_MS, () => void watch.close());
  try {
    for await (const event of watch) {
      if (event.type === 'delete') break;
    }
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (code !== 'compacted' && code !== 'overrun') throw error;
  } finally {
    cancel();
    await watch.close();
  }
  end.throwIfEnded();
}

/** Asks until the cluster answers. Throws `not-held` when the place is not in the queue. */
async function look(host: LockHost, place: Place, end: WaitEnd): Promise<View> {
  const { proposals } = host;
  const { environment } = proposals;
  for (;;) {
    const patience = { deadlineMs: environment.now() + LOOK_TIMEOUT_MS, signal: end.signal };
    const query = { type: 'lockQueue', name: place.name } as const;
    try {
      const answer = answerOf(await proposals.query(query, 'linearizable', patience), 'lockQueue');
      const position = answer.queue.findIndex((one) => one.token === place.token);
      if (position < 0) throw notInQueue(place);
      return { ahead: answer.queue[position - 1]?.session, revision: answer.revision };
    } catch (error) {
      end.throwIfEnded();
      if (!mayPass(error)) throw error;
      await pause(LOOK_AGAIN_MS, environment, end.signal);
      end.throwIfEnded();
    }
  }
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
