/** simulate: whole clusters on virtual time, under the faults that each seed draws. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { durationOption, numberOption } from '../../../src/cli/context.ts';
import { examples } from '../../../src/cli/help.ts';
import { counted } from '../../report/numbers.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import type { RunRecord } from '../../simulation/run-record.ts';
import type { SimulationResult } from '../../simulation/run.ts';
import { usageError } from '../../../src/cli/exit.ts';
import { endWith } from '../exit.ts';
import { printSavedRun, saveFailingRun, type FailingRunOptions } from '../failing-run.ts';
import { seedRuns } from '../seed-runs.ts';
import { Interruption } from '../interruption.ts';
import { formatOf, type Format } from '../options.ts';
import { prepareDirectory, prepareFile, reportIfWanted } from '../output-files.ts';
import { withProgress } from '../progress.ts';
import { runJson } from '../../simulation/run-text.ts';
import {
  replayCommand,
  seedsOption,
  wishesOf,
  withSimulationOptions,
} from '../simulation-flags.ts';
import type { SimulationFlags } from '../simulation-flags.ts';
import { Tally } from '../../simulation/tally.ts';

interface SimulateFlags extends SimulationFlags {
  readonly seeds: string;
  readonly twice?: string | boolean;
  readonly keepGoing?: boolean;
  readonly jobs?: string;
  readonly shrink: string | boolean;
  readonly save: string;
  readonly report?: string;
}

const EXAMPLES = examples(
  'jepsen-lite simulate',
  'jepsen-lite simulate --seeds 1..1000 --workload lock --nodes 5 --twice',
  'jepsen-lite simulate --seeds 1..10000 --jobs 4 --twice 5% --keep-going -w json',
  'jepsen-lite simulate --seeds 7 --report seed-7.html',
);

export function addSimulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('run simulated clusters under faults and check all that is promised')
    .option('--seeds <range>', 'each seed is a run of its own', '1..200');
  withSimulationOptions(command)
    .option('--twice [share]', 'run each seed, or such as 5%, again: every step has to be the same')
    .option('--keep-going', 'go on after a violation')
    .option('--jobs <number>', 'seeds at a time, a thread each (one less than there are cores)')
    .option('--shrink <duration>', 'how long to make a failing run small', '1m')
    .option('--no-shrink', 'save a failing run as it is')
    .option('--save <directory>', 'where failing runs are saved', '.')
    .option('--report <file>', 'HTML of the first failing run, made small, or else of the last one')
    .addHelpText(
      'after',
      `
A seed decides everything: the cluster's size and timing, the faults, what clients do, every
delivery. A run with a violation is made small and saved as a file for jepsen-lite replay.

Ctrl-C ends it with what was done so far; pressed again, at once.

Exit codes: 0 all passed; 1 a violation was found; 2 bad usage; 3 some run could not be judged, or
was interrupted.
${EXAMPLES}`,
    )
    .action(async (flags: SimulateFlags, self: Command) => {
      await simulate(flags, formatOf(self));
    });
}

async function simulate(flags: SimulateFlags, format: Format): Promise<void> {
  const { from, to } = seedsOption('--seeds', flags.seeds);
  const order = {
    wishes: wishesOf(flags),
    twice: shareOf(flags.twice),
    whole: flags.report !== undefined,
  };
  prepareDirectory('--save', flags.save);
  prepareFile('--report', flags.report);
  using interruption = new Interruption();
  const saving = { ...savingOf(flags), signal: interruption.signal };
  const progress = startProgress();
  const tally = new Tally();
  const reports = seedRuns({ from, to }, jobsOf(flags), order);
  let shown: RunRecord | undefined;
  let last: RunRecord | undefined;
  for (;;) {
    const place = (): string =>
      `seed ${from + tally.runs} of ${from}..${to}, ${counted(tally.violations, 'violation')}`;
    const asked = withProgress(progress, place, reports.next());
    const next = await interruption.unlessInterrupted(asked);
    if (next === undefined || next.done === true) break;
    const { seed, result, counts, isTwice, json, line } = next.value;
    const command = replayCommand(seed, flags);
    tally.add(counts);
    if (isTwice) tally.reruns += 1;
    if (result !== undefined) last = { ...result.record, replay: command };
    if (format === 'json') printJson({ type: 'run', ...json });
    if (counts.outcome === 'passed') continue;
    if (format !== 'json') printLine(line);
    if (counts.outcome === 'unknown' || result === undefined) continue;
    const kept = await keep(result, saving, format, command);
    shown ??= kept;
    if (flags.keepGoing !== true || interruption.hasCome) break;
  }
  // What is under way does not end before its run does: when interrupted, it ends with the process.
  if (!interruption.hasCome) await reports.return(undefined);
  await reportIfWanted(shown ?? last, flags.report);
  const isCutShort = interruption.hasCome && tally.runs <= to - from;
  const end = isCutShort ? 'interrupted' : 'done';
  progress.end(tally.runs === 0 ? end : `${seedsText(from, from + tally.runs - 1)} ${end}`);
  if (format === 'json') printJson({ type: 'summary', ...tally.toJson(), interrupted: isCutShort });
  else for (const line of tally.lines(' (-w json counts all)')) printLine(line);
  endWith(isCutShort && tally.outcome === 'passed' ? 'unknown' : tally.outcome);
}

function seedsText(from: number, to: number): string {
  return from === to ? `seed ${from}` : `seeds ${from}..${to}`;
}

/** A core is left to whoever waits for the runs. */
function jobsOf({ jobs }: SimulateFlags): number {
  if (jobs !== undefined) return numberOption('--jobs', jobs);
  return Math.max(1, availableParallelism() - 1);
}

/** How many of all seeds are run again, from 0 to 1. */
function shareOf(twice: string | boolean | undefined): number {
  if (typeof twice !== 'string') return twice === true ? 1 : 0;
  const percent = /^\d+(\.\d+)?%$/.test(twice) ? Number(twice.slice(0, -1)) : 0;
  if (percent > 0 && percent <= 100) return percent / 100;
  throw usageError(`--twice takes a share of the seeds, such as 5%, not '${twice}'`);
}

function savingOf({ shrink, save }: SimulateFlags): FailingRunOptions {
  const shrinkMs = typeof shrink === 'string' ? durationOption('--shrink', shrink) : 0;
  return { directory: save, shrinkMs };
}

async function keep(
  result: SimulationResult,
  saving: FailingRunOptions,
  format: Format,
  command: string,
): Promise<RunRecord> {
  // A run that differs from its own rerun cannot be made small by running it again.
  const isSteady = result.record.violation?.check !== 'determinism';
  const saved = await saveFailingRun(result, isSteady ? saving : { ...saving, shrinkMs: 0 });
  if (format === 'json') {
    printJson({ type: 'saved', path: saved.path, ...runJson(saved.record) });
  } else {
    printSavedRun(saved);
    printLine(`Whole: ${command}`);
  }
  return saved.record;
}
