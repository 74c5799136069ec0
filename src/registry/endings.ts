import type { Act } from './act.ts';
import type { KeyEntry } from './key-version.ts';
import type { Session } from './sessions.ts';
import type { RegistryState } from './state.ts';
import type { SessionEnd } from './table-types.ts';
import type { ByteString, SessionId } from './types.ts';

export interface Ending {
  readonly session: Session;
  readonly why: SessionEnd;
}

/**
 * The sessions that end in the revision under way: a queue, since the end of one may bring about
 * that of others, however many. Once in it a session counts as ended: it is told nothing more.
 */
export class Endings {
  readonly state: RegistryState;
  readonly node: ByteString;
  /** Places in lock queues that stay for their lock-delay. */
  readonly delayed: Set<KeyEntry> = new Set();
  readonly #queue: Ending[] = [];
  #taken = 0;
  readonly #ids: Set<SessionId> = new Set();

  constructor(act: Act) {
    this.state = act.state;
    this.node = act.node;
  }

  /** Adds a session, unless it is in the queue or was. */
  add(session: Session, why: SessionEnd): void {
    if (this.#ids.has(session.id)) return;
    this.#ids.add(session.id);
    this.#queue.push({ session, why });
    // Whoever closes a session knows that it lets go; of any other end its holder has yet to hear.
    if (why !== 'closed') this.#delayPlaces(session);
  }

  has(session: SessionId): boolean {
    return this.#ids.has(session);
  }

  /** The next to end; more may have joined since the last call. */
  next(): Ending | undefined {
    return this.#queue[this.#taken++];
  }

  /** Before it ends, and any other: what it holds only because another ended, it never knew of. */
  #delayPlaces(session: Session): void {
    for (const entry of session.keys) {
      const place = this.state.store.locks.heldPlace(entry);
      if (place !== undefined && place.terms.delayMs > 0) this.delayed.add(entry);
    }
  }
}
