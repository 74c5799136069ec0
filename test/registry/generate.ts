/** fast-check generators over few keys and sessions, so that commands get in each other's way. */
import * as fc from 'fast-check';
import {
  defaultLimits,
  type CommandHeader,
  type FencingToken,
  type LockTerms,
  type RangeQuery,
  type RangeSelection,
  type RegistryCommand,
  type RegistryLimits,
  type Revision,
  type SessionId,
  type TxnCommand,
  type TxnCompare,
  type TxnOp,
} from '../../src/registry/index.ts';
import { anyMapCommand } from './map-generate.ts';
import { anyTableCommand } from './table-generate.ts';

/** One entry of a log. */
export interface Step {
  readonly header: CommandHeader;
  readonly command: RegistryCommand;
  /** Cluster time that passes before it. */
  readonly advanceMs: number;
}

/** Sessions opened by early entries have these ids. */
const session: fc.Arbitrary<SessionId> = fc
  .integer({ min: 1, max: 12 })
  .map((id) => id as SessionId);
const token: fc.Arbitrary<FencingToken> = fc
  .integer({ min: 1, max: 30 })
  .map((number) => number as FencingToken);
const key: fc.Arbitrary<string> = fc.constantFrom(
  'a',
  'b',
  'a/b',
  'job',
  '\xff\x00',
  `a/${'0'.repeat(15)}1`,
  '',
);
const value: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.integer({ min: 60, max: 70 }).map((length) => new Uint8Array(length).fill(length)),
);
const ttlMs: fc.Arbitrary<number> = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(-1, NaN, 0.5, 1e15),
);

const atRevision: fc.Arbitrary<Revision> = fc
  .oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 }))
  .map((number) => number as Revision);
const keyRange = fc.record({
  start: key,
  end: fc.oneof(fc.constant(undefined), key, fc.constant('b\0')),
});
const oneKey = key.map((start) => ({ start, end: `${start}\0` }));
const anyKeys = fc.oneof({ weight: 3, arbitrary: oneKey }, { weight: 1, arbitrary: keyRange });
const operator = fc.constantFrom('equal', 'notEqual', 'less', 'greater');
const bound = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }));

const selection: fc.Arbitrary<RangeSelection> = fc
  .record({
    countOnly: fc.boolean(),
    sortBy: fc.constantFrom('key', 'version', 'createRevision', 'modRevision', 'value'),
    descending: fc.boolean(),
    minModRevision: bound,
    maxModRevision: bound,
    minCreateRevision: bound,
    maxCreateRevision: bound,
  })
  .map((select) => select as RangeSelection);

export const anyRange: fc.Arbitrary<RangeQuery> = fc
  .tuple(keyRange, fc.nat({ max: 3 }), fc.boolean(), atRevision, fc.option(selection))
  .map(([range, limit, keysOnly, revision, select]) => {
    const plain = { type: 'range' as const, ...range, limit, keysOnly, revision };
    return select === null ? plain : { ...plain, select };
  });

const compare: fc.Arbitrary<TxnCompare> = fc
  .tuple(
    anyKeys,
    operator,
    fc.oneof(
      fc.record({
        target: fc.constantFrom('version', 'createRevision', 'modRevision', 'session'),
        operand: fc.nat({ max: 5 }),
      }),
      fc.record({ target: fc.constant('value'), operand: fc.uint8Array({ maxLength: 1 }) }),
    ),
  )
  .map(([range, how, what]) => ({ ...range, operator: how, ...what }));

const plainOp: fc.Arbitrary<TxnOp> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      value: fc.oneof(
        value,
        fc.constantFrom('7', '-12').map((text) => new Uint8Array(Buffer.from(text))),
      ),
      ttlMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, ttlMs),
      ephemeral: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('increment' as const),
      key,
      by: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.5, NaN)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  {
    weight: 1,
    arbitrary: keyRange.map((range) => ({ type: 'deleteRange' as const, ...range })),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('get' as const), key }) },
  { weight: 3, arbitrary: anyRange },
);

/** Transactions of small branches, nested up to `depth`. */
export function anyTxn(depth: number): fc.Arbitrary<TxnCommand> {
  const op: fc.Arbitrary<TxnOp> =
    depth === 1
      ? plainOp
      : fc.oneof({ weight: 5, arbitrary: plainOp }, { weight: 1, arbitrary: anyTxn(depth - 1) });
  return fc.record({
    type: fc.constant('txn' as const),
    compares: fc.array(compare, { maxLength: 2 }),
    success: fc.array(op, { maxLength: 3 }),
    failure: fc.array(op, { maxLength: 2 }),
  });
}

const noPermits = { permits: 0, limit: 0 } as const;
const delayMs: fc.Arbitrary<number> = fc.constantFrom(0, 0, 80, 200, -1, 1e9);
const terms: fc.Arbitrary<LockTerms> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant({ mode: 'exclusive' as const, ...noPermits }) },
      { weight: 3, arbitrary: fc.constant({ mode: 'shared' as const, ...noPermits }) },
      { weight: 3, arbitrary: semaphore(fc.integer({ min: 0, max: 4 }), fc.constant(3)) },
      { weight: 1, arbitrary: semaphore(fc.constant(1), fc.integer({ min: 0, max: 2 })) },
    ),
    delayMs,
  )
  .map(([how, delay]) => ({ ...how, delayMs: delay }));

function semaphore(
  permits: fc.Arbitrary<number>,
  limit: fc.Arbitrary<number>,
): fc.Arbitrary<Omit<LockTerms, 'delayMs'>> {
  return fc.record({ mode: fc.constant('semaphore' as const), permits, limit });
}

/** Some limits that make a difference, and some that make no sense. */
export const anyLimits: fc.Arbitrary<RegistryLimits> = fc
  .record({
    minSessionTtlMs: fc.constantFrom(1000, 2000, defaultLimits.maxSessionTtlMs + 1),
    maxLockDelayMs: fc.constantFrom(1, 1000),
    maxTtlMs: fc.constantFrom(50, 1e6),
    maxTxnOps: fc.constantFrom(4, 10),
    maxTxnDepth: fc.constantFrom(1, 2),
    maxWindow: fc.constantFrom(2, 6),
    historyRevisions: fc.constantFrom(2, 7, 1000),
    historyMs: fc.constantFrom(200, 1e6),
  })
  .map((some) => ({ ...defaultLimits, ...some }));

const setLimits = fc.record({ type: fc.constant('setLimits' as const), limits: anyLimits });

/** What `Model` knows: keys, locks, sessions, transactions. */
const anyCommand: fc.Arbitrary<RegistryCommand> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      value,
      ttlMs,
      ephemeral: fc.boolean(),
      lock: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('persist' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('lock' as const),
      name: key,
      wait: fc.boolean(),
      metadata: fc.uint8Array({ maxLength: 3 }),
      terms,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('unlock' as const), name: key, session, token }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('breakLock' as const),
      name: key,
      token,
      reason: fc.constant('why'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('openSession' as const),
      label: fc.constantFrom('', 'x'),
      ttlMs: fc.constantFrom(1000, 2000, 1, NaN),
      metadata: fc.uint8Array({ maxLength: 3 }),
      trapExits: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('closeSession' as const), session }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('expireSessions' as const),
      sessions: fc.array(session, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'tick' as const }) },
  { weight: 6, arbitrary: anyTxn(3) },
  { weight: 1, arbitrary: setLimits },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('compact' as const),
      revision: fc.integer({ min: 0, max: 40 }).map((number) => number as Revision),
    }),
  },
);

const header: fc.Arbitrary<CommandHeader> = fc.record({
  session: fc.oneof(fc.constant(0 as SessionId), session),
  sequence: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9 })),
  acknowledged: fc.integer({ min: 0, max: 4 }),
  node: fc.constantFrom('a', 'b', ''),
});

/** Commands of every kind, tables and maps included. */
const everyCommand: fc.Arbitrary<RegistryCommand> = fc.oneof(
  { weight: 3, arbitrary: anyCommand },
  { weight: 2, arbitrary: anyTableCommand },
  { weight: 1, arbitrary: anyMapCommand },
);

function stepOf(command: fc.Arbitrary<RegistryCommand>): fc.Arbitrary<Step> {
  const advanceMs = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 }));
  return fc.record({ header, command, advanceMs });
}

/** Of every kind. */
export const anyStep: fc.Arbitrary<Step> = stepOf(everyCommand);

/** Logs of what `Model` knows. */
export function anyLog(maxLength: number): fc.Arbitrary<Step[]> {
  return logOf(stepOf(anyCommand), maxLength);
}

/** Logs of commands of every kind. */
export function everyLog(maxLength: number): fc.Arbitrary<Step[]> {
  return logOf(anyStep, maxLength);
}

/** Logs that begin with a few sessions, so that most of what follows has somebody to act. */
function logOf(step: fc.Arbitrary<Step>, maxLength: number): fc.Arbitrary<Step[]> {
  const opening: Step = {
    header: { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' },
    command: {
      type: 'openSession',
      ttlMs: 1000,
      label: '',
      metadata: new Uint8Array(0),
      trapExits: false,
    },
    advanceMs: 1,
  };
  return fc
    .array(step, { maxLength, size: 'max' })
    .map((steps) => [opening, opening, opening, opening, ...steps]);
}
