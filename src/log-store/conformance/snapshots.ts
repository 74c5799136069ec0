/** Snapshots: current at once, kept while read, and stronger than a log that contradicts them. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  assertLog,
  assertRejects,
  bytesOf,
  chunksOf,
  entries,
  entry,
  index,
  readAll,
  snapshotMeta,
} from './rig.ts';
import type { Define, Rig } from './rig.ts';
import { Random } from './random.ts';
import type { LogStore } from '../contract.ts';

async function currentText(store: LogStore): Promise<string | undefined> {
  const reader = await store.openSnapshot();
  if (reader === undefined) return undefined;
  const text = new TextDecoder().decode(await readAll(reader));
  await reader.close();
  return text;
}

async function keepsAnySize(rig: Rig): Promise<void> {
  const directory = rig.directory();
  let store = await rig.open(directory);
  assert.equal(await store.openSnapshot(), undefined);
  const random = new Random(3);
  let at = 1;
  for (const size of [0, 1, 1000, 262_143, 262_144, 262_145, 1_000_000]) {
    const data = random.bytes(size);
    const third = Math.ceil(size / 3);
    const parts = chunksOf(
      data.subarray(0, third),
      new Uint8Array(0),
      data.subarray(third, 2 * third),
      data.subarray(2 * third),
    );
    await store.saveSnapshot(snapshotMeta(at), parts);
    await store.close();
    store = await rig.open(directory);
    const reader = (await store.openSnapshot())!;
    assert.deepEqual(reader.meta, snapshotMeta(at));
    assert.equal(reader.size, size);
    assert.ok(Buffer.from(data).equals(await readAll(reader, 99_999)));
    assert.equal((await reader.read(size, 10)).length, 0);
    assert.equal((await reader.read(size + 5, 10)).length, 0);
    await reader.close();
    at++;
  }
}

async function reusesNoBuffer(rig: Rig): Promise<void> {
  const store = await rig.open();
  const shared = new Uint8Array(3);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const text of ['abc', 'def', 'ghi']) {
      shared.set(bytesOf(text));
      yield shared;
    }
    shared.fill(0);
  }
  await store.saveSnapshot(snapshotMeta(1), source());
  assert.equal(await currentText(store), 'abcdefghi');
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(300_000);
  throw new Error('source broke');
}

async function leavesNothingOfAFailure(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  await assert.rejects(store.saveSnapshot(snapshotMeta(1), broken()), /source broke/);
  assert.equal(await store.openSnapshot(), undefined);
  assert.equal(store.hasData(), false);
  await store.saveSnapshot(snapshotMeta(2), chunksOf(bytesOf('whole')));
  await assert.rejects(store.saveSnapshot(snapshotMeta(3), broken()), /source broke/);
  assert.equal(await currentText(store), 'whole');
  await store.storeEntries(entries(3, 3));
  await store.close();
  assert.equal(await currentText(await rig.open(directory)), 'whole');
}

async function staysWithTheOldUntilSaved(rig: Rig): Promise<void> {
  const store = await rig.open();
  await store.storeEntries(entries(1, 3));
  await store.saveSnapshot(snapshotMeta(1), chunksOf(bytesOf('first')));
  const gate = new EventEmitter();
  const held = once(gate, 'open');
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield bytesOf('second');
    await held;
  }
  const saving = store.saveSnapshot(snapshotMeta(2), slow());
  await store.storeEntries(entries(4, 4));
  assert.equal(await currentText(store), 'first');
  await assertRejects('invalid-argument', store.write({ compactThrough: index(2) }));
  gate.emit('open');
  await saving;
  assert.equal(await currentText(store), 'second');
  await store.write({ compactThrough: index(2) });
  await assertLog(store, entries(3, 4));
}

async function keepsWhatIsRead(rig: Rig): Promise<void> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  const data = new Random(5).bytes(600_000);
  await store.saveSnapshot(snapshotMeta(1), chunksOf(data));
  const reader = (await store.openSnapshot())!;
  const other = (await store.openSnapshot())!;
  assert.equal((await reader.read(0, 10)).length, 10);
  await store.saveSnapshot(snapshotMeta(2), chunksOf(bytesOf('newer')));
  await store.saveSnapshot(snapshotMeta(3), chunksOf(bytesOf('newest')));
  await other.close();
  assert.equal(reader.meta.index, 1);
  assert.ok(Buffer.from(data).equals(await readAll(reader)));
  await reader.close();
  await reader.close();
  await assertRejects('closed', reader.read(0, 1));
  assert.equal(await currentText(store), 'newest');
  const unclosed = (await store.openSnapshot())!;
  await store.close();
  await assertRejects('closed', unclosed.read(0, 1));
  await unclosed.close();
  assert.equal(await currentText(await rig.open(directory)), 'newest');
}

async function refusesOlder(rig: Rig): Promise<void> {
  const store = await rig.open();
  await store.saveSnapshot(snapshotMeta(5), chunksOf(bytesOf('five')));
  await assertRejects('invalid-argument', store.saveSnapshot(snapshotMeta(4), chunksOf()));
  assert.equal(await currentText(store), 'five');
  await store.saveSnapshot(snapshotMeta(5), chunksOf(bytesOf('five again')));
  assert.equal(await currentText(store), 'five again');
  // Two at once: whichever ends later is judged against the one that ended before.
  const both = await Promise.allSettled([
    store.saveSnapshot(snapshotMeta(7), chunksOf(bytesOf('seven'))),
    store.saveSnapshot(snapshotMeta(6), chunksOf(bytesOf('six'), bytesOf('!'))),
  ]);
  assert.equal(both[0].status, 'fulfilled');
  assert.equal(await currentText(store), 'seven');
}

interface Recovery {
  readonly first: number;
  readonly last: number;
  readonly repaired: number;
}

/**
 * A log of entries 1 to 9, 1 to 5 of term 1, then 2; a snapshot saved, and a crash before the cut.
 */
async function recoverWith(rig: Rig, at: number, termAt: number): Promise<Recovery> {
  const directory = rig.directory();
  const store = await rig.open(directory);
  const log = [...entries(1, 5), ...entries(6, 9, { term: 2 })];
  await store.storeEntries(log);
  await store.saveSnapshot(snapshotMeta(at, termAt), chunksOf(bytesOf('received')));
  assert.equal(store.lastIndex(), 9, 'saving a snapshot leaves the log as it is');
  await store.close();
  const { store: again, recovered } = await rig.recover(directory);
  assert.deepEqual(recovered.snapshot, snapshotMeta(at, termAt));
  assert.equal(await currentText(again), 'received');
  const { firstIndex: first, lastIndex: last, repaired } = recovered;
  await assertLog(again, first > last ? [] : log);
  if (first > last) {
    assert.deepEqual([recovered.lastTime, recovered.termRuns], [1000 + at, []]);
    await again.storeEntries([entry(at + 1, { term: 9 })]);
    await again.close();
    const third = await rig.recover(directory);
    assert.deepEqual(third.recovered.repaired, [], 'repaired once');
    await assertLog(third.store, [entry(at + 1, { term: 9 })]);
  }
  return { first, last, repaired: repaired.length };
}

async function discardsAConflictingLog(rig: Rig): Promise<void> {
  assert.deepEqual(await recoverWith(rig, 7, 2), { first: 1, last: 9, repaired: 0 });
  assert.deepEqual(await recoverWith(rig, 9, 2), { first: 1, last: 9, repaired: 0 });
  assert.deepEqual(await recoverWith(rig, 7, 3), { first: 8, last: 7, repaired: 1 });
  assert.deepEqual(await recoverWith(rig, 5, 2), { first: 6, last: 5, repaired: 1 });
  assert.deepEqual(await recoverWith(rig, 10, 2), { first: 11, last: 10, repaired: 1 });
}

export function defineSnapshots(define: Define): void {
  define('[LOG-13] a snapshot of any size is kept whole', keepsAnySize);
  define('[LOG-13] chunks are copied before the next is asked for', reusesNoBuffer);
  define('[LOG-13] a source that throws leaves nothing', leavesNothingOfAFailure);
  define(
    '[LOG-13] the earlier snapshot stays in force until the new one is saved',
    staysWithTheOldUntilSaved,
  );
  define('[LOG-14] a snapshot stays readable while it is read', keepsWhatIsRead);
  define('[LOG-15] a snapshot older than the current one is refused', refusesOlder);
  define('[LOG-16] a log that contradicts the snapshot is discarded', discardsAConflictingLog);
}
