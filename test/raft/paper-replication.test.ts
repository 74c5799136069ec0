/** Rules of log replication: Raft paper 5.3, 5.4.2, 5.5. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex } from '../../src/raft/index.ts';
import {
  HEARTBEAT_TICKS,
  LoneCore,
  appendRejection,
  appendRequest,
  appendResponse,
  heartbeat,
  heartbeatResponse,
} from './lone-core.ts';

const THREE = ['a', 'b', 'c'];

function termsOf(term: number, count: number): number[] {
  return Array.from({ length: count }, () => term);
}

test('[RAFT-60] 5.3: a command is appended, sent to all, and committed on a majority', () => {
  const core = new LoneCore({ voters: THREE }).lead();
  core.accept('b', 1).accept('c', 1).takeAll();
  core.diskHeld = true;
  assert.deepEqual(core.propose('x', 'y'), {
    type: 'appended',
    firstIndex: 2,
    term: 1,
    count: 2,
  });
  const sent = core.take('appendRequest');
  assert.deepEqual(
    sent.map(({ to, prevIndex, prevTerm, entries }) => [to, prevIndex, prevTerm, entries.length]),
    [
      ['b', 1, 1, 2],
      ['c', 1, 1, 2],
    ],
  );
  core.accept('b', 3);
  assert.equal(core.raft.commitIndex, 1, 'one durable copy of three');
  core.releaseDisk();
  assert.equal(core.raft.commitIndex, 3);
  assert.deepEqual(
    core.committed.map(({ index }) => index),
    [1, 2, 3],
  );
});

/** Cluster size, acknowledgements besides the leader's own, whether that commits. */
const QUORUMS: readonly (readonly [number, number, boolean])[] = [
  [1, 0, true],
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
  [9, 3, false],
  [9, 4, true],
];

for (const [size, acks, commits] of QUORUMS) {
  test(`[RAFT-60] 5.3: ${acks + 1} copies of ${size} ${commits ? 'commit' : 'do not'}`, () => {
    const voters = 'abcdefghi'.split('').slice(0, size);
    const core = new LoneCore({ voters });
    if (size === 1) core.tick(20);
    else core.lead();
    // Later nodes first: the order of acknowledgements does not matter.
    for (const from of voters.slice(1).toReversed().slice(0, acks)) core.accept(from, 1);
    assert.equal(core.raft.commitIndex === 1, commits);
  });
}

/** The paper's consistency check: own log, previous index and term, whether it is accepted. */
const CHECKS: readonly (readonly [readonly number[], number, number, boolean])[] = [
  [[], 0, 0, true],
  [[1, 2], 0, 0, true],
  [[1, 2], 1, 1, true],
  [[1, 2], 2, 2, true],
  [[1, 2], 1, 2, false],
  [[1, 2], 2, 1, false],
  [[1, 2], 3, 3, false],
  [[], 1, 1, false],
];

for (const [log, prevIndex, prevTerm, accepted] of CHECKS) {
  const verb = accepted ? 'takes' : 'refuses';
  test(`[RAFT-61] 5.3: [${log.join(' ')}] ${verb} what follows ${prevIndex}/${prevTerm}`, () => {
    const core = new LoneCore({ voters: THREE, log, term: 4 });
    core.step(appendRequest({ term: 4, prevIndex, prevTerm, terms: [4] }));
    const [answer] = core.take('appendResponse');
    assert.equal(answer?.result.type, accepted ? 'accepted' : 'rejected');
    assert.equal(core.written.length, accepted ? 1 : 0);
    if (answer?.result.type === 'accepted') {
      assert.equal(answer.result.matchIndex, prevIndex + 1);
    }
  });
}

test('[RAFT-61] 5.3: an acknowledgement leaves only when the entries are durable', () => {
  const core = new LoneCore({ voters: THREE });
  core.diskHeld = true;
  core.step(appendRequest({ term: 1, terms: [1] }));
  assert.deepEqual(core.take('appendResponse'), []);
  core.releaseDisk();
  assert.equal(core.take('appendResponse').length, 1);
});

/** Own log, what is sent after an index, the log then, what had to be truncated. */
const MERGES: readonly {
  readonly title: string;
  readonly log: readonly number[];
  readonly after: readonly [number, number];
  readonly terms: readonly number[];
  readonly result: readonly number[];
  readonly truncated: readonly number[];
}[] = [
  {
    title: 'new entries are appended',
    log: [1, 2],
    after: [2, 2],
    terms: [3, 3],
    result: [1, 2, 3, 3],
    truncated: [],
  },
  {
    title: 'entries already there stay, and so does what follows them',
    log: [1, 2, 2, 2],
    after: [1, 1],
    terms: [2],
    result: [1, 2, 2, 2],
    truncated: [],
  },
  {
    title: 'an append without entries truncates nothing',
    log: [1, 2, 2],
    after: [1, 1],
    terms: [],
    result: [1, 2, 2],
    truncated: [],
  },
  {
    title: 'a conflicting entry goes with all that follow',
    log: [1, 2, 2, 2],
    after: [1, 1],
    terms: [3],
    result: [1, 3],
    truncated: [2],
  },
  {
    title: 'only from the conflict on',
    log: [1, 2, 2, 2],
    after: [1, 1],
    terms: [2, 3, 3],
    result: [1, 2, 3, 3],
    truncated: [3],
  },
];

for (const { title, log, after, terms, result, truncated } of MERGES) {
  test(`[RAFT-62] 5.3: ${title}`, () => {
    const core = new LoneCore({ voters: THREE, log, term: 4 });
    const [prevIndex, prevTerm] = after;
    core.step(appendRequest({ term: 4, prevIndex, prevTerm, terms }));
    const { lastIndex } = core.raft.status();
    const now = Array.from({ length: lastIndex }, (_, i) => core.raft.termAt((i + 1) as never));
    assert.deepEqual(now, result);
    assert.deepEqual(core.truncations, truncated);
  });
}

/** The leader's commit index, the follower's after an append of two entries after 1/1. */
const COMMITS: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 1],
  [3, 3],
  [99, 3],
];

for (const [told, expected] of COMMITS) {
  test(`[RAFT-63] 5.3: told that ${told} is committed, a follower commits ${expected}`, () => {
    // Its own log reaches further, but only what the append verified counts.
    const core = new LoneCore({ voters: THREE, log: [1, 2, 2, 2, 2], term: 3 });
    const terms = [2, 2];
    core.step(appendRequest({ term: 3, prevIndex: 1, prevTerm: 1, terms, commit: told }));
    assert.equal(core.raft.commitIndex, expected);
    assert.deepEqual(
      core.committed.map(({ index }) => index),
      Array.from({ length: expected }, (_, i) => i + 1),
    );
  });
}

test('[RAFT-63] 5.3: a heartbeat commits only what its leader has verified in this log', () => {
  // A wiped disk was filled by a leader of an earlier term; the new one counts on the lost disk.
  const core = new LoneCore({ voters: THREE, storeId: 'another' });
  core.step(appendRequest({ from: 'c', term: 1, terms: [1, 1] }));
  core.step({ ...heartbeat('b', 2), commit: 2 as LogIndex });
  assert.equal(core.raft.commitIndex, 0);
  core.step(appendRequest({ from: 'b', term: 2, terms: [1, 2] }));
  core.step({ ...heartbeat('b', 2), commit: 2 as LogIndex });
  assert.equal(core.raft.commitIndex, 2);
});

test('[RAFT-63] 5.3: the commit index never goes back', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1], term: 1 });
  core.step(appendRequest({ term: 1, prevIndex: 2, prevTerm: 1, commit: 2 }));
  core.step(appendRequest({ term: 1, prevIndex: 1, prevTerm: 1, commit: 1 }));
  assert.equal(core.raft.commitIndex, 2);
  assert.equal(core.committed.length, 2);
});

test('[RAFT-64] 5.3: a refusal names where the logs may agree, past a whole term at a time', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 2, 2, 2, 3, 3, 3], term: 5 });
  core.step(appendRequest({ term: 5, prevIndex: 20, prevTerm: 5 }));
  const [short] = core.take('appendResponse');
  assert.deepEqual(short?.result, { type: 'rejected', hintIndex: 8, hintTerm: 3 });
  core.step(appendRequest({ term: 5, prevIndex: 8, prevTerm: 2 }));
  const [conflict] = core.take('appendResponse');
  assert.deepEqual(conflict?.result, { type: 'rejected', hintIndex: 5, hintTerm: 2 });
});

test('[RAFT-64] 5.3: logs that part by many entries are matched in a few rounds', () => {
  const leader = new LoneCore({ voters: THREE, log: [1, ...termsOf(2, 300), ...termsOf(5, 300)] });
  const log = [1, ...termsOf(3, 300), ...termsOf(4, 300)];
  const follower = new LoneCore({ voters: ['a', 'b', 'c'], log, term: 5 });
  leader.campaign();
  leader.step({
    type: 'voteResponse',
    from: 'b' as never,
    to: 'a' as never,
    term: leader.raft.term,
    granted: true,
  });
  let refusals = 0;
  for (let rounds = 0; rounds < 50; rounds++) {
    for (const request of leader.take('appendRequest').filter(({ to }) => to === 'c')) {
      follower.step({ ...request, from: 'c' as never, to: 'a' as never });
      for (const answer of follower.take('appendResponse')) {
        if (answer.result.type === 'rejected') refusals++;
        leader.step({ ...answer, from: 'c' as never, to: 'a' as never });
      }
    }
  }
  assert.equal(follower.raft.status().lastIndex, leader.raft.status().lastIndex);
  assert.ok(refusals <= 4, `${refusals} refusals`);
});

test('[RAFT-65] 5.3: a refused leader goes back and sends what is missing', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 2] }).lead();
  core.takeAll();
  core.step(appendRejection({ from: 'b', term: 3, prevIndex: 3, hintIndex: 1, hintTerm: 1 }));
  const [again] = core.take('appendRequest');
  assert.equal(again?.prevIndex, 1);
  const [first] = again?.entries ?? [];
  assert.deepEqual([first?.index, first?.term], [2, 1]);
});

test('[RAFT-65] 5.3: a stale refusal or acknowledgement does not undo what is known', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 1, 1] }).lead();
  core.accept('b', 4);
  const before = core.raft.status().progress['b' as never]!;
  assert.equal(before.match, 4);
  core.step(appendRejection({ from: 'b', term: 2, prevIndex: 3, hintIndex: 0, hintTerm: 0 }));
  core.step(appendResponse({ from: 'b', term: 2, matchIndex: 2 }));
  const after = core.raft.status().progress['b' as never]!;
  assert.deepEqual([after.match, after.next, after.state], [4, 5, 'replicate']);
});

test('[RAFT-65] 5.3: acknowledged is what was sent, not what the follower has besides', () => {
  // The follower's own tail of an older term reaches further than the append.
  const core = new LoneCore({ voters: THREE, log: [1, 1, 1, 1, 1], term: 3 });
  core.step(appendRequest({ term: 3, prevIndex: 1, prevTerm: 1, terms: [1] }));
  const [answer] = core.take('appendResponse');
  assert.deepEqual(answer?.result, { type: 'accepted', matchIndex: 2 });
});

test('[RAFT-67] 5.4.2: an entry of an earlier term is not committed by counting copies', () => {
  const core = new LoneCore({ voters: THREE, log: [1, 2, 2] }).lead();
  core.accept('b', 3).accept('c', 3);
  assert.equal(core.raft.commitIndex, 0);
  core.accept('b', 4);
  assert.equal(core.raft.commitIndex, 4);
});

test('[RAFT-68] 5.5: a follower that does not answer is tried again for ever', () => {
  const core = new LoneCore({ voters: THREE }).lead();
  core.accept('b', 1).takeAll();
  core.propose('x');
  core.accept('b', 2).takeAll();
  for (let i = 0; i < 30; i++) {
    core.tick(HEARTBEAT_TICKS);
    const beats = core.takeAll();
    const toC = beats.filter(({ to }) => to === 'c');
    assert.ok(toC.length > 0, 'c is not given up');
    for (const beat of beats) {
      if (beat.to === 'b' && beat.type === 'heartbeatRequest') {
        core.step(heartbeatResponse('b', 1, beat.round));
      }
    }
  }
  // c is back and answers: it gets everything.
  core.step(heartbeatResponse('c', 1, 1));
  core.tick(HEARTBEAT_TICKS);
  const appends = core.takeAll().filter((m) => m.type === 'appendRequest' && m.to === 'c');
  assert.ok(appends.length > 0);
});

test('[RAFT-68] 5.5: the same append twice does what it does once', () => {
  const core = new LoneCore({ voters: THREE });
  const request = appendRequest({ term: 1, terms: [1, 1], commit: 1 });
  core.step(request).step(request);
  assert.equal(core.written.length, 2);
  assert.equal(core.committed.length, 1);
  assert.deepEqual(core.truncations, []);
  for (const { result } of core.take('appendResponse')) {
    assert.deepEqual(result, { type: 'accepted', matchIndex: 2 });
  }
});
