import * as fc from 'fast-check';
import type { Request, Response } from '../../../src/protocol/index.ts';
import type { FencingToken, KeyEvent, SessionId } from '../../../src/registry/index.ts';

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const count = fc.maxSafeNat();
const timeoutMs = fc.nat({ max: 86_400_000 });
const bytes = fc.uint8Array({ maxLength: 200 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const byteString = fc.uint8Array({ maxLength: 20 }).map((chars) => String.fromCharCode(...chars));

function kind<Type extends string>(type: Type): fc.Arbitrary<Type> {
  return fc.constant(type);
}

export const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: kind('propose'), id, timeoutMs, command: bytes }),
  fc.record({
    type: kind('query'),
    id,
    timeoutMs,
    consistency: fc.constantFrom('linearizable', 'lease', 'local'),
    query: bytes,
  }),
  fc.record({ type: kind('leaderQuery'), id, timeoutMs, query: bytes }),
  fc.record({
    type: kind('watch'),
    id,
    start: byteString,
    end: fc.option(byteString, { nil: undefined }),
    from: count,
    filter: fc.record({
      types: fc.constantFrom('all', 'put', 'delete'),
      causes: fc.subarray<KeyEvent['cause']>(['request', 'expired', 'sessionEnded', 'broken']),
      previous: fc.boolean(),
    }),
  }),
  fc.record({
    type: kind('awaitGrant'),
    id,
    name: byteString,
    session: count as fc.Arbitrary<SessionId>,
    token: count as fc.Arbitrary<FencingToken>,
  }),
  fc.record({ type: kind('watchProgress'), id, revision: count }),
  fc.record({ type: kind('cancel'), id }),
  fc.record({ type: kind('watchCredit'), id, bytes: count }),
  fc.record({ type: kind('status'), id }),
  fc.record({
    type: kind('member'),
    id,
    timeoutMs,
    change: fc.oneof(
      fc.record({ type: kind('add'), id: text, address: text, promote: fc.boolean() }),
      fc.record({ type: fc.constantFrom('promote', 'demote', 'remove'), id: text }),
    ),
  }),
  fc.record({ type: kind('transfer'), id, timeoutMs, to: text }),
  fc.record({
    type: kind('maintain'),
    id,
    timeoutMs,
    action: fc.constantFrom('quarantine' as const, 'endQuarantine' as const, 'reinstall' as const),
  }),
  fc.record({
    type: kind('backup'),
    id,
    timeoutMs,
    consistency: fc.constantFrom('linearizable', 'lease', 'local'),
  }),
);

const status = fc.record({
  id: text,
  address: text,
  role: text,
  term: count,
  leader: text,
  leaderAddress: text,
  commitIndex: count,
  appliedIndex: count,
  snapshotIndex: count,
  lastIndex: count,
  revision: count,
  store: text,
  storeId: text,
  clusterName: text,
  clusterId: text,
  unhealthy: text,
  members: fc.array(
    fc.record({ id: text, address: text, role: fc.constantFrom('voter', 'learner') }),
    { maxLength: 5 },
  ),
});

export const anyResponse: fc.Arbitrary<Response> = fc.oneof(
  fc.record({ type: kind('ok'), id, payload: bytes }),
  fc.record({
    type: kind('error'),
    id,
    code: text,
    message: text,
    outcome: fc.constantFrom('not-applied', 'unknown'),
    leader: text,
  }),
  fc.record({ type: kind('status'), id, status }),
  fc.record({ type: kind('watchStarted'), id, revision: count }),
  fc.record({ type: kind('watchEvents'), id, payload: bytes }),
  fc.record({
    type: kind('watchEnded'),
    id,
    code: fc.constantFrom('compacted', 'overrun', 'stopped'),
    resumeFrom: count,
    message: text,
  }),
  fc.record({
    type: kind('backupStarted'),
    id,
    origin: fc.record({
      clusterName: text,
      clusterId: text,
      node: text,
      revision: count,
      index: count,
      time: count,
    }),
  }),
  fc.record({ type: kind('backupChunk'), id, payload: bytes }),
  fc.record({ type: kind('leader'), id: fc.constant(0 as const), address: text }),
);
