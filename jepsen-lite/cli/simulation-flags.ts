/** The options that say what is simulated, of `simulate` and `replay --seed` alike. */
import type { Command } from 'commander';
import { durationOption, numberOption } from '../../src/cli/context.ts';
import { usageError } from '../../src/cli/exit.ts';
import type { Wishes } from '../simulation/configuration.ts';
import { parseSeeds, type SeedRange } from '../simulation/seeds.ts';
import { workloads } from '../workloads/index.ts';
import { oneOf } from './options.ts';

const DEFAULT_TIME = '30s';
const ALL = 'all';
const MAX_NODES = 9;

export interface SimulationFlags {
  readonly time: string;
  readonly nodes?: string;
  readonly clients?: string;
  readonly workload: string;
}

export function withSimulationOptions(command: Command): Command {
  return command
    .option('--time <duration>', 'how long faults come and go, in simulated time', DEFAULT_TIME)
    .option('--nodes <number>', 'founding nodes (drawn by the seed otherwise)')
    .option('--clients <number>', 'clients (drawn by the seed otherwise)')
    .option(
      '--workload <name>',
      `${Object.keys(workloads).join(', ')}; all: drawn by the seed`,
      ALL,
    );
}

export function wishesOf(flags: SimulationFlags): Wishes {
  const { workload } = flags;
  if (workload !== ALL) oneOf('--workload', workload, { ...workloads, [ALL]: undefined });
  const nodes = flags.nodes === undefined ? undefined : numberOption('--nodes', flags.nodes);
  if (nodes !== undefined && nodes > MAX_NODES) {
    throw usageError(`--nodes takes up to ${MAX_NODES}, not ${nodes}`);
  }
  return {
    faultsMs: durationOption('--time', flags.time),
    nodes,
    clients: flags.clients === undefined ? undefined : numberOption('--clients', flags.clients),
    workload: workload === ALL ? undefined : workload,
  };
}

/** The command that gives the run of a seed again. */
export function replayCommand(seed: number, flags: SimulationFlags): string {
  const parts = [
    ...(flags.time === DEFAULT_TIME ? [] : ['--time', flags.time]),
    ...(flags.nodes === undefined ? [] : ['--nodes', flags.nodes]),
    ...(flags.clients === undefined ? [] : ['--clients', flags.clients]),
    ...(flags.workload === ALL ? [] : ['--workload', flags.workload]),
  ];
  return ['npx jepsen-lite replay --seed', seed, ...parts].join(' ');
}

/** As `--seeds` takes them. */
export function seedsOption(option: string, text: string): SeedRange {
  try {
    return parseSeeds(text);
  } catch (error) {
    throw usageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
