import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeView, writtenView } from '../../src/client/edge.ts';
import {
  decodeAnswer,
  decodeResult,
  encodeCommand,
  encodeQuery,
  RegistryStateMachine,
  type RegistryCommand,
  type RegistryQuery,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';

const machine = new RegistryStateMachine();
let index = 0;

function at(time: number, command: RegistryCommand) {
  const header = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
  index++;
  return decodeResult(machine.apply(encodeCommand(header, command), { index, term: 1, time }));
}

function ask(query: RegistryQuery) {
  return decodeAnswer(machine.query(encodeQuery(query)));
}

function ttlSeen(): readonly (number | undefined)[] {
  const got = ask({ type: 'get', key: 'k' });
  const every = { start: '', end: undefined, limit: 0, keysOnly: false, revision: 0 as Revision };
  const listed = ask({ type: 'range', ...every });
  assert.ok(got.type === 'get' && listed.type === 'range');
  const [first] = listed.views;
  assert.ok(first !== undefined);
  return [edgeView(got.view, got.time)?.ttlMs, edgeView(first, listed.time)?.ttlMs];
}

test("[API-122] a record tells what it has left by the cluster's clock", () => {
  const value = new Uint8Array(0);
  const put = { type: 'put', key: 'k', value, ephemeral: false, lock: false } as const;
  const written = at(1000, { ...put, ttlMs: 500 });
  assert.ok(written.type === 'key');
  assert.equal(writtenView(written.view)?.ttlMs, 500);
  assert.equal(edgeView(written.view)?.ttlMs, undefined);
  assert.deepEqual(ttlSeen(), [500, 500]);
  at(1200, { type: 'tick' });
  assert.deepEqual(ttlSeen(), [300, 300]);
  machine.leaderSide.elected(1200);
  machine.leaderSide.due(1450);
  // The leader's clock goes on though nothing is logged, and never below nothing.
  assert.deepEqual(ttlSeen(), [50, 50]);
  machine.leaderSide.due(1700);
  assert.deepEqual(ttlSeen(), [0, 0]);
  machine.leaderSide.deposed();
  at(1450, { type: 'persist', key: 'k' });
  assert.deepEqual(ttlSeen(), [undefined, undefined]);
});
