import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HoldfastError } from '../../src/base/index.ts';
import {
  UNFILTERED,
  decodeAnswer,
  decodeEvents,
  decodeLeaseAnswer,
  decodeResult,
  encodeLeaseQuery,
  encodeQuery,
  type Request,
  type Response,
} from '../../src/protocol/index.ts';
import { defaultLimits, type SessionId } from '../../src/registry/index.ts';
import { encoded, put } from './support/registry.ts';
import { delivered, isFinal, TestService } from './support/service.ts';

const GET_A = encodeQuery({ type: 'get', key: 'a' });

function propose(id: number, command: Uint8Array): Request {
  return { type: 'propose', id, timeoutMs: 0, command };
}

function query(id: number, consistency: 'linearizable' | 'lease' | 'local'): Request {
  return { type: 'query', id, timeoutMs: 0, consistency, query: GET_A };
}

function watchAll(id: number, from = 0): Request {
  return { type: 'watch', id, start: '', end: undefined, from, filter: UNFILTERED };
}

function payloadOf(response: Response | undefined): Uint8Array {
  assert.equal(response?.type, 'ok');
  return response.payload;
}

function errorOf(response: Response | undefined): Extract<Response, { type: 'error' }> {
  assert.equal(response?.type, 'error');
  return response;
}

test('[SRV-10] a command goes to the node untouched and its result comes back', async () => {
  const { node, open } = new TestService();
  const client = open();
  const command = put('a', 'x');
  const proposed: Uint8Array[] = [];
  const original = node.propose.bind(node);
  node.propose = (bytes, done, options) => {
    proposed.push(bytes);
    original(bytes, done, options);
  };
  client.send({ type: 'propose', id: 7, timeoutMs: 250, command });
  node.turn();
  await delivered();
  assert.equal(proposed[0], command);
  assert.deepEqual(node.patience, [250]);
  assert.equal(decodeResult(payloadOf(client.single(7))).type, 'key');
});

test('[SRV-11] a query waits for the barrier of its consistency', async () => {
  const { node, open } = new TestService();
  const client = open();
  client.send(query(1, 'linearizable'), query(2, 'lease'), query(3, 'local'));
  await delivered();
  assert.equal(client.responses.length, 0);
  node.apply(put('a', 'committed before the barrier'));
  node.turn();
  await delivered();
  assert.deepEqual(node.barriers, ['linearizable', 'lease', 'local']);
  for (const id of [1, 2, 3]) {
    const answer = decodeAnswer(payloadOf(client.single(id)));
    assert.equal(answer.type, 'get');
    assert.equal(answer.view.record?.modRevision, 1);
  }
});

test('[SRV-12] errors keep code, message and outcome, and name the leader', async () => {
  const { node, open, fail } = new TestService();
  node.setLeader({ id: 'b', address: 'b:7400' });
  const client = open();
  fail(new HoldfastError('no-quorum', 'no quorum within 5000 ms', { outcome: 'unknown' }));
  client.send(query(1, 'linearizable'));
  node.turn();
  await delivered();
  assert.deepEqual(client.single(1), {
    type: 'error',
    id: 1,
    code: 'no-quorum',
    message: 'no quorum within 5000 ms',
    outcome: 'unknown',
    leader: 'b:7400',
  });
});

test('[SRV-13] too large is refused before the node sees it, with the limit', async () => {
  const { node, open } = new TestService({ service: { maxCommandBytes: 100, maxQueryBytes: 50 } });
  const client = open();
  client.send(propose(1, new Uint8Array(101)));
  client.send({ type: 'leaderQuery', id: 2, timeoutMs: 0, query: new Uint8Array(51) });
  await delivered();
  assert.match(errorOf(client.single(1)).message, /command of 101 bytes; the limit is 100 bytes/);
  assert.match(errorOf(client.single(2)).message, /query of 51 bytes; the limit is 50 bytes/);
  assert.equal(errorOf(client.single(1)).code, 'too-large');
  assert.equal(node.status().pendingCommands, 0);
});

test('[SRV-5] what only a leader may propose is refused when a client does', async () => {
  const { node, open } = new TestService();
  const client = open();
  const opened = node.apply(
    encoded({
      type: 'openSession',
      ttlMs: 60_000,
      label: '',
      metadata: new Uint8Array(0),
      trapExits: false,
    }),
  );
  const session = decodeResult(opened);
  assert.equal(session.type, 'session');
  client.send(propose(1, encoded({ type: 'expireSessions', sessions: [session.session] })));
  client.send(propose(2, encoded({ type: 'tick' })));
  client.send(propose(3, new Uint8Array([1, 2, 3])));
  client.send(propose(4, encoded({ type: 'setLimits', limits: defaultLimits })));
  await delivered();
  for (const id of [1, 2, 3, 4]) {
    assert.equal(errorOf(client.single(id)).code, 'invalid-command');
    assert.equal(errorOf(client.single(id)).outcome, 'not-applied');
  }
  assert.equal(node.status().pendingCommands, 0);
});

test('[SRV-14] a client with too much in flight is overloaded, others are not', async () => {
  const { node, open } = new TestService({
    service: { maxRequestsInFlight: 2, maxWatchesPerClient: 1 },
  });
  const client = open();
  client.send(query(1, 'local'), query(2, 'local'), query(3, 'local'));
  // Cancelling does not take work back from the node, so it does not make room either.
  client.send({ type: 'cancel', id: 1 }, query(4, 'local'));
  const other = open();
  other.send(query(1, 'local'));
  node.turn();
  await delivered();
  assert.equal(errorOf(client.single(3)).code, 'overloaded');
  assert.match(errorOf(client.single(3)).message, /2 requests in flight/);
  assert.equal(errorOf(client.single(4)).code, 'overloaded');
  assert.equal(client.single(2)?.type, 'ok');
  assert.equal(other.single(1)?.type, 'ok');
  client.send(query(5, 'local'), watchAll(6, 1), watchAll(7, 1));
  node.turn();
  await delivered();
  assert.equal(client.single(5)?.type, 'ok');
  assert.equal(client.single(6)?.type, 'watchStarted');
  assert.match(errorOf(client.single(7)).message, /1 watches/);
  client.send({ type: 'cancel', id: 6 }, watchAll(8, 1));
  await delivered();
  assert.equal(client.single(8)?.type, 'watchStarted');
  // What was answered no longer counts.
  for (let id = 10; id < 15; id++) {
    client.send(propose(id, put('a', 'x')), {
      type: 'transfer',
      id: id + 10,
      timeoutMs: 0,
      to: '',
    });
    node.turn();
    await delivered();
    assert.equal(client.single(id)?.type, 'ok');
    assert.equal(client.single(id + 10)?.type, 'ok');
  }
});

test('[SRV-15] cancelling answers at once, and the late answer is dropped', async () => {
  const { node, open } = new TestService();
  const client = open();
  client.send(propose(1, put('a', 'x')), query(2, 'linearizable'));
  client.send({ type: 'cancel', id: 1 }, { type: 'cancel', id: 2 }, { type: 'cancel', id: 99 });
  await delivered();
  const write = errorOf(client.single(1));
  assert.equal(write.code, 'aborted');
  assert.equal(write.outcome, 'unknown');
  assert.equal(errorOf(client.single(2)).outcome, 'not-applied');
  // The id is free again, and the first request's answer is not taken for the second's.
  const lockQueue = encodeQuery({ type: 'lockQueue', name: 'a', after: 0, limit: 0 });
  client.send({ type: 'query', id: 1, timeoutMs: 0, consistency: 'local', query: lockQueue });
  node.turn();
  await delivered();
  assert.equal(node.registry.revision, 1, 'the write happened all the same');
  assert.deepEqual(
    client.of(1).map((response) => response.type),
    ['error', 'ok'],
  );
  assert.equal(decodeAnswer(payloadOf(client.of(1)[1])).type, 'lockQueue');
  assert.equal(client.of(2).length, 1);
});

test('[SRV-16] status tells everything about the node, its members and its revision', async () => {
  const { node, open } = new TestService();
  node.setLeader({ id: 'b', address: 'b:1' });
  node.apply(put('a', 'x'));
  const client = open();
  client.send({ type: 'status', id: 1 });
  await delivered();
  assert.deepEqual(client.single(1), {
    type: 'status',
    id: 1,
    status: {
      id: 'a',
      address: 'a:1',
      role: 'leader',
      term: 3,
      leader: 'b',
      leaderAddress: 'b:1',
      commitIndex: 12,
      appliedIndex: 1,
      snapshotIndex: 4,
      lastIndex: 13,
      revision: 1,
      store: 'memory',
      storeId: 'store',
      clusterName: 'test-cluster',
      clusterId: 'cluster',
      unhealthy: '',
      members: [
        { id: 'a', address: 'a:1', role: 'voter' },
        { id: 'b', address: 'b:1', role: 'voter' },
        { id: 'c', address: 'c:1', role: 'learner' },
      ],
    },
  });
});

test('[SRV-17] members and transfers are checked, passed on and answered', async () => {
  const { node, open } = new TestService();
  const client = open();
  const base = { type: 'member', timeoutMs: 0 } as const;
  client.send(
    { ...base, id: 1, change: { type: 'add', id: 'd', address: 'd:1', promote: true } },
    { ...base, id: 2, change: { type: 'add', id: 'd', address: 'nowhere', promote: true } },
    { ...base, id: 3, change: { type: 'remove', id: 'refused' } },
    { type: 'transfer', id: 4, timeoutMs: 0, to: 'b' },
    { type: 'transfer', id: 5, timeoutMs: 0, to: '' },
  );
  await delivered();
  assert.equal(client.single(1)?.type, 'ok');
  assert.equal(errorOf(client.single(2)).code, 'invalid-argument');
  assert.equal(errorOf(client.single(3)).code, 'membership-refused');
  assert.deepEqual(
    node.membershipChanges.map((change) => change.type),
    ['add', 'remove'],
  );
  assert.deepEqual(node.transfers, ['b', undefined]);
});

test('[SRV-18] keep-alives are asked of the leader side', async () => {
  const { node, open } = new TestService();
  const client = open();
  const lease = encodeLeaseQuery({ type: 'keepAlive', sessions: [77 as SessionId] });
  client.send({ type: 'leaderQuery', id: 1, timeoutMs: 0, query: lease });
  node.turn();
  await delivered();
  assert.deepEqual(decodeLeaseAnswer(payloadOf(client.single(1))).ttlMs, [0]);
});

test('[SRV-19] every client is told when the leader changes, and at first who leads', async () => {
  const { node, open } = new TestService();
  const early = open();
  await delivered();
  assert.deepEqual(early.responses, []);
  node.setLeader({ id: 'b', address: 'b:1' });
  node.setLeader({ id: 'b', address: 'b:1' });
  const late = open();
  node.setLeader(undefined);
  await delivered();
  const told: Response[] = ['b:1', ''].map((address) => ({ type: 'leader', id: 0, address }));
  assert.deepEqual(early.responses, told);
  assert.deepEqual(late.responses, told);
});

test('[WATCH-63] a watch from now waits until what was committed is applied', async () => {
  const { node, open } = new TestService();
  const client = open();
  client.send(watchAll(1));
  client.send(watchAll(2, 1));
  await delivered();
  assert.equal(client.single(1), undefined);
  assert.deepEqual(client.single(2), { type: 'watchStarted', id: 2, revision: 0 });
  assert.deepEqual(node.barriers, ['linearizable']);
  // The node lagged: this had been committed before the request.
  node.apply(put('a', 'x'));
  node.turn();
  node.apply(put('a', 'y'));
  node.turn();
  await delivered();
  const [started, events] = client.of(1);
  assert.deepEqual(started, { type: 'watchStarted', id: 1, revision: 1 });
  assert.equal(events?.type, 'watchEvents');
  assert.deepEqual(
    decodeEvents(events.payload).map((one) => one.revision),
    [2],
  );
});

test('[WATCH-63] without a quorum a watch from now fails, others do not', async () => {
  const { node, open, fail } = new TestService();
  fail(new HoldfastError('no-quorum', 'no quorum'));
  const client = open();
  client.send(watchAll(1), watchAll(2, 1));
  node.turn();
  await delivered();
  assert.equal(errorOf(client.single(1)).code, 'no-quorum');
  assert.equal(client.single(2)?.type, 'watchStarted');
});

test('[WATCH-64] cancelling a watch ends it, and credit for what is over is ignored', async () => {
  const { node, open } = new TestService();
  const client = open();
  client.send(watchAll(1, 1), watchAll(2));
  client.send({ type: 'cancel', id: 1 }, { type: 'cancel', id: 2 });
  client.send({ type: 'watchCredit', id: 1, bytes: 10 });
  node.apply(put('a', 'x'));
  node.turn();
  await delivered();
  assert.deepEqual(
    client.of(1).map((response) => response.type),
    ['watchStarted', 'watchEnded'],
  );
  assert.equal(errorOf(client.single(2)).code, 'aborted');
});

test('[SRV-20] a stopping node refuses new work, answers the old, then closes', async () => {
  const { node, open, service } = new TestService();
  const client = open();
  client.send(propose(1, put('a', 'x')), propose(2, put('b', 'y')), watchAll(3, 1));
  const stuck = query(4, 'linearizable');
  client.send(stuck);
  await delivered();
  service.stopAccepting();
  client.send(query(5, 'local'));
  await delivered();
  assert.equal(client.of(3).at(-1)?.type, 'watchEnded', 'while the node still hands over');
  await node.stop();
  service.close();
  await delivered();
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((id) => client.of(id).filter(isFinal).length),
    [1, 1, 1, 1, 1],
  );
  assert.equal(errorOf(client.of(1)[0]).outcome, 'unknown');
  assert.equal(client.of(3).at(-1)?.type, 'watchEnded');
  assert.equal(errorOf(client.single(4)).outcome, 'not-applied');
  assert.match(errorOf(client.single(5)).message, /stopping; ask another/);
  assert.equal(client.closedFor, 'the node stopped');
  assert.equal(service.clients, 0);
  const late = open();
  await delivered();
  assert.equal(late.closedFor, 'the node stopped');
});

test('[SRV-21] nothing is delivered inside send, and a receiver may throw', async () => {
  const { service, log, node } = new TestService();
  let inside = false;
  const reentered: boolean[] = [];
  const channel = service.openChannel({
    response: () => {
      reentered.push(inside);
      throw new Error('receiver broke');
    },
    closed: () => undefined,
  });
  inside = true;
  channel.send({ type: 'status', id: 1 });
  channel.send(propose(2, new Uint8Array(20_000_000)));
  inside = false;
  await delivered();
  channel.send(propose(3, put('a', 'x')));
  node.turn();
  await delivered();
  assert.deepEqual(reentered, [false, false, false]);
  assert.equal(log.filter((line) => line.includes('receiver broke')).length, 3);
  channel.close();
  assert.equal(service.clients, 0);
});

const anyAct = fc.constantFrom('ask', 'ask', 'ask', 'cancel', 'turn', 'credit', 'watch', 'write');

test('[SRV-22] whatever happens, every request gets exactly one final response', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyAct, fc.nat(60)), { maxLength: 60, size: 'max' }),
      async (acts) => {
        const { node, open, service } = new TestService({ service: { maxRequestsInFlight: 8 } });
        const client = open();
        let next = 1;
        for (const [act, which] of acts) {
          if (act === 'turn') node.turn();
          else if (act === 'cancel') client.send({ type: 'cancel', id: which });
          else if (act === 'credit') client.send({ type: 'watchCredit', id: which, bytes: 9 });
          else if (act === 'ask') client.send(query(next++, 'lease'));
          else if (act === 'watch') client.send(watchAll(next++, which % 3));
          else client.send(propose(next++, put('a', String(which))));
        }
        service.stopAccepting();
        await node.stop();
        service.close();
        await delivered();
        for (let id = 1; id < next; id++) {
          assert.equal(client.of(id).filter(isFinal).length, 1, `request ${id}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});
