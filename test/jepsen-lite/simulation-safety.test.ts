/** What is checked at every event of a simulation, each rule with a case that breaks it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acknowledgements } from '../../jepsen-lite/simulation/acknowledgements.ts';
import { LogSafety } from '../../jepsen-lite/simulation/log-safety.ts';
import { Sometimes } from '../../jepsen-lite/simulation/sometimes.ts';
import { StateSafety } from '../../jepsen-lite/simulation/state-safety.ts';
import { Violations } from '../../jepsen-lite/simulation/violations.ts';
import { HoldfastError } from '../../src/base/index.ts';
import type { RecoveredLog, WriteBatch } from '../../src/log-store/index.ts';
import type { Answer, RaftNode } from '../../src/node/index.ts';
import type { Entry, LogIndex, Membership, NodeId, Term } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';

const index = (value: number): LogIndex => value as LogIndex;
const term = (value: number): Term => value as Term;
const [a, b] = ['a', 'b'] as [NodeId, NodeId];

function entry(at: number, ofTerm: number, text = 'x'): Entry {
  const data = new TextEncoder().encode(text);
  return {
    type: 'command',
    index: index(at),
    term: term(ofTerm),
    time: 0,
    data,
    recorded: undefined,
  };
}

function opened(entries: readonly Entry[], ofTerm = 1): RecoveredLog {
  return {
    storeId: 's',
    metadata: { term: term(ofTerm), votedFor: undefined },
    firstIndex: index(1),
    lastIndex: index(entries.length),
    lastTime: 0,
    snapshot: undefined,
    termRuns: entries.map((one) => ({ first: one.index, term: one.term })),
    membershipEntries: [],
    repaired: [],
  };
}

const THREE: Membership = {
  clusterId: 'c',
  voters: [a, b, 'c' as NodeId],
  outgoing: [],
  learners: [],
  promotable: [],
  members: {},
};

function heartbeat(from: NodeId, ofTerm: number): PeerMessage {
  return { type: 'heartbeatRequest', from, to: b, term: term(ofTerm), round: 1, commit: index(0) };
}

class Rig {
  readonly violations = new Violations(() => 0);
  readonly log = new LogSafety(this.violations, new Sometimes());
  readonly state = new StateSafety(this.violations);
  readonly acknowledgements = new Acknowledgements(this.violations, new Sometimes());

  write(node: string, batch: WriteBatch): void {
    this.log.asked(node, batch);
    this.log.durable(node, batch);
  }

  /** Every leader is elected by a cluster of its own. */
  sent(message: PeerMessage): void {
    this.log.sent(
      message,
      (node) => [{ ...THREE, voters: [node as NodeId] }],
      () => 0,
    );
  }

  apply(node: string, at: number, ofTerm: number): void {
    this.log.applied(node, at, ofTerm, (holds) => holds(THREE));
  }

  get check(): string | undefined {
    return this.violations.first?.check;
  }
}

/** What leads up to the breach of each rule, and the breach. */
const LOG_CASES: Record<string, readonly [(rig: Rig) => void, (rig: Rig) => void]> = {
  'election-safety': [(rig) => rig.sent(heartbeat(a, 3)), (rig) => rig.sent(heartbeat(b, 3))],
  'log-matching': [
    (rig) => {
      rig.write('a', { entries: [entry(1, 1), entry(2, 2)] });
      rig.write('b', { entries: [entry(1, 1)] });
    },
    (rig) => rig.write('b', { entries: [entry(2, 2, 'another')] }),
  ],
  'one-vote': [
    (rig) => rig.write('a', { metadata: { term: term(2), votedFor: a } }),
    (rig) => rig.write('a', { metadata: { term: term(2), votedFor: b } }),
  ],
  'term-monotone': [
    (rig) => rig.write('a', { metadata: { term: term(2), votedFor: a } }),
    (rig) => rig.write('a', { metadata: { term: term(1), votedFor: undefined } }),
  ],
  'vote-durable': [
    ({ log }) => log.asked('a', { metadata: { term: term(2), votedFor: b } }),
    (rig) => rig.sent({ type: 'voteResponse', from: a, to: b, term: term(2), granted: true }),
  ],
  'acknowledged-durable': [
    ({ log }) => log.asked('a', { entries: [entry(1, 1)] }),
    (rig) =>
      rig.sent({
        type: 'appendResponse',
        from: a,
        to: b,
        term: term(1),
        round: 1,
        prevIndex: index(0),
        result: { type: 'accepted', matchIndex: index(1) },
      }),
  ],
  'commit-quorum': [
    (rig) => rig.write('a', { entries: [entry(1, 1)] }),
    (rig) => rig.apply('a', 1, 1),
  ],
  'leader-completeness': [
    (rig) => {
      rig.write('a', { entries: [entry(1, 1)] });
      rig.write('b', { entries: [entry(1, 1)] });
      rig.apply('a', 1, 1);
    },
    (rig) => rig.sent(heartbeat('c' as NodeId, 2)),
  ],
  'leader-append-only': [
    (rig) => {
      rig.write('a', { metadata: { term: term(1), votedFor: a }, entries: [entry(1, 1)] });
      rig.sent(heartbeat(a, 1));
      rig.write('a', { truncateFrom: index(1), entries: [entry(1, 1)] });
    },
    (rig) => rig.write('a', { truncateFrom: index(1) }),
  ],
  durability: [
    (rig) => {
      rig.write('a', { entries: [entry(1, 1), entry(2, 1)] });
      rig.log.opened('a', opened([entry(1, 1), entry(2, 1)]));
    },
    ({ log }) => log.opened('a', opened([entry(1, 1)])),
  ],
};

test('[JEPSEN-11] logs: each rule is broken by what breaks it, and by nothing before', () => {
  for (const [check, [before, breaks]] of Object.entries(LOG_CASES)) {
    const rig = new Rig();
    before(rig);
    assert.equal(rig.check, undefined, rig.violations.first?.message);
    breaks(rig);
    assert.equal(rig.check, check);
  }
});

test('[JEPSEN-11] a truncation that was under way when a node died may have happened', () => {
  const rig = new Rig();
  rig.write('a', { entries: [entry(1, 1), entry(2, 1)] });
  rig.log.asked('a', { truncateFrom: index(2), entries: [entry(2, 2)] });
  rig.log.opened('a', opened([entry(1, 1), entry(2, 2)], 2));
  assert.equal(rig.check, undefined);
});

test('[JEPSEN-12] states: order, content and results of commands must be equal everywhere', () => {
  const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
  const breaks: Record<string, (state: StateSafety) => void> = {
    'apply-order': (state) => state.applied('b', 3, two, two),
    'state-equal': (state) => state.applied('b', 2, one, two),
  };
  for (const [check, act] of Object.entries(breaks)) {
    const rig = new Rig();
    rig.state.applied('a', 2, one, one);
    rig.state.applied('a', 3, two, two);
    act(rig.state);
    assert.equal(rig.check, check);
  }
  const rig = new Rig();
  rig.state.applied('a', 2, one, one);
  rig.state.applied('a', 5, two, two);
  rig.state.restored('b', 4);
  rig.state.applied('b', 5, two, two);
  rig.state.snapshot('a', 5, 'hash');
  rig.state.snapshot('b', 5, 'hash');
  assert.equal(rig.check, undefined);
  rig.state.snapshot('b', 5, 'other');
  assert.equal(rig.check, 'state-equal');
});

const never = (): never => assert.fail('not in this test');

/** A node that answers what it is told to. */
function answering(answer: Answer): RaftNode {
  return {
    id: a,
    appliedIndex: 0,
    start: never,
    propose: (_command, done) => done(answer),
    readBarrier: never,
    leaderQuery: never,
    changeMembership: never,
    transfer: never,
    sitOut: never,
    status: never,
    waitForLeader: never,
    stop: never,
  };
}

test('[JEPSEN-13] what was acknowledged is in the log, nothing more often than asked', () => {
  const command = Uint8Array.of(7);
  const ok: Answer = { type: 'ok', payload: command };
  const refused: Answer = { type: 'error', error: new HoldfastError('overloaded', 'no room') };
  const lost = new Rig();
  lost.acknowledgements.watching(answering(ok)).propose(command, () => {});
  assert.equal(lost.check, 'acknowledged-in-log');

  const twice = new Rig();
  const unknown = new HoldfastError('timeout', 'too late', { outcome: 'unknown' });
  const node = twice.acknowledgements.watching(answering({ type: 'error', error: unknown }));
  node.propose(command, () => {});
  twice.acknowledgements.committed('a', command);
  assert.equal(twice.check, undefined);
  twice.acknowledgements.committed('a', command);
  assert.equal(twice.check, 'exactly-once');

  const denied = new Rig();
  denied.acknowledgements.watching(answering(refused)).propose(command, () => {});
  denied.acknowledgements.committed('a', command);
  assert.equal(denied.check, 'exactly-once');
});
