/** Who is put under load: clusters of ours, etcd, the bare pipeline. */
import { BenchCluster, type BenchClusterOptions } from '../clusters/bench-cluster.ts';
import { Pipeline } from '../limit/pipeline.ts';
import type { LimitSpec } from '../limit/limit-spec.ts';
import { ClientProcess } from '../load/client-handle.ts';
import { connectionsFor, KEYS, type LoadSpec, type Operation } from '../load/load-spec.ts';
import type { Figures } from '../measure/figures.ts';
import type { Contestant, Point } from '../measure/turns.ts';
import { Etcd } from '../peers/etcd.ts';
import { grpcMessage } from '../peers/etcd-messages.ts';
import { h2load } from '../peers/h2load.ts';
import { contest, type Bench, type Entrant } from './family.ts';

export interface LoadPoint extends Point {
  readonly inFlight: number;
  /** 256 by default. */
  readonly valueBytes?: number;
}

export const VALUE_BYTES = 256;
const KEY_BYTES = 16;
const IN_FLIGHT = [1, 10, 100, 1000, 4000];
const QUICK_IN_FLIGHT = [1, 100, 1000];

/** What was asked for on the command line; otherwise `usual`, or all there are. */
export function inFlightPoints(bench: Bench, usual?: readonly number[]): LoadPoint[] {
  const { inFlight, quick } = bench.options;
  return (inFlight ?? usual ?? (quick ? QUICK_IN_FLIGHT : IN_FLIGHT)).map(inFlightPoint);
}

function inFlightPoint(inFlight: number): LoadPoint {
  return { label: `${inFlight.toLocaleString('en')} in flight`, x: inFlight, inFlight };
}

const REHEARSAL: LoadPoint = { label: 'rehearsal', inFlight: 100 };

/** A contest of those below. */
export function contestOfLoads(
  bench: Bench,
  family: string,
  points: readonly LoadPoint[],
  entrants: readonly Entrant<LoadPoint>[],
): Promise<void> {
  return contest(bench, family, points, entrants, { rehearsal: REHEARSAL });
}

/** A cluster of ours under one kind of load; the keys that are asked for are there. */
export function ours(
  bench: Bench,
  name: string,
  cluster: BenchClusterOptions,
  load: { readonly operation: Operation } & Partial<Pick<LoadSpec, 'route' | 'sessions'>>,
): Entrant<LoadPoint> {
  const { warmUpMs, measureMs, profileDirectory } = bench.options;
  return async () => {
    const running = await BenchCluster.start({ ...cluster, profileDirectory });
    const client = new ClientProcess();
    const { endpoints } = running;
    await client.fill(endpoints, KEYS);
    const measure = ({ inFlight, valueBytes = VALUE_BYTES }: LoadPoint): Promise<Figures> => {
      const connections = connectionsFor(inFlight);
      const times = { warmUpMs, measureMs };
      const spec = {
        route: 'leader' as const,
        ...load,
        endpoints,
        inFlight,
        connections,
        valueBytes,
      };
      return client.load({ ...spec, ...times }, () => running.cpuMs());
    };
    return { name, measure, stop: () => stopBoth(client, running) };
  };
}

async function stopBoth(client: ClientProcess, cluster: BenchCluster): Promise<void> {
  await client.stop();
  await cluster.stop();
}

export interface EtcdRequest {
  readonly paths: readonly string[];
  /** Without the prefix of gRPC; keys are `bench/` and eight digits. */
  readonly bytes: (valueBytes: number) => Uint8Array;
  readonly leastReplyBytes: number;
  /** From each key in the request to the next; 1 by default. */
  readonly keyStep?: number;
}

/** Nobody unless it was asked for. */
export function etcd(bench: Bench, request: EtcdRequest): Entrant<LoadPoint>[] {
  const { etcd: isWanted, profileDirectory } = bench.options;
  if (!isWanted || profileDirectory !== undefined) return [];
  return [() => startEtcd(bench, request)];
}

async function startEtcd(bench: Bench, request: EtcdRequest): Promise<Contestant<LoadPoint>> {
  const { warmUpMs, measureMs } = bench.options;
  const running = await Etcd.start();
  const measure = async ({ inFlight, valueBytes = VALUE_BYTES }: LoadPoint): Promise<Figures> => {
    const message = grpcMessage(request.bytes(valueBytes));
    const { paths, leastReplyBytes, keyStep = 1 } = request;
    const spec = {
      endpoint: await running.leader(),
      paths,
      leastReplyBytes,
      keyStep,
      request: message,
      digitsAt: placesOfDigits(message),
      keys: KEYS,
      connections: connectionsFor(inFlight),
      inFlight,
      warmUpMs,
      measureMs,
    };
    return await h2load(spec, () => running.cpuMs());
  };
  return { name: 'etcd', measure, stop: () => running.stop() };
}

const KEY_PREFIX = Buffer.from('bench/');

function placesOfDigits(message: Buffer): number[] {
  const places: number[] = [];
  for (let at = message.indexOf(KEY_PREFIX); at >= 0; at = message.indexOf(KEY_PREFIX, at + 1)) {
    places.push(at + KEY_PREFIX.length);
  }
  return places;
}

type LimitKind = 'put' | 'get' | 'lone-get';

function limitSpec(disk: LimitSpec['disk'], kind: LimitKind, valueBytes: number): LimitSpec {
  return {
    disk,
    followers: kind === 'lone-get' ? 0 : 2,
    requestBytes: kind === 'put' ? KEY_BYTES + valueBytes : KEY_BYTES,
    replyBytes: kind === 'put' ? KEY_BYTES : KEY_BYTES + valueBytes,
  };
}

/**
 * The bare pipeline; one for each size of values that is asked for. Nobody while profiles are
 * taken: what is slowed down is held against nothing.
 */
export function limit(
  bench: Bench,
  name: string,
  disk: LimitSpec['disk'],
  kind: LimitKind = 'put',
): Entrant<LoadPoint>[] {
  const { warmUpMs, measureMs, profileDirectory } = bench.options;
  if (profileDirectory !== undefined) return [];
  const start = async (): Promise<Contestant<LoadPoint>> => {
    const pipelines = new Map<number, Pipeline>();
    const measure = async (point: LoadPoint): Promise<Figures> => {
      const { inFlight, valueBytes = VALUE_BYTES } = point;
      const pipeline =
        pipelines.get(valueBytes) ?? (await Pipeline.start(limitSpec(disk, kind, valueBytes)));
      pipelines.set(valueBytes, pipeline);
      const connections = connectionsFor(inFlight);
      return await pipeline.load({ inFlight, connections, warmUpMs, measureMs });
    };
    const stop = async (): Promise<void> => {
      await Promise.all([...pipelines.values()].map((pipeline) => pipeline.stop()));
    };
    return { name, measure, stop };
  };
  return [start];
}
