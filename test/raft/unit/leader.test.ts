/** What a leader takes, limits and gives up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message, Raft, RaftOptions } from '../../../src/raft/index.ts';
import {
  A,
  B,
  C,
  ELECTION_TICKS,
  accept,
  at,
  clusterOf,
  drain,
  ids,
  inTerm,
  membersOf,
  newLeader,
  sentBy,
  snapshotAt,
  tickTimes,
} from './fixtures.ts';

const ABC = clusterOf('a', 'b', 'c');

/** A leader whose term is committed on everyone. */
function settled(changed: Partial<RaftOptions> = {}): Raft {
  const raft = newLeader(ABC, changed);
  for (const id of [B, C]) accept(raft, id, 1);
  drain(raft);
  return raft;
}

function beat(raft: Raft, ...from: string[]): void {
  const beats = sentBy(drain(raft)).filter(({ type }) => type === 'heartbeatRequest');
  for (const request of beats) {
    if (request.type !== 'heartbeatRequest' || !from.includes(request.to)) continue;
    const { to, round, term } = request;
    raft.step({ type: 'heartbeatResponse', from: to, to: A, term, round });
  }
}

const bytes = (...sizes: number[]): Uint8Array[] => sizes.map((size) => new Uint8Array(size));
const typesOf = (messages: readonly Message[]): string[] => messages.map(({ type }) => type);

test('[RAFT-15] uncommitted bytes are limited, and all of them come back', () => {
  const raft = settled({ maxUncommittedBytes: 100 });
  assert.deepEqual(raft.propose(bytes(60, 30, 20), 0), {
    type: 'appended',
    firstIndex: 2,
    term: 1,
    count: 2,
  });
  assert.deepEqual(raft.propose(bytes(11), 0), { type: 'refused', reason: 'uncommittedLimit' });
  drain(raft);
  accept(raft, B, 2);
  assert.equal(raft.status().uncommittedBytes, 30);
  assert.equal(raft.propose(bytes(11), 0).type, 'appended');
  drain(raft);
  accept(raft, B, 4);
  assert.equal(raft.status().uncommittedBytes, 0);
});

test('[RAFT-15] one command of any size passes when nothing else waits', () => {
  const raft = settled({ maxUncommittedBytes: 100 });
  const result = raft.propose(bytes(5000, 1), 0);
  assert.equal(result.type === 'appended' && result.count, 1);
  assert.deepEqual(raft.propose(bytes(0), 0), { type: 'refused', reason: 'uncommittedLimit' });
});

test('[RAFT-15] membership entries are counted like commands, and nothing leaks over terms', () => {
  const raft = settled({ maxUncommittedBytes: 1000 });
  const members = membersOf(['a', 'b', 'c', 'd']);
  const target = { voters: ids('a', 'b', 'c'), learners: ids('d'), promotable: [], members };
  assert.equal(raft.changeMembership(target, 0).type, 'appended');
  assert.ok(raft.status().uncommittedBytes > 0);
  raft.propose(bytes(40), 0);
  drain(raft);
  accept(raft, B, 3);
  assert.equal(raft.status().uncommittedBytes, 0);
  raft.propose(bytes(40), 0);
  raft.step({ type: 'heartbeatResponse', from: B, to: A, term: inTerm(7), round: 1 });
  assert.deepEqual([raft.role, raft.status().uncommittedBytes], ['follower', 0]);
});

test('[RAFT-16] all proposals of a turn leave in one append, all reads in one round', () => {
  const raft = settled();
  for (let i = 0; i < 5; i++) raft.propose(bytes(1), 0);
  for (let i = 0; i < 5; i++) raft.read(i);
  const sent = raft.takeOutput().sendNow;
  const expected = ['appendRequest', 'appendRequest', 'heartbeatRequest', 'heartbeatRequest'];
  assert.deepEqual(typesOf(sent).toSorted(), expected);
  const [append] = sent.filter((message) => message.type === 'appendRequest');
  assert.equal(append?.type === 'appendRequest' && append.entries.length, 5);
});

test('[RAFT-17] entries are handed out once they are durable here, within a limit of bytes', () => {
  const raft = settled({ maxCommittedBytes: 25, maxUncommittedBytes: 1000 });
  raft.propose(bytes(10, 10, 10, 10), 0);
  const { persist } = raft.takeOutput();
  for (const id of [B, C]) accept(raft, id, 5);
  assert.equal(raft.commitIndex, 5);
  assert.deepEqual(raft.takeOutput().committed, []);
  assert.equal(raft.hasOutput(), false);
  raft.persisted(persist!.token);
  assert.deepEqual(
    raft.takeOutput().committed.map(({ index }) => index),
    [2, 3],
  );
  assert.equal(raft.hasOutput(), true);
  assert.deepEqual(
    raft.takeOutput().committed.map(({ index }) => index),
    [4, 5],
  );
});

test('[RAFT-18] a lease counts from the sending of its round, less the margin', () => {
  const raft = settled({ leaseMarginTicks: 3 });
  tickTimes(raft, 2);
  const beats = sentBy(drain(raft));
  assert.equal(beats.length, 2);
  tickTimes(raft, 4);
  drain(raft);
  raft.step({ type: 'heartbeatResponse', from: B, to: A, term: inTerm(1), round: 2 });
  assert.equal(raft.leaseReadIndex(), 1);
  raft.step({ type: 'heartbeatResponse', from: B, to: A, term: inTerm(1), round: 2 });
  tickTimes(raft, 2);
  assert.equal(raft.leaseReadIndex(), 1);
  tickTimes(raft, 1);
  assert.equal(raft.leaseReadIndex(), undefined, 'sent at 2, margin 3: over at 9');
});

test('[RAFT-18] once somebody was told to campaign, no lease holds in this term', () => {
  const raft = settled();
  tickTimes(raft, 2);
  beat(raft, 'b', 'c');
  assert.equal(raft.leaseReadIndex(), 1);
  assert.deepEqual(raft.transfer(B), { type: 'started' });
  assert.ok(typesOf(sentBy(drain(raft))).includes('timeoutNowRequest'));
  assert.equal(raft.leaseReadIndex(), undefined);
  for (let i = 0; i < ELECTION_TICKS; i++) {
    raft.tick();
    beat(raft, 'b', 'c');
  }
  assert.equal(raft.status().transferTo, undefined, 'the transfer has failed');
  assert.equal(raft.role, 'leader');
  assert.equal(raft.leaseReadIndex(), undefined);
});

test('[RAFT-18] no lease holds during a transfer, even before its target is told', () => {
  const raft = settled();
  tickTimes(raft, 2);
  beat(raft, 'b', 'c');
  raft.propose(bytes(1), 0);
  assert.equal(raft.leaseReadIndex(), 1);
  assert.deepEqual(raft.transfer(B), { type: 'started' });
  assert.ok(!typesOf(sentBy(drain(raft))).includes('timeoutNowRequest'));
  assert.equal(raft.leaseReadIndex(), undefined);
});

test('[RAFT-26] the target is told once it holds the whole log, a final step included', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const [, , , D, E] = ids(...names);
  const raft = newLeader(clusterOf(...names), {}, [B, C]);
  for (const id of [B, C, D!, E!]) accept(raft, id, 1);
  drain(raft);
  const target = {
    voters: ids('a', 'b', 'c', 'd'),
    learners: ids('e'),
    promotable: [],
    members: membersOf(names),
  };
  assert.equal(raft.changeMembership(target, 0).type, 'appended');
  drain(raft);
  assert.deepEqual(raft.transfer(B), { type: 'started' });
  drain(raft);
  accept(raft, B, 2);
  accept(raft, C, 2);
  assert.equal(raft.status().lastIndex, 3, 'the joint step is committed, the final one appended');
  assert.ok(!typesOf(sentBy(drain(raft))).includes('timeoutNowRequest'));
  accept(raft, B, 3);
  assert.equal(raft.hasOutput(), true);
  assert.ok(typesOf(sentBy(drain(raft))).includes('timeoutNowRequest'));
});

test('[RAFT-27] nothing is compacted that no durable snapshot stands for', () => {
  const raft = settled();
  raft.propose(bytes(1, 1, 1), 0);
  drain(raft);
  accept(raft, B, 4);
  drain(raft);
  raft.compact(at(4));
  assert.deepEqual([raft.hasOutput(), raft.status().firstIndex], [false, 1]);
  raft.snapshotSaved(snapshotAt(3, 1, ABC));
  raft.compact(at(4));
  assert.equal(raft.takeOutput().persist?.compactThrough, 3);
  assert.deepEqual([raft.status().firstIndex, raft.termAt(at(3))], [4, 1]);
  assert.throws(() => raft.snapshotSaved(snapshotAt(5, 1, ABC)), /shows what was applied/);
});

test('[RAFT-19] campaigning forbidden: leadership goes at once to the best follower', () => {
  const raft = settled();
  raft.propose(bytes(1), 0);
  drain(raft);
  accept(raft, C, 2);
  raft.setCampaignAllowed(false);
  assert.equal(raft.role, 'follower');
  const told = sentBy(drain(raft)).filter(({ type }) => type === 'timeoutNowRequest');
  assert.deepEqual(
    told.map(({ to }) => to),
    [C],
  );
  tickTimes(raft, 5 * ELECTION_TICKS);
  assert.deepEqual([raft.role, raft.term], ['follower', 1]);
  raft.setCampaignAllowed(true);
  tickTimes(raft, 2 * ELECTION_TICKS);
  assert.equal(raft.role, 'preCandidate');
});

test('[RAFT-20] what a membership change is refused for', () => {
  const raft = settled();
  const change = (voters: string[], learners: string[] = [], disks: object = {}): string => {
    const members = { ...membersOf([...voters, ...learners]), ...disks };
    const target = { voters: ids(...voters), learners: ids(...learners), promotable: [], members };
    const result = raft.changeMembership(target, 0);
    return result.type === 'refused' ? result.reason : result.type;
  };
  assert.equal(change(['a', 'b', 'c']), 'unchanged');
  assert.equal(change([]), 'noVoters');
  assert.equal(change(['a', 'b', 'c', 'd']), 'notCaughtUp');
  assert.equal(change(['a', 'b', 'b']), 'invalid');
  assert.equal(change(['a', 'b', 'c'], [], { c: { address: '', storeId: 'other' } }), 'invalid');
  assert.equal(change(['a', 'b'], ['c'], { c: { address: '', storeId: 'other' } }), 'invalid');
  assert.equal(change(['a', 'b', 'c', 'd'], [], { d: { address: '', storeId: '' } }), 'invalid');
  assert.equal(change(['a', 'b', 'c'], ['d']), 'appended');
  assert.equal(change(['a', 'b']), 'changeInProgress');
});

for (const disk of ['one', '']) {
  test(`[RAFT-20] a learner on another disk than '${disk}' starts from nothing`, () => {
    const raft = settled();
    const withLearner = (storeId: string): ReturnType<Raft['changeMembership']> => {
      const members = { ...membersOf(['a', 'b', 'c']), d: { address: 'd:1', storeId } };
      const target = { voters: ids('a', 'b', 'c'), learners: ids('d'), promotable: [], members };
      return raft.changeMembership(target, 0);
    };
    const D = 'd' as never;
    withLearner(disk);
    drain(raft);
    accept(raft, B, 2);
    accept(raft, D, 2);
    assert.equal(raft.status().progress[D]?.match, 2);
    assert.equal(withLearner('two').type, 'appended');
    assert.equal(raft.status().progress[D]?.match, 0);
  });
}

test('[RAFT-21] a leader that hears no quorum steps down in time, refusing reads', () => {
  const raft = settled();
  tickTimes(raft, ELECTION_TICKS - 1);
  raft.read(7);
  drain(raft);
  assert.equal(raft.role, 'leader');
  raft.tick();
  assert.equal(raft.role, 'follower');
  const reads = drain(raft).flatMap((output) => output.reads);
  assert.deepEqual(reads, [{ type: 'refused', context: 7 }]);
  raft.read(8);
  assert.deepEqual(
    drain(raft).flatMap((output) => output.reads),
    [{ type: 'refused', context: 8 }],
  );
});

test('[RAFT-21] one node alone confirms reads and holds its lease by itself', () => {
  const raft = newLeader(clusterOf('a'), {}, []);
  assert.equal(raft.role, 'leader');
  raft.read(1);
  assert.deepEqual(raft.takeOutput().reads, [{ type: 'ready', context: 1, index: 1 }]);
  tickTimes(raft, 100);
  assert.equal(raft.leaseReadIndex(), 1);
  assert.equal(raft.commitIndex, 1);
});
