import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerSender } from '../../src/node/peer-sender.ts';
import { makeEntry } from '../../src/raft/index.ts';
import type { AppendRequest, LogIndex, NodeId, Term } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import { MemoryNetwork, MemoryTransport } from '../../src/transport/index.ts';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';

const A = 'a' as NodeId;
const B = 'b' as NodeId;
const C = 'c' as NodeId;
const TERM = 1 as Term;

/** Notes what leaves, and each flush. */
class NotingTransport extends MemoryTransport {
  readonly left: string[] = [];

  override send(message: PeerMessage): void {
    const commit = 'commit' in message ? ` ${message.commit}` : '';
    this.left.push(`${message.type}${commit} to ${message.to}`);
  }

  override flush(): void {
    this.left.push('flush');
  }
}

function append(to: NodeId, commit: number, entries: AppendRequest['entries'] = []): AppendRequest {
  const places = { prevIndex: 1 as LogIndex, prevTerm: TERM, commit: commit as LogIndex };
  return { type: 'appendRequest', from: A, to, term: TERM, round: 1, ...places, entries };
}

function begin(): { world: World; sender: PeerSender; left: string[] } {
  const world = new World(1);
  const environment = new Life(world, 'a');
  const network = new MemoryNetwork({ environment });
  const transport = new NotingTransport({ network, address: 'a' });
  return { world, sender: new PeerSender(transport, environment), left: transport.left };
}

const ENTRY = makeEntry(2 as LogIndex, TERM, 0, 'noop', new Uint8Array(0));

test('[NODE-77] the next entries tell what is committed, too', async () => {
  const { world, sender, left } = begin();
  sender.send(append(B, 5));
  sender.send(append(B, 6, [ENTRY]));
  await world.run(10);
  assert.deepEqual(left, ['appendRequest 6 to b']);
});

test('[NODE-77] what is committed is told a moment later when there is nothing else', async () => {
  const { world, sender, left } = begin();
  sender.send(append(B, 5));
  sender.send(append(C, 5));
  sender.send(append(B, 6));
  assert.deepEqual(left, []);
  await world.run(10);
  assert.deepEqual(left, ['appendRequest 6 to b', 'appendRequest 5 to c', 'flush']);
  sender.send(append(B, 7));
  await world.run(10);
  assert.deepEqual(left.slice(3), ['appendRequest 7 to b', 'flush']);
});

test('[NODE-77] whatever else goes to a node takes news of a commit along', async () => {
  const { world, sender, left } = begin();
  sender.send(append(B, 5));
  sender.send(append(C, 5));
  const answer = { term: TERM, context: 1, index: 5 as LogIndex };
  sender.send({ type: 'readIndexResponse', from: A, to: B, ...answer });
  assert.deepEqual(left, ['appendRequest 5 to b', 'readIndexResponse to b']);
  await world.run(10);
  assert.deepEqual(left.slice(2), ['appendRequest 5 to c', 'flush']);
});

test('[NODE-77] a node that has stopped tells nothing more', async () => {
  const { world, sender, left } = begin();
  sender.send(append(B, 5));
  sender.stop();
  await world.run(10);
  assert.deepEqual(left, []);
});
