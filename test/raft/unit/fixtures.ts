/** Short ways to name things in the unit tests of the core's parts. */
import { Raft, foundingMembership, foundingSnapshot, makeEntry } from '../../../src/raft/index.ts';
import type {
  Entry,
  LogIndex,
  Member,
  Membership,
  Message,
  NodeId,
  Output,
  RaftOptions,
  RecoveredState,
  SnapshotMeta,
  Term,
} from '../../../src/raft/index.ts';

export const at = (index: number): LogIndex => index as LogIndex;
export const inTerm = (term: number): Term => term as Term;
export const ids = (...names: string[]): NodeId[] => names as NodeId[];
export const A: NodeId = 'a' as NodeId;
export const B: NodeId = 'b' as NodeId;
export const C: NodeId = 'c' as NodeId;

export function membersOf(names: readonly string[]): Record<NodeId, Member> {
  return Object.fromEntries(names.map((id) => [id, { address: `${id}:1`, storeId: `disk-${id}` }]));
}

export function clusterOf(...names: string[]): Membership {
  return foundingMembership('test', membersOf(names));
}

export function command(index: number, term: number, bytes = 1): Entry {
  return makeEntry(at(index), inTerm(term), 0, 'command', new Uint8Array(bytes));
}

export function snapshotAt(index: number, term: number, membership: Membership): SnapshotMeta {
  return { index: at(index), term: inTerm(term), time: 0, membership };
}

/** A node that starts with nothing but the founding snapshot. */
export function fresh(membership: Membership): RecoveredState {
  return {
    metadata: { term: inTerm(0), votedFor: undefined },
    snapshot: foundingSnapshot(membership),
    termRuns: [],
    lastIndex: at(0),
    lastTime: 0,
    firstIndex: at(1),
    membershipEntries: [],
  };
}

export const ELECTION_TICKS = 10;

export function optionsOf(id: NodeId, changed: Partial<RaftOptions> = {}): RaftOptions {
  return {
    id,
    storeId: `disk-${id}`,
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: 2,
    random: () => 0,
    maxAppendBytes: 1000,
    maxInflightMessages: 4,
    maxInflightBytes: 10_000,
    maxUncommittedBytes: 100,
    maxCommittedBytes: 1000,
    maxCachedBytes: 1000,
    leaseMarginTicks: 1,
    checkInvariants: true,
    ...changed,
  };
}

/** Takes everything there is to do, completing each write at once. */
export function drain(raft: Raft): Output[] {
  const outputs: Output[] = [];
  while (raft.hasOutput()) {
    const output = raft.takeOutput();
    outputs.push(output);
    if (output.persist !== undefined) raft.persisted(output.persist.token);
  }
  return outputs;
}

export function sentBy(outputs: readonly Output[]): Message[] {
  return outputs.flatMap(({ sendNow, sendAfterPersist }) => [...sendNow, ...sendAfterPersist]);
}

export function tickTimes(raft: Raft, times: number): void {
  for (let i = 0; i < times; i++) raft.tick();
}

/** `a`, leading term 1 of the cluster by the votes of `voters`; its no-op is not committed. */
export function newLeader(
  membership: Membership,
  changed: Partial<RaftOptions> = {},
  voters: readonly NodeId[] = [B],
): Raft {
  const raft = new Raft(optionsOf(A, changed), fresh(membership));
  tickTimes(raft, ELECTION_TICKS);
  drain(raft);
  const answer = { to: A, term: inTerm(1), granted: true } as const;
  for (const from of voters) raft.step({ type: 'preVoteResponse', from, ...answer });
  drain(raft);
  for (const from of voters) raft.step({ type: 'voteResponse', from, ...answer });
  drain(raft);
  return raft;
}

/** `from` holds the leader's log up to `index`. */
export function accept(raft: Raft, from: NodeId, index: number, round = 1): void {
  raft.step({
    type: 'appendResponse',
    from,
    to: A,
    term: raft.term,
    round,
    prevIndex: at(0),
    result: { type: 'accepted', matchIndex: at(index) },
  });
}
