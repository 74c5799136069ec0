/** Lock and unlock: everybody a name of their own, and everybody the same name. */
import { BenchCluster } from '../clusters/bench-cluster.ts';
import { ClientProcess, microsEach } from '../load/client-handle.ts';
import { connectionsFor } from '../load/load-spec.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import type { Contestant } from '../measure/turns.ts';
import { Etcd } from '../peers/etcd.ts';
import { contended, uncontended, type EtcdLockLoad } from '../peers/etcd-lock.ts';
import { VALUE_BYTES, type LoadPoint } from './contestants.ts';
import { isStore, LIMIT_OF_STORE, limitsOfStores } from './loads.ts';
import { contest, LOAD_COLUMNS, type Bench, type Entrant, type Family } from './family.ts';

interface LockPoint extends LoadPoint {
  readonly isContended: boolean;
}

const POINTS: readonly LockPoint[] = [
  { label: 'uncontended, 1 client', inFlight: 1, isContended: false },
  { label: 'uncontended, 100 clients', inFlight: 100, isContended: false },
  { label: 'contended by 100', inFlight: 100, isContended: true },
];

function ours(bench: Bench, store: 'sqlite' | 'level'): Entrant<LockPoint> {
  const { warmUpMs, measureMs, profileDirectory } = bench.options;
  return async () => {
    const cluster = await BenchCluster.start({ store, nodes: 3, profileDirectory });
    const client = new ClientProcess();
    const measure = (point: LockPoint): Promise<Figures> =>
      client.load(
        {
          operation: point.isContended ? 'contended-lock' : 'lock',
          endpoints: cluster.endpoints,
          route: 'leader',
          inFlight: point.inFlight,
          connections: connectionsFor(point.inFlight),
          valueBytes: VALUE_BYTES,
          warmUpMs,
          measureMs,
        },
        () => cluster.cpuMs(),
      );
    const stop = async (): Promise<void> => {
      await client.stop();
      await cluster.stop();
    };
    return { name: store, measure, stop };
  };
}

async function startEtcd(
  bench: Bench,
  name: string,
  withLease: boolean,
): Promise<Contestant<LockPoint>> {
  const { warmUpMs, measureMs } = bench.options;
  const etcd = await Etcd.start();
  const measure = async (point: LockPoint): Promise<Figures> => {
    let before: number | undefined;
    const load: EtcdLockLoad & { readonly onBegun: () => void } = {
      endpoint: await etcd.leader(),
      connections: connectionsFor(point.inFlight),
      inFlight: point.inFlight,
      warmUpMs,
      measureMs,
      onBegun: () => void etcd.cpuMs().then((cpuMs) => (before = cpuMs)),
    };
    const { result, figures } = await (point.isContended
      ? contended(load)
      : uncontended(load, withLease));
    return {
      perSecond: result.perSecond,
      ...latencyFigures(result.latency),
      ...microsEach('serverMicros', before, await etcd.cpuMs(), result.calls),
      ...figures,
    };
  };
  return { name, measure, stop: () => etcd.stop() };
}

/**
 * A cycle is two writes, one after the other, so it gets to half of the limit's writes at best; a
 * lock that is handed over waits for one write at a time, whoever wants it.
 */
function limits(bench: Bench): Entrant<LockPoint>[] {
  return limitsOfStores(bench).map((entrant) => async () => {
    const pipeline = await entrant();
    const measure = (point: LockPoint, run: number): Promise<Figures> =>
      pipeline.measure({ ...point, inFlight: point.isContended ? 1 : point.inFlight }, run);
    return { name: pipeline.name, measure, stop: () => pipeline.stop() };
  });
}

export const locks: Family = {
  name: 'locks',
  about: "a lock taken and given back; etcd's as by `etcdctl lock`, contended by its lock service",
  columns: [
    ...LOAD_COLUMNS,
    { figure: 'handOverP50Ms', title: 'hand-over p50', digits: 2 },
    { figure: 'handOverP99Ms', title: 'hand-over p99', digits: 2 },
  ],
  headline: 'perSecond',
  peerOf: (contestant) => (isStore(contestant) ? 'etcd' : undefined),
  limitOf: (contestant) => (isStore(contestant) ? LIMIT_OF_STORE[contestant] : undefined),
  run: (bench) =>
    contest(
      bench,
      'locks',
      POINTS,
      [
        ...bench.options.stores.map((store) => ours(bench, store)),
        ...(bench.options.etcd
          ? [
              () => startEtcd(bench, 'etcd', true),
              () => startEtcd(bench, 'etcd, lease kept', false),
            ]
          : []),
        ...limits(bench),
      ],
      { rehearsal: POINTS[1]! },
    ),
};
