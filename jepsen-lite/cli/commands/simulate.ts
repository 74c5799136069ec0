/** simulate: whole clusters on virtual time, under the faults that each seed draws. */
import type { Command } from 'commander';
import { durationOption } from '../../../src/cli/context.ts';
import { examples } from '../../../src/cli/help.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { outcomeOf, type RunRecord } from '../../simulation/run-record.ts';
import { runSimulation, type SimulationResult } from '../../simulation/run.ts';
import { endWith } from '../exit.ts';
import { printSavedRun, saveFailingRun, type FailingRunOptions } from '../failing-run.ts';
import { formatOf, reportIfWanted, type Format } from '../options.ts';
import { outcomeLine, runJson } from '../../simulation/run-text.ts';
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
  readonly twice?: boolean;
  readonly keepGoing?: boolean;
  readonly shrink: string | boolean;
  readonly save: string;
  readonly report?: string;
}

const EXAMPLES = examples(
  'jepsen-lite simulate',
  'jepsen-lite simulate --seeds 1..1000 --workload lock --nodes 5 --twice',
  'jepsen-lite simulate --seeds 1..10000 --keep-going -w json',
  'jepsen-lite simulate --seeds 7 --report seed-7.html',
);

export function addSimulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('run simulated clusters under faults and check all that is promised')
    .option('--seeds <range>', 'each seed is a run of its own', '1..200');
  withSimulationOptions(command)
    .option('--twice', 'run each seed again: every step has to be the same')
    .option('--keep-going', 'go on after a violation')
    .option('--shrink <duration>', 'how long to make a failing run small', '1m')
    .option('--no-shrink', 'save a failing run as it is')
    .option('--save <directory>', 'where failing runs are saved', '.')
    .option('--report <file>', 'HTML of the first failing run, made small, or else of the last one')
    .addHelpText(
      'after',
      `
A seed decides everything: the cluster's size and timing, the faults, what clients do, every
delivery. A run with a violation is made small and saved as a file for jepsen-lite replay.

Exit codes: 0 all passed; 1 a violation was found; 2 bad usage; 3 some run could not be judged.
${EXAMPLES}`,
    )
    .action(async (flags: SimulateFlags, self: Command) => {
      await simulate(flags, formatOf(self));
    });
}

async function simulate(flags: SimulateFlags, format: Format): Promise<void> {
  const { from, to } = seedsOption('--seeds', flags.seeds);
  const wishes = wishesOf(flags);
  const saving = savingOf(flags);
  const progress = startProgress();
  const tally = new Tally();
  let shown: RunRecord | undefined;
  let last: RunRecord | undefined;
  for (let seed = from; seed <= to; seed++) {
    const first = await runSimulation({ seed, wishes });
    const result = flags.twice === true ? await again(first) : first;
    tally.add(result.record);
    last = result.record;
    progress.update(() => `seed ${seed} of ${from}..${to}, ${tally.violations} violations`);
    if (format === 'json') printJson({ type: 'run', ...runJson(result.record) });
    const outcome = outcomeOf(result.record);
    if (outcome === 'passed') continue;
    if (format !== 'json') printLine(outcomeLine(result.record));
    if (outcome === 'unknown') continue;
    const kept = await keep(result, saving, format, replayCommand(seed, flags));
    shown ??= kept;
    if (flags.keepGoing !== true) break;
  }
  await reportIfWanted(shown ?? last, flags.report);
  progress.end(`seeds ${from}..${from + tally.runs - 1} done`);
  if (format === 'json') printJson({ type: 'summary', ...tally.toJson() });
  else for (const line of tally.lines()) printLine(line);
  endWith(tally.outcome);
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

/** Runs it again from its schedule; a run that is not the same has a violation of its own. */
async function again(first: SimulationResult): Promise<SimulationResult> {
  if (first.record.violation !== undefined) return first;
  const { record } = await runSimulation(first.schedule);
  const difference = differenceOf(first.record, record);
  if (difference === undefined) return first;
  const violation = {
    check: 'determinism',
    message: `the same seed gave two different runs: ${difference}`,
    atMs: first.record.durationMs,
    nodes: [],
    operations: [],
  };
  return { ...first, record: { ...first.record, violation } };
}

function differenceOf(first: RunRecord, second: RunRecord): string | undefined {
  if (first.traceHash !== second.traceHash) {
    return `trace ${first.traceHash}, then ${second.traceHash}`;
  }
  const places = first.history.findIndex(
    (operation, i) => JSON.stringify(operation) !== JSON.stringify(second.history[i]),
  );
  if (places >= 0) return `operation ${places} of the history is another one`;
  const [one, two] = [first.history.length, second.history.length];
  return one === two ? undefined : `${one} operations, then ${two}`;
}
