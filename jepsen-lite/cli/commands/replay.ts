/** replay: one simulated run again, from its file or its seed. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { usageError } from '../../../src/cli/exit.ts';
import { examples } from '../../../src/cli/help.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { parseReplay, ReplayFileError, type ReplayFile } from '../../simulation/replay-file.ts';
import { outcomeOf } from '../../simulation/run-record.ts';
import { runSimulation, type SimulationOptions } from '../../simulation/run.ts';
import { workloads } from '../../workloads/index.ts';
import { OWN_WORKLOAD } from '../../user/machine-workload.ts';
import { endWith } from '../exit.ts';
import { fileError, formatOf, oneOf } from '../options.ts';
import { prepareFile, reportIfWanted } from '../output-files.ts';
import { withProgress } from '../progress.ts';
import { eventLines, outcomeLine, runJson } from '../../simulation/run-text.ts';
import {
  replayCommand,
  replayFileCommand,
  seedsOption,
  wishesOf,
  withSimulationOptions,
} from '../simulation-flags.ts';
import type { SimulationFlags } from '../simulation-flags.ts';

interface ReplayFlags extends SimulationFlags {
  readonly seed?: string;
  readonly log?: boolean;
  readonly report?: string;
}

const EXAMPLES = examples(
  'jepsen-lite replay jepsen-lite-7.json',
  'jepsen-lite replay jepsen-lite-7.json --log',
  'jepsen-lite replay --seed 7 --nodes 5 --report seed-7.html',
);

/** The file does not tell on which stores a run was. */
const OTHER_RUN =
  'Not the run that was saved: the code, or the file, has changed since; or it was on a log\n' +
  'store of your own: those are for testLogStoreUnderFaults({ ..., replay: FILE }).';

export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('run one simulation again, from a saved file or a seed')
    .argument('[file]', 'a run that simulate saved; its faults and operations may be edited')
    .option('--seed <number>', 'the run of this seed, as simulate with the same options ran it');
  withSimulationOptions(command)
    .option('--log', 'print the last log lines of all nodes')
    .option('--report <file>', 'write what happened as one HTML file')
    .addHelpText(
      'after',
      `
The same file, or seed, gives the same run as long as the code is the same.

Exit codes: 0 passed; 1 a violation was found; 2 bad usage; 3 the run could not be judged.
${EXAMPLES}`,
    )
    .action(async (file: string | undefined, flags: ReplayFlags, self: Command) => {
      await replay(file, flags, self);
    });
}

async function replay(
  file: string | undefined,
  flags: ReplayFlags,
  command: Command,
): Promise<void> {
  const format = formatOf(command);
  const saved = file === undefined ? undefined : await replayFileOf(file, command);
  const options = saved ?? optionsOf(flags);
  prepareFile('--report', flags.report);
  const running = runSimulation(options);
  const progress = startProgress();
  const { record, lines } = await withProgress(progress, () => `seed ${options.seed}`, running);
  progress.clear();
  const isSame = saved?.found === undefined || saved.found.traceHash === record.traceHash;
  if (format === 'json') {
    printJson({ ...runJson(record), sameAsSaved: isSame });
  } else {
    if (flags.log === true) for (const line of lines) printLine(line);
    for (const line of eventLines(record)) printLine(line);
    printLine(outcomeLine(record));
    if (!isSame) printLine(OTHER_RUN);
  }
  const again = file === undefined ? replayCommand(options.seed, flags) : replayFileCommand(file);
  await reportIfWanted({ ...record, replay: again }, flags.report);
  endWith(outcomeOf(record));
}

function optionsOf(flags: ReplayFlags): SimulationOptions {
  if (flags.seed === undefined) throw usageError('replay takes a file, or a seed with --seed');
  const { from, to } = seedsOption('--seed', flags.seed);
  if (from !== to) throw usageError(`--seed takes one seed, not '${flags.seed}'`);
  return { seed: from, wishes: wishesOf(flags) };
}

const OF_SEEDS = ['seed', 'time', 'nodes', 'clients', 'workload'] as const;

async function replayFileOf(file: string, command: Command): Promise<ReplayFile> {
  const given = OF_SEEDS.find((name) => command.getOptionValueSource(name) === 'cli');
  if (given !== undefined) {
    throw usageError(
      `--${given} goes without a file: '${file}' says all there is to say of its run`,
    );
  }
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fileError('read', file, error);
  }
  try {
    const saved = parseReplay(text);
    if (saved.configuration.workload === OWN_WORKLOAD) {
      throw usageError(`${file}: a run of your own: give it to simulate({ ..., replay: FILE })`);
    }
    oneOf(`${file}: configuration.workload`, saved.configuration.workload, workloads);
    return saved;
  } catch (error) {
    if (error instanceof ReplayFileError) throw usageError(`${file}: ${error.message}`);
    throw error;
  }
}
