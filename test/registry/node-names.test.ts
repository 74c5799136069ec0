/** Names of nodes may be 4 KiB: they count where answers are limited, and are kept once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Revision, SessionId } from '../../src/registry/index.ts';
import { answerOf, bytes, refused, restore, resultOf, Rig } from './rig.ts';

const LONG = 'n'.repeat(4000);

function put(rig: Rig, key: string, node: string, session = 0 as SessionId, sequence = 0) {
  const command = { type: 'put', key, value: bytes('v'), ttlMs: 0, ephemeral: false, lock: false };
  return rig.do({ ...command, type: 'put' }, { node, session, sequence });
}

test('[REG-9] the name of the node counts towards the size of an answer', () => {
  const rig = new Rig();
  for (let i = 0; i < 400; i++) put(rig, `k${i}`, LONG);
  const all = { start: '', end: undefined, limit: 0, keysOnly: true, revision: 0 as Revision };
  const { views, more } = answerOf(rig.ask({ type: 'range', ...all }), 'range');
  assert.equal(more, true);
  assert.ok(views.length * LONG.length <= 1024 * 1024, `${views.length} records`);
  assert.ok(views.length > 200);
});

test('[REG-59] the name of the node counts towards what a transaction reads', () => {
  const rig = new Rig({ maxTxnReadBytes: 3000 });
  put(rig, 'long', LONG);
  put(rig, 'short', 'a');
  const get = (key: string) =>
    rig.do({ type: 'txn', compares: [], success: [{ type: 'get', key }], failure: [] });
  resultOf(get('short'), 'txn');
  assert.match(refused(get('long'), 'too-large'), /reads 40\d\d bytes.*maxTxnReadBytes/);
});

test('[REG-61] the name of the node counts towards the answers kept for retries', () => {
  const rig = new Rig({ maxWindowBytes: 3000 });
  const [one, other] = [rig.open(), rig.open()];
  resultOf(put(rig, 'k', 'a', one, 1), 'key');
  resultOf(put(rig, 'k', 'a', one, 2), 'key');
  resultOf(put(rig, 'k', LONG, other, 1), 'key');
  assert.match(refused(put(rig, 'k', LONG, other, 2), 'overloaded'), /3000 bytes/);
  // What was recorded counts the same after a restore.
  const copy = rig.restored(rig.snapshot());
  refused(put(copy, 'k', LONG, other, 2), 'overloaded');
});

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

function heapBytes(): number {
  assert.ok(typeof collectGarbage === 'function');
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('[REG-27] one copy of a name serves all records and answers, after a restore too', () => {
  const rig = new Rig({ historyRevisions: 1 });
  const session = rig.open();
  const COUNT = 2000;
  for (let i = 1; i <= COUNT; i++) {
    put(rig, `k${i}`, LONG);
    put(rig, 'same', LONG, session, i);
  }
  rig.do({ type: 'compact', revision: rig.machine.revision });
  const snapshot = rig.snapshot();
  assert.ok(snapshot.length > 2 * COUNT * LONG.length);
  const copy = new Rig({ historyRevisions: 1 });
  const before = heapBytes();
  restore(copy.machine, [snapshot]);
  const grown = heapBytes() - before;
  // Each record and each answer with a name of its own would take 4,000 bytes more.
  assert.ok(grown < 2 * COUNT * 1000, `${grown} bytes`);
  assert.equal(copy.get('k1')?.node, LONG);
});
