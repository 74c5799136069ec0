/** A user's log store under simulated clusters. */
import { drawConfiguration } from '../simulation/configuration.ts';
import { runSimulation } from '../simulation/run.ts';
import { parseSeeds } from '../simulation/seeds.ts';
import { CopiedStores, type CreateStore } from './copied-stores.ts';
import { runSeeds, type RunChoice, type RunOne } from './run-seeds.ts';

export interface LogStoreUnderFaultsOptions extends RunChoice {
  /** `test` of node:test, or anything that takes a name and an asynchronous function. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /**
   * A store that keeps everything in this directory, which exists and is the store's own. Called
   * again with a copy of the directory, as a killed process has left it. Must not open it.
   */
  readonly create: CreateStore;
  /** 5 s unless given. */
  readonly time?: string | number;
  /** What clients do, as `simulate --workload` names it; drawn by the seed unless given. */
  readonly workload?: string;
}

const DEFAULT_SEEDS = '1..10';
const DEFAULT_TIME = '5s';
/** Clients pause at least so long: their writes take real time. */
const LEAST_PACE = 5;

/**
 * Registers a test for each seed: real nodes on stores of yours, on virtual time, under partitions,
 * crashes, pauses, slow and failing disks and changes of members, with every step
 * checked. Time stands still while a promise of a store settles, so a slow one gives the same run.
 * A process that is killed leaves its directory as it is at that moment, in the middle of a write
 * or a snapshot too; what a power loss does to files is for `testLogStore` of
 * `holdfast/conformance`.
 *
 * @throws RangeError for seeds that are none
 *
 * @example
 * import { test } from 'node:test';
 * import { testLogStoreUnderFaults } from 'holdfast/jepsen-lite';
 * import { MyLogStore } from './my-log-store.js';
 *
 * testLogStoreUnderFaults({ test, create: (directory) => new MyLogStore(directory) });
 */
export function testLogStoreUnderFaults(options: LogStoreUnderFaultsOptions): void {
  const { test, create, workload } = options;
  const run: RunOne = (simulation) => runOnStores(create, simulation);
  const { from, to } = parseSeeds(options.seeds ?? DEFAULT_SEEDS);
  for (let seed = from; seed <= to; seed++) {
    test(`a cluster on this store under faults, seed ${seed}`, async () => {
      const choice = { time: DEFAULT_TIME, ...options, seeds: `${seed}` };
      const { passed, summary } = await runSeeds(run, choice, workload);
      if (!passed) throw new Error(summary);
    });
  }
}

async function runOnStores(
  create: CreateStore,
  simulation: Parameters<RunOne>[0],
): ReturnType<RunOne> {
  const stores = new CopiedStores(create);
  const { seed, wishes } = simulation;
  const drawn = simulation.configuration ?? drawConfiguration(seed, wishes);
  const configuration = { ...drawn, pace: Math.max(drawn.pace, LEAST_PACE) };
  try {
    return await runSimulation({ ...simulation, configuration, parts: { stores } });
  } finally {
    await stores[Symbol.asyncDispose]();
  }
}
