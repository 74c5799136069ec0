/** Rules of membership changes and snapshots: Raft paper sections 6 and 7. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Entry,
  LogIndex,
  Membership,
  MembershipTarget,
  NodeId,
  SnapshotChunkRequest,
  Term,
} from '../../src/raft/index.ts';
import { encodeMembership } from '../../src/raft/index.ts';
import {
  ELECTION_TICKS,
  LoneCore,
  appendRequest,
  command,
  heartbeat,
  heartbeatResponse,
  membershipOf,
  preVoteRequest,
  voteRequest,
  voteResponse,
} from './lone-core.ts';
import { decides, quorumsOverlap } from './quorum.ts';

const THREE = ['a', 'b', 'c'];

function targetOf(voters: readonly string[], learners: readonly string[] = []): MembershipTarget {
  const { members, ...lists } = membershipOf(voters, learners);
  return { voters: lists.voters, learners: lists.learners, promotable: [], members };
}

/** A leader of a, b, c with learners d, e, f caught up and its no-op committed at index 1. */
function leaderWithLearners(): LoneCore {
  const core = new LoneCore({ voters: THREE, learners: ['d', 'e', 'f'] }).lead();
  for (const id of ['b', 'c', 'd', 'e', 'f']) core.accept(id, 1, 1);
  return core;
}

function change(
  core: LoneCore,
  target: MembershipTarget,
): ReturnType<LoneCore['raft']['changeMembership']> {
  let result: ReturnType<LoneCore['raft']['changeMembership']> | undefined;
  core.do((raft) => (result = raft.changeMembership(target, 0)));
  assert.ok(result !== undefined);
  return result;
}

function membershipEntry(index: number, term: number, membership: Membership): Entry {
  return { ...command(index, term), type: 'membership', data: encodeMembership(membership) };
}

test('[RAFT-70] 6: while joint, a majority of both the old and the new voters decides', () => {
  const core = leaderWithLearners();
  assert.equal(change(core, targetOf(['d', 'e', 'f'])).type, 'appended');
  for (const id of ['d', 'e', 'f']) core.accept(id, 2);
  assert.equal(core.raft.commitIndex, 1, 'only one of the old majority');
  core.accept('b', 2);
  assert.equal(core.raft.commitIndex, 2);
});

test('[RAFT-70] 6: a majority of the union is not enough', () => {
  const core = leaderWithLearners();
  change(core, targetOf(['d', 'e', 'f']));
  core.accept('b', 2).accept('c', 2).accept('d', 2);
  assert.equal(core.raft.commitIndex, 1, 'four of six, but one of the three new');
});

test('[RAFT-70] 6: an election in a joint phase needs both majorities', () => {
  const joint: Membership = {
    ...membershipOf(['a', 'b', 'c', 'd', 'e', 'f']),
    voters: ['d', 'e', 'f'] as NodeId[],
    outgoing: ['a', 'b', 'c'] as NodeId[],
  };
  const core = new LoneCore({ voters: THREE });
  const entries = [membershipEntry(1, 1, joint)];
  core.step({ ...appendRequest({ term: 1 }), entries });
  core.tick(2 * ELECTION_TICKS);
  core.campaign();
  assert.equal(core.raft.role, 'candidate');
  const { term } = core.raft;
  core.step(voteResponse('b', term, true)).step(voteResponse('c', term, true));
  core.step(voteResponse('d', term, true));
  assert.equal(core.raft.role, 'candidate');
  core.step(voteResponse('e', term, true));
  assert.equal(core.raft.role, 'leader');
});

test('[RAFT-70] 6: every step from one membership to the next keeps quorums in touch', () => {
  const sets = [['a'], ['a', 'b'], THREE, ['d', 'e', 'f'], ['b', 'c', 'd', 'e']];
  for (const voters of sets) {
    const start = leaderWithLearners();
    const before = start.raft.membership;
    const result = change(start, targetOf(voters));
    if (result.type === 'refused') continue;
    const joint = start.raft.membership;
    assert.ok(quorumsOverlap(before, joint));
    for (const id of ['b', 'c', 'd', 'e', 'f']) start.accept(id, 2);
    assert.deepEqual(start.raft.membership.outgoing, []);
    assert.ok(quorumsOverlap(joint, start.raft.membership));
  }
  assert.ok(!quorumsOverlap(membershipOf(THREE), membershipOf(['d', 'e', 'f'])));
  assert.ok(!decides(membershipOf(THREE), (id) => id === 'a'));
});

test('[RAFT-71] 6: a membership is in force as soon as it is in the log', () => {
  const core = new LoneCore({ voters: THREE });
  const next = membershipOf(['a', 'b', 'c', 'd']);
  core.step({ ...appendRequest({ term: 1 }), entries: [membershipEntry(1, 1, next)] });
  assert.equal(core.raft.commitIndex, 0);
  assert.deepEqual(core.raft.membership.voters, ['a', 'b', 'c', 'd']);
});

test('[RAFT-72] 6: a membership that is truncated gives way to the one before', () => {
  const core = new LoneCore({ voters: THREE });
  const next = membershipOf(['a', 'b', 'c', 'd']);
  core.step({ ...appendRequest({ term: 1 }), entries: [membershipEntry(1, 1, next)] });
  core.step(appendRequest({ from: 'c', term: 2, terms: [2] }));
  assert.deepEqual(core.raft.membership.voters, THREE);
  const told = core.events.filter((event) => event.type === 'membershipChanged');
  assert.deepEqual(told.at(-1)?.membership.voters, THREE);
});

test('[RAFT-73] 6: a leader that is not in the new membership leads until it is committed', () => {
  const core = leaderWithLearners();
  change(core, targetOf(['b', 'c']));
  core.accept('b', 2).accept('c', 2);
  assert.equal(core.raft.role, 'leader', 'the joint phase is over, the new membership not yet in');
  assert.deepEqual(core.raft.membership.voters, ['b', 'c']);
  core.accept('b', 3);
  assert.equal(core.raft.commitIndex, 2, 'it does not count itself');
  core.accept('c', 3);
  core.tick(2 * ELECTION_TICKS);
  assert.notEqual(core.raft.role, 'leader');
});

test('[RAFT-73] 6: a node outside the membership does not campaign', () => {
  const core = new LoneCore({ voters: THREE });
  const next = membershipOf(['b', 'c']);
  core.step({ ...appendRequest({ term: 1 }), entries: [membershipEntry(1, 1, next)] });
  core.tick(5 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'follower');
  assert.deepEqual(core.take('preVoteRequest'), []);
});

test('[RAFT-74] 6: a removed node cannot end the term of a leader that is heard', () => {
  const core = leaderWithLearners();
  core.takeAll();
  core.step(voteRequest('x', 50, 99, 49)).step(preVoteRequest('x', 50, 99, 49));
  assert.equal(core.raft.role, 'leader');
  assert.equal(core.raft.term, 1);
});

test('[RAFT-85] 6: one change at a time, none before the term has committed', () => {
  const fresh = new LoneCore({ voters: THREE, log: [1] }).lead();
  assert.deepEqual(change(fresh, targetOf(['a', 'b'])), {
    type: 'refused',
    reason: 'changeInProgress',
  });
  const core = leaderWithLearners();
  assert.equal(change(core, targetOf(['a', 'b'], ['d'])).type, 'appended');
  assert.deepEqual(change(core, targetOf(['a', 'c'])), {
    type: 'refused',
    reason: 'changeInProgress',
  });
});

test('[RAFT-85] 6: the end of a joint phase and a change of learners must be committed too', () => {
  const core = leaderWithLearners();
  change(core, targetOf(['a', 'b'], ['d']));
  core.accept('b', 2).accept('c', 2);
  assert.deepEqual(core.raft.membership.outgoing, [], 'the joint phase is committed');
  const early = change(core, targetOf(['a']));
  assert.deepEqual(early, { type: 'refused', reason: 'changeInProgress' });
  core.accept('b', 3);
  assert.equal(change(core, targetOf(['a', 'b'], [])).type, 'appended');
  const next = change(core, targetOf(['a']));
  assert.deepEqual(next, { type: 'refused', reason: 'changeInProgress' });
  core.accept('b', 4);
  assert.equal(change(core, targetOf(['a'])).type, 'appended');
});

test('[RAFT-85] 6: refusals name what is wrong with a target', () => {
  const core = leaderWithLearners();
  const unknown = change(core, targetOf(['a', 'b', 'x']));
  assert.deepEqual(unknown, { type: 'refused', reason: 'notCaughtUp' });
  assert.deepEqual(change(core, targetOf([])), { type: 'refused', reason: 'noVoters' });
  const same = change(core, targetOf(THREE, ['d', 'e', 'f']));
  assert.deepEqual(same, { type: 'refused', reason: 'unchanged' });
  const broken = change(core, { ...targetOf(['a', 'b']), learners: ['b' as NodeId] });
  assert.deepEqual(broken, { type: 'refused', reason: 'invalid' });
  const follower = new LoneCore({ voters: THREE });
  assert.deepEqual(change(follower, targetOf(['a'])), { type: 'refused', reason: 'notLeader' });
});

test('[RAFT-88] 6: an address changes in one step, without a pause in replication', () => {
  const core = leaderWithLearners();
  const { voters, learners, promotable, members } = core.raft.membership;
  const moved = { ...members['b' as NodeId]!, address: 'elsewhere:2' };
  const target = { voters, learners, promotable, members: { ...members, b: moved } };
  assert.equal(change(core, target).type, 'appended');
  assert.deepEqual(core.raft.membership.outgoing, []);
  assert.equal(core.raft.membership.members['b' as NodeId]?.address, 'elsewhere:2');
  const { match, state } = core.raft.status().progress['b' as NodeId]!;
  assert.deepEqual([match, state], [1, 'replicate']);
  assert.ok(core.take('appendRequest').some(({ to, entries }) => to === 'b' && entries.length > 0));
});

test('[RAFT-94] 6: a learner is made a voter only once it holds what names its disk', () => {
  const core = leaderWithLearners();
  const { voters, learners, promotable, members } = core.raft.membership;
  const moved = { ...members['d' as NodeId]!, address: 'elsewhere:2' };
  const told = { voters, learners, promotable, members: { ...members, d: moved } };
  assert.equal(change(core, told).type, 'appended');
  const { lastIndex } = core.raft.status();
  core.accept('b', lastIndex);
  assert.equal(core.raft.commitIndex, lastIndex);
  const more = {
    ...told,
    voters: [...voters, 'd' as NodeId],
    learners: learners.filter((id) => id !== 'd'),
  };
  assert.deepEqual(change(core, more), { type: 'refused', reason: 'notCaughtUp' });
  core.accept('d', lastIndex);
  assert.equal(change(core, more).type, 'appended');
});

test('[RAFT-86] 6: learners get everything and count for nothing', () => {
  const core = new LoneCore({ voters: THREE, learners: ['d', 'e'] }).lead();
  core.accept('d', 1).accept('e', 1);
  assert.equal(core.raft.commitIndex, 0);
  core.accept('b', 1);
  assert.equal(core.raft.commitIndex, 1);
  core.takeAll();
  core.do((raft) => raft.read(1));
  const [beat] = core.take('heartbeatRequest');
  assert.ok(beat !== undefined);
  core.step(heartbeatResponse('d', 1, beat.round)).step(heartbeatResponse('e', 1, beat.round));
  assert.deepEqual(core.reads, []);
  core.step(heartbeatResponse('c', 1, beat.round));
  assert.equal(core.reads.length, 1);
});

test('[RAFT-86] 6: a learner does not campaign, not even when told to', () => {
  const core = new LoneCore({ voters: ['b', 'c'], learners: ['a'] });
  core.step(appendRequest({ term: 1 })).tick(5 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'follower');
  core.step(appendRequest({ term: 1 }));
  const [from, to] = ['b' as NodeId, 'a' as NodeId];
  core.step({ type: 'timeoutNowRequest', from, to, term: 1 as Term });
  assert.equal(core.raft.role, 'follower');
});

test('[RAFT-87] a node whose disk is not the one on record neither votes nor campaigns', () => {
  const core = new LoneCore({ voters: THREE, storeId: 'another' });
  core.step(voteRequest('b', 1, 5, 1));
  assert.deepEqual(
    core.take('voteResponse').filter(({ granted }) => granted),
    [],
  );
  core.step(preVoteRequest('b', 9, 5, 1));
  assert.deepEqual(
    core.take('preVoteResponse').filter(({ granted }) => granted),
    [],
  );
  core.tick(5 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'follower');
});

function chunk(index: number, term: number, voters = THREE): SnapshotChunkRequest {
  return {
    type: 'snapshotChunkRequest',
    from: 'b' as NodeId,
    to: 'a' as NodeId,
    term: 5 as Term,
    snapshot: {
      index: index as LogIndex,
      term: term as Term,
      time: 7,
      membership: membershipOf(voters),
    },
    offset: 0,
    data: new Uint8Array(4),
    last: true,
  };
}

function install(core: LoneCore, request: SnapshotChunkRequest): LoneCore {
  core.step(request);
  assert.equal(core.chunks.length, 1);
  core.do((raft) => raft.snapshotChunkStaged(request, { nextOffset: 4, complete: true }));
  return core;
}

test('[RAFT-75] 7: a snapshot replaces a log that does not hold its last entry', () => {
  for (const log of [[1], [1, 1, 1, 1, 1, 1], []]) {
    const core = install(new LoneCore({ voters: THREE, log, term: 5 }), chunk(4, 3, ['a', 'b']));
    const status = core.raft.status();
    assert.deepEqual(
      core.restores.map(({ index }) => index),
      [4],
    );
    assert.deepEqual(
      [status.lastIndex, status.lastTerm, status.commitIndex, status.appliedIndex],
      [4, 3, 4, 4],
    );
    assert.deepEqual(core.raft.membership.voters, ['a', 'b']);
    core.step(appendRequest({ term: 5, prevIndex: 4, prevTerm: 3, terms: [5], commit: 5 }));
    assert.deepEqual(
      core.committed.map(({ index }) => index),
      [5],
    );
  }
});

test('[RAFT-75] 7: a snapshot brings a joint membership with both its halves', () => {
  const joint: Membership = {
    ...membershipOf(['a', 'b', 'c', 'd']),
    voters: ['a', 'b', 'd'] as NodeId[],
    outgoing: ['a', 'b', 'c'] as NodeId[],
  };
  const plain = chunk(4, 3);
  const request = { ...plain, snapshot: { ...plain.snapshot, membership: joint } };
  const core = install(new LoneCore({ voters: THREE }), request);
  assert.deepEqual(core.raft.membership, joint);
  assert.deepEqual(core.raft.membershipAt(4 as LogIndex), joint);
});

test('[RAFT-75] 7: a log that holds the snapshot’s last entry keeps what follows', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 3, 3, 3, 3, 4], term: 5 });
  install(core, chunk(4, 3));
  const { lastIndex, lastTerm, commitIndex } = core.raft.status();
  assert.deepEqual([lastIndex, lastTerm, commitIndex], [6, 4, 4]);
});

test('[RAFT-76] 7: a snapshot of what is committed here already changes nothing', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 1, 1, 1, 1], term: 5 });
  core.step(appendRequest({ term: 5, prevIndex: 6, prevTerm: 1, commit: 6 }));
  core.step(chunk(4, 1));
  for (const request of core.chunks) {
    core.do((raft) => raft.snapshotChunkStaged(request, { nextOffset: 4, complete: true }));
  }
  assert.deepEqual(core.restores, []);
  assert.equal(core.raft.status().appliedIndex, 6);
  assert.equal(core.take('snapshotChunkResponse').at(-1)?.installed, true);
});

test('[RAFT-76] 7: a snapshot overtaken while it was stored changes nothing', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 1, 1, 1, 5], term: 5 });
  const request = chunk(4, 1);
  core.step(request);
  core.step({ ...heartbeat('b', 5), commit: 6 as LogIndex });
  assert.equal(core.raft.commitIndex, 6);
  core.do((raft) => raft.snapshotChunkStaged(request, { nextOffset: 4, complete: true }));
  assert.deepEqual(core.restores, []);
  assert.equal(core.raft.commitIndex, 6);
  assert.equal(core.take('snapshotChunkResponse').at(-1)?.installed, true);
});

test('[RAFT-76] 7: a follower whose log was compacted is sent the snapshot from its offset', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 1] }).lead();
  core.accept('b', 4);
  const snapshot = { ...chunk(4, core.raft.term).snapshot };
  core.do((raft) => raft.snapshotSaved(snapshot));
  core.do((raft) => raft.compact(4 as LogIndex));
  core.step({
    type: 'appendResponse',
    from: 'c' as NodeId,
    to: 'a' as NodeId,
    term: core.raft.term,
    round: 0,
    prevIndex: 3 as LogIndex,
    result: { type: 'rejected', hintIndex: 0 as LogIndex, hintTerm: 0 as Term },
  });
  const [read] = core.snapshotReads;
  assert.deepEqual([read?.to, read?.offset, read?.snapshot.index], ['c', 0, 4]);
  core.do((raft) => raft.snapshotChunkSent(read!, 'sent'));
  core.step({
    type: 'snapshotChunkResponse',
    from: 'c' as NodeId,
    to: 'a' as NodeId,
    term: core.raft.term,
    snapshotIndex: 4 as LogIndex,
    nextOffset: 20,
    installed: false,
  });
  assert.equal(core.snapshotReads.at(-1)?.offset, 20);
});
