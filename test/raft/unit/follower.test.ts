/** Promises a follower keeps, snapshots it receives, and reads it passes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Raft, encodeMembership, makeEntry } from '../../../src/raft/index.ts';
import type {
  Message,
  Output,
  RaftOptions,
  SnapshotChunkRequest,
} from '../../../src/raft/index.ts';
import { finalStep, firstStep } from '../../../src/raft/membership.ts';
import {
  A,
  B,
  C,
  ELECTION_TICKS,
  at,
  clusterOf,
  command,
  drain,
  fresh,
  ids,
  inTerm,
  membersOf,
  optionsOf,
  sentBy,
  snapshotAt,
  tickTimes,
} from './fixtures.ts';

const ABC = clusterOf('a', 'b', 'c');

function follower(changed: Partial<RaftOptions> = {}): Raft {
  return new Raft(optionsOf(A, changed), fresh(ABC));
}

const fromB = { from: B, to: A, term: inTerm(1) } as const;
const beat = { type: 'heartbeatRequest', ...fromB, round: 1, commit: at(0) } as const;

function append(prev: number, ...terms: number[]): Message {
  const entries = terms.map((term, i) => command(prev + 1 + i, term));
  const prevTerm = inTerm(prev === 0 ? 0 : 1);
  const request = { type: 'appendRequest', ...fromB, round: 1, commit: at(0) } as const;
  return { ...request, prevIndex: at(prev), prevTerm, entries };
}

function voteRequest(term: number, transfer = false): Message {
  const log = { lastIndex: at(9), lastTerm: inTerm(9) };
  return { type: 'voteRequest', from: C, to: A, term: inTerm(term), ...log, transfer };
}

function grants(raft: Raft): boolean[] {
  return sentBy(drain(raft)).flatMap((message) =>
    message.type === 'voteResponse' ? [message.granted] : [],
  );
}

test('[RAFT-93] one that may not campaign forgets a leader it does not hear', () => {
  const barred = follower();
  barred.setCampaignAllowed(false);
  const outside = new Raft(optionsOf(A), fresh(clusterOf('b', 'c')));
  for (const raft of [barred, outside]) {
    raft.step(beat);
    tickTimes(raft, ELECTION_TICKS - 1);
    raft.step({ ...beat, round: 2 });
    tickTimes(raft, ELECTION_TICKS - 1);
    assert.equal(raft.leader, B);
    drain(raft);
    tickTimes(raft, ELECTION_TICKS);
    const { events, sendNow } = raft.takeOutput();
    assert.deepEqual(events, [{ type: 'leaderChanged', leader: undefined, term: inTerm(1) }]);
    assert.deepEqual(sendNow, []);
    raft.step({ ...beat, round: 3 });
    assert.equal(raft.leader, B);
  }
});

test('[RAFT-22] a promise to a live leader outlasts a change of term', () => {
  const raft = follower();
  raft.step(beat);
  raft.step({ type: 'preVoteResponse', from: C, to: A, term: inTerm(4), granted: false });
  assert.deepEqual([raft.term, raft.leader], [4, undefined]);
  raft.step(voteRequest(5));
  assert.deepEqual(grants(raft), []);
  raft.step(voteRequest(5, true));
  assert.deepEqual(grants(raft), [true]);
});

test('[RAFT-22] a promise holds for the votes of a term this node is in already', () => {
  const raft = follower();
  raft.step(beat);
  raft.step({ type: 'preVoteResponse', from: C, to: A, term: inTerm(4), granted: false });
  raft.step(voteRequest(4));
  assert.deepEqual(grants(raft), [false]);
  raft.step(voteRequest(4, true));
  assert.deepEqual(grants(raft), [true]);
});

test('[RAFT-22] after the time of the promise the vote is free', () => {
  const raft = follower({ random: () => 0.9 });
  raft.step(beat);
  tickTimes(raft, ELECTION_TICKS - 1);
  raft.step(voteRequest(5));
  assert.deepEqual(grants(raft), []);
  raft.tick();
  raft.step(voteRequest(5));
  assert.deepEqual(grants(raft), [true]);
});

test('[RAFT-22] a node that may have promised before a restart keeps quiet as long', () => {
  const raft = follower({ restartQuietTicks: ELECTION_TICKS, random: () => 0.9 });
  raft.step(voteRequest(5));
  assert.deepEqual(grants(raft), []);
  tickTimes(raft, ELECTION_TICKS);
  raft.step(voteRequest(5));
  assert.deepEqual(grants(raft), [true]);
});

const chunk = (last: boolean): SnapshotChunkRequest => ({
  type: 'snapshotChunkRequest',
  ...fromB,
  snapshot: snapshotAt(9, 1, ABC),
  offset: 0,
  data: new Uint8Array(1),
  last,
});
const chunksOf = (outputs: readonly Output[]): number =>
  outputs.flatMap(({ snapshotChunks }) => snapshotChunks).length;

test('[RAFT-23] the last chunk waits for earlier writes, and entries wait for the chunk', () => {
  const raft = follower();
  raft.step(append(0, 1, 1));
  const { persist } = raft.takeOutput();
  raft.step(chunk(false));
  raft.step(chunk(true));
  assert.equal(chunksOf([raft.takeOutput()]), 1, 'the last one is kept back');
  raft.persisted(persist!.token);
  assert.equal(chunksOf([raft.takeOutput()]), 1, 'and goes when all is durable');
  raft.step(append(2, 1));
  assert.deepEqual(sentBy(drain(raft)), []);
  assert.equal(raft.status().lastIndex, 2);
  raft.snapshotChunkStaged(chunk(true), { nextOffset: 1, complete: true });
  const output = raft.takeOutput();
  assert.deepEqual([output.restore?.index, raft.commitIndex], [9, 9]);
  assert.deepEqual([output.persist?.truncateFrom, output.persist?.compactThrough], [1, 9]);
  assert.equal(output.sendAfterPersist.length, 1);
});

test('[RAFT-23] a chunk that could not be staged asks for the rest; appends go on', () => {
  const raft = follower();
  raft.step(chunk(true));
  assert.equal(chunksOf(drain(raft)), 1);
  raft.snapshotChunkStaged(chunk(true), { nextOffset: 0, complete: false });
  const [answer] = sentBy(drain(raft));
  assert.ok(answer?.type === 'snapshotChunkResponse');
  assert.deepEqual([answer.installed, answer.nextOffset], [false, 0]);
  raft.step(append(0, 1));
  assert.equal(sentBy(drain(raft))[0]?.type, 'appendResponse');
});

test('[RAFT-23] a snapshot of what is committed already is answered as installed', () => {
  const raft = follower();
  raft.step({ ...append(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), commit: at(9) } as Message);
  drain(raft);
  raft.step(chunk(true));
  const outputs = drain(raft);
  assert.equal(chunksOf(outputs), 0);
  const [answer] = sentBy(outputs);
  assert.ok(answer?.type === 'snapshotChunkResponse' && answer.installed);
  assert.equal(raft.status().lastIndex, 10, 'and nothing of the log is lost');
});

test('[RAFT-23] a log that holds the end of the snapshot keeps what follows it', () => {
  const raft = follower();
  raft.step(append(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
  drain(raft);
  raft.step(chunk(true));
  drain(raft);
  raft.snapshotChunkStaged(chunk(true), { nextOffset: 1, complete: true });
  const { persist, restore } = raft.takeOutput();
  assert.deepEqual([persist?.truncateFrom, persist?.compactThrough], [undefined, 9]);
  assert.equal(restore?.index, 9);
  assert.deepEqual([raft.status().firstIndex, raft.status().lastIndex], [10, 11]);
});

test('[RAFT-24] a forwarded read is answered once, and refused when its answer stays out', () => {
  const raft = follower();
  raft.step(beat);
  drain(raft);
  raft.read(1);
  raft.read(2);
  assert.deepEqual(
    sentBy(drain(raft)).map(({ to, type }) => [to, type]),
    [
      [B, 'readIndexRequest'],
      [B, 'readIndexRequest'],
    ],
  );
  const answer = { type: 'readIndexResponse', ...fromB, context: 1, index: at(3) } as const;
  raft.step(answer);
  raft.step(answer);
  assert.deepEqual(
    drain(raft).flatMap(({ reads }) => reads),
    [{ type: 'ready', context: 1, index: 3 }],
  );
  tickTimes(raft, ELECTION_TICKS);
  assert.deepEqual(
    drain(raft).flatMap(({ reads }) => reads),
    [{ type: 'refused', context: 2 }],
  );
  raft.step({ ...answer, context: 2 });
  assert.deepEqual(
    drain(raft).flatMap(({ reads }) => reads),
    [],
  );
});

/** `a` wrote its own removal last, and nobody else may have it. */
function removedLeader(committed: boolean): Raft {
  const target = {
    voters: ids('b', 'c'),
    learners: [],
    promotable: [],
    members: membersOf(['b', 'c']),
  };
  const joint = firstStep(ABC, target);
  const entryOf = (index: number, membership: typeof joint): ReturnType<typeof makeEntry> =>
    makeEntry(at(index), inTerm(1), 0, 'membership', encodeMembership(membership));
  const log = [entryOf(1, joint), entryOf(2, finalStep(joint))];
  const recovered = {
    ...fresh(ABC),
    metadata: { term: inTerm(1), votedFor: A },
    termRuns: [{ first: at(1), term: inTerm(1) }],
    lastIndex: at(2),
    membershipEntries: log,
  };
  const raft = new Raft(optionsOf(A), recovered);
  if (committed) {
    raft.step({ ...append(2), term: inTerm(2), commit: at(2) } as Message);
    drain(raft);
  }
  return raft;
}

test('[RAFT-23] a snapshot saved while this node led for a moment changes nothing it holds', () => {
  const raft = follower();
  raft.step(append(0, 1, 1, 1, 1, 1, 1, 1, 1, 1));
  drain(raft);
  raft.step(chunk(true));
  drain(raft);
  tickTimes(raft, ELECTION_TICKS);
  drain(raft);
  const answer = { from: C, to: A, term: inTerm(2), granted: true } as const;
  raft.step({ type: 'preVoteResponse', ...answer });
  drain(raft);
  raft.step({ type: 'voteResponse', ...answer });
  assert.equal(raft.role, 'leader');
  // Its no-op is being written when the next leader speaks, and then the snapshot is durable.
  const { persist } = raft.takeOutput();
  raft.step({ ...beat, term: inTerm(3) });
  raft.snapshotChunkStaged(chunk(true), { nextOffset: 1, complete: true });
  assert.equal(raft.status().lastIndex, 10);
  raft.persisted(persist!.token);
  drain(raft);
  const { commitIndex, appliedIndex, persistedIndex, snapshotIndex } = raft.status();
  assert.deepEqual([commitIndex, appliedIndex, persistedIndex, snapshotIndex], [9, 9, 10, 9]);
});

test('[RAFT-25] who wrote its own removal last may lead once more, to have it committed', () => {
  const raft = removedLeader(false);
  tickTimes(raft, ELECTION_TICKS);
  drain(raft);
  assert.equal(raft.role, 'preCandidate');
  for (const from of [B, C]) {
    raft.step({ type: 'preVoteResponse', from, to: A, term: inTerm(2), granted: true });
  }
  drain(raft);
  raft.step({ type: 'voteResponse', from: B, to: A, term: inTerm(2), granted: true });
  drain(raft);
  assert.equal(raft.role, 'candidate', 'its own vote does not count');
  raft.step({ type: 'voteResponse', from: C, to: A, term: inTerm(2), granted: true });
  drain(raft);
  assert.equal(raft.role, 'leader');
  for (const from of [B, C]) {
    raft.step({
      type: 'appendResponse',
      from,
      to: A,
      term: inTerm(2),
      round: 1,
      prevIndex: at(2),
      result: { type: 'accepted', matchIndex: at(3) },
    });
  }
  drain(raft);
  assert.deepEqual([raft.commitIndex, raft.role], [3, 'follower']);
});

test('[RAFT-25] once its removal is known to be committed it stays out', () => {
  const raft = removedLeader(true);
  tickTimes(raft, 5 * ELECTION_TICKS);
  assert.equal(raft.role, 'follower');
  assert.deepEqual(sentBy(drain(raft)), []);
});

test('[RAFT-26] the target of a transfer campaigns once its log is durable', () => {
  const raft = follower();
  raft.step(append(0, 1, 1));
  const { persist } = raft.takeOutput();
  raft.step({ type: 'timeoutNowRequest', ...fromB });
  assert.equal(raft.role, 'follower');
  raft.persisted(persist!.token);
  assert.equal(raft.role, 'candidate');
  const requests = sentBy([raft.takeOutput()]);
  assert.ok(requests.every((message) => message.type === 'voteRequest' && message.transfer));
  assert.equal(requests.length, 2);
});

test('[RAFT-26] a node that may not campaign lets the order pass', () => {
  const raft = follower();
  raft.step(beat);
  raft.setCampaignAllowed(false);
  raft.step({ type: 'timeoutNowRequest', ...fromB });
  assert.equal(raft.role, 'follower');
  const wiped = follower({ storeId: 'another disk' });
  wiped.step(beat);
  wiped.step({ type: 'timeoutNowRequest', ...fromB });
  assert.equal(wiped.role, 'follower');
});
