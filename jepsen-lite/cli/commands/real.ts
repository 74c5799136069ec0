/** real: clusters of real processes under faults, on this machine. */
import { join, parse } from 'node:path';
import type { Command } from 'commander';
import { durationOption, numberOption } from '../../../src/cli/context.ts';
import { usageError } from '../../../src/cli/exit.ts';
import { examples } from '../../../src/cli/help.ts';
import { counted } from '../../report/numbers.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { formatLine } from '../../history/format.ts';
import { ALL_GROUPS, type FaultGroup } from '../../real/fault-groups.ts';
import { legsOfAll, type Leg } from '../../real/legs.ts';
import type { RealOptions } from '../../real/options.ts';
import { runReal } from '../../real/run-real.ts';
import { outcomeOf, type RunRecord } from '../../simulation/run-record.ts';
import { healingLine, outcomeLine, runJson } from '../../simulation/run-text.ts';
import { countsOf, Tally } from '../../simulation/tally.ts';
import { workloads } from '../../workloads/index.ts';
import { endWith } from '../exit.ts';
import { Interruption } from '../interruption.ts';
import { formatOf, oneOf, type Format } from '../options.ts';
import { prepareFile, reportIfWanted, writeText } from '../output-files.ts';

interface RealFlags {
  readonly seed: string;
  readonly store: string;
  readonly time: string;
  readonly round: string;
  readonly nodes: string;
  readonly clients: string;
  readonly faults: string;
  readonly workload: string;
  readonly keepGoing?: boolean;
  readonly history?: string;
  readonly report?: string;
}

const STORES = { sqlite: 'sqlite', level: 'level' } as const;
const MAX_NODES = 9;
const MAX_CLIENTS = 100;
const ALL = 'all';
const EXAMPLES = examples(
  'jepsen-lite real --time 2m',
  'jepsen-lite real --store level --workload lock --faults kill,pause --report run.html',
  'jepsen-lite real --nodes 5 --time 10m --workload all --history run.jsonl',
);

export function addRealCommand(program: Command): void {
  program
    .command('real')
    .description('run a cluster of real processes under faults and check all that is promised')
    .option('--seed <number>', 'decides which faults come when, and what clients do', '1')
    .option('--store <kind>', 'sqlite or level', 'sqlite')
    .option('--time <duration>', 'how long faults come and go', '60s')
    .option('--round <duration>', 'after so long all is healed and compared', '20s')
    .option('--nodes <number>', 'founding nodes', '3')
    .option('--clients <number>', 'clients', '5')
    .option('--faults <list>', `all, or some of ${ALL_GROUPS.join(',')}`, 'all')
    .option(
      '--workload <name>',
      `${Object.keys(workloads).join(', ')}; all: one after the other, sharing the time`,
      'register',
    )
    .option('--keep-going', 'with --workload all: go on after a violation')
    .option('--history <file>', 'write the history, one operation a line')
    .option('--report <file>', 'write a report to look at')
    .addHelpText(
      'after',
      `
Every node is a process of its own on loopback, and every direction of every link passes a proxy.
Disks are made slow, stuck, full or failing by a library between the process and its files, which
the system's C compiler makes; without one these faults are left out, and the report says so.
Nothing is left behind when it ends; Ctrl-C ends it early. What the seed does not decide is time: a
run is not the same again.

With --workload all each workload has a cluster of its own, at least one round each: a history goes
to a file that bears its name (run-lock.jsonl for run.jsonl), and the report is of the first run
that did not pass, or else of the last.

Exit codes: 0 passed; 1 a violation was found; 2 bad usage; 3 it could not be judged, or was
interrupted.
${EXAMPLES}`,
    )
    .action(async (flags: RealFlags, self: Command) => {
      await real(flags, formatOf(self));
    });
}

async function real(flags: RealFlags, format: Format): Promise<void> {
  const options = optionsOf(flags);
  const legs = legsOf(flags, options);
  prepareFile('--history', flags.history);
  prepareFile('--report', flags.report);
  const progress = startProgress();
  using interruption = new Interruption();
  const { signal } = interruption;
  const tally = new Tally();
  let shown: RunRecord | undefined;
  let last: RunRecord | undefined;
  for (const leg of legs) {
    const { name } = leg.workload();
    const onProgress = (line: string): void => progress.update(() => `${name}, ${line}`);
    const record = await runReal({ ...options, ...leg, signal, onProgress });
    tally.add(countsOf(record));
    last = record;
    if (outcomeOf(record) !== 'passed') shown ??= record;
    await writeHistory(record, flags);
    tell(record, format, signal.aborted);
    if (signal.aborted || (record.violation !== undefined && flags.keepGoing !== true)) break;
  }
  progress.end(`${tally.runs} of ${counted(legs.length, 'run')} done`);
  await reportIfWanted(shown ?? last, flags.report);
  if (format === 'json') printJson({ type: 'summary', ...tally.toJson() });
  else if (legs.length > 1) printLine(tally.outcomesLine());
  endWith(interruption.hasCome && tally.outcome === 'passed' ? 'unknown' : tally.outcome);
}

function tell(record: RunRecord, format: Format, isInterrupted: boolean): void {
  if (format === 'json') {
    printJson({ type: 'run', ...runJson(record), interrupted: isInterrupted });
    return;
  }
  printLine(`${outcomeLine(record)}${isInterrupted ? ' (interrupted)' : ''}`);
  printLine(`  ${healingLine(record)}`);
  if (outcomeOf(record) !== 'passed') printLine(`  a run like it: ${record.replay}`);
}

function optionsOf(flags: RealFlags): Omit<RealOptions, keyof Leg> & { readonly roundMs: number } {
  return {
    store: oneOf('--store', flags.store, STORES),
    roundMs: durationOption('--round', flags.round),
    nodes: numberUpTo('--nodes', flags.nodes, MAX_NODES),
    clients: numberUpTo('--clients', flags.clients, MAX_CLIENTS),
    faults: faultsOf(flags.faults),
  };
}

function legsOf(flags: RealFlags, { roundMs }: { readonly roundMs: number }): readonly Leg[] {
  const seed = numberOption('--seed', flags.seed);
  const faultsMs = durationOption('--time', flags.time);
  if (flags.workload === ALL) return legsOfAll({ seed, faultsMs, roundMs });
  const known = { ...workloads, [ALL]: undefined };
  const workload = oneOf('--workload', flags.workload, known);
  return workload === undefined ? [] : [{ seed, faultsMs, workload }];
}

function numberUpTo(option: string, text: string, max: number): number {
  const value = numberOption(option, text);
  if (value > max) throw usageError(`${option} takes 1 to ${max}, not ${value}`);
  return value;
}

function faultsOf(text: string): readonly FaultGroup[] {
  if (text === ALL) return ALL_GROUPS;
  const found = text.split(',').map((name) => ALL_GROUPS.find((group) => group === name.trim()));
  const groups = found.flatMap((group) => group ?? []);
  if (groups.length === found.length) return [...new Set(groups)];
  throw usageError(`--faults takes all, or some of ${ALL_GROUPS.join(',')}, not '${text}'`);
}

async function writeHistory(record: RunRecord, { history, workload }: RealFlags): Promise<void> {
  if (history === undefined) return;
  const { dir, name, ext } = parse(history);
  const path = workload === ALL ? join(dir, `${name}-${record.workload.name}${ext}`) : history;
  const lines = record.history.map((operation) => `${formatLine(operation)}\n`);
  await writeText(path, lines.join(''));
}
