/** Messages that are lost while the connection they were to go over stands. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { PeerMessage } from '../../src/transport/index.ts';
import { TcpTestNetwork } from './support/networks.ts';
import type { TcpTestNode } from './support/networks.ts';
import { eventually, forward, nodeId, snapshotChunk } from './support/recorder.ts';
import { StuckServer } from './support/stuck-server.ts';

const PAYLOAD = new Uint8Array(256 << 10);

let network: TcpTestNetwork;
let stuck: StuckServer;
let a: TcpTestNode;
/** What `a` was told of its peer, in order. */
let told: string[];

beforeEach(async () => {
  network = new TcpTestNetwork();
  stuck = new StuckServer('x', () => false);
  await stuck.listen();
  told = [];
  const limits = { maxQueueBytes: 1 << 20, maxSnapshotQueueBytes: 1 << 20, missedPings: 10_000 };
  a = await network.start('a', {}, '127.0.0.1:0', { limits });
  const { recorder } = a;
  recorder.peerSeen = ({ id }) => void told.push(`seen ${id}`);
  recorder.peerLost = (id) => void told.push(`lost ${id}`);
  a.transport.setPeers(new Map([[nodeId('x'), stuck.address]]));
  await eventually('both streams are open', () => a.transport.snapshotReady(nodeId('x')));
  assert.deepEqual(told, ['seen x']);
});
afterEach(async () => {
  await network.closeAll();
  await stuck.close();
});

async function sendUntilLost(message: PeerMessage): Promise<void> {
  for (let i = 0; !told.includes('lost x'); i++) {
    assert.ok(i < 2000, 'the queue takes no end of messages');
    a.transport.send(message);
    a.transport.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('[NET-21] a peer whose queue overflowed is seen again: it is not gone', async () => {
  await sendUntilLost(forward('a', 'x', PAYLOAD));
  assert.deepEqual(told, ['seen x', 'lost x', 'seen x']);
});

test('[NET-22] a loss of snapshot chunks does not make the peer be gone', async () => {
  await sendUntilLost(snapshotChunk('a', 'x', PAYLOAD));
  assert.deepEqual(told, ['seen x', 'lost x', 'seen x']);
});

test('[NET-21] a peer that hung up is gone until it is reached again', async () => {
  await stuck.close();
  await eventually('the loss is told', () => told.includes('lost x'));
  assert.deepEqual(told, ['seen x', 'lost x']);
});
