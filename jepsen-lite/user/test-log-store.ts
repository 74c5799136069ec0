/** A user's log store under simulated clusters. */
import { join, parse } from 'node:path';
import { drawConfiguration } from '../simulation/configuration.ts';
import { runSimulation } from '../simulation/run.ts';
import { parseSeeds } from '../simulation/seeds.ts';
import { CopiedStores, type CreateStore } from './copied-stores.ts';
import { checkStoreOptions } from './options.ts';
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
 * The test of a run that fails tells what is left of it once it is made small, and how to run it
 * again. With several seeds the report of seed 7 is `run-7.html` for `run.html`.
 *
 * @throws HoldfastError `invalid-argument` for options that break a rule, all of which it names
 *
 * @example
 * import { test } from 'node:test';
 * import { testLogStoreUnderFaults } from 'holdfast/jepsen-lite';
 * import { MyLogStore } from './my-log-store.js';
 *
 * testLogStoreUnderFaults({ test, create: (directory) => new MyLogStore(directory) });
 */
export function testLogStoreUnderFaults(options: LogStoreUnderFaultsOptions): void {
  checkStoreOptions(options);
  const { test, create, workload } = options;
  const run: RunOne = (simulation) => runOnStores(create, simulation);
  const register = (name: string, choice: RunChoice): void => {
    test(`a cluster on this store under faults, ${name}`, async () => {
      const caller = { name: 'testLogStoreUnderFaults', workload } as const;
      const { passed, summary } = await runSeeds(run, { time: DEFAULT_TIME, ...choice }, caller);
      if (!passed) throw new Error(summary);
    });
  };
  if (options.replay !== undefined) {
    register('a run that was saved', options);
    return;
  }
  const { from, to } = parseSeeds(String(options.seeds ?? DEFAULT_SEEDS));
  for (let seed = from; seed <= to; seed++) {
    const report = from === to ? options.report : fileOfSeed(options.report, seed);
    const ownReport = report === undefined ? {} : { report };
    register(`seed ${seed}`, { ...options, ...ownReport, seeds: seed });
  }
}

/** `run-7.html` for `run.html`. */
function fileOfSeed(path: string | undefined, seed: number): string | undefined {
  if (path === undefined) return undefined;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${seed}${ext}`);
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
