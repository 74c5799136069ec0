import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  decodeAnswer,
  decodeCommand,
  decodeEvents,
  decodeLeaseAnswer,
  decodeLeaseQuery,
  decodeQuery,
  decodeResult,
  defaultLimits,
  encodeAnswer,
  encodeCommand,
  encodeEvents,
  encodeLeaseAnswer,
  encodeLeaseQuery,
  encodeQuery,
  encodeResult,
  type RegistryAnswer,
  type RegistryQuery,
  type RegistryResult,
  type Revision,
  type FencingToken,
  type SessionId,
} from '../../src/registry/index.ts';
import { anyStep, everyLog } from './generate.ts';
import { NONE, Rig } from './rig.ts';

const QUERIES: readonly RegistryQuery[] = [
  { type: 'get', key: 'k\xff' },
  { type: 'range', start: '', end: undefined, limit: 0, keysOnly: false, revision: 0 as Revision },
  { type: 'range', start: 'a', end: 'b', limit: 7, keysOnly: true, revision: 3 as Revision },
  {
    type: 'range',
    start: 'a',
    end: undefined,
    limit: 1,
    keysOnly: false,
    revision: 2 as Revision,
    select: {
      countOnly: false,
      sortBy: 'value',
      descending: true,
      minModRevision: 1 as Revision,
      maxModRevision: 2 as Revision,
      minCreateRevision: 3 as Revision,
      maxCreateRevision: 4 as Revision,
    },
  },
  { type: 'lockQueue', name: 'job', after: 0, limit: 0 },
  { type: 'lockPlace', name: 'job', session: 7 as SessionId, token: 9 as FencingToken },
  { type: 'locks', start: '', end: undefined, limit: 0 },
  { type: 'locks', start: 'a', end: 'b', limit: 3 },
  { type: 'sessions', after: 0, limit: 0 },
  { type: 'stats' },
];

const LOCK = {
  type: 'lock',
  name: 'n',
  wait: true,
  metadata: NONE,
  terms: { mode: 'semaphore', permits: 2, limit: 300, delayMs: 7 },
} as const;

/** A registry some log led to. */
function lived(log: readonly { header: object; command: Parameters<Rig['do']>[0] }[]): Rig {
  const rig = new Rig();
  for (const { header, command } of log) rig.do(command, header);
  return rig;
}

test('[REG-23] commands, queries and lease questions read back as they were written', () => {
  fc.assert(
    fc.property(anyStep, ({ header, command }) => {
      const read = decodeCommand(encodeCommand(header, command));
      // The generator's objects may have no prototype.
      assert.deepEqual(read, structuredClone({ header, command }));
    }),
    { numRuns: 300 },
  );
  for (const query of QUERIES) assert.deepEqual(decodeQuery(encodeQuery(query)), query);
  const sessions = [1, 2 ** 53 - 1].map((id) => id as SessionId);
  const lease = { type: 'keepAlive', sessions } as const;
  assert.deepEqual(decodeLeaseQuery(encodeLeaseQuery(lease)), lease);
  const answer = { type: 'keepAlive', ttlMs: [0, 86_400_000] } as const;
  assert.deepEqual(decodeLeaseAnswer(encodeLeaseAnswer(answer)), answer);
});

test('[REG-23] results and answers read back as they were written', () => {
  fc.assert(
    fc.property(everyLog(40), (log) => {
      const rig = new Rig();
      for (const { header, command } of log) {
        const result: RegistryResult = rig.do(command, header);
        assert.deepEqual(decodeResult(encodeResult(result)), result);
      }
      for (const query of QUERIES) {
        const answer: RegistryAnswer = rig.ask(query);
        assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
      }
    }),
    { numRuns: 40 },
  );
});

test('[REG-23] bytes cut short, lengthened or of another version are refused by all', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.put('k', 'v', { lock: true, by: session });
  rig.lock('k', rig.open());
  const header = { session, sequence: 3, acknowledged: 2, node: 'a' };
  const encoded: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    ...QUERIES.map((query) => [rig.machine.query(encodeQuery(query)), decodeAnswer] as const),
    ...QUERIES.map((query) => [encodeQuery(query), decodeQuery] as const),
    [encodeResult(rig.put('k', 'v', { by: session })), decodeResult],
    [encodeResult(rig.put('', '')), decodeResult],
    [encodeResult(rig.lock('k', session)), decodeResult],
    [encodeCommand(header, LOCK), decodeCommand],
    [encodeCommand(header, { type: 'expireSessions', sessions: [session] }), decodeCommand],
    [encodeCommand(header, { type: 'setLimits', limits: defaultLimits }), decodeCommand],
    [encodeEvents(rig.events(1)), decodeEvents],
    [encodeLeaseQuery({ type: 'keepAlive', sessions: [session] }), decodeLeaseQuery],
    [encodeLeaseAnswer({ type: 'keepAlive', ttlMs: [5] }), decodeLeaseAnswer],
  ].map(([bytes, decode]) => [bytes, decode] as [Uint8Array, (bytes: Uint8Array) => unknown]);
  for (const [bytes, decode] of encoded) {
    decode(bytes);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length)), MalformedBytesError);
    }
    assert.throws(() => decode(Buffer.concat([bytes, Buffer.from([0])])), MalformedBytesError);
    const other = Uint8Array.from(bytes);
    other[0] = 1;
    assert.throws(() => decode(other), /format version 1, not 5/);
  }
});

const DECODERS = [
  decodeAnswer,
  decodeCommand,
  decodeEvents,
  decodeLeaseAnswer,
  decodeLeaseQuery,
  decodeQuery,
  decodeResult,
];

test('[REG-23] no bytes make a decoder fail in any other way', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.from([3, ...tail])),
  );
  fc.assert(
    fc.property(bytes, (garbage) => {
      for (const decode of DECODERS) {
        try {
          decode(garbage);
        } catch (error) {
          assert.ok(error instanceof MalformedBytesError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('[REG-11] [REG-12] garbage is answered, the same everywhere, and never thrown at', () => {
  const mangled = fc.tuple(anyStep, fc.nat(), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(everyLog(20), fc.array(mangled, { maxLength: 20 }), (log, steps) => {
      const rigs = [lived(log), lived(log)];
      for (const [{ header, command }, at, byte] of steps) {
        const garbage = Uint8Array.from(encodeCommand(header, command));
        garbage[at % garbage.length] = byte;
        const [one, two] = rigs.map((rig) => Buffer.from(rig.applyBytes(garbage)));
        assert.deepEqual(one, two);
        decodeResult(one!);
        decodeAnswer(rigs[0]!.machine.query(garbage));
      }
      assert.ok(rigs[0]!.snapshot().equals(rigs[1]!.snapshot()));
    }),
    { numRuns: 150 },
  );
});

test('[REG-11] garbage counts as a command: time moves on and what is due expires', () => {
  const rig = new Rig();
  rig.put('k', '', { ttlMs: 10 });
  rig.time += 10;
  for (const garbage of [[], [0], [1], [1, 0, 0, 0, 0, 99], [255, 255]]) {
    const result = decodeResult(rig.applyBytes(Uint8Array.from(garbage)));
    assert.equal(result.type === 'error' && result.code, 'invalid-command');
  }
  assert.equal(rig.get('k'), undefined);
});
