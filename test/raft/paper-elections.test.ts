/** Rules of terms and elections: Raft paper 5.1, 5.2, 5.4.1; thesis 4.2.3 and 9.6. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message, NodeId, Term } from '../../src/raft/index.ts';
import {
  ELECTION_TICKS,
  HEARTBEAT_TICKS,
  LoneCore,
  appendRequest,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  preVoteRequest,
  voteRequest,
  voteResponse,
} from './lone-core.ts';

const THREE = ['a', 'b', 'c'];
const FIVE = ['a', 'b', 'c', 'd', 'e'];

/** A core in each role, in term 3. */
const ROLES: Readonly<Record<string, () => LoneCore>> = {
  follower: () => new LoneCore({ voters: THREE, log: [1], term: 3 }),
  preCandidate: () => new LoneCore({ voters: THREE, log: [1], term: 3 }).tick(ELECTION_TICKS),
  candidate: () => new LoneCore({ voters: THREE, log: [1], term: 2 }).campaign(),
  leader: () => new LoneCore({ voters: THREE, log: [1], term: 2 }).lead(),
};

/** Messages of a later term that bind whoever receives them. */
const LATER: readonly Message[] = [
  appendRequest({ term: 9, prevIndex: 1, prevTerm: 1 }),
  heartbeat('b', 9),
  voteResponse('b', 9, false),
  appendResponse({ from: 'b', term: 9, matchIndex: 0 }),
  heartbeatResponse('b', 9, 1),
  {
    type: 'preVoteResponse',
    from: 'b' as NodeId,
    to: 'a' as NodeId,
    term: 9 as Term,
    granted: false,
  },
];

for (const [role, make] of Object.entries(ROLES)) {
  for (const message of LATER) {
    test(`[RAFT-50] 5.1: a ${role} takes a later term from ${message.type}, and follows`, () => {
      const core = make();
      assert.equal(core.raft.role, role);
      core.step(message);
      assert.equal(core.raft.term, 9);
      assert.equal(core.raft.role, 'follower');
    });
  }

  test(`[RAFT-51] 5.1: a ${role} refuses what comes from an earlier term`, () => {
    const core = make();
    core.takeAll();
    core.step(appendRequest({ term: 2, prevIndex: 1, prevTerm: 1, terms: [2] }));
    assert.deepEqual(
      core.written.filter((entry) => entry.term === 2),
      [],
    );
    assert.equal(core.raft.role, role);
    for (const answer of core.takeAll()) assert.ok(answer.term >= 3, 'the later term is told');
    core.step(voteRequest('b', 2, 9, 2));
    for (const answer of core.take('voteResponse')) assert.equal(answer.granted, false);
    assert.equal(core.raft.status().term, 3);
  });
}

test('[RAFT-52] 5.1: replies of an earlier term change nothing', () => {
  const core = new LoneCore({ voters: THREE, log: [1], term: 2 }).lead();
  const commit = core.raft.commitIndex;
  core.step(appendResponse({ from: 'b', term: 2, matchIndex: 2 }));
  core.step(appendResponse({ from: 'c', term: 2, matchIndex: 2 }));
  assert.equal(core.raft.commitIndex, commit);
});

test('[RAFT-53] 5.2: a silent leader is given up after one to two election timeouts', () => {
  for (const chance of [0, 0.25, 0.5, 0.999]) {
    const core = new LoneCore({ voters: THREE });
    core.chance = chance;
    // A message of a leader starts the wait that is then measured.
    core.step(appendRequest({ term: 1 }));
    const timeout = ELECTION_TICKS + Math.floor(chance * ELECTION_TICKS);
    core.tick(timeout - 1);
    core.step(heartbeat('b', 1));
    let waited = 0;
    while (core.raft.role === 'follower') {
      core.tick();
      waited++;
    }
    assert.ok(waited >= ELECTION_TICKS && waited < 2 * ELECTION_TICKS, `waited ${waited}`);
  }
});

test('[RAFT-53] 5.2: timeouts differ with chance, so that votes seldom split', () => {
  const waits = [0, 0.5, 0.999].map((chance) => {
    const core = new LoneCore({ voters: THREE });
    core.chance = chance;
    core.step(appendRequest({ term: 1 }));
    let waited = 0;
    while (core.raft.role === 'follower') {
      core.tick();
      waited++;
    }
    return waited;
  });
  assert.equal(new Set(waits).size, 3);
});

test('[RAFT-54] 5.2: a candidate votes for itself in the next term and asks everyone else', () => {
  const core = new LoneCore({ voters: FIVE, log: [1, 1], term: 4 }).campaign();
  assert.equal(core.raft.role, 'candidate');
  assert.equal(core.raft.term, 5);
  assert.equal(core.raft.status().votedFor, 'a');
  const requests = core.take('voteRequest');
  assert.deepEqual(
    requests.map(({ to, term, lastIndex, lastTerm }) => [to, term, lastIndex, lastTerm]),
    ['b', 'c', 'd', 'e'].map((to) => [to, 5, 2, 1]),
  );
});

test('[RAFT-54] 5.2: nobody is asked for a vote before the own one is durable', () => {
  const core = new LoneCore({ voters: THREE, log: [1] }).tick(2 * ELECTION_TICKS);
  core.diskHeld = true;
  core.campaign();
  assert.equal(core.raft.role, 'candidate');
  assert.deepEqual(core.take('voteRequest'), []);
  core.releaseDisk();
  assert.equal(core.take('voteRequest').length, 2);
});

test('[RAFT-54] 5.2: the own vote counts only once it is durable', () => {
  const core = new LoneCore({ voters: ['a'] });
  core.diskHeld = true;
  core.tick(2 * ELECTION_TICKS);
  assert.notEqual(core.raft.role, 'leader');
  core.releaseDisk();
  assert.equal(core.raft.role, 'leader');
});

test('[RAFT-55] 5.2: one vote a term, first come first served, repeated to who has it', () => {
  const core = new LoneCore({ voters: THREE, term: 1 }).step(voteRequest('b', 2, 0, 0));
  assert.equal(core.take('voteResponse')[0]?.granted, true);
  core.step(voteRequest('c', 2, 5, 1));
  assert.equal(core.take('voteResponse')[0]?.granted, false);
  core.step(voteRequest('b', 2, 0, 0));
  assert.equal(core.take('voteResponse')[0]?.granted, true);
  core.step(voteRequest('c', 3, 0, 0));
  assert.equal(core.take('voteResponse')[0]?.granted, true);
});

test('[RAFT-55] 5.2: a vote survives a restart', () => {
  const core = new LoneCore({ voters: THREE, term: 2, votedFor: 'b' });
  core.step(voteRequest('c', 2, 0, 0));
  assert.equal(core.take('voteResponse')[0]?.granted, false);
  core.step(voteRequest('b', 2, 0, 0));
  assert.equal(core.take('voteResponse')[0]?.granted, true);
});

test('[RAFT-55] 5.2: a vote leaves only when it is durable', () => {
  const core = new LoneCore({ voters: THREE, term: 1 });
  core.diskHeld = true;
  core.step(voteRequest('b', 2, 0, 0));
  assert.deepEqual(core.take('voteResponse'), []);
  core.releaseDisk();
  assert.equal(core.take('voteResponse')[0]?.granted, true);
});

test('[RAFT-55] 5.2: falling back to follower in the same term keeps the vote', () => {
  const core = new LoneCore({ voters: THREE, log: [1], term: 1 }).campaign();
  core.step(appendRequest({ term: 2, prevIndex: 1, prevTerm: 1 }));
  assert.equal(core.raft.role, 'follower');
  assert.equal(core.raft.status().votedFor, 'a');
});

/** How many votes win: voters, granted besides the own one, whether that wins. */
const MAJORITIES: readonly (readonly [number, number, boolean])[] = [
  [2, 0, false],
  [2, 1, true],
  [3, 0, false],
  [3, 1, true],
  [4, 1, false],
  [4, 2, true],
  [5, 1, false],
  [5, 2, true],
  [6, 2, false],
  [6, 3, true],
  [7, 2, false],
  [7, 3, true],
  [8, 3, false],
  [8, 4, true],
  [9, 3, false],
  [9, 4, true],
];

for (const [size, votes, wins] of MAJORITIES) {
  test(`[RAFT-56] 5.2: ${votes + 1} of ${size} votes ${wins ? 'win' : 'do not win'}`, () => {
    const voters = 'abcdefghi'.split('').slice(0, size);
    const core = new LoneCore({ voters }).campaign();
    for (const from of voters.slice(1, votes + 1)) core.step(voteResponse(from, 1, true));
    assert.equal(core.raft.role === 'leader', wins);
  });
}

test('[RAFT-56] 5.2: one node alone elects itself', () => {
  const core = new LoneCore({ voters: ['a'] }).tick(2 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'leader');
});

test('[RAFT-57] 5.2: a candidate yields to a leader of its own term, not of an earlier one', () => {
  const core = new LoneCore({ voters: THREE, log: [1], term: 1 }).campaign();
  core.step(appendRequest({ term: 1, prevIndex: 1, prevTerm: 1 }));
  assert.equal(core.raft.role, 'candidate');
  core.step(heartbeat('c', 2));
  assert.equal(core.raft.role, 'follower');
  assert.equal(core.raft.leader, 'c');
});

test('[RAFT-57] 5.2: a candidate whose election fails tries again in a later term', () => {
  const core = new LoneCore({ voters: THREE }).campaign();
  core.take('voteRequest');
  core.tick(2 * ELECTION_TICKS);
  core.campaign();
  const again = core.take('preVoteRequest').length + core.take('voteRequest').length;
  assert.ok(again > 0 || core.raft.term > 1);
});

test('[RAFT-58] 5.2: votes of an earlier term, of strangers and repeated ones do not count', () => {
  const core = new LoneCore({ voters: FIVE, term: 3 }).campaign();
  core.step(voteResponse('b', 3, true)).step(voteResponse('c', 3, true));
  assert.equal(core.raft.role, 'candidate');
  core.step(voteResponse('b', 4, true)).step(voteResponse('b', 4, true));
  core.step(voteResponse('b', 4, true)).step(voteResponse('x', 4, true));
  assert.equal(core.raft.role, 'candidate');
  core.step(voteResponse('c', 4, true));
  assert.equal(core.raft.role, 'leader');
});

test('[RAFT-58] 5.2: a candidate refused by a majority does not lead', () => {
  const core = new LoneCore({ voters: THREE }).campaign();
  core.step(voteResponse('b', 1, false)).step(voteResponse('c', 1, false));
  assert.notEqual(core.raft.role, 'leader');
  core.step(voteResponse('b', 1, true));
  assert.notEqual(core.raft.role, 'leader');
});

test('[RAFT-59] 5.2: a leader is heard at once and then every heartbeat', () => {
  const core = new LoneCore({ voters: THREE }).campaign();
  core.takeAll();
  core.step(voteResponse('b', 1, true));
  const told = core.takeAll().filter(({ type }) => type === 'appendRequest');
  assert.deepEqual(told.map(({ to }) => to).toSorted(), ['b', 'c']);
  core.accept('b', 1).accept('c', 1).takeAll();
  core.tick(HEARTBEAT_TICKS);
  const beats = core.takeAll().filter(({ type }) => /appendRequest|heartbeatRequest/.test(type));
  assert.deepEqual(beats.map(({ to }) => to).toSorted(), ['b', 'c']);
});

/** Own log, candidate's last index and term, whether it may have the vote. */
const UP_TO_DATE: readonly (readonly [readonly number[], number, number, boolean])[] = [
  [[], 0, 0, true],
  [[1], 0, 0, false],
  [[1], 1, 1, true],
  [[1, 1], 1, 1, false],
  [[1, 1], 3, 1, true],
  [[1, 1, 1], 1, 2, true],
  [[1, 2], 5, 1, false],
  [[1, 2], 2, 2, true],
  [[1, 2], 1, 3, true],
];

for (const [log, lastIndex, lastTerm, granted] of UP_TO_DATE) {
  const verb = granted ? 'gets' : 'does not get';
  const title = `last ${lastIndex}/${lastTerm} ${verb} the vote of log [${log.join(' ')}]`;
  test(`[RAFT-66] 5.4.1: ${title}`, () => {
    const core = new LoneCore({ voters: THREE, log, term: 5 });
    core.step(voteRequest('b', 6, lastIndex, lastTerm));
    assert.equal(core.take('voteResponse')[0]?.granted, granted);
    assert.equal(core.raft.status().votedFor, granted ? 'b' : undefined);
  });

  test(`[RAFT-82] 9.6: ${title}, and likewise the pre-vote`, () => {
    const core = new LoneCore({ voters: THREE, log, term: 5 });
    core.step(preVoteRequest('b', 6, lastIndex, lastTerm));
    assert.equal(core.take('preVoteResponse')[0]?.granted, granted);
  });
}

test('[RAFT-82] 9.6: asking and answering before an election changes neither term nor vote', () => {
  const asking = new LoneCore({ voters: THREE, log: [1], term: 5 }).tick(2 * ELECTION_TICKS);
  assert.equal(asking.raft.role, 'preCandidate');
  assert.equal(asking.raft.term, 5);
  assert.equal(asking.take('preVoteRequest')[0]?.term, 6);
  const answering = new LoneCore({ voters: THREE, log: [1], term: 5, votedFor: 'c' });
  answering.step(preVoteRequest('b', 6, 1, 1));
  assert.equal(answering.take('preVoteResponse')[0]?.granted, true);
  assert.equal(answering.raft.term, 5);
  assert.equal(answering.raft.status().votedFor, 'c');
});

test('[RAFT-82] 9.6: a pre-vote is not a vote, and a late one wins nothing', () => {
  const core = new LoneCore({ voters: FIVE, term: 1 }).campaign();
  assert.equal(core.raft.role, 'candidate');
  for (const from of ['b', 'c', 'd', 'e']) {
    const [sender, to] = [from as NodeId, 'a' as NodeId];
    core.step({ type: 'preVoteResponse', from: sender, to, term: 2 as Term, granted: true });
  }
  assert.equal(core.raft.role, 'candidate');
});

test('[RAFT-82] 9.6: grants that come late do nothing to a node that follows again', () => {
  const core = new LoneCore({ voters: THREE, term: 1 }).tick(2 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'preCandidate');
  core.step(heartbeat('b', 1));
  for (const from of ['b', 'c'] as NodeId[]) {
    core.step({ type: 'preVoteResponse', from, to: core.id, term: 2 as Term, granted: true });
  }
  assert.equal(core.raft.role, 'follower');
  assert.equal(core.raft.leader, 'b');
  assert.equal(core.raft.term, 1);
});

test('[RAFT-82] 9.6: a pre-vote at an earlier term is answered with the later one', () => {
  const core = new LoneCore({ voters: THREE, term: 7 }).tick(1);
  core.takeAll();
  core.step(preVoteRequest('b', 3, 9, 2));
  const [answer] = core.take('preVoteResponse');
  assert.equal(answer?.granted, false);
  assert.equal(answer?.term, 7);
});

test('[RAFT-82] 9.6: the own pre-vote counts though a leader was heard of before', () => {
  const core = new LoneCore({ voters: THREE }).step(appendRequest({ term: 1 }));
  core.tick(2 * ELECTION_TICKS);
  assert.equal(core.raft.role, 'preCandidate');
  const [from, to] = ['c' as NodeId, 'a' as NodeId];
  core.step({ type: 'preVoteResponse', from, to, term: 2 as Term, granted: true });
  assert.equal(core.raft.role, 'candidate');
});

test('[RAFT-80] 4.2.3: who hears a leader withholds votes and pre-votes and keeps its term', () => {
  const core = new LoneCore({ voters: THREE, term: 1 }).step(appendRequest({ term: 2 }));
  core.tick(ELECTION_TICKS - 1);
  core.takeAll();
  core.step(voteRequest('c', 9, 99, 8));
  assert.deepEqual(
    core.take('voteResponse').filter(({ granted }) => granted),
    [],
  );
  assert.equal(core.raft.term, 2);
  core.step(preVoteRequest('c', 9, 99, 8));
  assert.deepEqual(
    core.take('preVoteResponse').filter(({ granted }) => granted),
    [],
  );
  core.step(voteRequest('c', 9, 99, 8, true));
  assert.equal(core.take('voteResponse')[0]?.granted, true, 'a transfer is no disturbance');
});

test('[RAFT-80] 4.2.3: once the leader is silent for an election timeout, votes are given', () => {
  const core = new LoneCore({ voters: THREE, term: 1 });
  core.chance = 0.999;
  core.step(appendRequest({ term: 2 })).tick(ELECTION_TICKS);
  core.step(voteRequest('c', 3, 99, 2));
  assert.equal(core.take('voteResponse')[0]?.granted, true);
});

test('[RAFT-80] 4.2.3: a leader withholds votes while a quorum follows it', () => {
  const core = new LoneCore({ voters: THREE }).lead();
  core.accept('b', 1, 1).accept('c', 1, 1).takeAll();
  core.step(voteRequest('c', 5, 99, 4));
  assert.deepEqual(
    core.take('voteResponse').filter(({ granted }) => granted),
    [],
  );
  assert.equal(core.raft.role, 'leader');
});

test('[RAFT-83] 6.2: a leader that hears no quorum for an election timeout steps down', () => {
  const core = new LoneCore({ voters: FIVE }).lead();
  core.accept('b', 1).accept('c', 1);
  for (let i = 0; i < 4 * ELECTION_TICKS && core.raft.role === 'leader'; i++) core.tick();
  assert.equal(core.raft.role, 'follower');
  assert.equal(core.raft.leader, undefined);
});

test('[RAFT-83] 6.2: a leader that hears half of the others, of five, stays', () => {
  const core = new LoneCore({ voters: FIVE }).lead();
  for (let i = 0; i < 4 * ELECTION_TICKS; i++) {
    core.tick();
    for (const { to, round } of core.take('heartbeatRequest')) {
      if (to === 'b' || to === 'c') core.step(heartbeatResponse(to, core.raft.term, round));
    }
  }
  assert.equal(core.raft.role, 'leader');
});
