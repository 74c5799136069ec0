/** Arbitrary messages of every type, for property tests. */
import * as fc from 'fast-check';
import type {
  Entry,
  LogIndex,
  Membership,
  NodeId,
  SnapshotMeta,
  Term,
} from '../../../src/raft/index.ts';
import type { PeerMessage } from '../../../src/transport/index.ts';

export const FROM = 'a' as NodeId;
export const TO = 'b' as NodeId;

const anyCount = fc.oneof(fc.nat(300), fc.maxSafeNat());
const anyIndex = anyCount.map((n) => n as LogIndex);
const anyTerm = anyCount.map((n) => n as Term);
const anyTime = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e13, noNaN: true }));
const anyBytes = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2000, max: 2100 }).map((n) => new Uint8Array(n)) },
);

const anyMembership: fc.Arbitrary<Membership> = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })
  .map((names) => {
    const ids = names.toSorted().map((name) => name as NodeId);
    return {
      clusterId: `cluster of ${names.length}`,
      voters: ids,
      outgoing: [],
      learners: [],
      promotable: [],
      members: Object.fromEntries(
        ids.map((id) => [id, { address: `${id}:7400`, storeId: `store of ${id}` }]),
      ),
    };
  });

export const anySnapshot: fc.Arbitrary<SnapshotMeta> = fc.record({
  index: anyIndex,
  term: anyTerm,
  time: anyTime,
  membership: anyMembership,
});

/** Entries after `prevIndex`, as proposed (not recorded yet). */
function entriesAfter(prevIndex: number): fc.Arbitrary<Entry[]> {
  const anyEntry = fc.record({
    term: anyTerm,
    time: anyTime,
    type: fc.constantFrom('command' as const, 'noop' as const, 'membership' as const),
    data: anyBytes,
  });
  return fc.array(anyEntry, { maxLength: 8 }).map((entries) =>
    entries.map((entry, i) => ({
      ...entry,
      index: (prevIndex + 1 + i) as LogIndex,
      recorded: undefined,
    })),
  );
}

const anyAppend = fc.nat(2 ** 40).chain((prevIndex) =>
  fc.record({
    ...message('appendRequest'),
    round: anyCount,
    prevIndex: fc.constant(prevIndex as LogIndex),
    prevTerm: anyTerm,
    commit: anyIndex,
    entries: entriesAfter(prevIndex),
  }),
);

function addressed<T extends string>(
  type: T,
): {
  type: fc.Arbitrary<T>;
  from: fc.Arbitrary<NodeId>;
  to: fc.Arbitrary<NodeId>;
} {
  return { type: fc.constant(type), from: fc.constant(FROM), to: fc.constant(TO) };
}

function message<T extends string>(
  type: T,
): ReturnType<typeof addressed<T>> & { term: fc.Arbitrary<Term> } {
  return { ...addressed(type), term: anyTerm };
}

/** One arbitrary per message type. */
export const ANY_MESSAGE: { readonly [T in PeerMessage['type']]: fc.Arbitrary<PeerMessage> } = {
  preVoteRequest: fc.record({
    ...message('preVoteRequest'),
    lastIndex: anyIndex,
    lastTerm: anyTerm,
  }),
  preVoteResponse: fc.record({ ...message('preVoteResponse'), granted: fc.boolean() }),
  voteRequest: fc.record({
    ...message('voteRequest'),
    lastIndex: anyIndex,
    lastTerm: anyTerm,
    transfer: fc.boolean(),
  }),
  voteResponse: fc.record({ ...message('voteResponse'), granted: fc.boolean() }),
  appendRequest: anyAppend,
  appendResponse: fc.record({
    ...message('appendResponse'),
    round: anyCount,
    prevIndex: anyIndex,
    result: fc.oneof(
      fc.record({ type: fc.constant('accepted' as const), matchIndex: anyIndex }),
      fc.record({
        type: fc.constant('rejected' as const),
        hintIndex: anyIndex,
        hintTerm: anyTerm,
      }),
    ),
  }),
  heartbeatRequest: fc.record({
    ...message('heartbeatRequest'),
    round: anyCount,
    commit: anyIndex,
  }),
  heartbeatResponse: fc.record({ ...message('heartbeatResponse'), round: anyCount }),
  snapshotChunkRequest: fc.record({
    ...message('snapshotChunkRequest'),
    snapshot: anySnapshot,
    offset: anyCount,
    data: anyBytes,
    last: fc.boolean(),
  }),
  snapshotChunkResponse: fc.record({
    ...message('snapshotChunkResponse'),
    snapshotIndex: anyIndex,
    nextOffset: anyCount,
    installed: fc.boolean(),
  }),
  timeoutNowRequest: fc.record(message('timeoutNowRequest')),
  readIndexRequest: fc.record({ ...message('readIndexRequest'), context: anyCount }),
  readIndexResponse: fc.record({
    ...message('readIndexResponse'),
    context: anyCount,
    index: fc.option(anyIndex, { nil: undefined }),
  }),
  forwardRequest: fc.record({
    ...addressed('forwardRequest'),
    requestId: anyCount,
    kind: fc.constantFrom(
      'propose' as const,
      'leaderQuery' as const,
      'membership' as const,
      'transfer' as const,
    ),
    payload: anyBytes,
  }),
  forwardResponse: fc.record({
    ...addressed('forwardResponse'),
    requestId: anyCount,
    result: fc.oneof(
      fc.record({ type: fc.constant('ok' as const), payload: anyBytes }),
      fc.record({
        type: fc.constant('error' as const),
        code: fc.string(),
        message: fc.string({ unit: 'grapheme' }),
        outcome: fc.constantFrom('not-applied' as const, 'unknown' as const),
        leader: fc.option(fc.string(), { nil: undefined }),
      }),
    ),
  }),
};
