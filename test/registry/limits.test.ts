/** Limits are state: they change where the log says so, whatever a replica is configured with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  decodeCommand,
  defaultLimits,
  encodeCommand,
  RegistryStateMachine,
  SnapshotImage,
  type CommandHeader,
  type RegistryCommand,
  type RegistryLimits,
  type RegistryResult,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';
import { INITIAL_LIMITS } from '../../src/registry/limits.ts';
import { SnapshotCut, writeSnapshot } from '../../src/registry/snapshot-writer.ts';
import { RegistryState } from '../../src/registry/state.ts';
import { anyLimits, everyLog, type Step } from './generate.ts';
import { bytes, refused, restore, resultOf, Rig } from './rig.ts';
import { NOBODY, TableRig } from './table-rig.ts';

const LONG = 'k'.repeat(20);
const SMALL: Partial<RegistryLimits> = { maxKeyBytes: 10, maxLabelBytes: 10, maxSessionEdges: 1 };

function set(rig: Rig, limits: Partial<RegistryLimits>): RegistryResult {
  return rig.do({ type: 'setLimits', limits: { ...defaultLimits, ...limits } });
}

/** A replica that knows its limits only by configuration: no command says anything yet. */
class Configured extends Rig {
  override readonly machine: RegistryStateMachine;

  constructor(limits: Partial<RegistryLimits> = {}) {
    super();
    this.machine = new RegistryStateMachine({ limits });
  }

  play({ header, command, advanceMs }: Step): Buffer {
    this.time += advanceMs;
    return Buffer.from(this.applyBytes(encodeCommand(header, command)));
  }

  due(time: number): RegistryCommand | undefined {
    return commandOf(this.machine.leaderSide.due(time));
  }
}

function commandOf(encoded: Uint8Array | undefined): RegistryCommand | undefined {
  return encoded === undefined ? undefined : decodeCommand(encoded).command;
}

test('[REG-80] the limits that a log begins under are those of the format, for ever', () => {
  assert.deepEqual(INITIAL_LIMITS, {
    maxKeyBytes: 1024,
    maxValueBytes: 1_048_576,
    maxLabelBytes: 4096,
    maxSessions: 100_000,
    maxSessionEdges: 10_000,
    maxTableRecords: 100_000,
    maxMapEntries: 100_000,
    minSessionTtlMs: 1000,
    maxSessionTtlMs: 86_400_000,
    maxTtlMs: 316_224_000_000,
    maxTxnOps: 256,
    maxTxnDepth: 8,
    maxTxnDeletes: 100_000,
    maxTxnScanned: 200_000,
    maxTxnReadBytes: 2_097_152,
    maxLockDelayMs: 300_000,
    maxTreeLockMs: 300_000,
    maxWindow: 8192,
    maxWindowBytes: 16_777_216,
    historyRevisions: 100_000,
    historyMs: 600_000,
    historyBytes: 268_435_456,
  });
  const rig = new Configured(SMALL);
  resultOf(rig.put(LONG, ''), 'key');
});

test('[REG-80] a command is judged by the limits that the log set last before it', () => {
  const rig = new Configured();
  resultOf(rig.put(LONG, '1'), 'key');
  const { revision } = rig.machine;
  assert.deepEqual(set(rig, SMALL), { type: 'done', revision });
  assert.match(refused(rig.put(LONG, '2'), 'too-large'), /the limit is 10 \(maxKeyBytes\)/);
  set(rig, { maxKeyBytes: 20 });
  resultOf(rig.put(LONG, '3'), 'key');
  for (let i = 0; i < 5; i++) rig.put('k', `${i}`);
  set(rig, { historyRevisions: 2 });
  assert.equal(rig.machine.compactRevision, rig.machine.revision - 2, 'history goes at once');
});

test('[REG-81] under changing limits replicas agree, whatever they are configured with', () => {
  const place = fc.nat({ max: 80 });
  const otherwise = { maxKeyBytes: 1, maxWindow: 1, historyRevisions: 1, maxTxnOps: 1 };
  const header: CommandHeader = { session: NOBODY, sequence: 0, acknowledged: 0, node: '' };
  const changes = anyLimits.map((limits): Step => {
    return { header, command: { type: 'setLimits', limits }, advanceMs: 0 };
  });
  const parts = fc.array(fc.tuple(everyLog(20), changes), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(parts, place, (some, restoredAt) => {
      const log = some.flatMap(([steps, change]) => [...steps, change]);
      const rig = new Configured();
      const other = new Configured(otherwise);
      const copy = new Configured({ historyMs: 1 });
      for (const [at, step] of log.entries()) {
        if (at === restoredAt) {
          restore(copy.machine, [rig.snapshot()]);
          [copy.index, copy.time] = [rig.index, rig.time];
        }
        const answer = rig.play(step);
        assert.deepEqual(other.play(step), answer);
        if (at >= restoredAt) assert.deepEqual(copy.play(step), answer);
      }
      const whole = rig.snapshot();
      assert.deepEqual(other.snapshot(), whole);
      if (log.length > restoredAt) assert.deepEqual(copy.snapshot(), whole);
    }),
    { numRuns: 100 },
  );
});

test('[REG-81] snapshots and seeds carry the limits', () => {
  const rig = new Configured();
  set(rig, SMALL);
  rig.put('a', '1');
  const image = new SnapshotImage();
  image.push(rig.snapshot());
  image.finish();
  const grown = new Configured();
  restore(grown.machine, image.seed(rig.index, 1000).chunks());
  grown.index = rig.index;
  for (const copy of [grown, new Configured().restored(rig.snapshot())]) {
    assert.match(refused(copy.put(LONG, ''), 'too-large'), /the limit is 10/);
  }
});

test('[REG-82] limits that make no sense change nothing, and no snapshot brings them', () => {
  const header: CommandHeader = { session: NOBODY, sequence: 0, acknowledged: 0, node: '' };
  const cases: [Partial<RegistryLimits>, RegExp][] = [
    [{ maxSessions: 0 }, /limits\.maxSessions must be a whole number of at least 1, not 0/],
    [{ minSessionTtlMs: 5, maxSessionTtlMs: 4 }, /minSessionTtlMs must not be above/],
    [{ maxKeyBytes: 2 ** 40 }, /maxKeyBytes must not be above/],
    [{ maxTxnDepth: 1000 }, /maxTxnDepth must not be above/],
  ];
  const rig = new Configured();
  set(rig, SMALL);
  const before = rig.snapshot();
  for (const [some, rule] of cases) {
    const limits = { ...defaultLimits, ...some };
    assert.match(refused(set(rig, some), 'invalid-argument'), rule);
    const chunks = writeSnapshot(new SnapshotCut(new RegistryState(limits)));
    const into = new RegistryStateMachine();
    assert.throws(() => restore(into, chunks), rule);
  }
  const short = encodeCommand(header, { type: 'setLimits', limits: defaultLimits });
  const at = Buffer.from(short).indexOf(Buffer.from([29, 22])) + 1;
  assert.ok(at > 0, 'the number of limits follows that of the command');
  short[at] = 21;
  assert.throws(() => decodeCommand(short), MalformedBytesError);
  rig.applyBytes(short);
  assert.deepEqual(rig.snapshot(), before);
});

test('[REG-83] a leader configured otherwise proposes its limits, again until they are set', () => {
  const rig = new Configured(SMALL);
  const { leaderSide } = rig.machine;
  const command = { type: 'setLimits', limits: { ...defaultLimits, ...SMALL } } as const;
  assert.equal(rig.due(0), undefined, 'it does not lead');
  assert.deepEqual(commandOf(leaderSide.opening()), command);
  leaderSide.elected(1000);
  assert.deepEqual(rig.due(1000), command);
  assert.equal(rig.due(1999), undefined);
  assert.deepEqual(rig.due(2000), command);
  rig.do(command);
  assert.equal(leaderSide.opening(), undefined);
  assert.equal(rig.due(9000), undefined);
  // Another one's, of an older leadership, comes late.
  set(rig, {});
  assert.deepEqual(rig.due(9000), command);
  leaderSide.deposed();
  assert.equal(rig.due(99_000), undefined);
});

test('[REG-84] keys and locks longer than a lowered limit can still be let go of', () => {
  const rig = new Configured();
  const [session, other] = [rig.open(), rig.open()];
  const [kept, gone] = [`${LONG}1`, `${LONG}2`];
  rig.put(kept, '', { ttlMs: 5000 });
  rig.put(gone, '');
  const token = rig.token(kept, session);
  const broken = rig.token(gone, other);
  set(rig, SMALL);
  resultOf(rig.persist(kept, session), 'key');
  assert.equal(rig.get(kept)?.expiresAt, undefined);
  resultOf(rig.unlock(kept, session, token), 'done');
  const command = { type: 'breakLock', name: gone, token: broken } as const;
  assert.match(refused(rig.do({ ...command, reason: LONG }), 'too-large'), /maxLabelBytes/);
  resultOf(rig.do({ ...command, reason: '' }), 'done');
  resultOf(rig.delete(gone), 'key');
  assert.equal(rig.get(gone), undefined);
  for (const result of [rig.delete(gone), rig.persist(gone), rig.unlock(gone, other, broken)]) {
    assert.match(refused(result, 'too-large'), /maxKeyBytes/);
  }
  refused(rig.put(kept, ''), 'too-large');
  refused(rig.lock(kept, session), 'too-large');
  refused(rig.delete(`a/${'0'.repeat(16)}`), 'too-large');
});

test('[REG-84] entries of maps and tables too, and notices beyond the limit', () => {
  const rig = new TableRig();
  const session = rig.session();
  const map = { map: 'm', created: 0 as Revision } as const;
  rig.do({ type: 'openMap', ...map, persist: true, prune: false }, { session });
  rig.do({ type: 'mapPut', ...map, key: LONG, value: bytes('') });
  rig.openTable();
  for (const key of ['a', 'b', LONG]) rig.store(key, '', 'monitor', session);
  const edge = rig.connect('monitor', session, LONG);
  set(rig, SMALL);
  resultOf(rig.do({ type: 'mapRemove', ...map, key: LONG }), 'key');
  refused(rig.do({ type: 'mapRemove', ...map, key: LONG }), 'too-large');
  assert.deepEqual(rig.disconnect(edge, session, LONG), [edge]);
  for (const key of ['a', 'b', LONG]) resultOf(rig.erase(key), 'done');
  refused(rig.erase(LONG), 'too-large');
  const connections = rig.notices(session).map(({ connection }) => connection);
  assert.equal(connections.length, 3);
  resultOf(rig.acknowledge(session, connections), 'done');
  assert.match(refused(rig.acknowledge(session, connections), 'too-large'), /the limit is 1 /);
  refused(rig.acknowledge(7777 as SessionId, connections), 'too-large');
});
