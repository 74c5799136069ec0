/** Every role meets every message, of its own term, of an earlier and of a later one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Raft } from '../../../src/raft/index.ts';
import type { Message, Role } from '../../../src/raft/index.ts';
import {
  A,
  B,
  C,
  ELECTION_TICKS,
  at,
  clusterOf,
  drain,
  fresh,
  inTerm,
  newLeader,
  optionsOf,
  sentBy,
  snapshotAt,
  tickTimes,
} from './fixtures.ts';

const ABC = clusterOf('a', 'b', 'c');
const TERM = 5;

function inRole(role: Role): Raft {
  const recovered = { ...fresh(ABC), metadata: { term: inTerm(TERM), votedFor: C } };
  const raft = new Raft(optionsOf(A), recovered);
  switch (role) {
    case 'follower':
      raft.step({ ...heartbeat, term: inTerm(TERM) });
      break;
    case 'preCandidate':
      tickTimes(raft, ELECTION_TICKS);
      break;
    case 'candidate':
    case 'leader':
      // Elected in the term of the test by starting one term below it.
      return elected(role);
  }
  drain(raft);
  assert.equal(raft.role, role);
  return raft;
}

function elected(role: 'candidate' | 'leader'): Raft {
  const recovered = { ...fresh(ABC), metadata: { term: inTerm(TERM - 1), votedFor: undefined } };
  const raft = new Raft(optionsOf(A), recovered);
  tickTimes(raft, ELECTION_TICKS);
  const answer = { from: B, to: A, term: inTerm(TERM), granted: true } as const;
  raft.step({ type: 'preVoteResponse', ...answer });
  drain(raft);
  if (role === 'leader') raft.step({ type: 'voteResponse', ...answer });
  drain(raft);
  assert.deepEqual([raft.role, raft.term], [role, TERM]);
  return raft;
}

const base = { from: B, to: A, term: inTerm(TERM) } as const;
const last = { lastIndex: at(0), lastTerm: inTerm(0) };
const snapshot = snapshotAt(3, 1, ABC);
const heartbeat = { type: 'heartbeatRequest', ...base, round: 1, commit: at(0) } as const;

const messages: { readonly [T in Message['type']]: Extract<Message, { type: T }> } = {
  preVoteRequest: { type: 'preVoteRequest', ...base, ...last },
  preVoteResponse: { type: 'preVoteResponse', ...base, granted: false },
  voteRequest: { type: 'voteRequest', ...base, ...last, transfer: false },
  voteResponse: { type: 'voteResponse', ...base, granted: false },
  appendRequest: {
    type: 'appendRequest',
    ...base,
    round: 1,
    prevIndex: at(0),
    prevTerm: inTerm(0),
    commit: at(0),
    entries: [],
  },
  appendResponse: {
    type: 'appendResponse',
    ...base,
    round: 1,
    prevIndex: at(0),
    result: { type: 'accepted', matchIndex: at(0) },
  },
  heartbeatRequest: heartbeat,
  heartbeatResponse: { type: 'heartbeatResponse', ...base, round: 1 },
  snapshotChunkRequest: {
    type: 'snapshotChunkRequest',
    ...base,
    snapshot,
    offset: 0,
    data: new Uint8Array(1),
    last: false,
  },
  snapshotChunkResponse: {
    type: 'snapshotChunkResponse',
    ...base,
    snapshotIndex: at(0),
    nextOffset: 0,
    installed: false,
  },
  timeoutNowRequest: { type: 'timeoutNowRequest', ...base },
  readIndexRequest: { type: 'readIndexRequest', ...base, context: 9 },
  readIndexResponse: { type: 'readIndexResponse', ...base, context: 9, index: at(0) },
};
const types = Object.keys(messages) as Message['type'][];
const roles: readonly Role[] = ['follower', 'preCandidate', 'candidate', 'leader'];

/** What is answered or done, and the role afterwards; '-': ignored. */
type Reaction = string;

function react(raft: Raft, message: Message): Reaction {
  const before = raft.role;
  raft.step(message);
  const outputs = drain(raft);
  const sent = sentBy(outputs).map(({ type }) => type);
  const chunks = outputs.flatMap(({ snapshotChunks }) => snapshotChunks).map(() => 'staged');
  const role = raft.role === before ? [] : [raft.role];
  return [...sent, ...chunks, ...role].join(' ') || '-';
}

const sameTerm: Readonly<Record<Message['type'], readonly Reaction[]>> = {
  preVoteRequest: ['preVoteResponse', 'preVoteResponse', 'preVoteResponse', 'preVoteResponse'],
  preVoteResponse: ['-', '-', '-', '-'],
  voteRequest: ['voteResponse', 'voteResponse', 'voteResponse', 'voteResponse'],
  voteResponse: ['-', '-', '-', '-'],
  appendRequest: ['appendResponse', 'appendResponse follower', 'appendResponse follower', '!'],
  appendResponse: ['-', '-', '-', 'appendRequest'],
  heartbeatRequest: [
    'heartbeatResponse',
    'heartbeatResponse follower',
    'heartbeatResponse follower',
    '!',
  ],
  heartbeatResponse: ['-', '-', '-', 'appendRequest'],
  snapshotChunkRequest: ['staged', 'staged follower', 'staged follower', '!'],
  snapshotChunkResponse: ['-', '-', '-', '-'],
  timeoutNowRequest: [
    'voteRequest voteRequest candidate',
    'voteRequest voteRequest candidate',
    'voteRequest voteRequest',
    '-',
  ],
  readIndexRequest: ['readIndexResponse', 'readIndexResponse', 'readIndexResponse', '-'],
  readIndexResponse: ['-', '-', '-', '-'],
};

for (const type of types) {
  roles.forEach((role, i) => {
    const expected = sameTerm[type][i]!;
    const title = expected === '!' ? 'breaks an invariant: two leaders' : expected;
    test(`[RAFT-13] ${role} meets ${type} of its term: ${title}`, () => {
      const raft = inRole(role);
      if (expected === '!') assert.throws(() => raft.step(messages[type]), /one leader a term/);
      else assert.equal(react(raft, messages[type]), expected);
    });
  });
}

const ANSWERED_WHEN_OLD: Partial<Record<Message['type'], Message['type']>> = {
  preVoteRequest: 'preVoteResponse',
  voteRequest: 'voteResponse',
  appendRequest: 'appendResponse',
  heartbeatRequest: 'heartbeatResponse',
  snapshotChunkRequest: 'snapshotChunkResponse',
  readIndexRequest: 'readIndexResponse',
};

for (const type of types) {
  test(`[RAFT-14] every role answers an old ${type} with its own term, or not at all`, () => {
    for (const role of roles) {
      const raft = inRole(role);
      raft.step({ ...messages[type], term: inTerm(TERM - 1) });
      const sent = sentBy(drain(raft));
      const answer = ANSWERED_WHEN_OLD[type];
      assert.deepEqual(
        sent.map((message) => message.type),
        answer === undefined ? [] : [answer],
      );
      for (const message of sent) assert.equal(message.term, TERM);
      assert.deepEqual([raft.role, raft.term], [role, TERM]);
    }
  });
}

test('[RAFT-14] a message of a later term makes a follower of it, unless it disturbs', () => {
  for (const type of types) {
    for (const role of roles) {
      const raft = inRole(role);
      raft.step({ ...messages[type], term: inTerm(TERM + 3) });
      const disturbs = type === 'voteRequest' && (role === 'follower' || role === 'leader');
      const stays = type === 'preVoteRequest' || disturbs;
      assert.equal(raft.term, stays ? TERM : type === 'timeoutNowRequest' ? TERM + 4 : TERM + 3);
      if (!stays && type !== 'timeoutNowRequest') assert.equal(raft.role, 'follower');
    }
  }
});

test('[RAFT-14] messages for others, from itself and replies of strangers change nothing', () => {
  for (const type of types) {
    const raft = newLeader(ABC);
    const later = { ...messages[type], term: inTerm(9) };
    raft.step({ ...later, to: C });
    raft.step({ ...later, from: A });
    if (type.endsWith('Response') && type !== 'readIndexResponse') {
      raft.step({ ...later, from: 'stranger' as never });
    }
    assert.deepEqual([raft.role, raft.term], ['leader', 1]);
    assert.deepEqual(sentBy(drain(raft)), []);
  }
});
