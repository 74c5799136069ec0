/** What is compacted is really let go of, which no answer can show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../../src/registry/apply.ts';
import { resolveLimits } from '../../src/registry/limits.ts';
import { SnapshotCut } from '../../src/registry/snapshot-writer.ts';
import { RegistryState } from '../../src/registry/state.ts';
import {
  encodeCommand,
  EXCLUSIVE,
  type RegistryCommand,
  type SessionId,
} from '../../src/registry/index.ts';
import { bytes, NONE } from './rig.ts';

class Inside {
  readonly state: RegistryState = new RegistryState(resolveLimits({ historyRevisions: 3 }));
  index = 0;

  do(command: RegistryCommand, session: SessionId = 0 as SessionId): void {
    const header = { session, sequence: 0, acknowledged: 0, node: 'a' };
    this.index++;
    applyCommand(this.state, encodeCommand(header, command), this.index, this.index);
  }

  put(key: string, text: string): void {
    const value = bytes(text);
    this.do({ type: 'put', key, value, ttlMs: 0, ephemeral: false, lock: false });
  }

  versionsOf(key: string): number {
    let version = this.state.store.find(key)?.latest;
    let count = 0;
    for (; version !== undefined; version = version.previous) count++;
    return count;
  }
}

test('[REG-27] old versions, deleted keys and events go with their history', () => {
  const inside = new Inside();
  const { store } = inside.state;
  inside.put('gone', '');
  inside.do({ type: 'delete', key: 'gone' });
  for (let i = 0; i < 100; i++) inside.put('k', `${i}`);
  assert.equal(store.find('gone'), undefined);
  // The three of history and the one that was there before them.
  assert.equal(inside.versionsOf('k'), 4);
  assert.equal(store.history.slice(0).length, 3);
});

test('[REG-27] nothing is kept of a lock that nobody queues for and history forgot', () => {
  const inside = new Inside();
  inside.do({ type: 'openSession', ttlMs: 1000, label: '', metadata: NONE, trapExits: false });
  const session = inside.index as SessionId;
  inside.do({ type: 'lock', name: 'job', wait: true, metadata: NONE, terms: EXCLUSIVE }, session);
  inside.do({ type: 'closeSession', session });
  assert.notEqual(inside.state.store.locks.queue('job'), undefined);
  for (let i = 0; i < 5; i++) inside.put('k', '');
  assert.equal(inside.state.store.locks.queue('job'), undefined);
});

test('[REG-20] [REG-27] a snapshot being read holds back what it needs, and no longer', () => {
  const inside = new Inside();
  for (let i = 0; i < 10; i++) inside.put('k', '');
  const cut = new SnapshotCut(inside.state);
  for (let i = 0; i < 500; i++) inside.put('k', '');
  assert.equal(inside.versionsOf('k'), 504);
  cut.close('done');
  for (let i = 0; i < 20; i++) inside.put('k', '');
  assert.equal(inside.versionsOf('k'), 4);
});
