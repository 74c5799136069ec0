/** What `registry-scale.ts` measures, one measurement a process: `node registry-load.js JSON`. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  decodeResult,
  encodeCommand,
  encodeQuery,
  RegistryStateMachine,
  type RangeQuery,
  type RegistryCommand,
  type Revision,
  type SessionId,
  type TxnCompare,
} from '../src/registry/index.ts';
import { percentiles, type Percentiles } from './statistics.ts';

export const VALUE_BYTES = 64;
export const KEY_BYTES = 24;
/** Commands between two looks at the clock: what the clock costs does not show. */
const BATCH = 500;

export type Measurement =
  | { readonly type: 'overwrite' | 'insert'; readonly keys: number; readonly order: Order }
  | { readonly type: 'bareMap'; readonly keys: number }
  | { readonly type: 'memory' | 'snapshot' | 'stalls'; readonly keys: number };
export type Order = 'random' | 'sequential';

export interface Cost {
  /** Median over batches, in ns. */
  readonly perPut: number;
  /** Of the whole time, how much went to collecting garbage. */
  readonly gcShare: number;
}
export interface Memory {
  /** Heap beside keys and values, in bytes a key. */
  readonly perKey: number;
  readonly perKeyWithHistory: number;
}
export interface SnapshotFigures {
  /** Of puts, in us. */
  readonly quiet: Percentiles;
  readonly during: Percentiles;
  /** Of the writer's steps, in ms. */
  readonly steps: Percentiles;
  readonly bytes: number;
  readonly writeMs: number;
  readonly restoreMs: number;
}
/** What one call takes, in ms. */
export type Stalls = Readonly<Record<string, number>>;

const value = new Uint8Array(VALUE_BYTES).fill(97);
const nobody = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
const everyKey = { start: '', end: undefined, limit: 0, keysOnly: true, revision: 0 as Revision };

/** Spreads numbers over the key space; below `keys` each occurs once in `keys` numbers. */
function keyOf(number: number, keys: number, order: Order): string {
  const place = order === 'sequential' ? number : (number * 7_368_787) % keys;
  return `bench/${String(place).padStart(KEY_BYTES - 6, '0')}`;
}

/** A registry with the index and the time of its log. */
class Bench {
  machine = new RegistryStateMachine();
  index = 0;
  time = 0;

  apply(command: Uint8Array): Uint8Array {
    this.index++;
    this.time += 0.05;
    return this.machine.apply(command, { index: this.index, term: 1, time: this.time });
  }

  do(command: RegistryCommand, header = nobody): Uint8Array {
    return this.apply(encodeCommand(header, command));
  }

  fill(keys: number, order: Order = 'random'): void {
    for (let i = 0; i < keys; i++) {
      this.apply(putOf(keyOf(i, keys, order)));
      if (i % BATCH === 0) this.machine.takeEvents();
    }
    this.machine.takeEvents();
  }

  /** Applies a batch made beforehand, as a node does, and returns ms. */
  timed(commands: readonly Uint8Array[]): number {
    const started = performance.now();
    for (const command of commands) this.apply(command);
    this.machine.takeEvents();
    return performance.now() - started;
  }
}

function putOf(key: string, header = nobody, ttlMs = 0): Uint8Array {
  const ephemeral = header.session !== 0;
  return encodeCommand(header, { type: 'put', key, value, ttlMs, ephemeral, lock: false });
}

/** Calls `measure` with each batch of numbers; the median, and what of the time was collection. */
async function costOf(count: number, measure: (from: number) => number): Promise<Cost> {
  let gcMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) gcMs += entry.duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  const samples: number[] = [];
  let total = 0;
  for (let from = 0; from < count; from += BATCH) {
    const ms = measure(from);
    total += ms;
    samples.push((ms / BATCH) * 1e6);
    if (from % (BATCH * 100) === 0) await nextTurn();
  }
  await nextTurn();
  observer.disconnect();
  // The mean, not the median: collection comes in few batches and is part of the cost.
  return { perPut: (total / count) * 1e6, gcShare: gcMs / total };
}

function batch(from: number, keys: number, order: Order): Uint8Array[] {
  return Array.from({ length: BATCH }, (_, i) => putOf(keyOf((from + i) % keys, keys, order)));
}

async function overwrite(keys: number, order: Order): Promise<Cost> {
  const bench = new Bench();
  bench.fill(keys);
  // Past the history that is kept, so that as much is cleaned as is added.
  for (let from = 0; from < 150_000; from += BATCH) bench.timed(batch(from, keys, order));
  return costOf(300_000, (from) => bench.timed(batch(from + 150_000, keys, order)));
}

/** The second half of filling registries up. */
async function insert(keys: number, order: Order): Promise<Cost> {
  const half = keys / 2;
  const start = (): Bench => {
    const bench = new Bench();
    for (let i = 0; i < half; i++) bench.apply(putOf(keyOf(i, keys, order)));
    return bench;
  };
  let bench = start();
  let at = half;
  const next = (): number => {
    if (at + BATCH > keys) {
      bench = start();
      at = half;
    }
    const ms = bench.timed(batch(at, keys, order));
    at += BATCH;
    return ms;
  };
  for (let warm = 0; warm < 100 && keys < 100_000; warm++) next();
  return costOf(Math.min(300_000, Math.max(half, 100_000)), next);
}

/** What replacing an object in a plain `Map` costs: nobody gets below. */
async function bareMap(keys: number): Promise<Cost> {
  interface Item {
    readonly key: string;
    readonly before: number;
  }
  const shards = Array.from({ length: 64 }, () => new Map<string, Item>());
  const shard = (key: string): Map<string, Item> => shards[key.charCodeAt(KEY_BYTES - 1) & 63]!;
  for (let i = 0; i < keys; i++) {
    const key = keyOf(i, keys, 'random');
    shard(key).set(key, { key, before: 0 });
  }
  const encoded = (from: number): Uint8Array[] =>
    Array.from({ length: BATCH }, (_, i) => Buffer.from(keyOf((from + i) % keys, keys, 'random')));
  const run = (from: number): number => {
    const fresh = encoded(from).map((bytes) => String.fromCharCode(...bytes));
    const started = performance.now();
    for (const key of fresh) {
      const item = shard(key).get(key)!;
      shard(key).set(item.key, { key: item.key, before: item.before + 1 });
    }
    return performance.now() - started;
  };
  for (let from = 0; from < 100_000; from += BATCH) run(from);
  return costOf(300_000, run);
}

function heap(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

function memory(keys: number): Memory {
  const bench = new Bench();
  bench.fill(1000);
  bench.machine = new RegistryStateMachine();
  const before = heap();
  bench.fill(keys);
  const beside = (): number => (heap() - before) / keys - KEY_BYTES - VALUE_BYTES;
  const perKeyWithHistory = beside();
  bench.do({ type: 'compact', revision: bench.machine.revision });
  for (let i = 0; i < 5000; i++) bench.do({ type: 'tick' });
  const perKey = beside();
  return { perKey, perKeyWithHistory };
}

/** Puts come in turns of this many; of a snapshot, one step is made a turn. */
const PUTS_PER_TURN = 64;

/** Latencies in us: a put waits for the step of its turn and for the puts before it. */
function turn(bench: Bench, from: number, keys: number, step: () => void, into: number[]): void {
  const commands = Array.from({ length: PUTS_PER_TURN }, (_, i) =>
    putOf(keyOf((from + i) % keys, keys, 'random')),
  );
  const began = performance.now();
  step();
  for (const command of commands) {
    bench.apply(command);
    into.push((performance.now() - began) * 1000);
  }
  bench.machine.takeEvents();
}

function snapshot(keys: number): SnapshotFigures {
  const bench = new Bench();
  bench.fill(keys);
  for (let from = 0; from < 150_000; from += BATCH) bench.timed(batch(from, keys, 'random'));
  const quiet: number[] = [];
  let from = 0;
  const nothing = (): void => undefined;
  for (; from < 100_000; from += PUTS_PER_TURN) turn(bench, from, keys, nothing, quiet);
  const chunks = bench.machine.snapshotChunks();
  const during: number[] = [];
  const steps: number[] = [];
  const written: Uint8Array[] = [];
  for (let done = false; !done; from += PUTS_PER_TURN) {
    const step = (): void => {
      const started = performance.now();
      const next = chunks.next();
      steps.push(performance.now() - started);
      if (next.done === true) done = true;
      else written.push(next.value);
    };
    turn(bench, from, keys, step, during);
  }
  const started = performance.now();
  const restorer = new RegistryStateMachine().restorer();
  for (const chunk of written) restorer.push(chunk);
  restorer.finish();
  return {
    quiet: percentiles(quiet),
    during: percentiles(during),
    steps: percentiles(steps),
    bytes: written.reduce((sum, chunk) => sum + chunk.length, 0),
    writeMs: steps.reduce((sum, ms) => sum + ms, 0),
    restoreMs: performance.now() - started,
  };
}

function ms(call: () => unknown): number {
  const started = performance.now();
  call();
  return performance.now() - started;
}

/** The longest that single calls hold the event loop for. */
function stalls(keys: number): Stalls {
  const bench = new Bench();
  bench.fill(keys);
  const query = (more: Partial<RangeQuery>): Uint8Array =>
    encodeQuery({ ...everyKey, type: 'range', ...more });
  const select = {
    countOnly: false,
    sortBy: 'key',
    descending: false,
    minModRevision: 0 as Revision,
    maxModRevision: 0 as Revision,
    minCreateRevision: 0 as Revision,
    maxCreateRevision: 0 as Revision,
  } as const;
  const late = bench.machine.revision;
  const ask = (more: Partial<RangeQuery>): number => ms(() => bench.machine.query(query(more)));
  const compare: TxnCompare = {
    start: '',
    end: undefined,
    operator: 'greater',
    target: 'version',
    operand: 0,
  };
  const compares = Array.from({ length: 255 }, () => compare);
  const figures: Record<string, number> = {
    'count of every key': ask({ select: { ...select, countOnly: true } }),
    'count with a filter': ask({ select: { ...select, countOnly: true, minModRevision: late } }),
    'list sorted by modRevision': ask({ limit: 10, select: { ...select, sortBy: 'modRevision' } }),
    'list with a filter that hits the last': ask({
      limit: 10,
      select: { ...select, minModRevision: late },
    }),
    'transaction of 255 compares of every key': ms(() =>
      bench.do({ type: 'txn', compares, success: [], failure: [] }),
    ),
  };
  figures['session of 100,000 keys ends'] = endOfSession(bench);
  const end = keyOf(100_000, keys, 'sequential');
  figures['range delete of 100,000 keys'] = ms(() =>
    bench.do({
      type: 'txn',
      compares: [],
      success: [{ type: 'deleteRange', start: '', end }],
      failure: [],
    }),
  );
  return { ...figures, ...expiry(keys) };
}

function endOfSession(bench: Bench): number {
  const open = { type: 'openSession', ttlMs: 10_000, label: '', metadata: new Uint8Array(0), trapExits: false } as const;
  const opened = decodeResult(bench.do(open));
  if (opened.type !== 'session') throw new Error('no session');
  const { session } = opened;
  const owner = { ...nobody, session };
  for (let i = 0; i < 100_000; i++) bench.apply(putOf(`own/${String(i).padStart(20, '0')}`, owner));
  bench.machine.takeEvents();
  return ms(() => bench.do({ type: 'closeSession', session }));
}

function expiry(keys: number): Stalls {
  const bench = new Bench();
  for (let i = 0; i < keys; i++) {
    bench.apply(putOf(keyOf(i, keys, 'random'), nobody, 1_000_000));
    if (i % BATCH === 0) bench.machine.takeEvents();
  }
  bench.time += 2_000_000;
  let longest = 0;
  let total = 0;
  for (;;) {
    const one = ms(() => bench.do({ type: 'tick' }));
    bench.machine.takeEvents();
    longest = Math.max(longest, one);
    total += one;
    if (bench.machine.query(encodeQuery({ ...everyKey, type: 'range', limit: 1 })).length < 10) break;
  }
  return { 'all keys expire: longest apply': longest, 'all keys expire: together': total };
}

async function measure(one: Measurement): Promise<unknown> {
  switch (one.type) {
    case 'overwrite':
      return overwrite(one.keys, one.order);
    case 'insert':
      return insert(one.keys, one.order);
    case 'bareMap':
      return bareMap(one.keys);
    case 'memory':
      return memory(one.keys);
    case 'snapshot':
      return snapshot(one.keys);
    case 'stalls':
      return stalls(one.keys);
  }
}

const asked = process.argv[2];
if (asked !== undefined) {
  const figures = await measure(JSON.parse(asked) as Measurement);
  process.stdout.write(JSON.stringify(figures));
}
