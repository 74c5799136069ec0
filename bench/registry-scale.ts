/**
 * `npm run bench:registry`: the state machine alone, from 10^3 to 10^6 keys of 24 bytes with values
 * of 64 bytes. Medians of several runs, each measurement in a process of its own.
 *
 *     npm run bench:registry [-- --runs 3] [--keys 1000000] [--only overwrite,snapshot]
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { machine } from './device.ts';
import type { Cost } from './registry/cost-per-put.ts';
import type { LongestCalls } from './registry/longest-calls.ts';
import type { Measurement } from './registry/measurement.ts';
import type { Memory } from './registry/memory.ts';
import type { SnapshotFigures } from './registry/snapshot.ts';
import { percentiles } from './statistics.ts';

const HEAP_MIB = 4096;
const SMALLEST = 1000;
const MIB = 1024 * 1024;
const run = promisify(execFile);

async function measure<T>(measurement: Measurement): Promise<T> {
  const program = new URL('registry/measurement.js', import.meta.url).pathname;
  const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`];
  const { stdout } = await run(process.execPath, [...flags, program, JSON.stringify(measurement)]);
  return JSON.parse(stdout) as T;
}

function median<T>(figures: readonly T[], pick: (one: T) => number): number {
  return percentiles(figures.map(pick)).p50;
}

function print(cells: readonly (string | number)[], widths: readonly number[]): void {
  const line = cells.map((cell, i) =>
    i === 0 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(widths[i] ?? 10),
  );
  process.stdout.write(`${line.join(' ').trimEnd()}\n`);
}

const COST_ROWS: readonly [name: string, measurement: (keys: number) => Measurement][] = [
  ['overwrite, random', (keys) => ({ type: 'overwrite', keys, order: 'random' })],
  ['overwrite, sequential', (keys) => ({ type: 'overwrite', keys, order: 'sequential' })],
  ['insert, random', (keys) => ({ type: 'insert', keys, order: 'random' })],
  ['insert, sequential', (keys) => ({ type: 'insert', keys, order: 'sequential' })],
  ['a bare Map', (keys) => ({ type: 'bareMap', keys })],
];

/** Sizes take turns, so that a noisy neighbour disturbs all of them alike. */
async function costs(runs: number, most: number, wanted: (name: string) => boolean): Promise<void> {
  const sizes: number[] = [];
  for (let keys = SMALLEST; keys <= most; keys *= 10) sizes.push(keys);
  const widths = [22, ...sizes.map(() => 9), 8, 12];
  const header = sizes.map((keys) => keys.toLocaleString('en'));
  process.stdout.write('\nus per put, by the number of keys\n');
  print(['', ...header, 'growth', 'collecting'], widths);
  for (const [name, measurement] of COST_ROWS.filter((row) => wanted(measurementName(row)))) {
    const bySize = sizes.map((): Cost[] => []);
    for (let i = 0; i < runs; i++) {
      for (const [at, keys] of sizes.entries()) {
        bySize[at]?.push(await measure<Cost>(measurement(keys)));
      }
    }
    const perPut = bySize.map((figures) => median(figures, (cost) => cost.perPut) / 1000);
    const collecting = bySize.map((figures) => median(figures, (cost) => cost.collecting) / 1000);
    const growth = (perPut.at(-1) ?? 0) / (perPut[0] ?? 1);
    const garbage = `${(collecting[0] ?? 0).toFixed(2)}-${(collecting.at(-1) ?? 0).toFixed(2)}`;
    print([name, ...perPut.map((us) => us.toFixed(2)), `${growth.toFixed(2)}x`, garbage], widths);
  }
}

function measurementName([, measurement]: (typeof COST_ROWS)[number]): string {
  return measurement(SMALLEST).type;
}

async function several<T>(runs: number, measurement: Measurement): Promise<T[]> {
  const figures: T[] = [];
  for (let i = 0; i < runs; i++) figures.push(await measure<T>(measurement));
  return figures;
}

async function memory(runs: number, keys: number): Promise<void> {
  const figures = await several<Memory>(runs, { type: 'memory', keys });
  process.stdout.write('\nbytes of heap per key, beside key and value\n');
  print(['with history', Math.round(median(figures, (one) => one.withHistory))], [34, 12]);
  print(['compacted', Math.round(median(figures, (one) => one.compacted))], [34, 12]);
}

async function snapshot(runs: number, keys: number): Promise<void> {
  const figures = await several<SnapshotFigures>(runs, { type: 'snapshot', keys });
  const rows: readonly [name: string, unit: string, pick: (one: SnapshotFigures) => number][] = [
    ['put without snapshot, p99', 'ms', ({ quiet }) => quiet.p99 / 1000],
    ['put during snapshot, p99', 'ms', ({ during }) => during.p99 / 1000],
    ['step of the writer, p50', 'ms', ({ steps }) => steps.p50],
    ['step of the writer, longest', 'ms', ({ steps }) => steps.max],
    ['writing it, all steps', 'ms', ({ writeMs }) => writeMs],
    ['restoring it', 'ms', ({ restoreMs }) => restoreMs],
    ['size', 'MiB', ({ bytes }) => bytes / MIB],
  ];
  process.stdout.write('\nsnapshot, 64 puts a turn\n');
  for (const [name, unit, pick] of rows) {
    print([name, median(figures, pick).toFixed(2), unit], [34, 12, 4]);
  }
}

async function longest(runs: number, keys: number): Promise<void> {
  const figures = await several<LongestCalls>(runs, { type: 'longestCalls', keys });
  process.stdout.write('\nlongest calls, ms\n');
  for (const name of Object.keys(figures[0] ?? {})) {
    print([name, median(figures, (one) => one[name] ?? 0).toFixed(2)], [42, 12]);
  }
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    keys: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  },
});
const [runs, keys] = [Number(values.runs), Number(values.keys)];
const only = values.only?.split(',');
const wanted = (name: string): boolean => only === undefined || only.includes(name);
const here = machine();
process.stdout.write(
  `${here.cpu}, ${here.cores} cores, ${here.memoryGiB} GiB, node ${here.node}\n` +
    `medians of ${runs} runs; ${keys.toLocaleString('en')} keys where nothing else is said\n`,
);
if (COST_ROWS.some((row) => wanted(measurementName(row)))) await costs(runs, keys, wanted);
if (wanted('memory')) await memory(runs, keys);
if (wanted('snapshot')) await snapshot(runs, keys);
if (wanted('longestCalls')) await longest(runs, keys);
