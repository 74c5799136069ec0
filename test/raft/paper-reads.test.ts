/** Rules of reads: Raft paper section 8, thesis 6.4; and of leadership transfer: thesis 3.10. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex, NodeId, ReadIndexRequest, Term } from '../../src/raft/index.ts';
import {
  ELECTION_TICKS,
  HEARTBEAT_TICKS,
  LoneCore,
  appendRequest,
  appendResponse,
  heartbeatResponse,
  preVoteRequest,
  voteRequest,
} from './lone-core.ts';

const THREE = ['a', 'b', 'c'];
const FIVE = ['a', 'b', 'c', 'd', 'e'];

/** A leader of term 2 with its no-op committed at index 2. */
function settledLeader(voters: readonly string[] = THREE): LoneCore {
  const core = new LoneCore({ voters, log: [1], term: 1 }).lead();
  for (const id of voters.slice(1)) core.accept(id, 2, 1);
  core.takeAll();
  return core;
}

/** The round that was announced last. */
function announcedRound(core: LoneCore): number {
  const rounds = core
    .takeAll()
    .map((message) => ('round' in message && message.to === 'b' ? message.round : 0));
  return Math.max(...rounds);
}

test('[RAFT-77] 8: a leader begins its term with a no-op', () => {
  const core = new LoneCore({ voters: THREE, log: [1], term: 1 }).lead();
  const own = core.written.filter(({ term }) => term === 2);
  assert.deepEqual(
    own.map(({ index, type }) => [index, type]),
    [[2, 'noop']],
  );
});

test('[RAFT-78] 8: a read waits for a round begun after it, answered by a quorum', () => {
  const core = settledLeader();
  core.do((raft) => raft.read(1));
  const round = announcedRound(core);
  core.step(heartbeatResponse('b', 2, round - 1));
  assert.deepEqual(core.reads, [], 'an answer to an earlier round');
  core.step(heartbeatResponse('b', 2, round));
  assert.deepEqual(core.reads, [{ type: 'ready', context: 1, index: 2 }]);
});

test('[RAFT-78] 8: an append answered confirms a read like a heartbeat', () => {
  const core = settledLeader();
  core.do((raft) => raft.read(1));
  const round = announcedRound(core);
  core.step(appendResponse({ from: 'c', term: 2, round, matchIndex: 2 }));
  assert.deepEqual(core.reads, [{ type: 'ready', context: 1, index: 2 }]);
});

test('[RAFT-78] 8: a read waits until an entry of the term is committed', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1], term: 1 }).lead();
  core.do((raft) => raft.read(1));
  core.step(heartbeatResponse('b', 2, 1)).step(heartbeatResponse('b', 2, 2));
  assert.deepEqual(core.reads, []);
  core.accept('b', 3, 2);
  core.step(heartbeatResponse('b', 2, announcedRound(core)));
  assert.deepEqual(core.reads, [{ type: 'ready', context: 1, index: 3 }]);
});

test('[RAFT-78] 8: of five, one answer does not confirm a read, two do', () => {
  const core = settledLeader(FIVE);
  core.do((raft) => raft.read(1));
  const round = announcedRound(core);
  core.step(heartbeatResponse('b', 2, round)).step(heartbeatResponse('b', 2, round));
  core.step(heartbeatResponse('x', 2, round));
  assert.deepEqual(core.reads, []);
  core.step(heartbeatResponse('e', 2, round));
  assert.equal(core.reads.length, 1);
});

test('[RAFT-78] 8: one node alone confirms its reads itself', () => {
  const core = new LoneCore({ voters: ['a'] }).tick(2 * ELECTION_TICKS);
  core.do((raft) => raft.read(1));
  assert.deepEqual(core.reads, [{ type: 'ready', context: 1, index: 1 }]);
});

test('[RAFT-81] 6.4: reads that come together share a round', () => {
  const core = settledLeader();
  core.do((raft) => {
    raft.read(1);
    raft.read(2);
    raft.read(3);
  });
  const beats = core.takeAll().filter(({ to }) => to === 'b');
  assert.equal(beats.length, 1);
  const [beat] = beats;
  assert.ok(beat !== undefined && 'round' in beat);
  core.step(heartbeatResponse('b', 2, beat.round));
  assert.deepEqual(
    core.reads.map(({ context }) => context),
    [1, 2, 3],
  );
});

test('[RAFT-81] 6.4: a follower asks the leader, and gives its answer back', () => {
  const core = new LoneCore({ voters: THREE }).step(appendRequest({ term: 1 }));
  core.do((raft) => raft.read(7));
  const [request] = core.take('readIndexRequest');
  assert.deepEqual([request?.to, request?.context], ['b', 7]);
  const [from, to] = ['b' as NodeId, 'a' as NodeId];
  const answer = { from, to, term: 1 as Term, context: 7, index: 4 as LogIndex };
  core.step({ type: 'readIndexResponse', ...answer, from: 'c' as NodeId });
  assert.deepEqual(core.reads, [], 'an answer of someone who was not asked');
  core.step({ type: 'readIndexResponse', ...answer });
  assert.deepEqual(core.reads, [{ type: 'ready', context: 7, index: 4 }]);
});

test('[RAFT-81] 6.4: a leader confirms a follower’s read before it answers', () => {
  const core = settledLeader();
  const request: ReadIndexRequest = {
    type: 'readIndexRequest',
    from: 'c' as NodeId,
    to: 'a' as NodeId,
    term: 2 as Term,
    context: 9,
  };
  core.step(request);
  const sent = core.takeAll();
  assert.equal(sent.filter(({ type }) => type === 'readIndexResponse').length, 0);
  const rounds = sent.map((message) => ('round' in message ? message.round : 0));
  core.step(heartbeatResponse('b', 2, Math.max(...rounds)));
  const [answer] = core.take('readIndexResponse');
  assert.deepEqual([answer?.to, answer?.context, answer?.index], ['c', 9, 2]);
});

test('[RAFT-81] 6.4: reads that wait are refused when leadership ends', () => {
  const core = settledLeader();
  core.do((raft) => raft.read(1));
  core.step(appendRequest({ term: 3, prevIndex: 2, prevTerm: 2 }));
  assert.deepEqual(core.reads, [{ type: 'refused', context: 1 }]);
});

test('[RAFT-81] 6.4: without a leader a read is refused at once', () => {
  const core = new LoneCore({ voters: THREE });
  core.do((raft) => raft.read(1));
  assert.deepEqual(core.reads, [{ type: 'refused', context: 1 }]);
});

test('[RAFT-84] 6.4.1: a lease counts from when the round was sent, less the margin', () => {
  const core = settledLeader();
  core.tick(HEARTBEAT_TICKS);
  const round = announcedRound(core);
  // The answers come late; the lease runs from the sending all the same.
  core.tick(3);
  core.takeAll();
  core.step(heartbeatResponse('b', 2, round));
  core.tick(ELECTION_TICKS - 1 - 3 - 1);
  assert.equal(core.raft.leaseReadIndex(), 2);
  core.tick(1);
  assert.equal(core.raft.leaseReadIndex(), undefined);
});

test('[RAFT-84] 6.4.1: no lease before the term has committed, nor at a follower', () => {
  const core = new LoneCore({ voters: THREE, log: [1], term: 1 }).lead();
  core.step(heartbeatResponse('b', 2, 1));
  assert.equal(core.raft.leaseReadIndex(), undefined);
  const follower = new LoneCore({ voters: THREE }).step(appendRequest({ term: 1 }));
  assert.equal(follower.raft.leaseReadIndex(), undefined);
});

test('[RAFT-84] 6.4.1: a restarted node keeps the promise it may have made to a leader', () => {
  const options = { restartQuietTicks: ELECTION_TICKS };
  const core = new LoneCore({ voters: THREE, log: [1], term: 1, options });
  core.tick(ELECTION_TICKS - 1);
  core.step(voteRequest('b', 2, 9, 1)).step(preVoteRequest('b', 2, 9, 1));
  assert.ok(core.takeAll().every((message) => !('granted' in message && message.granted)));
  core.step(voteRequest('b', 2, 9, 1, true));
  assert.equal(core.take('voteResponse')[0]?.granted, true, 'a transfer breaks no lease');
  const later = new LoneCore({ voters: THREE, log: [1], term: 1, options });
  later.chance = 0.999;
  later.step(voteRequest('b', 0, 0, 0)).tick(ELECTION_TICKS);
  later.step(voteRequest('b', 2, 9, 1));
  assert.equal(later.take('voteResponse').at(-1)?.granted, true);
});

test('[RAFT-84] 6.4.1: no lease during a transfer, nor after one was tried', () => {
  const core = settledLeader();
  assert.equal(core.raft.leaseReadIndex(), 2);
  core.do((raft) => void raft.transfer('b' as NodeId));
  assert.equal(core.raft.leaseReadIndex(), undefined);
  for (let i = 0; i < 2 * ELECTION_TICKS; i++) {
    core.tick();
    for (const beat of core.take('heartbeatRequest')) {
      core.step(heartbeatResponse(beat.to, 2, beat.round));
    }
  }
  assert.equal(core.raft.role, 'leader');
  assert.equal(core.raft.status().transferTo, undefined);
  // The order to campaign may still be on its way, and its candidate need not wait for anyone.
  assert.equal(core.raft.leaseReadIndex(), undefined);
});

test('[RAFT-79] 3.10: the target is told to campaign once it has everything', () => {
  const core = settledLeader();
  core.propose('x');
  core.takeAll();
  core.do((raft) => void raft.transfer('b' as NodeId));
  assert.deepEqual(core.take('timeoutNowRequest'), []);
  core.accept('b', 3);
  assert.deepEqual(
    core.take('timeoutNowRequest').map(({ to }) => to),
    ['b'],
  );
});

test('[RAFT-79] 3.10: a target that is up to date is told at once; others are not told', () => {
  const core = settledLeader();
  core.do((raft) => void raft.transfer('c' as NodeId));
  assert.deepEqual(
    core.take('timeoutNowRequest').map(({ to }) => to),
    ['c'],
  );
});

test('[RAFT-79] 3.10: no commands and no changes are taken during a transfer', () => {
  const core = settledLeader();
  core.do((raft) => void raft.transfer('b' as NodeId));
  assert.deepEqual(core.propose('x'), { type: 'refused', reason: 'transferring' });
  const { voters, learners, promotable, members } = core.raft.membership;
  const target = { voters: voters.slice(0, 2), learners, promotable, members };
  const result = core.raft.changeMembership(target, 0);
  assert.deepEqual(result, { type: 'refused', reason: 'transferring' });
});

test('[RAFT-79] 3.10: a transfer that takes an election timeout is given up', () => {
  const core = settledLeader();
  core.do((raft) => void raft.transfer('b' as NodeId));
  for (let i = 0; i < ELECTION_TICKS; i++) {
    core.tick();
    for (const beat of core.take('heartbeatRequest')) {
      if (beat.to === 'c') core.step(heartbeatResponse('c', 2, beat.round));
    }
  }
  assert.equal(core.raft.status().transferTo, undefined);
  assert.equal(core.propose('x').type, 'appended');
  const ended = core.events.filter(({ type }) => type === 'transferEnded');
  assert.deepEqual(ended, [{ type: 'transferEnded', to: 'b', completed: false }]);
});

test('[RAFT-79] 3.10: the target campaigns without asking first, and says by whose order', () => {
  const core = new LoneCore({ voters: THREE }).step(appendRequest({ term: 1, terms: [1] }));
  core.takeAll();
  const [from, to] = ['b' as NodeId, 'a' as NodeId];
  core.step({ type: 'timeoutNowRequest', from, to, term: 1 as Term });
  assert.equal(core.raft.role, 'candidate');
  assert.deepEqual(
    core.take('voteRequest').map(({ term, transfer }) => [term, transfer]),
    [
      [2, true],
      [2, true],
    ],
  );
});

test('[RAFT-79] 3.10: the target asks for votes only with its log durable', () => {
  const core = new LoneCore({ voters: THREE });
  core.diskHeld = true;
  core.step(appendRequest({ term: 1, terms: [1] }));
  const [from, to] = ['b' as NodeId, 'a' as NodeId];
  core.step({ type: 'timeoutNowRequest', from, to, term: 1 as Term });
  assert.deepEqual(core.take('voteRequest'), []);
  core.releaseDisk();
  assert.deepEqual(
    core.take('voteRequest').map(({ lastIndex }) => lastIndex),
    [1, 1],
  );
});

test('[RAFT-79] 3.10: an order to campaign from an earlier term is ignored', () => {
  const core = new LoneCore({ voters: THREE }).step(appendRequest({ term: 2 }));
  const [from, to] = ['b' as NodeId, 'a' as NodeId];
  core.step({ type: 'timeoutNowRequest', from, to, term: 1 as Term });
  assert.equal(core.raft.role, 'follower');
});
