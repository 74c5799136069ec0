/** What only the network in memory can do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { introduce, MemoryTestNetwork, type TestNode } from './support/networks.ts';
import { eventually, forward, heartbeat, nodeId } from './support/recorder.ts';

const A = nodeId('a');
const B = nodeId('b');

async function startPair(network: MemoryTestNetwork): Promise<[TestNode, TestNode]> {
  const a = await network.start('a');
  const b = await network.start('b');
  introduce(a, b);
  await eventually('both have connected', () => {
    return a.recorder.seen.length >= 2 && b.recorder.seen.length >= 2;
  });
  return [a, b];
}

test('[NET-27] a link cut in one direction drops silently, the other flows', async () => {
  const network = new MemoryTestNetwork(false);
  const [a, b] = await startPair(network);
  network.network.cut(A, B);
  a.transport.send(heartbeat('a', 'b', 1));
  b.transport.send(heartbeat('b', 'a', 2));
  await eventually('the other direction flows', () => a.recorder.received.length === 1);
  network.network.heal(A, B);
  a.transport.send(heartbeat('a', 'b', 3));
  await eventually('the healed direction flows', () => b.recorder.received.length === 1);
  assert.deepEqual(b.recorder.rounds(), [3]);
  assert.deepEqual([a.recorder.lost, b.recorder.lost], [[], []]);
  await network.closeAll();
});

test('[NET-27] what is under way when the link is cut is dropped', async () => {
  const network = new MemoryTestNetwork(false);
  const [a, b] = await startPair(network);
  a.transport.send(heartbeat('a', 'b', 1));
  network.network.cut(A, B);
  b.transport.send(heartbeat('b', 'a', 2));
  await eventually('a later message has arrived', () => a.recorder.received.length === 1);
  assert.deepEqual(b.recorder.received, []);
  await network.closeAll();
});

test('[NET-27] no handshake succeeds over a link cut in either direction', async () => {
  for (const [from, to] of [
    [A, B],
    [B, A],
  ] as const) {
    const network = new MemoryTestNetwork(false);
    network.network.cut(from, to);
    const a = await network.start('a');
    const b = await network.start('b');
    introduce(a, b);
    await eventually('both complain', () => {
      return a.recorder.noticed(/no answer/) === 1 && b.recorder.noticed(/no answer/) === 1;
    });
    assert.deepEqual([a.recorder.seen, b.recorder.seen], [[], []]);
    network.network.healAll();
    await eventually('they meet once it is healed', () => a.recorder.hasSeen('b'));
    await network.closeAll();
  }
});

test('[NET-27] messages pass as they are, or as copies through the codec', async () => {
  for (const throughCodec of [false, true]) {
    const network = new MemoryTestNetwork(throughCodec);
    const [a, b] = await startPair(network);
    const sent = forward('a', 'b', Uint8Array.of(1, 2, 3));
    a.transport.send(sent);
    await eventually('it has arrived', () => b.recorder.received.length === 1);
    const message = b.recorder.received[0]?.message;
    assert.deepEqual(message, sent);
    assert.equal(message === sent, !throughCodec);
    await network.closeAll();
  }
});
