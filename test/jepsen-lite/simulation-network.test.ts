/** What a connection of the simulated network knows of its other end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { MessageLog } from '../../jepsen-lite/simulation/message-log.ts';
import { SimulatedNetwork } from '../../jepsen-lite/simulation/network.ts';
import { SimulatedTransport } from '../../jepsen-lite/simulation/transport.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type { PeerIdentity } from '../../src/transport/index.ts';

const NOTICE_MS = 500;
const RETRY_MS = 10;
const A = 'a' as NodeId;
const B = 'b' as NodeId;
const ADDRESSES = new Map([A, B].map((id) => [id, `${id}:1`]));

interface Station {
  readonly transport: SimulatedTransport;
  /** What it was told: `a` and the store for a peer seen, `lost` and the time for one lost. */
  readonly told: string[];
}

/** Two nodes on one network, each of which knows the other's address. */
class Pair {
  readonly world = new World();
  readonly network: SimulatedNetwork;

  constructor() {
    const messages = new MessageLog();
    this.network = new SimulatedNetwork(this.world, {
      randomOf: () => () => 0.5,
      minLatencyMs: 1,
      maxLatencyMs: 1,
      retryMs: RETRY_MS,
      noticeMs: NOTICE_MS,
      observer: {
        sent: (message) => messages.sent(message, 0),
        delivered: () => undefined,
        lost: () => undefined,
        repeated: () => undefined,
        refused: () => undefined,
        acceptedDamage: () => undefined,
      },
    });
  }

  start(id: NodeId, storeId: string): Station {
    const address = ADDRESSES.get(id)!;
    const own: PeerIdentity = {
      id,
      clusterName: 'test',
      clusterId: '',
      storeId,
      address,
      foundingPeers: '',
      configuration: '',
      founding: undefined,
    };
    const told: string[] = [];
    const life = new Life(this.world, id);
    const transport = new SimulatedTransport(this.network, life, id, address);
    transport.setPeers(ADDRESSES);
    void transport.start({
      identity: () => own,
      admit: () => undefined,
      peerSeen: (peer) => void told.push(peer.storeId),
      message: () => undefined,
      peerLost: () => void told.push(`lost at ${this.world.now}`),
      notice: () => undefined,
    });
    return { transport, told };
  }
}

test('[JEPSEN-23] a silent end is noticed on an idle connection, in time and once', async () => {
  const pair = new Pair();
  const a = pair.start(A, 'one');
  const b = pair.start(B, 'two');
  await pair.world.runUntil(100);
  assert.deepEqual(a.told, ['two', 'two'], 'as the one dialing, and as the one dialed');
  a.told.length = 0;
  b.transport.end(true);
  await pair.world.runUntil(100 + NOTICE_MS - 1);
  assert.deepEqual(a.told, [], 'nothing shows it yet');
  await pair.world.runUntil(5_000);
  assert.deepEqual(a.told, [`lost at ${100 + NOTICE_MS}`]);
  pair.start(B, 'three');
  await pair.world.run(10 * RETRY_MS);
  assert.deepEqual(a.told.slice(1), ['three', 'three']);
});

test('[JEPSEN-23] a node that is back at once is not taken for the one that went', async () => {
  const pair = new Pair();
  const a = pair.start(A, 'one');
  const b = pair.start(B, 'two');
  await pair.world.runUntil(100);
  a.told.length = 0;
  b.transport.end(true);
  pair.start(B, 'three');
  await pair.world.runUntil(100 + NOTICE_MS - 1);
  assert.deepEqual(a.told, ['three'], 'its own connection still leads to the one that went');
  await pair.world.runUntil(5_000);
  assert.deepEqual(a.told, ['three', `lost at ${100 + NOTICE_MS}`, 'three']);
});

test('[JEPSEN-23] an idle connection to a node that lives is kept, cut or not', async () => {
  const pair = new Pair();
  const a = pair.start(A, 'one');
  const b = pair.start(B, 'two');
  await pair.world.runUntil(100);
  pair.network.cut(A, B);
  pair.network.cut(B, A);
  await pair.world.runUntil(10 * NOTICE_MS);
  assert.deepEqual(
    [a.told, b.told],
    [
      ['two', 'two'],
      ['one', 'one'],
    ],
  );
});

test('[JEPSEN-23] a process that ends while its machine goes on is missed at once', async () => {
  const pair = new Pair();
  const a = pair.start(A, 'one');
  const b = pair.start(B, 'two');
  await pair.world.runUntil(100);
  b.transport.end(false);
  await pair.world.runUntil(5_000);
  assert.deepEqual(a.told, ['two', 'two', 'lost at 100']);
});
