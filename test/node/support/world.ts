/** Virtual time: everything that happens is an event, and one seed decides all of it. */
import type { Environment, LogLevel } from '../../../src/node/index.ts';

/** A small generator with a 32-bit state (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface ScheduledEvent {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** A binary heap of events. */
class EventHeap {
  readonly #items: ScheduledEvent[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(event: ScheduledEvent): void {
    const items = this.#items;
    let at = items.length;
    items.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = event;
  }

  pop(): ScheduledEvent | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

/** One life of one node: once it is over, nothing of it happens any more. */
export class Life implements Environment {
  readonly #world: World;
  readonly name: string;
  #over = false;
  /** Events of a stalled node wait until the stall is over. */
  stalledUntil = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  now(): number {
    return this.#world.now;
  }

  #guarded(callback: () => void): () => void {
    const run = (): void => {
      if (this.#over) return;
      if (this.stalledUntil > this.#world.now) {
        this.#world.at(this.stalledUntil, run);
        return;
      }
      callback();
    };
    return run;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    let live = true;
    const run = this.#guarded(() => {
      if (live) callback();
    });
    this.#world.at(this.#world.now + Math.max(0, delayMs), run);
    return () => {
      live = false;
    };
  }

  defer(callback: () => void): void {
    this.#world.at(this.#world.now, this.#guarded(callback));
  }

  random(): number {
    return this.#world.random();
  }

  newId(): string {
    return `store-${this.name}-${this.#world.count()}`;
  }

  log(level: LogLevel, line: string): void {
    this.#world.logged(`${this.#world.now.toFixed(1)} ${this.name} ${level} ${line}`);
  }
}

const LOG_LINES = 400;

export class World {
  readonly random: () => number;
  now = 0;
  readonly lines: string[] = [];
  readonly #heap = new EventHeap();
  #order = 0;
  #counter = 0;

  constructor(seed = 1) {
    this.random = createRandom(seed);
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

  /** Lets everything that waits for a settled promise go on. Only memory is behind any promise. */
  static settled(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  async #step(): Promise<void> {
    const event = this.#heap.pop();
    if (event === undefined) throw new Error('nothing is left to happen');
    this.now = event.at;
    event.run();
    await World.settled();
  }

  /** Runs until the condition holds; fails when it does not within so much virtual time. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    const end = this.now + withinMs;
    await World.settled();
    while (!condition()) {
      if (this.now > end || this.#heap.size === 0) {
        throw new Error(`not within ${withinMs} ms: ${what}\n${this.lines.slice(-60).join('\n')}`);
      }
      await this.#step();
    }
  }

  async run(forMs: number): Promise<void> {
    const end = this.now + forMs;
    this.at(end, () => {});
    await this.until('time passes', () => this.now >= end, forMs + 1);
  }
}
