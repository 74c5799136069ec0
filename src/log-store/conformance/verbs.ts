/** The verbs of the contract, each as its row of the list of seeds says (L1 to L13). */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '../../raft/index.ts';
import {
  assertEntries,
  assertLog,
  assertRejects,
  chunksOf,
  entries,
  entry,
  index,
  plain,
  snapshotMeta,
  term,
} from './rig.ts';
import type { Define, Rig } from './rig.ts';

const VOTE = { term: term(3), votedFor: 'b' as NodeId };

async function reopens(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const { store, recovered } = await rig.recover(directory);
  assert.equal(recovered.storeId, `store of ${directory}`);
  assert.deepEqual(recovered.metadata, { term: 0, votedFor: undefined });
  assert.deepEqual([recovered.firstIndex, recovered.lastIndex, recovered.lastTime], [1, 0, 0]);
  assert.equal(recovered.snapshot, undefined);
  assert.deepEqual(recovered.repaired, []);
  const log = [
    ...entries(1, 3),
    entry(4, { term: 2, type: 'membership' }),
    entry(5, { term: 2, type: 'noop' }),
  ];
  await store.write({ metadata: VOTE, entries: log });
  await store.saveSnapshot(snapshotMeta(2), chunksOf());
  await store.write({ compactThrough: index(1) });
  await store.close();

  const again = rig.create(directory);
  const found = await again.open({ newStoreId: 'another' });
  assert.equal(found.storeId, `store of ${directory}`, 'the store id is written once');
  assert.deepEqual(found.metadata, VOTE);
  assert.deepEqual([found.firstIndex, found.lastIndex, found.lastTime], [2, 5, 1005]);
  assert.deepEqual(found.snapshot, snapshotMeta(2));
  assert.deepEqual(found.termRuns, [
    { first: 2, term: 1 },
    { first: 4, term: 2 },
  ]);
  assertEntries(found.membershipEntries, [log[3]!]);
  assert.deepEqual(found.repaired, []);
  await assertLog(again, log.slice(1));
}

async function closes(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = rig.create(directory);
  await assertRejects('closed', store.write({ entries: entries(1, 1) }));
  await store.open({ newStoreId: 'x' });
  const underWay = Promise.all([
    store.write({ entries: entries(1, 1) }),
    store.write({ entries: entries(2, 2) }),
  ]);
  await Promise.all([store.close(), store.close()]);
  await underWay;
  await store.close();
  await assertRejects('closed', store.write({ entries: entries(3, 3) }));
  await assertRejects('closed', store.storeEntries(entries(3, 3)));
  await assertRejects('closed', store.storeEntries([]));
  await assertRejects('closed', store.storeMetadata(VOTE));
  await assertRejects('closed', store.deleteRange(index(1), index(1)));
  await assertRejects('closed', store.getEntry(index(1)));
  await assertRejects('closed', store.slice(index(1), index(1), 1));
  await assertRejects('closed', store.lastEntry());
  await assertRejects('closed', store.saveSnapshot(snapshotMeta(1), chunksOf()));
  await assertRejects('closed', store.openSnapshot());
  await assertRejects('closed', store.dump());
  for (const call of ['lastIndex', 'firstIndex', 'hasData', 'getMetadata'] as const) {
    assert.throws(() => store[call](), { code: 'closed' });
  }
  await assertLog(await rig.open(directory), entries(1, 2));
}

async function destroys(rig: Rig, durable: boolean): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  await store.write({ metadata: VOTE, entries: entries(1, 3) });
  await assertRejects('data-in-use', store.destroy());
  await store.close();
  mkdirSync(join(directory, 'not ours'));
  writeFileSync(join(directory, 'notes.txt'), 'not ours');
  await store.destroy();
  assert.deepEqual(readdirSync(directory).toSorted(), ['not ours', 'notes.txt']);
  const fresh = rig.create(durable ? rig.directory() : directory);
  await fresh.destroy();
  const recovered = await fresh.open({ newStoreId: 'second' });
  assert.equal(recovered.storeId, 'second');
  assert.equal(fresh.hasData(), false);
}

async function dumps(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  const storeId = `store of ${directory}`;
  const metadata = { term: 0, votedFor: undefined };
  assert.deepEqual(await store.dump(), { storeId, metadata, snapshot: undefined, entries: [] });
  await store.write({ metadata: VOTE, entries: entries(1, 5) });
  await store.saveSnapshot(snapshotMeta(3), chunksOf());
  await store.write({ compactThrough: index(3) });
  const dump = await store.dump();
  assert.deepEqual([dump.storeId, dump.metadata, dump.snapshot], [storeId, VOTE, snapshotMeta(3)]);
  assertEntries(dump.entries, entries(4, 5));
}

async function storesEntries(rig: Rig): Promise<void> {
  const store = await rig.open();
  assert.equal(await store.storeEntries([]), 0);
  assert.equal(await store.storeEntries(entries(1, 3)), 3);
  assert.equal(await store.storeEntries([]), 3);
  for (const gap of [entries(5, 6), entries(3, 4), entries(1, 1), [entry(4), entry(6)]]) {
    await assertRejects('invalid-argument', store.storeEntries(gap));
    await assertLog(store, entries(1, 3));
  }
  assert.equal(await store.storeEntries(entries(4, 4)), 4);
}

async function getsEntries(rig: Rig): Promise<void> {
  const store = await rig.open();
  assert.equal(await store.getEntry(index(1)), undefined);
  await store.storeEntries(entries(1, 4));
  await store.saveSnapshot(snapshotMeta(2), chunksOf());
  await store.write({ compactThrough: index(2) });
  for (const absent of [0, 1, 2, 5, 1.5, -1]) {
    assert.equal(await store.getEntry(index(absent)), undefined);
  }
  assert.deepEqual(plain((await store.getEntry(index(3)))!), plain(entry(3)));
  assert.deepEqual(plain((await store.getEntry(index(4)))!), plain(entry(4)));
}

async function knowsItsEnd(rig: Rig): Promise<void> {
  const store = await rig.open();
  assert.deepEqual([store.firstIndex(), store.lastIndex()], [1, 0]);
  assert.equal(await store.lastEntry(), undefined);
  await store.storeEntries(entries(1, 4));
  assert.deepEqual([store.firstIndex(), store.lastIndex()], [1, 4]);
  assert.deepEqual(plain((await store.lastEntry())!), plain(entry(4)));
  await store.saveSnapshot(snapshotMeta(4), chunksOf());
  await store.write({ compactThrough: index(4) });
  assert.deepEqual([store.firstIndex(), store.lastIndex()], [5, 4], "the snapshot's index");
  assert.equal(await store.lastEntry(), undefined);
  await store.saveSnapshot(snapshotMeta(9), chunksOf());
  assert.equal(store.lastIndex(), 9, 'an empty log goes on after a newer snapshot');
  await assertRejects('invalid-argument', store.storeEntries(entries(5, 5)));
  await store.storeEntries(entries(10, 10));
}

async function slices(rig: Rig): Promise<void> {
  const store = await rig.open();
  await assertRejects('invalid-argument', store.slice(index(1), index(1), 100));
  const data = new Uint8Array(100);
  await store.storeEntries(entries(1, 3, { data }));
  await store.storeEntries(entries(4, 9, { data }));
  await store.saveSnapshot(snapshotMeta(2), chunksOf());
  await store.write({ compactThrough: index(2) });
  const cut = async (from: number, through: number, maxBytes: number): Promise<number[]> =>
    (await store.slice(index(from), index(through), maxBytes)).map((one) => one.index);
  assert.deepEqual(await cut(3, 9, 1_000_000), [3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(await cut(4, 6, 1_000_000), [4, 5, 6]);
  assert.deepEqual(await cut(3, 9, 300), [3, 4, 5]);
  assert.deepEqual(await cut(3, 9, 299), [3, 4]);
  assert.deepEqual(await cut(3, 9, 0), [3], 'never less than one');
  assert.deepEqual(await cut(9, 9, 0), [9]);
  await assertRejects('compacted', store.slice(index(2), index(4), 100));
  await assertRejects('invalid-argument', store.slice(index(8), index(10), 100));
  await assertRejects('invalid-argument', store.slice(index(5), index(4), 100));
}

async function deletesRanges(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  await store.storeEntries(entries(1, 9));
  for (const [from, through] of [
    [3, 5],
    [2, 8],
    [1, 4],
    [5, 4],
    [1.5, 9],
  ] as const) {
    await assertRejects('invalid-argument', store.deleteRange(index(from), index(through)));
    await assertLog(store, entries(1, 9));
  }
  await store.deleteRange(index(8), index(9));
  await assertLog(store, entries(1, 7));
  await store.saveSnapshot(snapshotMeta(4), chunksOf());
  await store.deleteRange(index(1), index(3));
  await assertLog(store, entries(4, 7));
  await assertRejects('invalid-argument', store.deleteRange(index(4), index(5)));
  await store.close();
  await assertLog(await rig.open(directory), entries(4, 7));
}

async function keepsMetadata(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  assert.deepEqual(store.getMetadata(), { term: 0, votedFor: undefined });
  await store.storeMetadata(VOTE);
  assert.deepEqual(store.getMetadata(), VOTE);
  const next = { term: term(4), votedFor: undefined };
  await assertRejects('invalid-argument', store.write({ metadata: next, entries: entries(7, 7) }));
  assert.deepEqual(store.getMetadata(), VOTE, 'refused together with its entries');
  await store.write({ metadata: next, entries: entries(1, 1) });
  await store.close();
  const again = await rig.open(directory);
  assert.deepEqual(again.getMetadata(), next);
  await assertLog(again, entries(1, 1));
}

async function knowsWhetherItHasData(rig: Rig): Promise<void> {
  const withVote = await rig.open();
  assert.equal(withVote.hasData(), false);
  await withVote.write({});
  assert.equal(withVote.hasData(), false);
  await withVote.storeMetadata(VOTE);
  assert.equal(withVote.hasData(), true);
  const withEntries = await rig.open();
  await withEntries.storeEntries(entries(1, 1));
  assert.equal(withEntries.hasData(), true);
  const directory = rig.directory();
  const withSnapshot = await rig.open(directory);
  await withSnapshot.saveSnapshot(snapshotMeta(0, 0), chunksOf());
  assert.equal(withSnapshot.hasData(), true);
  await withSnapshot.close();
  assert.equal((await rig.open(directory)).hasData(), true);
}

async function servesTwoKindsAtOnce(rig: Rig): Promise<void> {
  const one = await rig.open();
  const other = await rig.open();
  await one.storeEntries(entries(1, 2));
  assert.equal(other.hasData(), false, 'stores share nothing');
  assert.equal(typeof one.kind, 'string');
  assert.notEqual(one.kind, '');
}

export function defineVerbs(define: Define, durable: boolean): void {
  define('[L1] open creates, and reports what is there when opened again', reopens);
  define('[L2] [LOG-12] close is idempotent, waits, and refuses what comes after it', closes);
  define('[L3] [LOG-19] destroy refuses while open and removes what the store made', (rig) =>
    destroys(rig, durable),
  );
  define('[L4] dump works on an empty and on a compacted log', dumps);
  define('[L5] [LOG-4] storeEntries returns the last index and refuses gaps', storesEntries);
  define('[L6] getEntry finds what is held and nothing else', getsEntries);
  define('[L7] lastEntry and lastIndex, and after compaction the snapshot', knowsItsEnd);
  define('[L8] [LOG-8] slice is inclusive, limited in bytes, never empty', slices);
  define('[L9] deleteRange takes a prefix or a suffix, durably', deletesRanges);
  define('[L10] metadata is one record, atomic with entries', keepsMetadata);
  define('[L11] hasData after entries, metadata, or a snapshot', knowsWhetherItHasData);
  define('[L13] each node brings a store of its own', servesTwoKindsAtOnce);
}
