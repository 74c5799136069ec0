/** The parts of a long run: a cluster of its own for each workload. */
import { Dice, randomFor } from '../simulation/random.ts';
import { workloads } from '../workloads/index.ts';
import type { CreateWorkload } from '../workloads/workload.ts';

export interface Leg {
  readonly seed: number;
  readonly workload: CreateWorkload;
  readonly faultsMs: number;
}

/** What is to be divided. */
export interface LegsOptions {
  readonly seed: number;
  readonly faultsMs: number;
  /** None is shorter, unless there is only one. */
  readonly roundMs: number;
}

/**
 * Every workload that must pass, in an order that the seed decides, the time divided among them;
 * where it does not suffice for all, the first of them.
 */
export function legsOfAll({ seed, faultsMs, roundMs }: LegsOptions): readonly Leg[] {
  const all = Object.values(workloads).filter((create) => create().mustFail === undefined);
  const dice = new Dice(randomFor(seed, 'workloads'));
  const count = Math.max(1, Math.min(all.length, Math.floor(faultsMs / roundMs)));
  const chosen = dice.shuffled(all).slice(0, count);
  // Seeds of their own: the same faults again and again would be a waste.
  return chosen.map((workload, i) => ({
    seed: seed + i,
    workload,
    faultsMs: Math.round(faultsMs / count),
  }));
}
