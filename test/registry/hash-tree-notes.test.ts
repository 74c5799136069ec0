import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLimits, type SessionId } from '../../src/registry/index.ts';
import type { KeyEntry } from '../../src/registry/key-version.ts';
import { RegistryState } from '../../src/registry/state.ts';

const ENDLESS = 2 ** 40;

function put(state: RegistryState, key: string, stored: string): void {
  state.store.put({ key, stored, session: 0 as SessionId, expiresAt: undefined, node: 'a' });
  state.commit();
}

/** A state with keys `a/1` to `a/3` and a tree that stands for it. */
function built(): RegistryState {
  const state = new RegistryState(resolveLimits());
  for (const name of ['1', '2', '3']) put(state, `a/${name}`, name);
  state.tree.moveOn();
  state.tree.step(ENDLESS);
  return state;
}

function rootOf({ tree }: RegistryState): number[] {
  const { low, high } = tree.find([])!;
  return [low, high];
}

function update(state: RegistryState): number[] {
  state.tree.moveOn();
  state.tree.step(ENDLESS);
  return rootOf(state);
}

/** Changes a value behind the back of everybody, as a fault of the memory would. */
function rot(entry: KeyEntry): void {
  Object.assign(entry.latest, { stored: 'rotten' });
}

test('[H1] [TREE-9] an insert is noted, and hashed at the next update', () => {
  const state = built();
  const before = rootOf(state);
  const entry = state.store.find('a/2')!;
  rot(entry);
  assert.deepEqual(update(state), before, 'what nobody inserts is not looked at');
  state.tree.insert(entry);
  assert.deepEqual(rootOf(state), before, 'noted only');
  assert.notDeepEqual(update(state), before);
});

test('[H1] [TREE-9] with ifMissing only what the tree does not have is inserted', () => {
  const state = built();
  const before = rootOf(state);
  const entry = state.store.find('a/2')!;
  rot(entry);
  state.tree.insert(entry, true);
  assert.deepEqual(update(state), before);
  // Taken out of the tree, it is missing.
  const { hashLow, hashHigh } = entry;
  state.tree.find([])!.add(-hashLow, -hashHigh, -1);
  Object.assign(entry, { hashLow: 0, hashHigh: 0 });
  state.tree.insert(entry, true);
  assert.notDeepEqual(update(state), before);
});

test('[H1] [TREE-9] a key is noted once for each update, however often it changes', () => {
  const state = built();
  // More changes than are noted before a tree is given up.
  for (let i = 0; i < 100_000; i++) put(state, 'a/1', String(i));
  assert.equal(state.tree.state.type, 'ready');
  state.tree.moveOn();
  assert.equal(state.tree.step(1), false, 'one key is one step');
});

test('[TREE-13] a key deleted and forgotten before a scan has reached it counts nothing', () => {
  const names = Array.from({ length: 200 }, (_, i) => `a/${i + 100}`);
  const scanned = new RegistryState(resolveLimits());
  const fresh = new RegistryState(resolveLimits());
  const states = [scanned, fresh];
  for (const state of states) for (const name of names) put(state, name, 'v');
  // So that entries have hashes, of a tree that is then given up.
  update(scanned);
  scanned.tree.reset();
  scanned.tree.step(1);
  for (const state of states) {
    state.store.remove(state.store.find('a/299')!, 'request', 'a');
    state.commit();
    put(state, 'b', 'v');
    if (state === scanned) state.tree.moveOn();
    state.compaction.compactTo(state.store.revision);
    state.compaction.clean();
  }
  assert.equal(scanned.tree.state.type, 'ongoing_update');
  scanned.tree.step(ENDLESS);
  assert.deepEqual(rootOf(scanned), update(fresh));
});

test('[TREE-10] a tree nobody asks for is given up when a scan is cheaper than its notes', () => {
  const state = built();
  for (let i = 0; i < 65_537; i++) put(state, `b/${i}`, '');
  assert.deepEqual(state.tree.state, { type: 'not_built' });
  assert.equal(state.store.listener, undefined, 'and costs nothing any more');
  const fresh = new RegistryState(resolveLimits());
  for (const name of ['1', '2', '3']) put(fresh, `a/${name}`, name);
  for (let i = 0; i < 65_537; i++) put(fresh, `b/${i}`, '');
  assert.deepEqual(update(state), update(fresh));
});

test('[TREE-10] a tree is given up when history would grow too long for it', () => {
  const limits = resolveLimits({ historyBytes: 10_000 });
  const state = new RegistryState(limits);
  put(state, 'k', 'v');
  state.tree.moveOn();
  const { compactRevision } = state.tree;
  for (let i = 0; i < 60; i++) {
    put(state, 'k', String(i));
    assert.equal(state.tree.state.type, 'ongoing_update');
    state.compaction.compactTo(state.store.revision);
    state.compaction.clean();
    assert.notEqual(state.store.history.at(compactRevision + 1), undefined, 'history is kept');
  }
  for (let i = 0; i < 20; i++) put(state, 'k', String(i));
  assert.deepEqual(state.tree.state, { type: 'not_built' });
  state.compaction.clean();
  assert.equal(state.store.history.at(compactRevision + 1), undefined, 'history is let go');
});
