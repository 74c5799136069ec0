import { HoldfastError } from '../base/index.ts';
import { queueKey, type LockMode, type LockPlaceRef } from '../registry/index.ts';
import { isGone } from './client-session.ts';
import { PASSING } from './error-response.ts';
import { wordOnPlace } from './grant-wait.ts';
import type { Link } from './link.ts';
import { answerOf, type Patience, type Proposals, type QueryAnswer } from './proposals.ts';
import type { CallOptions, WatchEvent } from './registry.ts';
import { pause, type WaitEnd } from './waiting.ts';
import { watchUntil, type WatchHost } from './watch-until.ts';

/** What waiting for locks needs of the registry. */
export interface LockHost extends WatchHost {
  readonly proposals: Proposals;
  readonly link: Pick<Link, 'watch'>;
  /** As long as the call's own options say, or the registry's `requestTimeout`. */
  patience(options: CallOptions | undefined): Patience;
}

/** A place in a lock's queue. */
export interface Place extends LockPlaceRef {
  readonly mode: LockMode;
}

/** Whether a place was held as of a revision. */
interface Standing {
  readonly held: boolean;
  readonly revision: number;
}
export interface Queued extends Place, Standing {}

/** How long one look at a place may take before it is tried again. */
const LOOK_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 500;
/**
 * A node may live but be cut off from the cluster, and would then say nothing for as long as that
 * lasts. So after so long without a word the cluster is asked.
 */
const TRUST_NODE_MS = 10_000;

/**
 * Waits until a place in a queue is granted. A node tells when it has applied what grants it: that
 * is committed, and what is granted stays so until it leaves, so nothing is asked afterwards. Only
 * those who are let in are told. Returns a revision as of which the lock was held.
 */
export async function untilHeld(host: LockHost, queued: Queued, end: WaitEnd): Promise<number> {
  let standing: Standing = queued;
  while (!standing.held) {
    standing = (await toldOf(host, queued, end)) ?? (await look(host, queued, end));
  }
  end.throwIfEnded();
  return standing.revision;
}

/** Undefined when nobody said a word. */
async function toldOf(host: LockHost, place: Place, end: WaitEnd): Promise<Standing | undefined> {
  const { proposals, link } = host;
  const { environment } = proposals;
  const word = await wordOnPlace({ link, environment }, place, end, TRUST_NODE_MS);
  return word === undefined ? undefined : standingIn(proposals.read(word));
}

function standingIn(answer: QueryAnswer): Standing {
  return answerOf(answer, 'lockPlace');
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

/**
 * Asks until the cluster answers. Throws `not-held` when the place is not in the queue, and
 * `session-expired` when its session is over.
 */
async function look(host: LockHost, place: Place, end: WaitEnd): Promise<Standing> {
  const { proposals } = host;
  const { environment } = proposals;
  const { name, session, token } = place;
  const query = { type: 'lockPlace', name, session, token } as const;
  for (;;) {
    const patience = { deadlineMs: environment.now() + LOOK_TIMEOUT_MS, signal: end.signal };
    try {
      return standingIn(await proposals.query(query, 'linearizable', patience));
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
