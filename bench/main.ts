/** `npm run bench`: see `--help`. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { ExitError } from '../src/cli/exit.ts';
import { runProgram } from '../src/cli/run-program.ts';
import { describe, environment } from './environment.ts';
import type { Row } from './measure/figures.ts';
import { parseOptions, type BenchOptions, type RawOptions } from './options.ts';
import { etcdPrograms } from './peers/etcd.ts';
import { page, type Results } from './report/page.ts';
import { familyTable, goalTable } from './report/table.ts';
import { FAMILIES } from './rows/families.ts';
import { dataParent, endOnSignals, keepDataUnder } from './workspace.ts';

/** All rows were run, and some could not be measured. */
const SOME_FAILED = 1;

function createProgram(): Command {
  return new Command('bench')
    .description('How fast Holdfast is on this machine, beside its peer and its limits.')
    .option('--rows <list>', 'families of rows to run, by name (all; see --list)')
    .option('--list', 'print the families and end')
    .option('--runs <number>', 'runs of every row, in turns; medians are shown (5)')
    .option('--time <duration>', 'measured for every point, like 500ms or 3s (3s)')
    .option('--store <list>', 'durable stores to measure: sqlite, level (both)')
    .option('--in-flight <list>', 'calls in flight to measure, like 1,100,1000')
    .option('--compare <peer>', 'measure a peer in the same turns: etcd')
    .option('--quick', 'one short run of fewer points, to see that all of it runs')
    .option('--json <file>', 'write every figure of every run')
    .option('--html <file>', 'write a page with tables and plots, whole in itself')
    .option('--profile <directory>', 'keep processor profiles of ours alone')
    .option('--data <directory>', 'keep data under it instead of the temporary directory')
    .addHelpText(
      'after',
      `
Only ratios of one run mean something: figures move from machine to machine, and with whatever else
runs there.

Examples:
  npm run bench -- --quick
  npm run bench -- --compare etcd --json results.json --html results.html
  npm run bench -- --rows put,get --store sqlite --runs 3 --time 2s`,
    )
    .action(act);
}

async function act(raw: RawOptions & { readonly list?: boolean }): Promise<void> {
  const names = FAMILIES.map(({ name }) => name);
  const asked = parseOptions(raw, names);
  if (raw.list === true) {
    const width = Math.max(...names.map((name) => name.length));
    for (const { name, about } of FAMILIES) console.log(`${name.padEnd(width)}  ${about}`);
    return;
  }
  endOnSignals();
  if (asked.dataDirectory !== undefined) keepDataUnder(asked.dataDirectory);
  const { options, versions } = await withPeer(asked);
  const here = environment(dataParent(), versions);
  console.log(describe(here));
  const { rows, failures } = await run(options);
  const goals = goalTable(rows);
  if (goals !== '') console.log(goals);
  const { runs, measureMs } = options;
  const results: Results = { environment: here, runs, measureMs, rows, failures };
  const { jsonFile, htmlFile } = options;
  if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(results, null, 1)}\n`);
  if (htmlFile !== undefined) await writeFile(htmlFile, page(results));
  if (failures.length > 0) throw new ExitError(SOME_FAILED);
}

/** Without the peer's programs the rest is run. */
async function withPeer(
  options: BenchOptions,
): Promise<{ readonly options: BenchOptions; readonly versions: Record<string, string> }> {
  if (!options.etcd) return { options, versions: {} };
  const programs = await etcdPrograms();
  if (programs.type === 'there') return { options, versions: { ...programs.versions } };
  const install = `apt-get install ${programs.packages.join(' ')}`;
  console.log(`There is no etcd to compare with; on Debian: ${install}. The rest is run.\n`);
  return { options: { ...options, etcd: false }, versions: {} };
}

async function run(
  options: BenchOptions,
): Promise<{ readonly rows: Row[]; readonly failures: string[] }> {
  const rows: Row[] = [];
  const failures: string[] = [];
  const onFailure = (what: string, error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    failures.push(`${what}: ${why}`);
    console.log(`FAILED ${what}: ${why}`);
  };
  for (const family of FAMILIES.filter(({ name }) => options.rows.includes(name))) {
    try {
      await family.run({ options, onRow: (row) => rows.push(row), onFailure });
    } catch (error) {
      onFailure(family.name, error);
    }
    console.log(familyTable(family, rows));
  }
  return { rows, failures };
}

process.exitCode = await runProgram(createProgram());
