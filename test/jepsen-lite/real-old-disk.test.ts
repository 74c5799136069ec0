/** Old disks are put back only where a cluster cannot notice; how a round ends; a run's parts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { legsOfAll } from '../../jepsen-lite/real/legs.ts';
import { tellsOfDamage } from '../../jepsen-lite/real/lives.ts';
import { OldDisks } from '../../jepsen-lite/real/old-disks.ts';
import { coreOf, stepBack } from '../../jepsen-lite/real/step-back.ts';
import { workloads } from '../../jepsen-lite/workloads/index.ts';
import { createStore } from '../../src/cli/store-choice.ts';
import type { LogStore } from '../../src/log-store/index.ts';
import { encodeMembership } from '../../src/raft/index.ts';
import type { Entry, LogIndex, NodeId, Term } from '../../src/raft/index.ts';

function entry(index: number): Entry {
  const data = new Uint8Array([index]);
  return {
    index: index as LogIndex,
    term: 1 as Term,
    time: index,
    type: 'command',
    data,
    recorded: undefined,
  };
}

function membershipOf(index: number, voter: string): Entry {
  const id = voter as NodeId;
  const data = encodeMembership({
    clusterId: 'c',
    voters: [id],
    outgoing: [],
    learners: [],
    promotable: [],
    members: { [id]: { address: `${voter}:1`, storeId: 's' } },
  });
  return { ...entry(index), type: 'membership', data };
}

async function inStore<T>(directory: string, use: (store: LogStore) => Promise<T>): Promise<T> {
  const store = await createStore('sqlite', directory);
  await store.open({ newStoreId: 'first' });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

test('[REAL-9] an old disk comes back only where nothing hangs on what it lacks', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-old-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const directory = join(home, 'a');
  mkdirSync(directory);
  let applied = 1;
  const status = (): { appliedIndex: number } => ({ appliedIndex: applied });
  const disks = new OldDisks('sqlite', { status }, 0);
  await inStore(directory, (store) => store.storeEntries([entry(1)]));
  const kept = await disks.keep(directory);
  await inStore(directory, (store) => store.storeEntries([entry(2)]));
  assert.deepEqual(await disks.putBack(kept, directory, ['b']), {
    type: 'refused',
    why: 'b does not hold all that it holds',
  });
  applied = 2;
  const other = await disks.keep(directory);
  assert.deepEqual(await disks.putBack(kept, directory, ['b']), { type: 'putBack', through: 2 });
  await inStore(directory, async (store) => {
    assert.equal(store.lastIndex(), 1);
    await store.storeMetadata({ ...store.getMetadata(), term: 7 as Term });
  });
  assert.deepEqual(await disks.putBack(other, directory, ['b']), {
    type: 'refused',
    why: 'its metadata is another one',
  });
  const before = await disks.keep(directory);
  await inStore(directory, (store) => store.storeEntries([membershipOf(2, 'a')]));
  assert.deepEqual(await disks.putBack(before, directory, ['b']), {
    type: 'refused',
    why: 'its membership is another one',
  });
});

test('[REAL-10] all workloads that must pass share the time; none has less than a round', () => {
  const most = legsOfAll({ seed: 5, faultsMs: 600_000, roundMs: 20_000 });
  const names = most.map(({ workload }) => workload().name);
  const wanted = Object.keys(workloads).filter((name) => name !== 'lock-unfenced');
  assert.deepEqual(names.toSorted(), wanted.toSorted());
  assert.equal(new Set(most.map(({ seed }) => seed)).size, most.length);
  const few = legsOfAll({ seed: 5, faultsMs: 70_000, roundMs: 20_000 });
  assert.deepEqual(
    few.map(({ workload, faultsMs }) => [workload().name, faultsMs]),
    names.slice(0, 3).map((name) => [name, 23_333]),
  );
  assert.equal(legsOfAll({ seed: 5, faultsMs: 1_000, roundMs: 20_000 }).length, 1);
});

test('[REAL-11] who is healed first is a majority with good disks; each node comes back', () => {
  const founders = ['a', 'b', 'c', 'd', 'e'];
  assert.deepEqual(coreOf(founders, ['d', 'a', 'c', 'b'], true), ['d', 'a', 'c']);
  assert.deepEqual(coreOf(founders, ['d', 'a', 'c', 'b'], false), founders);
  const voter = { isFounder: true, role: 'voter', isRunning: true, hasAll: true, isFound: true };
  assert.equal(stepBack(voter), undefined);
  assert.equal(stepBack({ ...voter, isRunning: false }), 'start');
  assert.equal(stepBack({ ...voter, isFound: false }), 'wait');
  assert.equal(stepBack({ ...voter, role: undefined }), 'readmit');
  const demoted = { ...voter, role: 'learner', isFound: false };
  assert.equal(stepBack(demoted), 'promote', 'demoted, and then its disk was lost');
  assert.equal(stepBack({ ...demoted, hasAll: false }), 'wait');
  const spare = { ...voter, isFounder: false };
  assert.equal(stepBack(spare), 'remove');
  assert.equal(stepBack({ ...spare, role: undefined }), 'empty');
  assert.equal(stepBack({ ...spare, role: undefined, isRunning: false }), undefined);
});

test('[REAL-11] an abort of the driver is no word of damage, nor is any other error', () => {
  const aborted =
    "node: leveldb/dbformat.h:99: Slice leveldb::Key(): Assertion `size >= 8' failed.";
  assert.equal(tellsOfDamage(aborted), false);
  assert.equal(tellsOfDamage('corrupt-data: the stored entry 5 is damaged'), true);
  assert.equal(tellsOfDamage('TypeError: x is not a function'), false);
});
