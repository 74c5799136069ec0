/** Each log store alone: durable writes one after the other, of so many entries each. */
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../load/closed-loop.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import type { Point } from '../measure/turns.ts';
import { runProgram } from '../run-program.ts';
import type { StoreSubject } from '../stores/spec.ts';
import { makeWorkspace, removeWorkspace } from '../workspace.ts';
import { contest, stateless, type Bench, type Family } from './family.ts';

const PROGRAM = fileURLToPath(new URL('../stores/program.js', import.meta.url));
const PER_WRITE = [1, 10, 100, 1000];
const ENTRY_BYTES = 320;

interface BatchPoint extends Point {
  readonly entriesPerWrite: number;
}

const SUBJECTS: readonly (readonly [name: string, subject: StoreSubject])[] = [
  ['sqlite', { type: 'store', store: 'sqlite' }],
  ['level', { type: 'store', store: 'level' }],
  ['memory', { type: 'store', store: 'memory' }],
  ['limit sqlite', { type: 'disk', disk: 'sqlite' }],
  ['limit level blocks', { type: 'disk', disk: 'level-blocks' }],
  ['limit file', { type: 'disk', disk: 'file' }],
];
const LIMITS: Readonly<Record<string, string>> = {
  sqlite: 'limit sqlite',
  level: 'limit level blocks',
};

async function measure(bench: Bench, subject: StoreSubject, point: BatchPoint): Promise<Figures> {
  const { warmUpMs, measureMs } = bench.options;
  const { entriesPerWrite } = point;
  const directory = await makeWorkspace();
  try {
    const times = { warmUpMs, measureMs };
    const spec = { subject, directory, entriesPerWrite, entryBytes: ENTRY_BYTES, ...times };
    const { perSecond, latency } = await runProgram<LoadResult>(PROGRAM, spec);
    return { perSecond, ...latencyFigures(latency) };
  } finally {
    await removeWorkspace(directory);
  }
}

export const stores: Family = {
  name: 'stores',
  about: `each log store alone, entries of ${ENTRY_BYTES} B, so many a write; latency is a write's`,
  columns: [
    { figure: 'perSecond', title: 'entries/s', digits: 0 },
    { figure: 'p50Ms', title: 'p50 ms', digits: 2 },
    { figure: 'p99Ms', title: 'p99 ms', digits: 2 },
  ],
  headline: 'perSecond',
  drawn: 'load',
  limitOf: (contestant) => LIMITS[contestant],
  run: (bench) => {
    const points = PER_WRITE.map((entriesPerWrite): BatchPoint => ({
      label: `${entriesPerWrite.toLocaleString('en')} a write`,
      x: entriesPerWrite,
      entriesPerWrite,
    }));
    const entrants = SUBJECTS.map(([name, subject]) =>
      stateless<BatchPoint>(name, (point) => measure(bench, subject, point)),
    );
    return contest(bench, 'stores', points, entrants);
  },
};
