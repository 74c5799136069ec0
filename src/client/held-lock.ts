import { HoldfastError } from '../base/index.ts';
import { isGone } from './client-session.ts';
import { textOf } from './edge.ts';
import type { Place } from './lock-waiting.ts';
import type { Claim } from './lock-claims.ts';
import type { Locks } from './locks.ts';
import type { Actor } from './proposals.ts';
import type { CallOptions, Lock, LockMode } from './registry.ts';

/** A place that was granted as of a revision. */
export interface HeldPlace extends Place {
  readonly revision: number;
}

/** A lock that was granted. */
export class HeldLockHandle implements Lock {
  readonly name: string;
  readonly session: number;
  readonly token: number;
  readonly mode: LockMode;
  readonly #locks: Locks;
  readonly #actor: Actor;
  readonly #claim: Claim;
  readonly place: HeldPlace;
  #released: Promise<void> | undefined = undefined;

  constructor(locks: Locks, actor: Actor, claim: Claim, place: HeldPlace) {
    this.name = textOf(place.name);
    this.session = place.session;
    this.token = place.token;
    this.mode = place.mode;
    this.#locks = locks;
    this.#actor = actor;
    this.#claim = claim;
    this.place = place;
  }

  /** After a failure it may be called again. */
  unlock(options?: CallOptions): Promise<void> {
    if (this.#released === undefined) {
      this.#released = this.#unlock(options);
      this.#claim.releasing(this.#released);
    }
    return this.#released;
  }

  async #unlock(options: CallOptions | undefined): Promise<void> {
    try {
      await this.#locks.unlock(this.place, this.#actor, options);
      this.#claim.leave();
    } catch (error) {
      this.#released = undefined;
      if (isOver(error)) this.#claim.leave();
      throw error;
    }
  }

  /** The session's end releases it: nothing is left to be done from here. */
  forget(): void {
    this.#claim.leave();
  }

  /** Releases; when the cluster is out of reach, as soon as it can be reached again. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.unlock();
    } catch {
      this.#locks.releaseInBackground(this.place, this.#claim);
    }
  }
}

/** Whether an error says that the place is not ours any more, so that nobody need release it. */
function isOver(error: unknown): boolean {
  return isGone(error) || (error instanceof HoldfastError && error.code === 'not-held');
}
