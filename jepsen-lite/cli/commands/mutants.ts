/** mutants: whether the harness finds bugs that were planted for it to find. */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Command } from 'commander';
import { durationOption } from '../../../src/cli/context.ts';
import { usageError } from '../../../src/cli/exit.ts';
import { examples } from '../../../src/cli/help.ts';
import { printJson, printLine } from '../../../src/cli/output.ts';
import { startProgress } from '../../../src/cli/progress.ts';
import { mutants as known } from '../../mutants/index.ts';
import { killPage } from '../../mutants/kill-page.ts';
import { resultLine, summaryLine, summaryOf } from '../../mutants/kill-table.ts';
import { MutantFileError, parseMutants } from '../../mutants/mutant-file.ts';
import type { Mutant } from '../../mutants/mutant.ts';
import type { MutantResult } from '../../mutants/outcome.ts';
import { plant, PlantingError } from '../../mutants/planting.ts';
import { MutantRunner } from '../../mutants/runner.ts';
import { workloads } from '../../workloads/index.ts';
import { endWith } from '../exit.ts';
import { Interruption } from '../interruption.ts';
import { fileError, formatOf, oneOf } from '../options.ts';
import { prepareFile, writeText } from '../output-files.ts';

interface MutantFlags {
  readonly only?: string;
  readonly file?: string;
  readonly budget: string;
  readonly time: string;
  readonly shrink: string | boolean;
  readonly table?: string;
  readonly list?: boolean;
}

const DATE_CHARS = '2026-01-31'.length;

const EXAMPLES = examples(
  'jepsen-lite mutants --only 1,17,30b',
  'jepsen-lite mutants --file my-mutants.json --budget 5m',
  'jepsen-lite mutants --no-shrink -w json',
);

export function addMutantsCommand(program: Command): void {
  program
    .command('mutants')
    .description('plant known bugs, one at a time, and see whether each is found')
    .option('--only <ids>', 'some of them, with commas between')
    .option('--file <file>', 'bugs of your own: a JSON array')
    .option('--budget <duration>', 'time of one core that each may take to be found', '5m')
    .option('--time <duration>', 'how long faults come and go in each run, simulated', '10s')
    .option('--shrink <duration>', 'time of one core for making a run that shows one small', '30s')
    .option('--no-shrink', 'leave such runs as they are')
    .option('--table <file>', 'write the results as a page in Markdown')
    .option('--list', 'print the bugs and do nothing')
    .addHelpText(
      'after',
      `
A bug is { id, breaks, file, text, replacement }: in one file of the build (such as
src/raft/quorum.js) a text that occurs exactly once, and what takes its place. The build itself is
left alone. A violation counts when the same seed passes without the bug.

Exit codes: 0 all were found; 1 some survived; 2 bad usage; 3 it was interrupted.
${EXAMPLES}`,
    )
    .action(async (flags: MutantFlags, command: Command) => {
      const format = formatOf(command);
      const chosen = chosenOf(await mutantsOf(flags), flags);
      await checkPlanting(chosen);
      if (flags.list === true) {
        for (const mutant of chosen) printListed(mutant, format === 'json');
      } else {
        await runAll(chosen, flags, format === 'json');
      }
    });
}

async function mutantsOf({ file }: MutantFlags): Promise<readonly Mutant[]> {
  if (file === undefined) return known;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fileError('read', file, error);
  }
  try {
    const mutants = parseMutants(text);
    for (const { workload } of mutants) {
      if (workload !== undefined) oneOf(`${file}: workload`, workload, workloads);
    }
    return mutants;
  } catch (error) {
    if (error instanceof MutantFileError) throw usageError(`${file}: ${error.message}`);
    throw error;
  }
}

function chosenOf(mutants: readonly Mutant[], { only }: MutantFlags): readonly Mutant[] {
  if (only === undefined) return mutants;
  const byId = Object.fromEntries(mutants.map((mutant) => [mutant.id, mutant]));
  return only.split(',').map((text) => {
    const id = text.trim();
    const mutant = Object.hasOwn(byId, id) ? byId[id] : undefined;
    // There are too many to name them all, as other options do.
    if (mutant === undefined) throw usageError(`--only: there is no '${id}'; --list has all`);
    return mutant;
  });
}

/** Before anything is run: a bug that cannot be planted is a mistake in the list. */
async function checkPlanting(mutants: readonly Mutant[]): Promise<void> {
  try {
    for (const mutant of mutants) await plant(mutant);
  } catch (error) {
    if (error instanceof PlantingError) throw usageError(error.message);
    throw error;
  }
}

function printListed(mutant: Mutant, asJson: boolean): void {
  if (asJson) printJson(mutant);
  else printLine(`${mutant.id}  ${mutant.file}: ${mutant.breaks}`);
}

async function runAll(
  mutants: readonly Mutant[],
  flags: MutantFlags,
  asJson: boolean,
): Promise<void> {
  prepareFile('--table', flags.table);
  using interruption = new Interruption();
  const progress = startProgress();
  const results: MutantResult[] = [];
  const runner = new MutantRunner({
    budgetMs: durationOption('--budget', flags.budget),
    shrinkMs: typeof flags.shrink === 'string' ? durationOption('--shrink', flags.shrink) : 0,
    faultsMs: durationOption('--time', flags.time),
    firstSeed: 1,
    onRun: ({ id }, seeds) => progress.update(() => `mutant ${id}, ${seeds} seeds`),
  });
  try {
    for (const mutant of mutants) {
      const result = await interruption.unlessInterrupted(runner.run(mutant));
      if (result === undefined) break;
      results.push(result);
      if (asJson) printJson({ type: 'mutant', ...result });
      else printLine(resultLine(result));
    }
  } finally {
    runner.end();
  }
  const summary = summaryOf(results);
  if (flags.table !== undefined) await writeTable(flags.table, results);
  progress.end(`${results.length} of ${mutants.length} mutants done`);
  if (asJson) printJson({ type: 'summary', ...summary });
  else printLine(summaryLine(summary));
  const good = results.length < mutants.length ? 'unknown' : 'passed';
  endWith(summary.survived > 0 ? 'violation' : good);
}

async function writeTable(path: string, results: readonly MutantResult[]): Promise<void> {
  const all = cpus();
  const kind = all[0]?.model ?? 'an unknown kind';
  const text = killPage(results, {
    date: new Date().toISOString().slice(0, DATE_CHARS),
    machine: `${all.length} cores of ${kind}, Node ${process.version}`,
    command: ['jepsen-lite', ...process.argv.slice(2)].join(' '),
  });
  await writeText(path, text);
}
