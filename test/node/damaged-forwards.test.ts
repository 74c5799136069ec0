/** Forwarded work and answers that make no sense: another version's, or somebody's ill will. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeWork } from '../../src/node/forward-codec.ts';
import type { Term } from '../../src/raft/index.ts';
import { Cluster, resultOf } from './support/cluster.ts';

const NONSENSE = new Uint8Array([1, 250, 250, 250]);

for (const kind of ['propose', 'leaderQuery', 'membership', 'transfer'] as const) {
  test(`[NODE-12] damaged ${kind} work is logged and dropped, and the leader goes on`, async () => {
    const cluster = new Cluster(['a', 'b', 'c']);
    const leader = await cluster.startAll();
    const { transport, id: from } = cluster.follower();
    const term = leader.node.status().term as Term;
    const inside = encodeWork({ term, timeoutMs: 100, commands: [NONSENSE] });
    const isParsed = kind === 'membership' || kind === 'transfer';
    const payload = isParsed ? inside : NONSENSE;
    const type = 'forwardRequest';
    transport.send({ type, from, to: leader.id, requestId: 7, kind, payload });
    await cluster.world.until('it is told of', () => {
      return cluster.world.lines.some((line) => /a forwarded request .* is damaged/.test(line));
    });
    assert.match(await cluster.write(leader, 'x'), /^x#1@/);
    assert.equal(leader.fatal, undefined);
  });
}

test('[NODE-13] a damaged answer answers nobody: the outcome is unknown', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const follower = cluster.follower();
  const send = leader.transport.send.bind(leader.transport);
  leader.transport.send = (message) => {
    if (message.type !== 'forwardResponse') send(message);
    else send({ ...message, result: { type: 'ok', payload: NONSENSE } });
  };
  const call = cluster.propose(follower, 'x', 500);
  await cluster.answered(call);
  assert.match(resultOf(call), / unknown$/);
  assert.equal(follower.fatal, undefined);
});
