import type { ClientEnvironment } from './environment.ts';

export interface Expiring {
  readonly deadlineMs: number;
  /** For `Deadlines` alone: its place there, -1 while it has none. */
  slot: number;
  expire(): void;
}

/**
 * Ends what has waited too long. One timer for all: it is set for the earliest deadline and looks
 * at everything when it fires, so that a call that is answered in time costs a place in a list, no
 * timer. (A list and not a `Set`, for the reason that `IdTable` gives.)
 */
export class Deadlines<T extends Expiring> {
  readonly #environment: ClientEnvironment;
  readonly #live: T[] = [];
  #armedForMs = Infinity;
  #cancel: (() => void) | undefined = undefined;

  constructor(environment: ClientEnvironment) {
    this.#environment = environment;
  }

  get size(): number {
    return this.#live.length;
  }

  add(one: T): void {
    one.slot = this.#live.push(one) - 1;
    if (one.deadlineMs < this.#armedForMs) this.#arm(one.deadlineMs);
  }

  delete(one: T): void {
    if (one.slot < 0) return;
    const last = this.#live.pop()!;
    if (last !== one) {
      this.#live[one.slot] = last;
      last.slot = one.slot;
    }
    one.slot = -1;
    if (this.#live.length === 0) this.#disarm();
  }

  /** Everything that waits now, for whoever ends it all. */
  all(): readonly T[] {
    return [...this.#live];
  }

  #arm(atMs: number): void {
    this.#cancel?.();
    this.#armedForMs = atMs;
    const delayMs = Math.max(0, atMs - this.#environment.now());
    this.#cancel = this.#environment.setTimer(delayMs, () => this.#sweep());
  }

  /** Keeps a process from ending for nothing. */
  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedForMs = Infinity;
  }

  #sweep(): void {
    this.#disarm();
    const now = this.#environment.now();
    let earliestMs = Infinity;
    for (const one of this.all()) {
      // One that expires may take others along.
      if (one.slot < 0) continue;
      if (one.deadlineMs <= now) one.expire();
      else if (one.deadlineMs < earliestMs) earliestMs = one.deadlineMs;
    }
    if (earliestMs < this.#armedForMs && this.#live.length > 0) this.#arm(earliestMs);
  }
}
