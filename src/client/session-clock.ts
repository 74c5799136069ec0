import type { ClientEnvironment } from './environment.ts';

/** Something that must be told as soon as its time is over. */
export interface Lease {
  readonly deadlineMs: number;
  expire(): void;
  /** Nobody renews it any more. */
  abandon(): void;
}

/**
 * Tells leases that they are over, before anything else is told to anybody: every arrival from the
 * network checks here first. Timers alone would not do, since after the event loop stalled what
 * lies in a socket may be read before they fire.
 */
export class SessionClock {
  readonly environment: ClientEnvironment;
  readonly #leases = new Set<Lease>();
  /** No lease ends before this. */
  #earliestMs = Infinity;

  constructor(environment: ClientEnvironment) {
    this.environment = environment;
  }

  /** Called again whenever the lease's deadline moved. */
  note(lease: Lease): void {
    this.#leases.add(lease);
    if (lease.deadlineMs < this.#earliestMs) this.#earliestMs = lease.deadlineMs;
  }

  forget(lease: Lease): void {
    this.#leases.delete(lease);
  }

  /** Gives every lease up. */
  close(): void {
    for (const lease of this.#leases) lease.abandon();
  }

  readonly check = (): void => {
    if (this.#earliestMs === Infinity) return;
    const now = this.environment.now();
    if (now < this.#earliestMs) return;
    this.#earliestMs = Infinity;
    for (const lease of this.#leases) {
      if (lease.deadlineMs <= now) lease.expire();
      else if (lease.deadlineMs < this.#earliestMs) this.#earliestMs = lease.deadlineMs;
    }
  };
}
