/** fast-check generators over few keys and sessions, so that commands get in each other's way. */
import * as fc from 'fast-check';
import type {
  CommandHeader,
  FencingToken,
  RegistryCommand,
  Revision,
  SessionId,
} from '../../src/registry/index.ts';

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

export const anyCommand: fc.Arbitrary<RegistryCommand> = fc.oneof(
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

export const anyStep: fc.Arbitrary<Step> = fc.record({
  header,
  command: anyCommand,
  advanceMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 })),
});

/** Logs that begin with a few sessions, so that most of what follows has somebody to act. */
export function anyLog(maxLength: number): fc.Arbitrary<Step[]> {
  const opening: Step = {
    header: { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' },
    command: { type: 'openSession', ttlMs: 1000, label: '', metadata: new Uint8Array(0) },
    advanceMs: 1,
  };
  return fc
    .array(anyStep, { maxLength, size: 'max' })
    .map((steps) => [opening, opening, opening, opening, ...steps]);
}
