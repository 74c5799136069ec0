/** What one put costs, with the garbage it makes, in a registry of so many keys. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { percentiles } from '../statistics.ts';
import {
  BATCH,
  batchOf,
  keyOf,
  LoadedRegistry,
  putOf,
  timeOf,
  type Order,
} from './loaded-registry.ts';

/** One sample: long enough for several collections of young garbage. */
const SAMPLE_PUTS = 10_000;
const MEASURED_PUTS = 300_000;
/** More than history keeps, so that as much is cleaned up as is added. */
const WARM_UP_PUTS = 150_000;

export interface Cost {
  /** In ns: the median over samples. */
  readonly perPut: number;
  /** In ns, of all puts: what collecting garbage took; most of it is in `perPut`. */
  readonly collecting: number;
}

/** `run` carries out a batch of puts, from the given number on, and returns ms. */
async function measure(puts: number, run: (from: number) => number): Promise<Cost> {
  let collectingMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collectingMs += entry.duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  const samples: number[] = [];
  for (let from = 0; from < puts;) {
    const end = Math.min(from + SAMPLE_PUTS, puts);
    let sampleMs = 0;
    const begun = from;
    for (; from < end; from += BATCH) sampleMs += run(from);
    samples.push((sampleMs / (from - begun)) * 1e6);
    await nextTurn();
  }
  await nextTurn();
  observer.disconnect();
  return { perPut: percentiles(samples).p50, collecting: (collectingMs / puts) * 1e6 };
}

export async function overwriteCost(keys: number, order: Order): Promise<Cost> {
  const registry = new LoadedRegistry(keys);
  const run = (from: number): number => {
    const batch = batchOf(from, keys, order);
    return timeOf(() => registry.applyBatch(batch));
  };
  for (let from = 0; from < WARM_UP_PUTS; from += BATCH) run(from);
  return measure(MEASURED_PUTS, (from) => run(WARM_UP_PUTS + from));
}

/** While registries grow from half as many keys to `keys`. */
export async function insertCost(keys: number, order: Order): Promise<Cost> {
  const half = keys / 2;
  let registry: LoadedRegistry | undefined;
  let at = 0;
  const run = (): number => {
    if (registry === undefined) {
      registry = new LoadedRegistry();
      for (at = 0; at < half; at++) registry.apply(putOf(keyOf(at, keys, order)));
    }
    const grown = registry;
    const batch = batchOf(at, keys, order);
    at += BATCH;
    if (at >= keys) registry = undefined;
    return timeOf(() => grown.applyBatch(batch));
  };
  // A large one has warmed up by the time it is half full.
  const warmUp = keys < WARM_UP_PUTS ? WARM_UP_PUTS : 0;
  for (let warm = 0; warm < warmUp; warm += BATCH) run();
  return measure(MEASURED_PUTS, run);
}

interface Item {
  readonly key: string;
  readonly before: Item | undefined;
}

const SHARDS = 64;

/** The same keys in plain `Map`s: reading an object and putting another in its place. */
export async function bareMapCost(keys: number): Promise<Cost> {
  const shards = Array.from({ length: SHARDS }, () => new Map<string, Item>());
  const shardOf = (key: string): Map<string, Item> =>
    shards[(key.charCodeAt(key.length - 1) * 10 + key.charCodeAt(key.length - 2)) % SHARDS]!;
  const put = (key: string): void => {
    const shard = shardOf(key);
    const item = shard.get(key);
    const known = item?.key ?? key;
    shard.set(known, { key: known, before: item === undefined ? undefined : { ...item } });
  };
  for (let i = 0; i < keys; i++) put(keyOf(i, keys, 'random'));
  const run = (from: number): number => {
    // Strings of their own, as when decoded: not those in the map.
    const batch = Array.from({ length: BATCH }, (_, i) =>
      Buffer.from(keyOf(from + i, keys, 'random')).toString('latin1'),
    );
    return timeOf(() => {
      for (const key of batch) put(key);
    });
  };
  for (let from = 0; from < WARM_UP_PUTS; from += BATCH) run(from);
  return measure(MEASURED_PUTS, (from) => run(WARM_UP_PUTS + from));
}
