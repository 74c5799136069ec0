/** Virtual time: everything that happens is an event, and one seed decides all of it. */
import { EventHeap } from './event-heap.ts';
import { createRandom } from './random.ts';

/** Log lines kept, for a run that fails. */
const LOG_LINES = 400;
/**
 * Promises that resolve one another after an event go on for so many steps before the next event.
 * Longer chains go on after that one, in the same order in every run.
 */
const STEPS_AFTER_WAKING = 12;

const DONE = Promise.resolve();

export interface WorldOptions {
  /**
   * Lets promises go on only after events that said `wake`: much faster, and as deterministic,
   * since only memory is behind any promise.
   */
  readonly wakesOnly?: boolean;
}

export class World {
  readonly random: () => number;
  now = 0;
  /** Events so far. */
  events = 0;
  readonly lines: string[] = [];
  readonly #wakesOnly: boolean;
  readonly #heap = new EventHeap();
  /** To happen as soon as nothing more is due now. */
  #deferred: (() => void)[] = [];
  #deferredDone = 0;
  #order = 0;
  #counter = 0;
  #woken: 'no' | 'some' | 'all' = 'no';
  readonly #held = new Set<Promise<unknown>>();
  #lastInOrder: Promise<unknown> = DONE;

  constructor(seed = 1, options: WorldOptions = {}) {
    this.random = createRandom(seed);
    this.#wakesOnly = options.wakesOnly === true;
  }

  count(): number {
    return ++this.#counter;
  }

  logged(line: string): void {
    this.lines.push(line);
    if (this.lines.length > 2 * LOG_LINES) this.lines.splice(0, LOG_LINES);
  }

  at(time: number, run: () => void): void {
    this.#heap.push({ at: Math.max(time, this.now), order: this.#order++, run });
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.now + delayMs, run);
  }

  /** Runs it at this same time, after everything that is due by now. */
  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  /** This event may have settled a promise somebody waits for. */
  wake(): void {
    if (this.#woken === 'no') this.#woken = 'some';
  }

  /** As `wake`, and what goes on may take many steps: all of it comes before the next event. */
  wakeFully(): void {
    this.#woken = 'all';
  }

  /** Virtual time stands still until this promise, with something real behind it, is settled. */
  hold(promise: Promise<unknown>): void {
    const over = (): void => {
      this.#held.delete(promise);
    };
    this.#held.add(promise);
    promise.then(over, over);
    this.wakeFully();
  }

  /** Holds time for a promise, and gives its result after those of all such promises before it. */
  async inOrder<T>(promise: Promise<T>): Promise<T> {
    const before = this.#lastInOrder;
    const settled = Promise.allSettled([before, promise]).then(() => undefined);
    this.#lastInOrder = settled;
    this.hold(settled);
    await before;
    return await promise;
  }

  /** As `hold`, until the function returned is called. */
  holdUntilReleased(): () => void {
    const releases: (() => void)[] = [];
    this.hold(new Promise<void>((resolve) => releases.push(resolve)));
    return () => releases.pop()?.();
  }

  /** Lets everything that waits for a settled promise go on. Only memory is behind any promise. */
  static settled(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** The next event that is due by then, taken out. */
  #next(byMs: number): (() => void) | undefined {
    const { first } = this.#heap;
    const isDue = first !== undefined && first.at <= this.now;
    if (!isDue && this.#deferredDone < this.#deferred.length) return this.#nextDeferred();
    if (first === undefined || first.at > byMs) return undefined;
    this.now = first.at;
    return this.#heap.pop()!.run;
  }

  #nextDeferred(): () => void {
    const run = this.#deferred[this.#deferredDone++]!;
    if (this.#deferredDone === this.#deferred.length) {
      this.#deferred = [];
      this.#deferredDone = 0;
    }
    return run;
  }

  /** Lets promises go on, as far as the last event gave reason to. */
  async #settle(): Promise<void> {
    while (this.#woken !== 'no' || this.#held.size > 0) {
      const woken = this.#woken;
      this.#woken = 'no';
      if (this.#held.size > 0) await Promise.allSettled(this.#held);
      if (woken === 'some') for (let i = 0; i < STEPS_AFTER_WAKING; i++) await DONE;
      else await World.settled();
    }
  }

  /**
   * Lets everything happen until that time; ends early once `isOver` (asked after every event) or
   * when nothing is left to happen.
   */
  async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    await World.settled();
    for (let run = this.#next(endMs); run !== undefined; run = this.#next(endMs)) {
      this.events += 1;
      run();
      if (!this.#wakesOnly) this.#woken = 'all';
      if (this.#woken !== 'no') await this.#settle();
      if (isOver()) return;
    }
    this.now = Math.max(this.now, endMs);
  }

  /** Runs until the condition holds; fails when it does not within so much virtual time. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    await World.settled();
    if (condition()) return;
    await this.runUntil(this.now + withinMs, condition);
    if (condition()) return;
    throw new Error(`not within ${withinMs} ms: ${what}\n${this.lines.slice(-60).join('\n')}`);
  }

  async run(forMs: number): Promise<void> {
    await this.runUntil(this.now + forMs);
  }
}
