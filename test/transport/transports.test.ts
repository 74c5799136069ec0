/** What holds for every transport: one table, run over memory, memory with codec, and TCP. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import {
  addressesOf,
  introduce,
  MemoryTestNetwork,
  TcpTestNetwork,
  type TestNetwork,
  type TestNode,
} from './support/networks.ts';
import { eventually, forward, heartbeat, nodeId, snapshotChunk } from './support/recorder.ts';

const NETWORKS: Readonly<Record<string, () => TestNetwork>> = {
  memory: () => new MemoryTestNetwork(false),
  'memory through the codec': () => new MemoryTestNetwork(true),
  tcp: () => new TcpTestNetwork(),
};

for (const [name, create] of Object.entries(NETWORKS)) {
  describe(name, () => {
    let network: TestNetwork;
    beforeEach(() => {
      network = create();
    });
    afterEach(() => network.closeAll());

    handshakeTests(() => network);
    refusalTests(() => network);
    admissionTests(() => network);
    peerTests(() => network);
    lifeTests(() => network);
  });
}

async function startPair(network: TestNetwork): Promise<[TestNode, TestNode]> {
  const a = await network.start('a');
  const b = await network.start('b');
  introduce(a, b);
  await bothConnected(a, b);
  return [a, b];
}

/** A node has seen the other twice: as the one dialed and as the one dialing. */
async function bothConnected(a: TestNode, b: TestNode): Promise<void> {
  await eventually('both have connected', () => {
    return a.recorder.seen.length >= 2 && b.recorder.seen.length >= 2;
  });
}

function handshakeTests(network: () => TestNetwork): void {
  test('[NET-11] messages arrive in order, with the sender the handshake proved', async () => {
    const [a, b] = await startPair(network());
    for (let round = 1; round <= 500; round++) a.transport.send(heartbeat('a', 'b', round));
    assert.equal(b.recorder.received.length, 0, 'never before send returns');
    a.transport.flush();
    b.transport.send(heartbeat('b', 'a', 7));
    await eventually('all have arrived', () => b.recorder.received.length === 500);
    await eventually('the answer has arrived', () => a.recorder.received.length === 1);
    assert.deepEqual(
      b.recorder.rounds(),
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
    const [first] = b.recorder.received;
    assert.deepEqual(first?.message, heartbeat('a', 'b', 1));
    assert.equal(first?.peer.storeId, 'store-a');
  });

  test('[NET-11] what was sent leaves by itself at the end of the turn', async () => {
    const [a, b] = await startPair(network());
    a.transport.send(heartbeat('a', 'b', 1));
    await eventually('it has arrived', () => b.recorder.received.length === 1);
  });

  test('[NET-11] an 8 MiB payload and a snapshot chunk pass', async () => {
    const [a, b] = await startPair(network());
    const payload = new Uint8Array(8 << 20).fill(5);
    a.transport.send(forward('a', 'b', payload));
    await eventually('it has arrived', () => b.recorder.received.length === 1);
    const message = b.recorder.received[0]?.message;
    assert.ok(message?.type === 'forwardRequest');
    assert.equal(Buffer.compare(message.payload, payload), 0);
    await eventually('snapshots may go', () => a.transport.snapshotReady(nodeId('b')));
    a.transport.send(snapshotChunk('a', 'b', payload.subarray(0, 1000)));
    await eventually('it has arrived', () => b.recorder.received.length === 2);
  });

  test('[NET-11] messages for strangers, oneself and the absent just vanish', async () => {
    const a = await network().start('a');
    a.transport.setPeers(new Map([...addressesOf(a), [nodeId('c'), '127.0.0.1:1']]));
    for (const to of ['a', 'c', 'nobody']) a.transport.send(heartbeat('a', to, 1));
    a.transport.flush();
    assert.equal(a.transport.snapshotReady(nodeId('c')), false);
    assert.deepEqual(a.recorder.received, []);
  });

  test('[NET-11] a handshake tells both sides who the other is', async () => {
    const [a, b] = await startPair(network());
    assert.ok(a.recorder.seen.every((peer) => peer.id === 'b' && peer.address === b.address));
    assert.ok(b.recorder.seen.every((peer) => peer.storeId === 'store-a'));
    assert.deepEqual(a.recorder.notices, []);
    assert.deepEqual(b.recorder.notices, []);
  });
}

async function assertRefused(a: TestNode, b: TestNode, reason: RegExp): Promise<void> {
  a.transport.setPeers(addressesOf(b));
  await eventually('the dialer names the reason', () => a.recorder.noticed(reason) > 0);
  a.transport.send(heartbeat('a', b.name, 1));
  a.transport.flush();
  assert.deepEqual([a.recorder.seen, b.recorder.seen], [[], []]);
}

function refusalTests(network: () => TestNetwork): void {
  test('[NET-12] another cluster name is refused, and both sides log why', async () => {
    const a = await network().start('a');
    const b = await network().start('b', { clusterName: 'other' });
    await assertRefused(a, b, /cluster 'test' is not this one, 'other'/);
    assert.ok(b.recorder.noticed(/cluster 'test' is not this one, 'other'/) > 0);
    assert.deepEqual(b.recorder.received, []);
  });

  test('[NET-12] known cluster ids that differ are refused, an unknown one is not', async () => {
    const a = await network().start('a', { clusterId: 'one' });
    const b = await network().start('b', { clusterId: 'two' });
    await assertRefused(a, b, /cluster id one is not this cluster's, two/);
    const c = await network().start('c');
    c.transport.setPeers(addressesOf(b));
    await eventually('a node without a cluster gets in', () => b.recorder.hasSeen('c'));
  });

  test("[NET-13] a peer with this node's own id is refused as a duplicate", async () => {
    const a = await network().start('a');
    const twin = await network().start('a', { storeId: 'another disk' });
    a.transport.setPeers(new Map([[nodeId('b'), twin.address]]));
    await eventually('the dialer hears of it', () => {
      return a.recorder.noticed(/duplicate node id 'a'.*both use it/) > 0;
    });
    assert.ok(twin.recorder.noticed(/duplicate node id 'a'/) > 0);
    assert.deepEqual([a.recorder.seen, twin.recorder.seen], [[], []]);
  });

  test('[NET-13] a node that dials itself under another name is told so', async () => {
    const a = await network().start('a');
    a.transport.setPeers(new Map([[nodeId('b'), a.address]]));
    await eventually('it says so', () => a.recorder.noticed(/reached itself/) > 0);
  });

  test('[NET-14] an address that answers with another id than expected is refused', async () => {
    const a = await network().start('a');
    const c = await network().start('c');
    a.transport.setPeers(new Map([[nodeId('b'), c.address]]));
    await eventually('the reason names both', () => {
      return a.recorder.noticed(/'b' was expected at .*, 'c' answered/) > 0;
    });
    assert.deepEqual(a.recorder.seen, []);
    a.transport.send(heartbeat('a', 'b', 1));
    a.transport.flush();
    assert.deepEqual(c.recorder.received, []);
  });
}

function admissionTests(network: () => TestNetwork): void {
  test('[NET-15] a refusal by the node is logged once, retried, and ends when lifted', async () => {
    const a = await network().start('a');
    const b = await network().start('b');
    let asked = 0;
    b.recorder.admit = () => {
      asked++;
      return b.recorder.refusal;
    };
    b.recorder.refusal = 'not a member';
    a.transport.setPeers(addressesOf(b));
    await eventually('it was tried several times', () => asked >= 4);
    assert.equal(a.recorder.noticed(/refused this node: not a member/), 1);
    assert.equal(b.recorder.noticed(/refused .*'a'.*not a member/), 1);
    b.recorder.refusal = 'still not a member';
    await eventually('the new reason is told', () => a.recorder.noticed(/still not/) === 1);
    b.recorder.refusal = undefined;
    await eventually('it is admitted', () => a.recorder.hasSeen('b'));
    a.transport.send(heartbeat('a', 'b', 1));
    await eventually('and heard', () => b.recorder.received.length === 1);
  });

  test('[NET-15] the dialer may refuse too', async () => {
    const a = await network().start('a');
    const b = await network().start('b');
    a.recorder.refusal = 'wiped';
    a.transport.setPeers(addressesOf(b));
    await eventually('it says so', () => a.recorder.noticed(/refused by this node: wiped/) === 1);
    assert.deepEqual(a.recorder.seen, []);
  });
}

function peerTests(network: () => TestNetwork): void {
  test('[NET-16] a peer that restarts is lost once and reached again by itself', async () => {
    const [a, b] = await startPair(network());
    await b.transport.close();
    await eventually('the loss is told', () => a.recorder.lost.length > 0);
    assert.ok(a.recorder.lost.every((id) => id === 'b'));
    const seenBefore = a.recorder.seen.length;
    const again = await network().start('b', {}, b.address);
    await eventually('it is seen again', () => a.recorder.seen.length > seenBefore);
    a.transport.send(heartbeat('a', 'b', 9));
    await eventually('and heard', () => again.recorder.received.length === 1);
    await eventually('snapshots may go', () => a.transport.snapshotReady(nodeId('b')));
  });

  test('[NET-17] peers are added, moved and dropped at run time', async () => {
    const [a, b] = await startPair(network());
    const c = await network().start('c');
    a.transport.setPeers(addressesOf(b, c));
    await eventually('the new one is reached', () => c.recorder.hasSeen('a'));
    const moved = await network().start('b', { storeId: 'store-b' });
    a.transport.setPeers(addressesOf(moved, c));
    await eventually('the new address is dialed', () => {
      return moved.recorder.hasSeen('a') && a.transport.snapshotReady(nodeId('b'));
    });
    await eventually('and so is the new peer', () => a.transport.snapshotReady(nodeId('c')));
    a.transport.send(heartbeat('a', 'b', 1));
    a.transport.send(heartbeat('a', 'c', 2));
    await eventually('both have heard', () => {
      return moved.recorder.received.length === 1 && c.recorder.received.length === 1;
    });
    a.transport.setPeers(addressesOf(moved));
    a.transport.send(heartbeat('a', 'c', 3));
    a.transport.send(heartbeat('a', 'b', 4));
    await eventually('the one that stays hears more', () => moved.recorder.received.length === 2);
    assert.deepEqual([b.recorder.rounds(), c.recorder.rounds()], [[], [2]]);
    assert.deepEqual(a.recorder.lost, [], 'a peer let go is not a peer lost');
  });

  test('[NET-17] peers may be named before the start', async () => {
    const b = await network().start('b');
    const a = await network().start('a', {}, undefined, {
      prepare: (transport) => transport.setPeers(addressesOf(b)),
    });
    await eventually('they are reached', () => a.recorder.hasSeen('b'));
  });
}

function lifeTests(network: () => TestNetwork): void {
  test('[NET-18] close may be repeated, and nothing reaches a closed node', async () => {
    const [a, b] = await startPair(network());
    b.transport.send(heartbeat('b', 'a', 1));
    await Promise.all([a.transport.close(), a.transport.close()]);
    await a.transport.close();
    const told = [a.recorder.received.length, a.recorder.lost.length, a.recorder.notices.length];
    await eventually('the other side notices', () => b.recorder.lost.length > 0);
    a.transport.send(heartbeat('a', 'b', 1));
    a.transport.flush();
    assert.equal(a.transport.snapshotReady(nodeId('b')), false);
    const now = [a.recorder.received.length, a.recorder.lost.length, a.recorder.notices.length];
    assert.deepEqual(now, told);
    await assert.rejects(a.transport.start(a.recorder), (error) => {
      return error instanceof HoldfastError && error.code === 'closed';
    });
  });

  test('[NET-19] an address that is taken is refused by name', async () => {
    const a = await network().start('a');
    await assert.rejects(network().start('b', {}, a.address), (error) => {
      return (
        error instanceof HoldfastError &&
        error.code === 'address-in-use' &&
        error.message.includes(a.address)
      );
    });
  });
}
