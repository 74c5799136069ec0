/** What the journal of examples/swap-the-store does with its one file. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Entry, LogIndex, SnapshotMeta, Term } from 'holdfast';
import { JournalLogStore } from '../../examples/swap-the-store/journal-log-store.ts';

async function temporaryDirectory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-journal-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function entry(index: number, bytes = 10): Entry {
  return {
    index: index as LogIndex,
    term: 1 as Term,
    time: index,
    type: 'command',
    data: new Uint8Array(bytes).fill(index),
    recorded: undefined,
  };
}

function indexes(entries: readonly Entry[]): number[] {
  return entries.map(({ index, data }) => {
    assert.ok(data.every((byte) => byte === index));
    return index;
  });
}

async function lengthOf(path: string): Promise<number> {
  return (await stat(join(path, 'journal'))).size;
}

test('a frame cut short anywhere is dropped, and the log goes on from before it', async (t) => {
  const path = await temporaryDirectory(t);
  const store = new JournalLogStore({ path });
  await store.open({ newStoreId: 's' });
  await store.storeEntries([entry(1), entry(2)]);
  const whole = await lengthOf(path);
  await store.close();
  for (const kept of [1, 15, 16, 17, 60, -1]) {
    await store.open({ newStoreId: 's' });
    await store.storeEntries([entry(3)]);
    await store.close();
    const end = kept > 0 ? whole + kept : (await lengthOf(path)) + kept;
    await truncate(join(path, 'journal'), end);
    const recovered = await store.open({ newStoreId: 's' });
    assert.equal(recovered.lastIndex, 2);
    assert.equal(recovered.repaired.length, 1);
    await store.close();
    assert.equal(await lengthOf(path), whole);
  }
});

test('a journal that is mostly past is rewritten, and still the same log', async (t) => {
  const path = await temporaryDirectory(t);
  const store = new JournalLogStore({ path });
  await store.open({ newStoreId: 's' });
  const large = 4 * 1024 * 1024;
  for (let index = 1; index <= 5; index++) await store.storeEntries([entry(index, large)]);
  assert.ok((await lengthOf(path)) > 5 * large);
  const meta: SnapshotMeta = {
    index: 4 as LogIndex,
    term: 1 as Term,
    time: 4,
    membership: {
      clusterId: 'c',
      voters: [],
      outgoing: [],
      learners: [],
      promotable: [],
      members: {},
    },
  };
  await store.saveSnapshot(meta, oneChunk(new Uint8Array(1000).fill(7)));
  await store.write({ compactThrough: meta.index });
  assert.ok((await lengthOf(path)) < 2 * large, 'rewritten');
  await store.storeEntries([entry(6)]);
  await store.close();
  await store.open({ newStoreId: 'another' });
  const { entries, storeId } = await store.dump();
  assert.deepEqual(indexes(entries), [5, 6]);
  assert.equal(storeId, 's');
  const snapshot = await store.openSnapshot();
  assert.deepEqual(await snapshot?.read(0, 2000), new Uint8Array(1000).fill(7));
  await store.close();
});

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
