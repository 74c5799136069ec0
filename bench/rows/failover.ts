/** How long there is no leader after the leader was killed, at default settings. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchCluster } from '../clusters/bench-cluster.ts';
import { connect, type Registry } from '../../src/client/index.ts';
import { latencyFigures, type Figures } from '../measure/figures.ts';
import { percentiles } from '../measure/statistics.ts';
import type { Contestant, Point } from '../measure/turns.ts';
import { Etcd } from '../peers/etcd.ts';
import { ETCD_PATHS, grpcMessage, putRequest } from '../peers/etcd-messages.ts';
import { GrpcChannel } from '../peers/grpc-channel.ts';
import { contest, type Bench, type Family } from './family.ts';

const KILLS = 30;
const QUICK_KILLS = 3;
const LOOK_EVERY_MS = 5;
const PUT_TIMEOUT_MS = 20_000;
const PATIENCE_MS = 30_000;
const KEY = 'failover';

interface Outage {
  /** Until another node led. */
  readonly leaderMs: number;
  /** Until a put that was sent afterwards was answered. */
  readonly serviceMs: number;
}

interface FailoverPoint extends Point {
  readonly kills: number;
}

function figuresOf(outages: readonly Outage[]): Figures {
  const service = percentiles(outages.map(({ serviceMs }) => serviceMs));
  return {
    ...latencyFigures(percentiles(outages.map(({ leaderMs }) => leaderMs))),
    serviceP50Ms: service.p50,
    serviceMaxMs: service.max,
  };
}

/** Asks again and again; how long that took, in ms. */
async function until(look: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  while (!(await look())) {
    if (performance.now() - begun > PATIENCE_MS) throw new Error('no new leader was found');
    await sleep(LOOK_EVERY_MS);
  }
  return performance.now() - begun;
}

async function outageOfOurs(cluster: BenchCluster, registry: Registry): Promise<Outage> {
  const leader = await cluster.leader();
  await registry.put(KEY, 'before');
  await cluster.kill(leader);
  const killed = performance.now();
  const served = registry.put(KEY, 'after').then(() => performance.now() - killed);
  const leaderMs = await until(async () => {
    const statuses = await cluster.statuses();
    return statuses.some((status) => status !== undefined && status.role === 'leader');
  });
  const serviceMs = await served;
  cluster.startNode(leader);
  const now = await cluster.leader();
  const status = await cluster.statusOf(now);
  await cluster.caughtUp(leader, status?.commitIndex ?? 0);
  return { leaderMs, serviceMs };
}

async function ours(bench: Bench, store: 'sqlite' | 'level'): Promise<Contestant<FailoverPoint>> {
  const { profileDirectory } = bench.options;
  const cluster = await BenchCluster.start({ store, nodes: 3, profileDirectory });
  const client = await connect({ endpoints: cluster.endpoints, requestTimeout: PUT_TIMEOUT_MS });
  const measure = async ({ kills }: FailoverPoint): Promise<Figures> => {
    const outages: Outage[] = [];
    while (outages.length < kills) outages.push(await outageOfOurs(cluster, client.registry));
    return figuresOf(outages);
  };
  const stop = async (): Promise<void> => {
    await client.close();
    await cluster.stop();
  };
  return { name: store, measure, stop };
}

/** Tries a member of etcd until it answers. */
async function firstPut(endpoint: string): Promise<void> {
  const request = grpcMessage(putRequest(KEY, new Uint8Array(1)));
  for (;;) {
    const channel = new GrpcChannel(endpoint);
    try {
      await channel.call(ETCD_PATHS.put, request);
      return;
    } catch {
      await sleep(LOOK_EVERY_MS);
    } finally {
      channel.close();
    }
  }
}

async function outageOfEtcd(etcd: Etcd): Promise<Outage> {
  const leader = await etcd.leader();
  await etcd.kill(leader);
  const killed = performance.now();
  // A member without a leader keeps what it is sent until that times out: the new one is asked.
  const next = await etcd.leader();
  const leaderMs = performance.now() - killed;
  await firstPut(next);
  const serviceMs = performance.now() - killed;
  etcd.restart(leader);
  await firstPut(leader);
  return { leaderMs, serviceMs };
}

async function startEtcd(): Promise<Contestant<FailoverPoint>> {
  const etcd = await Etcd.start();
  const measure = async ({ kills }: FailoverPoint): Promise<Figures> => {
    const outages: Outage[] = [];
    while (outages.length < kills) outages.push(await outageOfEtcd(etcd));
    return figuresOf(outages);
  };
  return { name: 'etcd', measure, stop: () => etcd.stop() };
}

export const failover: Family = {
  name: 'failover',
  about: 'no leader after SIGKILL of the leader, default settings, three nodes',
  columns: [
    { figure: 'p50Ms', title: 'leader p50 ms', digits: 0 },
    { figure: 'p90Ms', title: 'p90 ms', digits: 0 },
    { figure: 'maxMs', title: 'max ms', digits: 0 },
    { figure: 'serviceP50Ms', title: 'put p50 ms', digits: 0 },
    { figure: 'serviceMaxMs', title: 'put max ms', digits: 0 },
  ],
  headline: 'p50Ms',
  peerOf: (contestant) => (contestant === 'etcd' ? undefined : 'etcd'),
  // So many kills are several runs in themselves.
  run: (bench) => {
    const { stores, quick, etcd } = bench.options;
    const kills = quick ? QUICK_KILLS : KILLS;
    const entrants = stores.map((store) => () => ours(bench, store));
    const points = [{ label: `${kills} kills`, kills }];
    return contest(bench, 'failover', points, [...entrants, ...(etcd ? [startEtcd] : [])], {
      runs: 1,
    });
  },
};
