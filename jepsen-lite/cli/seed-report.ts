/** One seed's run, and what is told of it. */
import type { Wishes } from '../simulation/configuration.ts';
import { again } from '../simulation/rerun.ts';
import { runSimulation, type SimulationResult } from '../simulation/run.ts';
import { outcomeLine, runJson } from '../simulation/run-text.ts';
import { countsOf, type RunCounts } from '../simulation/tally.ts';

/** What is done with every seed. Plain data: it goes to other threads. */
export interface SeedOrder {
  readonly wishes: Wishes;
  /** The share of the seeds whose runs are compared with a rerun, from 0 to 1. */
  readonly twice: number;
  /** The whole of every run is wanted, also of one that passed. */
  readonly whole: boolean;
}

/** Plain data, and of a run that passed little of it: it comes from other threads. */
export interface SeedReport {
  readonly seed: number;
  readonly counts: RunCounts;
  /** It was compared with its rerun. */
  readonly isTwice: boolean;
  /** The run in one line. */
  readonly line: string;
  /** The run as `-w json` prints it. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Of a run with a violation, and where all are wanted whole. */
  readonly result: SimulationResult | undefined;
}

export async function reportOfSeed(seed: number, order: SeedOrder): Promise<SeedReport> {
  const first = await runSimulation({ seed, wishes: order.wishes });
  const isTwice = isSampled(seed, order.twice);
  const result = isTwice ? await again(first, order.wishes) : first;
  const { record } = result;
  const counts = countsOf(record);
  const isWanted = order.whole || counts.outcome === 'violation';
  return {
    seed,
    counts,
    isTwice,
    line: outcomeLine(record),
    json: runJson(record),
    result: isWanted ? result : undefined,
  };
}

/** The same seeds each time, evenly spread. */
function isSampled(seed: number, share: number): boolean {
  return Math.floor((seed + 1) * share) > Math.floor(seed * share);
}
