import type { ClientEnvironment } from '../../../src/client/index.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until told otherwise, and dice that always fall the same way. */
export class VirtualTime implements ClientEnvironment {
  #nowMs = 1_000;
  #order = 0;
  #seed: number;
  readonly #timers = new Set<Timer>();

  constructor(seed = 1) {
    this.#seed = seed;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** mulberry32. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Time passes without anything happening: a stalled event loop. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) break;
      this.#fire(next);
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    await settle();
  }

  /** Lets time pass until the promise is settled, and gives its result. */
  async until<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    const untilMs = this.#nowMs + limitMs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    for (;;) {
      await settle();
      if (settled) return promise;
      const next = this.#next();
      if (next === undefined) throw new Error('nothing will happen any more');
      if (next.atMs > untilMs) throw new Error(`not settled within ${limitMs} ms`);
      this.#fire(next);
    }
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs) first = timer;
      else if (timer.atMs === first.atMs && timer.order < first.order) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.callback();
  }
}

/** Everything that is ready to run has run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
