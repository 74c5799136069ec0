/** What one put costs, with the garbage it makes, in a registry of so many keys. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BATCH, batchOf, keyOf, LoadedRegistry, putOf, type Order } from './loaded-registry.ts';
import { processorMs } from './processor-time.ts';

/** Made ready together, then timed together. */
const SAMPLE_PUTS = 10_000;
const SAMPLES = 30;
/** More than history keeps, so that as much is cleaned up as is added. */
const WARM_UP_SAMPLES = 15;

export interface Cost {
  /** In ns on the processor. */
  readonly perPut: number;
  /** In ns by the clock, of all puts: what collecting garbage took; most of it is in `perPut`. */
  readonly collecting: number;
}

/**
 * `prepare` gets ready for a sample of puts, from the given number on, and returns what carries
 * them out.
 */
async function measure(samples: number, prepare: (from: number) => () => void): Promise<Cost> {
  let collectingMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collectingMs += entry.duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  let totalMs = 0;
  for (let i = 0; i < samples; i++) {
    const run = prepare(i * SAMPLE_PUTS);
    const before = processorMs();
    run();
    totalMs += processorMs() - before;
    await nextTurn();
  }
  await nextTurn();
  observer.disconnect();
  const puts = samples * SAMPLE_PUTS;
  return { perPut: (totalMs / puts) * 1e6, collecting: (collectingMs / puts) * 1e6 };
}

function batchesOf(from: number, puts: number, keys: number, order: Order): Uint8Array[][] {
  return Array.from({ length: puts / BATCH }, (_, i) => batchOf(from + i * BATCH, keys, order));
}

export async function overwriteCost(keys: number, order: Order): Promise<Cost> {
  const registry = new LoadedRegistry(keys);
  const prepare = (from: number): (() => void) => {
    const batches = batchesOf(from, SAMPLE_PUTS, keys, order);
    return () => {
      for (const batch of batches) registry.applyBatch(batch);
    };
  };
  for (let i = 0; i < WARM_UP_SAMPLES; i++) prepare(i * SAMPLE_PUTS)();
  return measure(SAMPLES, (from) => prepare(WARM_UP_SAMPLES * SAMPLE_PUTS + from));
}

/** While registries grow from half as many keys to `keys`: small ones one after the other. */
export async function insertCost(keys: number, order: Order): Promise<Cost> {
  const puts = Math.min(keys / 2, SAMPLE_PUTS);
  let registry = new LoadedRegistry();
  let at = keys;
  const grow = (): (() => void) => {
    if (at + puts > keys) {
      registry = halfFull(keys, order);
      at = keys / 2;
    }
    const [grown, batches] = [registry, batchesOf(at, puts, keys, order)];
    at += puts;
    return () => {
      for (const batch of batches) grown.applyBatch(batch);
    };
  };
  const prepare = (): (() => void) => {
    const runs = Array.from({ length: SAMPLE_PUTS / puts }, grow);
    return () => {
      for (const run of runs) run();
    };
  };
  for (let i = 0; i < WARM_UP_SAMPLES; i++) prepare()();
  return measure(SAMPLES, prepare);
}

function halfFull(keys: number, order: Order): LoadedRegistry {
  const registry = new LoadedRegistry();
  for (let i = 0; i < keys / 2; i++) registry.apply(putOf(keyOf(i, keys, order)));
  registry.machine.takeEvents();
  return registry;
}

interface Item {
  readonly key: string;
  readonly version: number;
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
    shard.set(known, { key: known, version: (item?.version ?? 0) + 1 });
  };
  for (let i = 0; i < keys; i++) put(keyOf(i, keys, 'random'));
  const prepare = (from: number): (() => void) => {
    // Strings of their own, as when decoded: not those in the map.
    const fresh = Array.from({ length: SAMPLE_PUTS }, (_, i) =>
      Buffer.from(keyOf(from + i, keys, 'random')).toString('latin1'),
    );
    return () => {
      for (const key of fresh) put(key);
    };
  };
  for (let i = 0; i < WARM_UP_SAMPLES; i++) prepare(i * SAMPLE_PUTS)();
  return measure(SAMPLES, (from) => prepare(WARM_UP_SAMPLES * SAMPLE_PUTS + from));
}
