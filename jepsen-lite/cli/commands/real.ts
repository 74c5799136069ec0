/** real: clusters of real processes under faults, on this machine. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { durationOption, numberOption } from '../../../src/cli/context.ts';
import { usageError } from '../../../src/cli/exit.ts';
import { examples } from '../../../src/cli/help.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { formatLine } from '../../history/format.ts';
import { ALL_GROUPS, type FaultGroup } from '../../real/fault-groups.ts';
import type { RealOptions } from '../../real/options.ts';
import { runReal } from '../../real/run-real.ts';
import { reportHtml } from '../../report/report.ts';
import { outcomeOf, type RunRecord } from '../../simulation/run-record.ts';
import { outcomeLine, runJson } from '../../simulation/run-text.ts';
import { workloads } from '../../workloads/index.ts';
import { endWith } from '../exit.ts';
import { fileError, formatOf, oneOf, type Format } from '../options.ts';

interface RealFlags {
  readonly seed: string;
  readonly store: string;
  readonly time: string;
  readonly round: string;
  readonly nodes: string;
  readonly clients: string;
  readonly faults: string;
  readonly workload: string;
  readonly history?: string;
  readonly report?: string;
}

const STORES = { sqlite: 'sqlite', level: 'level' } as const;
const MAX_NODES = 9;
const EXAMPLES = examples(
  'jepsen-lite real --time 2m',
  'jepsen-lite real --store level --workload lock --faults kill,pause --report run.html',
  'jepsen-lite real --nodes 5 --time 10m --history run.jsonl',
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
    .option('--workload <name>', Object.keys(workloads).join(', '), 'register')
    .option('--history <file>', 'write the history, one operation a line')
    .option('--report <file>', 'write a report to look at')
    .addHelpText(
      'after',
      `
Every node is a process of its own on loopback, and every direction of every link passes a proxy.
Nothing is left behind when it ends. What the seed does not decide is time: a run is not the same
again.

Exit codes: 0 passed; 1 a violation was found; 2 bad usage; 3 it could not be judged.
${EXAMPLES}`,
    )
    .action(async (flags: RealFlags, self: Command) => {
      await real(flags, formatOf(self));
    });
}

async function real(flags: RealFlags, format: Format): Promise<void> {
  const options = optionsOf(flags);
  const progress = startProgress();
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const record = await runReal({
    ...options,
    signal: controller.signal,
    onProgress: (line) => progress.update(() => line),
  });
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  progress.end(`${record.phases.filter(({ name }) => name === 'safety').length} rounds done`);
  await writeFiles(record, flags);
  if (format === 'json') printJson(runJson(record));
  else printLine(outcomeLine(record));
  endWith(outcomeOf(record));
}

function optionsOf(flags: RealFlags): RealOptions {
  const nodes = numberOption('--nodes', flags.nodes);
  if (nodes < 1 || nodes > MAX_NODES) {
    throw usageError(`--nodes takes 1 to ${MAX_NODES}, not ${nodes}`);
  }
  return {
    seed: numberOption('--seed', flags.seed),
    store: oneOf('--store', flags.store, STORES),
    workload: oneOf('--workload', flags.workload, workloads),
    faultsMs: durationOption('--time', flags.time),
    roundMs: durationOption('--round', flags.round),
    nodes,
    clients: numberOption('--clients', flags.clients),
    faults: faultsOf(flags.faults),
  };
}

function faultsOf(text: string): readonly FaultGroup[] {
  if (text === 'all') return ALL_GROUPS;
  const known = Object.fromEntries(ALL_GROUPS.map((group) => [group, group]));
  return text.split(',').map((name) => oneOf('--faults', name.trim(), known));
}

async function writeFiles(record: RunRecord, { history, report }: RealFlags): Promise<void> {
  if (history !== undefined) {
    const lines = record.history.map((operation) => `${formatLine(operation)}\n`);
    await write(history, lines.join(''));
  }
  if (report !== undefined) await write(report, reportHtml(record));
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw fileError('write', path, error);
  }
}
