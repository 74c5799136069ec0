/**
 * What the build does without any bug planted: what it shows, too, says nothing about a bug. Each
 * seed, and each file of tests, is run once, whichever bugs ask for it.
 */
import type { Wishes } from '../simulation/configuration.ts';
import { testsPass, Trial, TrialOver } from './trial.ts';

interface Sound {
  readonly passes: boolean;
  readonly met: Readonly<Record<string, number>>;
}

const BROKEN_OFF: Sound = { passes: false, met: {} };

export class Soundness {
  readonly #longestMs: number;
  readonly #known = new Map<string, Sound>();
  /** By the names of the files, whether all their tests pass. */
  readonly #tests = new Map<string, boolean>();
  /** By what is asked of their runs. */
  readonly #trials = new Map<string, Trial>();

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  async passes(seed: number, wishes: Wishes): Promise<boolean> {
    return (await this.#of(seed, wishes)).passes;
  }

  async passesTests(files: readonly string[], limitMs: number): Promise<boolean> {
    const name = files.join(' ');
    const passes = this.#tests.get(name) ?? (await testsPass({}, files, limitMs));
    this.#tests.set(name, passes);
    return passes;
  }

  /** How often each situation comes about. */
  async met(seed: number, wishes: Wishes): Promise<Readonly<Record<string, number>>> {
    return (await this.#of(seed, wishes)).met;
  }

  end(): void {
    for (const trial of this.#trials.values()) trial.end();
    this.#trials.clear();
  }

  async #of(seed: number, wishes: Wishes): Promise<Sound> {
    const kind = JSON.stringify(wishes);
    const place = `${seed} ${kind}`;
    const known = this.#known.get(place) ?? (await this.#run(seed, wishes, kind));
    this.#known.set(place, known);
    return known;
  }

  async #run(seed: number, wishes: Wishes, kind: string): Promise<Sound> {
    try {
      const trial = this.#trials.get(kind) ?? (await Trial.begin({}, wishes, this.#longestMs));
      this.#trials.set(kind, trial);
      const { violation, sometimes } = await trial.run(seed, this.#longestMs);
      return { passes: violation === undefined, met: sometimes };
    } catch (error) {
      if (!(error instanceof TrialOver)) throw error;
      this.#trials.get(kind)?.end();
      this.#trials.delete(kind);
      return BROKEN_OFF;
    }
  }
}
