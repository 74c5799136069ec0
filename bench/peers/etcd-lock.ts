/** Locks of etcd, as its command line takes them, and as its server does. */
import { closedLoop, type LoadResult } from '../load/closed-loop.ts';
import type { LoadFigures } from '../load/load-spec.ts';
import { percentiles } from '../measure/statistics.ts';
import {
  claimRequest,
  deleteRequest,
  ETCD_PATHS,
  fieldOf,
  grpcMessage,
  leaseGrantRequest,
  lockRequest,
  unlockRequest,
} from './etcd-messages.ts';
import { GrpcChannel } from './grpc-channel.ts';

export interface EtcdLockLoad {
  readonly endpoint: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface EtcdLockResult {
  readonly result: LoadResult;
  readonly figures: LoadFigures;
}

const LEASE_SECONDS = 60;
const CONTENDED = 'contended';

let leases = 0;

async function grant(channel: GrpcChannel): Promise<number> {
  const lease = ++leases;
  await channel.call(ETCD_PATHS.leaseGrant, grpcMessage(leaseGrantRequest(LEASE_SECONDS, lease)));
  return lease;
}

async function claim(channel: GrpcChannel, key: string, lease: number): Promise<void> {
  const request = grpcMessage(claimRequest(key, lease));
  const succeeded = fieldOf(await channel.call(ETCD_PATHS.txn, request), 2);
  if (succeeded !== 1) throw new Error(`${key} is locked by somebody else`);
}

async function release(channel: GrpcChannel, key: string): Promise<void> {
  await channel.call(ETCD_PATHS.deleteRange, grpcMessage(deleteRequest(key)));
}

/**
 * Everybody takes a name of their own.
 * @param withLease grant a lease for each lock, as `etcdctl lock` does; otherwise one is kept for
 * all. Revoking it, which `etcdctl` also does, is left out: nobody waits for that
 */
export async function uncontended(load: EtcdLockLoad, withLease: boolean): Promise<EtcdLockResult> {
  return await withChannels(load, async (channelOf) => {
    const kept = await Promise.all(
      Array.from({ length: withLease ? 0 : load.inFlight }, (_, i) => grant(channelOf(i))),
    );
    const result = await closedLoop(load, async (_, worker) => {
      const channel = channelOf(worker);
      const key = `locks/${worker}`;
      const lease = kept[worker] ?? (await grant(channel));
      await claim(channel, key, lease);
      await release(channel, key);
    });
    return { result, figures: {} };
  });
}

/** Everybody wants one name, and waits for it in the server's own lock service. */
export async function contended(load: EtcdLockLoad): Promise<EtcdLockResult> {
  return await withChannels(load, async (channelOf) => {
    const granted = await Promise.all(
      Array.from({ length: load.inFlight }, (_, i) => grant(channelOf(i))),
    );
    const handOvers: number[] = [];
    let releasedAt = Number.NaN;
    const result = await closedLoop(load, async (_, worker) => {
      const channel = channelOf(worker);
      const request = grpcMessage(lockRequest(CONTENDED, granted[worker]!));
      const key = fieldOf(await channel.call(ETCD_PATHS.lock, request), 2);
      if (!(key instanceof Uint8Array)) throw new Error('etcd gave no lock');
      if (!Number.isNaN(releasedAt)) handOvers.push(performance.now() - releasedAt);
      releasedAt = performance.now();
      await channel.call(ETCD_PATHS.unlock, grpcMessage(unlockRequest(key)));
    });
    const { p50, p99 } = percentiles(handOvers);
    return { result, figures: { handOverP50Ms: p50, handOverP99Ms: p99 } };
  });
}

async function withChannels(
  { endpoint, connections }: EtcdLockLoad,
  work: (channelOf: (worker: number) => GrpcChannel) => Promise<EtcdLockResult>,
): Promise<EtcdLockResult> {
  const channels = Array.from({ length: connections }, () => new GrpcChannel(endpoint));
  try {
    return await work((worker) => channels[worker % connections]!);
  } finally {
    for (const channel of channels) channel.close();
  }
}
