/** `testLogStoreUnderFaults`: a log store of the user's under simulated clusters. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { testLogStoreUnderFaults } from '../../jepsen-lite/index.ts';
import { JournalLogStore } from '../../examples/swap-the-store/journal-log-store.ts';
import type { LogStore, WriteBatch } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-user-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type StoreOptions = Parameters<typeof testLogStoreUnderFaults>[0];
type Create = (directory: string) => LogStore;

const unexpected = (): never => assert.fail('nothing is registered');

const journal: Create = (path) => new JournalLogStore({ path });

/** Runs what the kit registers, one after another, until something fails: gives what it says. */
async function firstFailure(create: Create, seeds: string): Promise<string | undefined> {
  const runs: (() => Promise<void>)[] = [];
  testLogStoreUnderFaults({
    test: (_name, run) => runs.push(run),
    create,
    seeds,
    nodes: 3,
    time: '2s',
    workload: 'register',
    shrink: 0,
    save: folder,
  });
  for (const run of runs) {
    try {
      await run();
    } catch (error) {
      return String(error);
    }
  }
  return undefined;
}

/** The journal, and what a test has its store do otherwise. */
function broken(change: (store: JournalLogStore) => void): Create {
  return (path) => {
    const store = new JournalLogStore({ path });
    change(store);
    return store;
  };
}

test('[KIT-6] a store that is sound passes', async () => {
  assert.equal(await firstFailure(journal, '1..2'), undefined);
});

test('[KIT-6] a store that answers before it has written is found', async () => {
  const hasty = broken((store) => {
    const write = store.write.bind(store);
    let held: WriteBatch[] = [];
    store.write = async (batch) => {
      held.push(batch);
      if (held.length < 3) return;
      const batches = held;
      held = [];
      for (const one of batches) await write(one);
    };
  });
  const failure = (await firstFailure(hasty, '4')) ?? '';
  assert.match(failure, /violation of \S+: n\d /);
});

test('[KIT-6] a store that forgets its vote when it is opened again is found', async () => {
  const forgetful = broken((store) => {
    const open = store.open.bind(store);
    store.open = async (options) => {
      const recovered = await open(options);
      const { votedFor: _, ...metadata } = recovered.metadata;
      return { ...recovered, metadata: { ...metadata, votedFor: undefined } };
    };
  });
  const failure = (await firstFailure(forgetful, '1..12')) ?? '';
  assert.match(failure, /violation of durability: n\d came back in term \d+ without its vote/);
});

test('[KIT-6] options that break a rule are refused before a test is registered', () => {
  const refused: readonly (readonly [RegExp, object])[] = [
    [/test: a function that takes a name/, { create: journal, test: undefined }],
    [/workload: one of register, /, { create: journal, workload: 'yours' }],
    [/create: a function that takes a directory/, {}],
  ];
  for (const [message, wrong] of refused) {
    const options = { test: unexpected, create: undefined, ...wrong };
    const call = (): void => testLogStoreUnderFaults(options as unknown as StoreOptions);
    assert.throws(call, { code: 'invalid-argument', message });
  }
});

test('[KIT-6] create that returns no store is told so', async () => {
  const failure = await firstFailure((() => ({})) as unknown as Create, '1');
  assert.match(failure ?? '', /create returned something without open, write, /);
});
