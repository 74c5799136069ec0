/** Truncation, compaction and sizes, at every boundary of a small log and at large ones. */
import assert from 'node:assert/strict';
import {
  entries,
  entry,
  assertEntries,
  assertLog,
  assertRejects,
  chunksOf,
  index,
  snapshotMeta,
} from './rig.ts';
import type { Define, Rig } from './rig.ts';
import { Random } from './random.ts';
import type { LogStore } from '../contract.ts';

const LAST = 7;
const MEBIBYTE = 1024 * 1024;

/** A log of `LAST` entries that came in writes of three, so that cuts fall inside and between. */
async function fill(store: LogStore): Promise<void> {
  for (let from = 1; from <= LAST; from += 3) {
    await store.storeEntries(entries(from, Math.min(from + 2, LAST)));
  }
}

async function empty(store: LogStore): Promise<void> {
  if (store.lastIndex() > 0) await store.write({ truncateFrom: index(1) });
}

async function truncatesEverywhere(rig: Rig): Promise<void> {
  const directory = rig.directory();
  let store = await rig.open(directory);
  for (let from = 1; from <= LAST + 2; from++) {
    const kept = entries(1, Math.min(from - 1, LAST));
    await empty(store);
    await fill(store);
    await store.write({ truncateFrom: index(from) });
    await assertLog(store, kept);
    const next = [entry(kept.length + 1, { term: 2 }), entry(kept.length + 2, { term: 2 })];
    await assertRejects('invalid-argument', store.storeEntries([next[1]!]));
    await store.storeEntries(next);
    await assertLog(store, [...kept, ...next]);
    await store.close();
    store = await rig.open(directory);
    await assertLog(store, [...kept, ...next]);
  }
}

async function replacesEverywhere(rig: Rig): Promise<void> {
  const store = await rig.open();
  for (let from = 1; from <= LAST; from++) {
    await empty(store);
    await fill(store);
    const added = entries(from, LAST + 2, { term: 2 });
    await store.write({ truncateFrom: index(from), entries: added });
    await assertLog(store, [...entries(1, from - 1), ...added]);
  }
}

/** Compacts through `through` in a log that the snapshot covers wholly, then appends. */
async function compactTo(rig: Rig, through: number, added: number): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  await fill(store);
  await store.saveSnapshot(snapshotMeta(LAST), chunksOf());
  const last = LAST + added;
  await store.write({ entries: entries(LAST + 1, last), compactThrough: index(through) });
  const kept = entries(Math.min(through, last) + 1, last);
  await assertLog(store, kept);
  await store.storeEntries(entries(last + 1, last + 1));
  await store.close();
  await assertLog(await rig.open(directory), [...kept, entry(last + 1)]);
}

async function compactsEverywhere(rig: Rig): Promise<void> {
  for (let through = 0; through <= LAST; through++) {
    for (const added of [0, 2]) await compactTo(rig, through, added);
  }
}

async function compactsInSteps(rig: Rig): Promise<void> {
  const store = await rig.open();
  await fill(store);
  await assertRejects('invalid-argument', store.write({ compactThrough: index(1) }));
  await store.saveSnapshot(snapshotMeta(LAST - 1), chunksOf());
  await assertRejects('invalid-argument', store.write({ compactThrough: index(LAST) }));
  await assertLog(store, entries(1, LAST));
  for (let through = 1; through < LAST; through++) {
    await store.write({ compactThrough: index(through) });
    await assertLog(store, entries(through + 1, LAST));
  }
  await store.write({ compactThrough: index(2) });
  await assertLog(store, entries(LAST, LAST));
  await store.write({ truncateFrom: index(LAST) });
  assert.equal(store.lastIndex(), LAST - 1);
}

/** Every part of a batch at once, cutting one block from both sides. */
async function doesAllAtOnce(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  await store.storeEntries(entries(1, 9));
  await store.saveSnapshot(snapshotMeta(4), chunksOf());
  const added = entries(7, 8, { term: 2 });
  await store.write({ truncateFrom: index(7), entries: added, compactThrough: index(4) });
  await assertLog(store, [...entries(5, 6), ...added]);
  await store.saveSnapshot(snapshotMeta(8, 2), chunksOf());
  await store.write({
    truncateFrom: index(6),
    entries: entries(6, 8, { term: 3 }),
    compactThrough: index(7),
  });
  await assertLog(store, [entry(8, { term: 3 })]);
  await store.saveSnapshot(snapshotMeta(8, 3), chunksOf());
  await store.close();
  await assertLog(await rig.open(directory), [entry(8, { term: 3 })]);
}

async function takesWritesInOrder(rig: Rig): Promise<void> {
  const store = await rig.open();
  const order: number[] = [];
  const writes: Promise<unknown>[] = [];
  for (let at = 1; at <= 20; at++) {
    const write =
      at % 7 === 0
        ? store.write({ truncateFrom: index(at - 1), entries: entries(at - 1, at, { term: at }) })
        : store.write({ entries: entries(at, at, { term: at }) });
    writes.push(write.then(() => order.push(at)));
  }
  const refused = assertRejects('invalid-argument', store.write({ entries: entries(30, 30) }));
  await Promise.all(writes);
  await refused;
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  const terms = (await store.dump()).entries.map((one) => one.term);
  assert.deepEqual(terms, [1, 2, 3, 4, 5, 7, 7, 8, 9, 10, 11, 12, 14, 14, 15, 16, 17, 18, 19, 20]);
}

async function readsWhileWriting(rig: Rig): Promise<void> {
  const store = await rig.open();
  await store.storeEntries(entries(1, 9));
  const write = store.write({ truncateFrom: index(4), entries: entries(4, 6, { term: 2 }) });
  // Whichever side of the write it falls on, a read is of one moment.
  const seen = (await store.slice(index(1), index(6), MEBIBYTE)).map((one) => one.term);
  assert.ok(['1,1,1,1,1,1', '1,1,1,2,2,2'].includes(seen.join()), seen.join());
  await write;
  assertEntries(await store.slice(index(4), index(6), MEBIBYTE), entries(4, 6, { term: 2 }));
}

async function keepsLargeEntries(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  const random = new Random(8);
  const pattern = random.bytes(4096);
  const data = new Uint8Array(8 * MEBIBYTE);
  for (let at = 0; at < data.length; at += pattern.length) data.set(pattern, at);
  const log = [entry(1), entry(2, { data }), entry(3), entry(4, { data: new Uint8Array(0) })];
  await store.storeEntries(log);
  await store.close();
  const again = await rig.open(directory);
  const kept = await again.getEntry(index(2));
  assert.ok(Buffer.from(data).equals(kept!.data), 'an entry of 8 MiB');
  const cut = await again.slice(index(1), index(4), 100);
  assert.deepEqual(
    cut.map((one) => one.index),
    [1],
  );
  await again.write({ truncateFrom: index(4), entries: [entry(4, { term: 2 })] });
  assert.equal((await again.lastEntry())?.term, 2);
}

async function keepsManyEntries(rig: Rig): Promise<void> {
  const count = 100_000;
  const directory = rig.directory();
  const store = await rig.open(directory);
  const batch = 4000;
  for (let from = 1; from <= count; from += batch) {
    await store.storeEntries(entries(from, from + batch - 1));
  }
  await store.close();
  const { store: again, recovered } = await rig.recover(directory);
  assert.deepEqual([recovered.firstIndex, recovered.lastIndex], [1, count]);
  for (let from = 1; from <= count;) {
    const part = await again.slice(index(from), index(count), 64 * 1024);
    for (const one of part) {
      if (one.index !== from) assert.fail(`entry ${one.index} where ${from} should be`);
      from++;
    }
  }
  await again.saveSnapshot(snapshotMeta(count), chunksOf());
  await again.write({ truncateFrom: index(count - 10), compactThrough: index(count - 20) });
  await assertLog(again, entries(count - 19, count - 11));
}

export function defineBoundaries(define: Define): void {
  define('[L9] [LOG-6] truncation is exact at every index', truncatesEverywhere);
  define(
    '[LOG-6] truncating and appending in one write is exact at every index',
    replacesEverywhere,
  );
  define('[L9] [LOG-7] compaction is exact at every index', compactsEverywhere);
  define('[LOG-7] compaction in steps, never beyond the snapshot', compactsInSteps);
  define('[LOG-1] all parts of a batch apply together', doesAllAtOnce);
  define('[LOG-3] writes take effect and resolve in the order of their calls', takesWritesInOrder);
  define('[LOG-3] a read during a write sees one moment', readsWhileWriting);
  define('[LOG-9] entries of 8 MiB and of no bytes', keepsLargeEntries);
  define('[LOG-9] 100,000 entries', keepsManyEntries);
}
