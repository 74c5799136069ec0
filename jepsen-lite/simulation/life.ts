/** One life of one process, be it a node or a client: its time, its timers, and its end. */
import type { Environment, LogLevel } from '../../src/node/index.ts';
import type { World } from './world.ts';

/**
 * What a process takes for monotonic time: it begins anywhere, runs at a pace of its own, and may
 * jump ahead.
 */
export class Clock {
  readonly #world: World;
  #rate = 1;
  #read: number;
  #readAt = 0;

  constructor(world: World, startMs = 0) {
    this.#world = world;
    this.#read = startMs - world.now;
    this.#readAt = 0;
  }

  now(): number {
    return this.#read + (this.#world.now - this.#readAt) * this.#rate;
  }

  get rate(): number {
    return this.#rate;
  }

  /** 1 is right. */
  set rate(rate: number) {
    this.#read = this.now();
    this.#readAt = this.#world.now;
    this.#rate = rate;
  }

  jump(byMs: number): void {
    this.#read += byMs;
  }
}

/** So that a rounded time that is almost reached is passed. */
const LEAST_WAIT_MS = 1e-6;

/** Once it is over, nothing of it happens any more. */
export class Life implements Environment {
  readonly #world: World;
  readonly name: string;
  readonly clock: Clock;
  readonly #random: () => number;
  readonly #wakes: boolean;
  #over = false;
  #waiting: (() => void)[] = [];
  /** Events of a process that stands still wait until then. */
  stalledUntil = 0;

  /** `wakes`: its timers are what promises wait for; see `World.wake`. */
  constructor(
    world: World,
    name: string,
    options: {
      readonly clock?: Clock;
      readonly random?: () => number;
      readonly wakes?: boolean;
    } = {},
  ) {
    this.#world = world;
    this.name = name;
    this.clock = options.clock ?? new Clock(world, world.now);
    this.#random = options.random ?? world.random;
    this.#wakes = options.wakes === true;
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  now(): number {
    return this.clock.now();
  }

  /** Runs it now; not before a stall is over, and not at all after this life's end. */
  run(callback: () => void): void {
    if (this.#over) return;
    // What waits came first.
    if (this.stalledUntil > this.#world.now || this.#waiting.length > 0) this.#wait(callback);
    else this.#runNow(callback);
  }

  /** Ends a stall that would last longer. */
  goOn(): void {
    this.stalledUntil = Math.min(this.stalledUntil, this.#world.now);
    this.#world.defer(() => this.#goOn());
  }

  #runNow(callback: () => void): void {
    if (this.#wakes) this.#world.wake();
    callback();
  }

  #wait(callback: () => void): void {
    this.#waiting.push(callback);
    if (this.#waiting.length === 1) this.#world.at(this.stalledUntil, () => this.#goOn());
  }

  /** Runs all that waited, in the order in which it came. */
  #goOn(): void {
    const waiting = this.#waiting;
    let done = 0;
    while (done < waiting.length && !this.#over && this.stalledUntil <= this.#world.now) {
      this.#runNow(waiting[done++]!);
    }
    this.#waiting = waiting.slice(done);
    if (this.#waiting.length > 0 && !this.#over)
      this.#world.at(this.stalledUntil, () => this.#goOn());
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    let live = true;
    const dueMs = this.now() + delayMs;
    const step = (): void => {
      if (!live) return;
      // The clock may have changed its pace meanwhile, and numbers are rounded.
      if (this.now() < dueMs) this.#after(dueMs - this.now(), step);
      else callback();
    };
    this.#after(delayMs, step);
    return () => {
      live = false;
    };
  }

  /** On this life's own clock, about. */
  #after(delayMs: number, callback: () => void): void {
    const waitMs = Math.max(delayMs > 0 ? LEAST_WAIT_MS : 0, delayMs / this.clock.rate);
    this.#world.after(waitMs, () => this.run(callback));
  }

  defer(callback: () => void): void {
    this.#world.defer(() => this.run(callback));
  }

  random(): number {
    return this.#random();
  }

  newId(): string {
    return `store-${this.name}-${this.#world.count()}`;
  }

  log(level: LogLevel, line: string): void {
    this.#world.logged(`${this.#world.now.toFixed(1)} ${this.name} ${level} ${line}`);
  }
}
