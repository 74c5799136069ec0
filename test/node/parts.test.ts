/** Parts of a node on their own, where a whole cluster would hit the case only by chance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { MemoryLogStore } from '../../src/log-store/index.ts';
import { defaultSettings } from '../../src/node/index.ts';
import type { Answer } from '../../src/node/index.ts';
import { DiskWriter } from '../../src/node/disk-writer.ts';
import { encodeWork, firstIdOfLife } from '../../src/node/forward-codec.ts';
import { ForwardReceiver } from '../../src/node/forward-receiver.ts';
import { ForwardSender } from '../../src/node/forward-sender.ts';
import { LeaderDuties } from '../../src/node/leader-duties.ts';
import { Proposals } from '../../src/node/proposals.ts';
import { Reads } from '../../src/node/reads.ts';
import { SnapshotPoints } from '../../src/node/snapshot-points.ts';
import type { Runtime } from '../../src/node/runtime.ts';
import { failure } from '../../src/node/waiter.ts';
import type { Waiter } from '../../src/node/waiter.ts';
import { makeEntry, Raft } from '../../src/raft/index.ts';
import type {
  LogIndex,
  NodeId,
  PersistRequest,
  PersistToken,
  ProposeResult,
  RaftCore,
  Term,
} from '../../src/raft/index.ts';
import type { ForwardRequest, ForwardResponse } from '../../src/transport/index.ts';
import { bytes } from './support/machine.ts';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';

const A = 'a' as NodeId;
const B = 'b' as NodeId;

function runtimeOf(world: World): Runtime {
  return {
    id: A,
    settings: defaultSettings,
    environment: new Life(world, 'a'),
    post: (completion) => completion(),
    schedule: () => {},
  };
}

/** A core that plays the role it is told to. */
class ActingRaft extends Raft {
  actedRole: RaftCore['role'] = 'leader';
  actedTerm = 5;
  proposed: ProposeResult = { type: 'refused', reason: 'notLeader' };

  constructor() {
    const metadata = { term: 0 as Term, votedFor: undefined };
    super(
      {
        id: A,
        storeId: 's',
        electionTicks: 10,
        heartbeatTicks: 2,
        random: () => 0,
        maxAppendBytes: 1,
        maxInflightMessages: 1,
        maxInflightBytes: 1,
        maxUncommittedBytes: 1,
        maxCommittedBytes: 1,
        maxCachedBytes: 1,
        leaseMarginTicks: 1,
        checkInvariants: false,
      },
      {
        metadata,
        snapshot: undefined,
        termRuns: [],
        membershipEntries: [],
        lastIndex: 0 as LogIndex,
        firstIndex: 1 as LogIndex,
        lastTime: 0,
      },
    );
  }

  override get role(): RaftCore['role'] {
    return this.actedRole;
  }

  override get term(): Term {
    return this.actedTerm as Term;
  }

  override propose(): ProposeResult {
    return this.proposed;
  }
}

function request(requestId: number, term: number, kind: 'propose' = 'propose'): ForwardRequest {
  const work = { term: term as Term, timeoutMs: 100, commands: [bytes('x')] };
  return { type: 'forwardRequest', from: B, to: A, requestId, kind, payload: encodeWork(work) };
}

function receiver(): {
  raft: ActingRaft;
  forwards: ForwardReceiver;
  sent: ForwardResponse[];
  taken: number[];
} {
  const raft = new ActingRaft();
  const sent: ForwardResponse[] = [];
  const taken: number[] = [];
  const forwards = new ForwardReceiver(runtimeOf(new World()), raft, {
    send: (response) => sent.push(response),
    take: ({ requestId }) => taken.push(requestId),
    startTerm: 3 as Term,
  });
  return { raft, forwards, sent, taken };
}

test('[NODE-12] a forwarded request is taken once, whatever the network repeats', () => {
  const { forwards, taken, sent } = receiver();
  for (const id of [1, 2, 1, 2, 3, 1]) forwards.received(request(id, 5));
  assert.deepEqual(taken, [1, 2, 3]);
  for (let id = 4; id < 10_000; id++) forwards.received(request(id, 5));
  const count = taken.length;
  for (let id = 1; id < 10_000; id++) forwards.received(request(id, 5));
  assert.equal(taken.length, count);
  // Another life of the sender counts its own ids.
  forwards.received(request(firstIdOfLife(0.5) + 1, 5));
  assert.equal(taken.length, count + 1);
  assert.deepEqual(sent, []);
});

test('[NODE-12] a refusal is given only for what was certainly never taken', () => {
  const { raft, forwards, taken, sent } = receiver();
  forwards.received(request(1, 5));
  raft.actedTerm = 6;
  forwards.received(request(1, 5));
  assert.equal(sent.length, 0, 'taken in term 5: no word of it now');
  forwards.received(request(2, 5));
  assert.deepEqual(
    sent.map(({ requestId }) => requestId),
    [2],
  );
  assert.ok(sent[0]!.result.type === 'error' && sent[0]!.result.outcome === 'not-applied');
  forwards.received(request(2, 6));
  assert.deepEqual(taken, [1], 'refused once, never taken later');
  forwards.received(request(3, 3));
  const doubt = sent[1]!.result;
  assert.ok(doubt.type === 'error' && doubt.outcome === 'unknown', 'an earlier life may have it');
  raft.actedRole = 'follower';
  forwards.received(request(4, 6));
  assert.equal(sent.length, 3);
});

function waiter(name: string, answers: string[], deadline = 1e9): Waiter {
  const done = (answer: Answer): void => {
    answers.push(
      `${name} ${answer.type === 'ok' ? 'ok' : `${answer.error.code} ${answer.error.outcome}`}`,
    );
  };
  return { command: bytes(name), done, batch: undefined, slot: 0, deadline };
}

const excuse = (): Answer => failure('timeout', 'late', { outcome: 'unknown' });

function refusal(requestId: number, from: NodeId): ForwardResponse {
  return {
    type: 'forwardResponse',
    from,
    to: A,
    requestId,
    result: { type: 'error', code: 'x', message: '', outcome: 'not-applied', leader: undefined },
  };
}

test('[NODE-13] an answer reaches only the caller it is for', () => {
  const world = new World(7);
  const sent: ForwardRequest[] = [];
  const answers: string[] = [];
  const options = {
    send: (one: ForwardRequest): void => void sent.push(one),
    term: (): Term => 5 as Term,
    leader: (): NodeId => B,
    excuse,
    retry: (): void => void answers.push('retried'),
  };
  const before = new ForwardSender(runtimeOf(world), options);
  before.send('propose', B, [waiter('old', [])]);
  const now = new ForwardSender(runtimeOf(world), options);
  now.send('propose', B, [waiter('new', answers)]);
  const [oldRequest, newRequest] = sent;
  assert.notEqual(oldRequest!.requestId, newRequest!.requestId);
  now.received(refusal(oldRequest!.requestId, B));
  now.received(refusal(newRequest!.requestId, 'c' as NodeId));
  assert.deepEqual(answers, []);
  now.repeat(1_000);
  assert.equal(sent[2]!.requestId, newRequest!.requestId, 'repeated under the same id');
  now.received(refusal(newRequest!.requestId, B));
  assert.deepEqual(answers, ['retried']);
});

test('[NODE-6] an index used again by a later term answers each caller by its own entry', () => {
  const raft = new ActingRaft();
  const proposals = new Proposals(runtimeOf(new World()), raft, () => 0, excuse);
  const answers: string[] = [];
  const append = (firstIndex: number, term: number, ...names: string[]): void => {
    raft.proposed = {
      type: 'appended',
      firstIndex: firstIndex as LogIndex,
      term: term as Term,
      count: names.length,
    };
    assert.deepEqual(proposals.lead(names.map((name) => waiter(name, answers))), []);
  };
  const apply = (index: number, term: number): void => {
    proposals.applied(index as LogIndex, term as Term, bytes('r'));
    proposals.tidy();
  };
  append(10, 1, 'a10', 'a11', 'a12');
  append(10, 3, 'b10');
  append(12, 3, 'b12', 'b13');
  apply(10, 3);
  assert.deepEqual(answers.splice(0), ['a10 not-leader not-applied', 'b10 ok']);
  apply(11, 3);
  assert.deepEqual(answers.splice(0), ['a11 not-leader not-applied']);
  apply(12, 3);
  assert.deepEqual(answers.splice(0), ['a12 not-leader not-applied', 'b12 ok']);
  proposals.skippedThrough(20 as LogIndex);
  assert.deepEqual(answers.splice(0), ['b13 not-leader unknown']);
  assert.equal(proposals.length, 0);
  assert.equal(proposals.bytes, 0);
});

test('[NODE-45] writes are merged only where that changes nothing', async () => {
  const world = new World();
  const store = new MemoryLogStore();
  await store.open({ newStoreId: 's' });
  const batches: string[] = [];
  const write = store.write.bind(store);
  const held: (() => void)[] = [];
  store.write = async (batch) => {
    const entries = (batch.entries ?? []).map(({ index, term }) => `${index}.${term}`).join();
    batches.push(
      `t${batch.truncateFrom ?? ''} [${entries}] m${batch.metadata?.term ?? ''} ` +
        `c${batch.compactThrough ?? ''}`,
    );
    if (batches.length === 1) await new Promise<void>((resolve) => held.push(resolve));
    await write(batch);
  };
  const order: string[] = [];
  const writer = new DiskWriter(runtimeOf(world), store, 0 as LogIndex, {
    durable: (token) => order.push(`durable ${token}`),
    send: (message) => order.push(`send ${message.term}`),
    failed: (error) => assert.fail(error),
    recovered: () => assert.fail('it never failed'),
    lost: (error) => assert.fail(error),
  });
  const put = (
    token: number,
    part: Partial<PersistRequest>,
    term: number,
    ...at: number[]
  ): void => {
    const entries = at.map((index) =>
      makeEntry(index as LogIndex, term as Term, 0, 'command', bytes('')),
    );
    const rest = { metadata: undefined, truncateFrom: undefined, compactThrough: undefined };
    const type = 'timeoutNowRequest';
    writer.write({ ...rest, ...part, token: token as PersistToken, entries }, [
      { type, from: A, to: B, term: token as Term },
    ]);
  };
  put(1, {}, 1, 1);
  put(2, {}, 1, 2);
  put(3, { metadata: { term: 2 as Term, votedFor: undefined } }, 2, 3);
  put(4, { truncateFrom: 2 as LogIndex }, 3, 2);
  put(5, {}, 3, 3);
  for (const go of held) go();
  for (let i = 0; i < 10; i++) await World.settled();
  assert.deepEqual(batches, ['t [1.1] m c', 't [2.1,3.2] m2 c', 't2 [2.3,3.3] m c']);
  assert.deepEqual(order, [
    'durable 1',
    'send 1',
    'durable 3',
    'send 2',
    'send 3',
    'durable 5',
    'send 4',
    'send 5',
  ]);
  assert.ok(writer.idle);
});

test('[NODE-19] entries of earlier terms do not yet make a leader of the leader side', () => {
  const raft = new ActingRaft();
  const told: string[] = [];
  const runtime = runtimeOf(new World());
  const duties = new LeaderDuties(raft, {
    side: {
      elected: () => void told.push('elected'),
      deposed: () => void told.push('deposed'),
      query: (asked) => asked,
      due: () => undefined,
    },
    stamp: () => 0,
    proposals: new Proposals(runtime, raft, () => 0, excuse),
    reads: new Reads(runtime, raft, excuse),
    retry: () => {},
    deadline: () => 0,
  });
  const apply = (index: number, term: number): void =>
    duties.applied(makeEntry(index as LogIndex, term as Term, 0, 'noop', bytes('')));
  apply(1, 4);
  assert.deepEqual(told, []);
  apply(2, 5);
  apply(3, 5);
  assert.deepEqual(told, ['elected']);
  duties.roleChanged('follower');
  duties.roleChanged('follower');
  assert.deepEqual(told, ['elected', 'deposed']);
});

test('[NODE-52] a broken invariant stops the node before anything more is written', async () => {
  const { Cluster } = await import('./support/cluster.ts');
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const { writes } = cluster.disk(leader.id);
  const original = leader.machine.counts;
  // Stands for any bug: the loop meets an error it did not expect.
  Object.defineProperty(leader.life, 'random', {
    value: () => {
      throw new Error('unexpected');
    },
  });
  cluster.isolate(leader.id);
  await cluster.world.until('it stopped itself', () => leader.fatal !== undefined);
  assert.ok(leader.fatal instanceof HoldfastError);
  assert.equal(leader.fatal.code, 'internal');
  assert.equal(leader.node.status().role, 'stopped');
  assert.equal(leader.machine.counts, original);
  assert.ok(cluster.disk(leader.id).writes <= writes + 1);
  const call = cluster.propose(leader, 'x');
  await cluster.answered(call);
  cluster.heal();
  await cluster.world.until('the others go on', () => {
    return cluster.running().some(({ node }) => node.status().role === 'leader');
  });
});

test('[NODE-76] how much log is between two snapshots follows from how large the state is', () => {
  const MIB = 1024 * 1024;
  const entry = makeEntry(1 as LogIndex, 1 as Term, 0, 'command', new Uint8Array(MIB));
  const logMibBetween = (stateMib: number): number => {
    const points = new SnapshotPoints(2, 16 * MIB);
    let mib = 1;
    while (!points.passed(entry, stateMib * MIB)) mib++;
    return mib;
  };
  assert.equal(logMibBetween(0), 2);
  assert.equal(logMibBetween(1), 2);
  assert.equal(logMibBetween(2), 8);
  assert.equal(logMibBetween(10), 40);
  assert.equal(logMibBetween(30), 64);
  assert.equal(logMibBetween(100), 100);
});
