/**
 * Runs of many seeds, on one thread or several. A run is decided by its seed alone and reports come
 * in the order of the seeds, so the number of threads shows in nothing but the time it takes.
 */
import { Worker } from 'node:worker_threads';
import type { SeedRange } from '../simulation/seeds.ts';
import { reportOfSeed, type SeedOrder, type SeedReport } from './seed-report.ts';

/** While one seed takes its time, so many others for each thread are run ahead of it. */
const AHEAD = 20;
/** Nearly all that a run makes is gone soon: seldom collected, it costs less. */
const YOUNG_GENERATION_MB = 96;

/** In the order of the seeds. Whoever breaks off ends the runs under way. */
export async function* seedRuns(
  { from, to }: SeedRange,
  jobs: number,
  order: SeedOrder,
): AsyncGenerator<SeedReport> {
  const threads = Math.min(jobs, to - from + 1);
  const pool = threads > 1 ? new SeedThreads({ from, to }, threads, order) : undefined;
  try {
    for (let seed = from; seed <= to; seed++) {
      yield await (pool === undefined ? reportOfSeed(seed, order) : pool.reportOf(seed));
    }
  } finally {
    await pool?.end();
  }
}

/** Seeds that are asked for one after another, and run ahead of that. */
class SeedThreads {
  readonly #to: number;
  readonly #threads: readonly Worker[];
  readonly #idle: Worker[] = [];
  readonly #done = new Map<number, SeedReport>();
  /** The next seed to be run, and the one that is asked for. */
  #next: number;
  #asked: number;
  #failure: Error | undefined;
  /** Looks whether what is asked for is there by now. */
  #look: () => void = () => {};

  constructor({ from, to }: SeedRange, threads: number, order: SeedOrder) {
    this.#to = to;
    this.#next = from;
    this.#asked = from;
    this.#threads = Array.from({ length: threads }, () => this.#createThread(order));
    this.#idle.push(...this.#threads);
  }

  #createThread(order: SeedOrder): Worker {
    const thread = new Worker(new URL('seed-thread.js', import.meta.url), {
      workerData: order,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    thread.on('message', (report: SeedReport) => {
      this.#done.set(report.seed, report);
      this.#idle.push(thread);
      this.#giveOut();
      this.#look();
    });
    thread.on('error', (error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    thread.on('exit', (code) => this.#fail(new Error(`a thread with runs ended with ${code}`)));
    return thread;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#look();
  }

  #giveOut(): void {
    const last = Math.min(this.#to, this.#asked + AHEAD * this.#threads.length);
    while (this.#next <= last && this.#idle.length > 0) {
      this.#idle.shift()!.postMessage(this.#next++, []);
    }
  }

  /** Seeds are asked for in their order. */
  reportOf(seed: number): Promise<SeedReport> {
    this.#asked = seed;
    this.#giveOut();
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const report = this.#done.get(seed);
        if (report !== undefined) {
          this.#done.delete(seed);
          resolve(report);
        } else if (this.#failure !== undefined) {
          reject(this.#failure);
        }
      };
      this.#look();
    });
  }

  async end(): Promise<void> {
    this.#look = () => {};
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}
