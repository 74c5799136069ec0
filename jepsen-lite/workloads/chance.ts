/** Chance for workloads: all of it from the run's own. */
import type { WorkloadContext } from './workload.ts';

type Chance = Pick<WorkloadContext, 'random'>;

/** One of `choices`, which is not empty. */
export function pick<T>(chance: Chance, choices: readonly T[]): T {
  return choices[below(chance, choices.length)]!;
}

/** A whole number of at least 0, below `limit`. */
export function below(chance: Chance, limit: number): number {
  return Math.floor(chance.random() * limit);
}
