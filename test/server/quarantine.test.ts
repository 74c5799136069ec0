/** What a node in quarantine refuses, and what it still answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeLeaseQuery,
  encodeQuery,
  UNFILTERED,
  type Request,
} from '../../src/protocol/index.ts';
import { put } from './support/registry.ts';
import { delivered, TestService } from './support/service.ts';

const QUERY = { type: 'query', timeoutMs: 0, consistency: 'local' } as const;
const TREE = encodeQuery({ type: 'treeHash', path: [] });

function watch(id: number): Request {
  return { type: 'watch', id, start: '', end: undefined, from: 0, filter: UNFILTERED };
}

test('[TREE-50] a quarantined node ends watches and refuses clients', async () => {
  const { node, open, service } = new TestService();
  const client = open();
  client.send(watch(1));
  node.turn();
  await delivered();
  service.quarantine('it is not to be trusted');
  await delivered();
  const ended = client.of(1).at(-1);
  assert.ok(ended?.type === 'watchEnded' && ended.code === 'stopped');
  client.send(
    watch(2),
    { type: 'propose', id: 3, timeoutMs: 0, command: put('a', 'x') },
    { ...QUERY, id: 4, query: encodeQuery({ type: 'get', key: 'a' }) },
    { ...QUERY, id: 5, query: Uint8Array.of(255) },
    { ...QUERY, id: 6, query: TREE },
    { type: 'status', id: 7 },
    { type: 'leaderQuery', id: 8, timeoutMs: 0, query: encodeLeaseQuery(KEEP_ALIVE) },
    { type: 'maintain', id: 9, timeoutMs: 0, action: 'endQuarantine' },
  );
  node.turn();
  await delivered();
  for (const id of [2, 3, 4, 5]) {
    const refused = client.single(id);
    assert.ok(refused?.type === 'error', `request ${id}`);
    assert.equal(refused.code, 'quarantined');
    assert.equal(refused.outcome, 'not-applied');
    assert.match(refused.message, /it is not to be trusted; ask another/);
  }
  for (const id of [6, 8, 9]) assert.equal(client.single(id)?.type, 'ok', `request ${id}`);
  assert.equal(client.single(7)?.type, 'status');
  service.quarantine(undefined);
  client.send({ ...QUERY, id: 10, query: encodeQuery({ type: 'get', key: 'a' }) });
  node.turn();
  await delivered();
  assert.equal(client.single(10)?.type, 'ok');
});

const KEEP_ALIVE = { type: 'keepAlive', sessions: [] } as const;
