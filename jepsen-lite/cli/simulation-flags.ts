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
/** A replay file holds no more. */
const MAX_CLIENTS = 100;

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
  return {
    faultsMs: durationOption('--time', flags.time),
    nodes: upTo(MAX_NODES, '--nodes', flags.nodes),
    clients: upTo(MAX_CLIENTS, '--clients', flags.clients),
    workload: workload === ALL ? undefined : workload,
  };
}

function upTo(most: number, option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = numberOption(option, text);
  if (value > most) throw usageError(`${option} takes up to ${most}, not ${value}`);
  return value;
}

/** The command that gives a saved run again, its path in quotes where a shell would change it. */
export function replayFileCommand(path: string): string {
  const isPlain = /^[\w./@%+=:,-]+$/.test(path);
  return `npx jepsen-lite replay ${isPlain ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`}`;
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
