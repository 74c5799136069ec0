/**
 * Lets a batch of proposals gather for a moment before it is written, as `commit_delay` of
 * PostgreSQL does: a write costs about the same for one command as for a hundred.
 */
import type { Runtime } from './runtime.ts';

/** The longest wait, about what a write to a good disk takes; timers know nothing shorter. */
const MAX_DELAY_MS = 1;
/** With fewer callers than this there is nothing to gain. */
const MIN_CALLERS = 4;
/** Gathered well enough: so many are here for each that is still awaited. */
const HERE_PER_AWAITED = 4;
const FIRST_SKIPPED = 8;
const MAX_SKIPPED = 256;

/**
 * Whoever was just answered is likely to ask again at once, as callers in a loop do. As long as a
 * good part of those has not, what is here waits for them, but never longer than `MAX_DELAY_MS`.
 * Whenever that was in vain, so many batches go without waiting before it is tried again, twice as
 * many each time: callers who do not come back delay next to nothing.
 */
export class CommitDelay {
  readonly #runtime: Runtime;
  /** Answered, and not replaced by a new proposal since. */
  #awaited = 0;
  /** Proposals that were waiting when last looked. */
  #seen = 0;
  #since: number | undefined;
  /** Its timer may run a little early by the clock that `now` is from. */
  #isOver = false;
  #cancelTimer: () => void = () => undefined;
  #toSkip = 0;
  #skippedLast = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** So many callers were answered. */
  answered(count: number): void {
    this.#awaited += count;
  }

  /** Whether `queued` proposals should wait for others; asks for a turn in time if so. */
  waits(queued: number, now: number): boolean {
    this.#awaited = Math.max(0, this.#awaited - Math.max(0, queued - this.#seen));
    this.#seen = queued;
    if (this.#since !== undefined) return this.#waitsOn(queued, now);
    if (this.#hasGathered(queued)) return false;
    if (this.#toSkip > 0) {
      this.#toSkip--;
      return false;
    }
    this.#since = now;
    this.#isOver = false;
    this.#cancelTimer = this.#runtime.environment.setTimer(MAX_DELAY_MS, () => {
      this.#isOver = true;
      this.#runtime.schedule();
    });
    return true;
  }

  #hasGathered(queued: number): boolean {
    return this.#awaited * HERE_PER_AWAITED <= queued || this.#awaited + queued < MIN_CALLERS;
  }

  #waitsOn(queued: number, now: number): boolean {
    if (this.#hasGathered(queued)) {
      this.#skippedLast = 0;
      return false;
    }
    if (!this.#isOver && now - this.#since! < MAX_DELAY_MS) return true;
    this.#skippedLast = Math.min(Math.max(2 * this.#skippedLast, FIRST_SKIPPED), MAX_SKIPPED);
    this.#toSkip = this.#skippedLast;
    this.#awaited = 0;
    return false;
  }

  /** The proposals that were waiting are on their way. */
  taken(): void {
    this.#seen = 0;
    if (this.#since === undefined) return;
    this.#since = undefined;
    this.#cancelTimer();
  }
}
