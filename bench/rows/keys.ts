/** What a put costs as keys grow in number: in the state machine alone, and in a cluster. */
import { BenchCluster } from '../clusters/bench-cluster.ts';
import { ClientProcess } from '../load/client-handle.ts';
import { connectionsFor } from '../load/load-spec.ts';
import type { Figures } from '../measure/figures.ts';
import type { Contestant, Point } from '../measure/turns.ts';
import type { Cost } from '../registry/cost-per-put.ts';
import { measureApart } from './apart.ts';
import type { Measurement } from '../registry/measurement.ts';
import type { Memory } from '../registry/memory.ts';
import { VALUE_BYTES } from './contestants.ts';
import { contest, LOAD_COLUMNS, stateless, type Bench, type Family } from './family.ts';

export interface KeysPoint extends Point {
  readonly keys: number;
}

const QUICK_SIZES = [1_000, 100_000];
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const IN_FLIGHT = 100;

export function sizePoints(bench: Bench): KeysPoint[] {
  return (bench.options.quick ? QUICK_SIZES : SIZES).map((keys) => ({
    label: `${keys.toLocaleString('en')} keys`,
    x: keys,
    keys,
  }));
}

const COSTS: readonly [name: string, measurement: (keys: number) => Measurement][] = [
  ['overwrite, random', (keys) => ({ type: 'overwrite', keys, order: 'random' })],
  ['overwrite, sequential', (keys) => ({ type: 'overwrite', keys, order: 'sequential' })],
  ['insert, random', (keys) => ({ type: 'insert', keys, order: 'random' })],
  ['insert, sequential', (keys) => ({ type: 'insert', keys, order: 'sequential' })],
  ['limit: a bare Map', (keys) => ({ type: 'bareMap', keys })],
];

export const apply: Family = {
  name: 'apply',
  about: 'processor time of a put in the state machine alone, keys of 24 B, values of 64 B',
  columns: [
    { figure: 'putMicros', title: 'us/put', digits: 2 },
    { figure: 'collectingMicros', title: 'collecting us', digits: 2 },
  ],
  headline: 'putMicros',
  drawn: 'size',
  limitOf: (contestant) => (contestant.startsWith('limit') ? undefined : 'limit: a bare Map'),
  run: (bench) =>
    contest(
      bench,
      'apply',
      sizePoints(bench),
      COSTS.map(([name, measurement]) =>
        stateless(name, async ({ keys }) => {
          const cost = await measureApart<Cost>(measurement(keys));
          return { putMicros: cost.perPut / 1000, collectingMicros: cost.collecting / 1000 };
        }),
      ),
    ),
};

export const memory: Family = {
  name: 'memory',
  about: 'heap of the state machine beside keys and values',
  columns: [
    { figure: 'bytesWithHistory', title: 'B/key with history', digits: 0 },
    { figure: 'bytesCompacted', title: 'B/key compacted', digits: 0 },
  ],
  headline: 'bytesCompacted',
  drawn: 'size',
  run: (bench) =>
    contest(bench, 'memory', sizePoints(bench).slice(1), [
      stateless('registry', async ({ keys }) => {
        const figures = await measureApart<Memory>({ type: 'memory', keys });
        return { bytesWithHistory: figures.withHistory, bytesCompacted: figures.compacted };
      }),
    ]),
};

/** A cluster that is given more keys from point to point. */
async function growing(bench: Bench): Promise<Contestant<KeysPoint>> {
  const { warmUpMs, measureMs, profileDirectory } = bench.options;
  const cluster = await BenchCluster.start({ store: 'sqlite', nodes: 3, profileDirectory });
  const client = new ClientProcess();
  let filled = 0;
  const measure = async ({ keys }: KeysPoint): Promise<Figures> => {
    if (filled < keys) await client.fill(cluster.endpoints, keys);
    filled = Math.max(filled, keys);
    const figures = await client.load(
      {
        operation: 'put',
        endpoints: cluster.endpoints,
        route: 'leader',
        inFlight: IN_FLIGHT,
        connections: connectionsFor(IN_FLIGHT),
        valueBytes: VALUE_BYTES,
        keys,
        warmUpMs,
        measureMs,
      },
      () => cluster.cpuMs(),
    );
    const usage = await cluster.usage(await cluster.leader());
    return { ...figures, ...(usage && { residentMiB: usage.residentMiB }) };
  };
  const stop = async (): Promise<void> => {
    await client.stop();
    await cluster.stop();
  };
  return { name: 'sqlite', measure, stop };
}

export const keys: Family = {
  name: 'keys',
  about: `durable puts of 256 B at ${IN_FLIGHT} in flight over so many keys, three nodes`,
  columns: [...LOAD_COLUMNS, { figure: 'residentMiB', title: 'leader MiB', digits: 0 }],
  headline: 'perSecond',
  drawn: 'size',
  run: (bench) => contest(bench, 'keys', sizePoints(bench), [() => growing(bench)]),
};
