/** What is checked at every write and message: each rule has its violation by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WriteBatch } from '../../src/log-store/index.ts';
import { LogSafety } from '../../jepsen-lite/simulation/log-safety.ts';
import { Sometimes } from '../../jepsen-lite/simulation/sometimes.ts';
import { StateSafety } from '../../jepsen-lite/simulation/state-safety.ts';
import { TransferSafety } from '../../jepsen-lite/simulation/transfer-safety.ts';
import { Violations } from '../../jepsen-lite/simulation/violations.ts';
import type {
  Entry,
  LogIndex,
  Membership,
  NodeId,
  SnapshotMeta,
  Term,
} from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';

const ids = ['a', 'b', 'c'] as NodeId[];
const [a, b, c] = ids as [NodeId, NodeId, NodeId];

const membership: Membership = {
  clusterId: 'cluster',
  voters: ids,
  outgoing: [],
  learners: [],
  promotable: [],
  members: Object.fromEntries(ids.map((id) => [id, { address: `${id}:1`, storeId: id }])),
};

function entryAt(index: number, term: number, text = ''): Entry {
  const data = new TextEncoder().encode(text);
  return {
    index: index as LogIndex,
    term: term as Term,
    time: 0,
    type: 'command',
    data,
    recorded: undefined,
  };
}

/** Three nodes, without a cluster behind them. */
class Logs {
  /** Of whoever sends. */
  commit = 0;
  readonly violations = new Violations(() => 0);
  readonly safety = new LogSafety(this.violations, new Sometimes());

  constructor() {
    for (const id of ids) this.open(id);
  }

  get found(): string | undefined {
    return this.violations.first?.check;
  }

  open(id: NodeId, entries: readonly Entry[] = [], term = 0, votedFor?: NodeId): void {
    this.safety.opened(id, {
      storeId: id,
      metadata: { term: term as Term, votedFor },
      firstIndex: 1 as LogIndex,
      lastIndex: entries.length as LogIndex,
      lastTime: 0,
      termRuns: entries.map((entry) => ({ first: entry.index, term: entry.term })),
      membershipEntries: [],
      snapshot: undefined,
      repaired: [],
    });
  }

  /** Asked for, and durable at once. */
  write(id: NodeId, batch: WriteBatch): void {
    this.safety.asked(id, batch);
    this.safety.durable(id, batch);
  }

  vote(id: NodeId, term: number, votedFor: NodeId | undefined): void {
    this.write(id, { metadata: { term: term as Term, votedFor } });
  }

  append(id: NodeId, ...entries: Entry[]): void {
    this.write(id, { entries });
  }

  send(message: object): void {
    this.safety.sent(
      message as PeerMessage,
      () => [membership],
      () => this.commit,
    );
  }

  grant(from: NodeId, to: NodeId, term: number): void {
    this.send({ type: 'voteResponse', from, to, term, granted: true });
  }

  acknowledge(from: NodeId, to: NodeId, term: number, matchIndex: number): void {
    const result = { type: 'accepted', matchIndex };
    this.send({ type: 'appendResponse', from, to, term, round: 1, prevIndex: 0, result });
  }

  heartbeat(from: NodeId, term: number, commit = 0): void {
    this.send({ type: 'heartbeatRequest', from, to: b, term, round: 1, commit });
  }

  /** The candidate is elected by itself and another. */
  elect(id: NodeId, by: NodeId, term: number): void {
    this.vote(id, term, id);
    this.vote(by, term, id);
    this.grant(by, id, term);
    this.heartbeat(id, term);
  }

  apply(id: NodeId, index: number, term: number): void {
    this.safety.applied(id, index, term, (holds) => holds(membership));
  }
}

/** Something that is as it must be, up to a last step that is not. */
function finds(check: string, before: (logs: Logs) => void, wrong: (logs: Logs) => void): void {
  test(`[CHECK-26] at every event: ${check}`, () => {
    const logs = new Logs();
    before(logs);
    assert.equal(logs.found, undefined, logs.violations.first?.message);
    wrong(logs);
    assert.equal(logs.found, check);
  });
}

finds(
  'term-monotone',
  (logs) => logs.vote(a, 2, undefined),
  (logs) => logs.vote(a, 1, undefined),
);
finds(
  'one-vote',
  (logs) => logs.vote(a, 1, b),
  (logs) => logs.vote(a, 1, c),
);
finds(
  'durability',
  (logs) => logs.append(a, entryAt(1, 1)),
  (logs) => logs.open(a),
);
finds(
  'vote-durable',
  (logs) => logs.safety.asked(a, { metadata: { term: 1 as Term, votedFor: b } }),
  (logs) => logs.grant(a, b, 1),
);
finds(
  'acknowledged-durable',
  (logs) => logs.safety.asked(a, { entries: [entryAt(1, 1)] }),
  (logs) => logs.acknowledge(a, b, 1, 1),
);
finds(
  'acknowledged-leader',
  (logs) => {
    logs.elect(c, b, 2);
    for (const id of [a, c]) logs.append(id, entryAt(1, 2));
    logs.acknowledge(a, c, 2, 1);
  },
  (logs) => logs.acknowledge(a, b, 2, 1),
);
finds(
  'acknowledged-match',
  (logs) => {
    logs.append(a, entryAt(1, 1));
    logs.elect(c, b, 2);
    logs.append(c, entryAt(1, 2));
    logs.vote(a, 2, undefined);
  },
  (logs) => logs.acknowledge(a, c, 2, 1),
);
finds(
  'vote-up-to-date',
  (logs) => {
    logs.append(a, entryAt(1, 2));
    logs.vote(b, 3, b);
    logs.send({ type: 'voteRequest', from: b, to: a, term: 3, lastIndex: 2, lastTerm: 1 });
  },
  (logs) => logs.vote(a, 3, b),
);
finds(
  'election-quorum',
  (logs) => logs.vote(a, 1, a),
  (logs) => logs.heartbeat(a, 1),
);
finds(
  'election-safety',
  (logs) => logs.elect(a, b, 1),
  (logs) => logs.heartbeat(c, 1),
);
finds(
  'leader-completeness',
  (logs) => {
    logs.elect(a, b, 1);
    for (const id of [a, b]) logs.append(id, entryAt(1, 1));
    logs.apply(a, 1, 1);
  },
  (logs) => logs.elect(c, a, 2),
);
finds(
  'leader-append-only',
  (logs) => {
    logs.append(a, entryAt(1, 0));
    logs.elect(a, b, 1);
  },
  (logs) => logs.write(a, { truncateFrom: 1 as LogIndex, entries: [entryAt(1, 1)] }),
);
finds(
  'needless-cut',
  (logs) => {
    logs.vote(b, 1, a);
    logs.append(b, entryAt(1, 1));
  },
  (logs) => logs.write(b, { truncateFrom: 1 as LogIndex }),
);
finds(
  'committed-stays',
  (logs) => {
    logs.elect(a, b, 1);
    for (const id of [a, b]) logs.append(id, entryAt(1, 1));
    logs.apply(a, 1, 1);
    logs.vote(b, 2, undefined);
  },
  (logs) => logs.write(b, { truncateFrom: 1 as LogIndex }),
);
finds(
  'log-matching',
  (logs) => logs.append(a, entryAt(1, 1, 'x')),
  (logs) => logs.append(b, entryAt(1, 1, 'y')),
);
finds(
  'state-machine-safety',
  (logs) => {
    for (const id of [a, b]) logs.append(id, entryAt(1, 1));
    logs.apply(a, 1, 1);
  },
  (logs) => logs.apply(c, 1, 2),
);
finds(
  'commit-quorum',
  (logs) => logs.append(a, entryAt(1, 1)),
  (logs) => logs.apply(a, 1, 1),
);
finds(
  'commit-term',
  (logs) => {
    for (const id of [a, b]) logs.append(id, entryAt(1, 1));
    logs.elect(a, b, 2);
  },
  (logs) => logs.heartbeat(a, 2, 1),
);

test('[CHECK-26] entries of earlier terms commit with one of the leader’s behind them', () => {
  const logs = new Logs();
  for (const id of [a, b]) logs.append(id, entryAt(1, 1));
  logs.elect(a, b, 2);
  for (const id of [a, b]) logs.append(id, entryAt(2, 2));
  logs.heartbeat(a, 2, 2);
  assert.equal(logs.found, undefined, logs.violations.first?.message);
});

test('[CHECK-26] what a leader had committed by its election it may tell first afterwards', () => {
  const logs = new Logs();
  for (const id of [a, b]) logs.append(id, entryAt(1, 1));
  logs.commit = 1;
  logs.elect(a, b, 2);
  logs.heartbeat(a, 2, 1);
  assert.equal(logs.found, undefined, logs.violations.first?.message);
  logs.append(a, entryAt(2, 1));
  logs.append(b, entryAt(2, 1));
  logs.commit = 2;
  logs.heartbeat(a, 2, 2);
  assert.equal(logs.found, 'commit-term');
});

/** `c` has the votes for term 2, and hears of it after `a` has committed more in term 3. */
function lateLeader(held: readonly Entry[], committedBefore: readonly Entry[]): string | undefined {
  const logs = new Logs();
  logs.elect(a, b, 1);
  for (const id of [a, b]) logs.append(id, entryAt(1, 1));
  for (const { index, term } of committedBefore) logs.apply(a, index, term);
  logs.append(c, ...held);
  logs.vote(c, 2, c);
  logs.vote(b, 2, c);
  logs.grant(b, c, 2);
  logs.elect(a, b, 3);
  for (const id of [a, b]) logs.append(id, entryAt(2, 3));
  for (const one of [entryAt(1, 1), entryAt(2, 3)]) logs.apply(a, one.index, one.term);
  assert.equal(logs.found, undefined, logs.violations.first?.message);
  logs.heartbeat(c, 2);
  return logs.found;
}

test('[CHECK-26] a leader whose votes came late holds what was committed in earlier terms', () => {
  const first = entryAt(1, 1);
  assert.equal(lateLeader([first], [first]), undefined);
  assert.equal(lateLeader([], []), undefined, 'the leader of term 3 was the first to commit it');
  assert.equal(lateLeader([], [first]), 'leader-completeness');
});

test('[JEPSEN-19] who lacks what another has committed and cut off does not hold all of it', () => {
  const logs = new Logs();
  logs.elect(a, b, 1);
  for (const id of ids) logs.append(id, entryAt(1, 1));
  for (const id of [a, b]) logs.append(id, entryAt(2, 1));
  logs.acknowledge(b, a, 1, 2);
  logs.heartbeat(a, 1, 2);
  for (const id of [a, b]) logs.apply(id, 1, 1);
  logs.apply(a, 2, 1);
  assert.ok(logs.safety.holdsAll(b, a) && !logs.safety.holdsAll(c, a));
  logs.safety.snapshotSaved(a, { index: 2, term: 1 } as SnapshotMeta);
  logs.write(a, { compactThrough: 2 as LogIndex });
  assert.equal(logs.found, undefined, logs.violations.first?.message);
  assert.ok(logs.safety.holdsAll(b, a) && !logs.safety.holdsAll(c, a));
});

function appended(index: number): PeerMessage {
  const message = {
    type: 'appendRequest',
    from: a,
    to: b,
    term: 1,
    round: 1,
    prevIndex: index - 1,
    prevTerm: 1,
    commit: 0,
    entries: [entryAt(index, 1)],
  };
  return message as unknown as PeerMessage;
}

test('[CHECK-26] leadership goes to who holds the whole log; nothing is added meanwhile', () => {
  const view = { isLeader: true, transferTo: b, lastIndex: 3, nowMs: 0 };
  const told = { type: 'timeoutNowRequest', from: a, to: b, term: 1 } as unknown as PeerMessage;
  const looksAt = (message: PeerMessage, lastDurable: number): string | undefined => {
    const violations = new Violations(() => 0);
    const transfers = new TransferSafety(violations, 10);
    transfers.asked(10);
    transfers.sent(
      appended(3),
      1,
      () => view,
      () => lastDurable,
    );
    transfers.sent(
      message,
      2,
      () => view,
      () => lastDurable,
    );
    return violations.first?.check;
  };
  assert.equal(looksAt(told, 3), undefined);
  assert.equal(looksAt(told, 2), 'transfer');
  assert.equal(looksAt(appended(3), 3), undefined);
  assert.equal(looksAt(appended(4), 3), 'transfer');
});

test('[CHECK-26] a leader need not know that a disk was put back, but the next has to', () => {
  const view = { isLeader: true, transferTo: b, lastIndex: 3, nowMs: 0 };
  const toldIn = (term: number): string | undefined => {
    const violations = new Violations(() => 0);
    const transfers = new TransferSafety(violations, 10);
    const sent = (message: PeerMessage): void =>
      transfers.sent(
        message,
        1,
        () => view,
        () => 2,
      );
    sent(appended(3));
    transfers.wentBack(b);
    transfers.asked(10);
    sent({ type: 'timeoutNowRequest', from: a, to: b, term } as unknown as PeerMessage);
    return violations.first?.check;
  };
  assert.equal(toldIn(1), undefined);
  assert.equal(toldIn(2), 'transfer');
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function unlikeSnapshots(state: StateSafety): void {
  state.snapshot(a, 2, 'one hash');
  state.snapshot(b, 2, 'another');
}

/** What is found when another replica does this after the first has applied two commands. */
function foundWhen(then: (state: StateSafety) => void): string | undefined {
  const violations = new Violations(() => 0);
  const state = new StateSafety(violations);
  for (const id of ids) state.begun(id);
  state.applied(a, 1, bytes('put'), bytes('done'));
  state.applied(a, 2, bytes('get'), bytes('1'));
  then(state);
  return violations.first?.check;
}

test('[CHECK-26] all replicas apply the same commands in one order, with the same results', () => {
  assert.equal(
    foundWhen((state) => state.applied(b, 1, bytes('put'), bytes('done'))),
    undefined,
  );
  assert.equal(
    foundWhen((state) => state.applied(b, 1, bytes('put'), bytes('gone'))),
    'state-equal',
  );
  assert.equal(
    foundWhen((state) => state.applied(b, 2, bytes('get'), bytes('1'))),
    'apply-order',
  );
  assert.equal(foundWhen(unlikeSnapshots), 'state-equal');
});
