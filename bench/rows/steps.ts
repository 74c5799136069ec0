/** The longest that the state machine holds the event loop: snapshots, and the most one may ask. */
import type { Figures } from '../measure/figures.ts';
import type { LongestCalls } from '../registry/longest-calls.ts';
import type { SnapshotFigures } from '../registry/snapshot.ts';
import { measureApart } from './apart.ts';
import { contest, stateless, type Family } from './family.ts';
import { sizePoints, type KeysPoint } from './keys.ts';

const MIB = 1024 * 1024;

async function snapshotOf(keys: number): Promise<Figures> {
  const figures = await measureApart<SnapshotFigures>({ type: 'snapshot', keys });
  return {
    stepP50Ms: figures.steps.p50,
    stepMaxMs: figures.steps.max,
    quietP99Ms: figures.quiet.p99 / 1000,
    duringP99Ms: figures.during.p99 / 1000,
    writeMs: figures.writeMs,
    restoreMs: figures.restoreMs,
    sizeMiB: figures.bytes / MIB,
  };
}

export const snapshots: Family = {
  name: 'snapshots',
  about: 'a snapshot of the state machine alone, 64 puts a turn, keys of 24 B, values of 64 B',
  columns: [
    { figure: 'stepP50Ms', title: 'step p50 ms', digits: 2 },
    { figure: 'stepMaxMs', title: 'step max ms', digits: 2 },
    { figure: 'quietP99Ms', title: 'put p99 ms', digits: 2 },
    { figure: 'duringP99Ms', title: 'p99 during', digits: 2 },
    { figure: 'writeMs', title: 'write ms', digits: 0 },
    { figure: 'restoreMs', title: 'restore ms', digits: 0 },
    { figure: 'sizeMiB', title: 'MiB', digits: 1 },
  ],
  headline: 'stepMaxMs',
  drawn: 'size',
  run: (bench) =>
    contest(bench, 'snapshots', sizePoints(bench).slice(1), [
      stateless<KeysPoint>('registry', ({ keys }) => snapshotOf(keys)),
    ]),
};

export const longestCalls: Family = {
  name: 'longest-calls',
  about: 'the most that one call may ask of the state machine, in ms of the event loop',
  columns: [{ figure: 'ms', title: 'ms', digits: 2 }],
  headline: 'ms',
  run: async (bench) => {
    // All are measured at once, in one registry; each is a row.
    const keys = sizePoints(bench).at(-1)?.keys ?? 0;
    const runs: LongestCalls[] = [];
    while (runs.length < bench.options.runs) {
      runs.push(await measureApart<LongestCalls>({ type: 'longestCalls', keys }));
    }
    for (const name of Object.keys(runs[0] ?? {})) {
      bench.onRow({
        family: 'longest-calls',
        point: name,
        x: undefined,
        contestant: `${keys.toLocaleString('en')} keys`,
        runs: runs.map((run) => ({ ms: run[name] ?? Number.NaN })),
      });
    }
  },
};
