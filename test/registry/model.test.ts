import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  defaultLimits,
  encodeCommand,
  type KeyEvent,
  type KeyRecord,
  type RegistryLimits,
  type RegistryResult,
} from '../../src/registry/index.ts';
import { anyLog, everyLog, type Step } from './generate.ts';
import { Model } from './model.ts';
import { Rig } from './rig.ts';

const LIMITS: RegistryLimits = {
  ...defaultLimits,
  maxWindow: 6,
  historyRevisions: 7,
  historyMs: 400,
  maxTxnOps: 10,
  maxTxnDepth: 2,
};
/** Each limit of history is met where the other is out of the way. */
const anyLimits = fc.constantFrom(
  { ...LIMITS, historyMs: 1e6 },
  { ...LIMITS, historyRevisions: 1000 },
);
const RUNS = Number(process.env['REGISTRY_RUNS'] ?? 150);
/** Of logs of some 60 commands: 10^5 commands in all. */
const MODEL_RUNS = RUNS * 11;
const MAX_STEPS = 120;
/** Comparing all that can be read, at every kept revision, is most of the work. */
const COMMANDS_PER_LOOK = 16;

function withoutMessage(result: RegistryResult): RegistryResult {
  return result.type === 'error' ? { ...result, message: '' } : result;
}

function act(rig: Rig, step: Step): RegistryResult {
  rig.time += step.advanceMs;
  return rig.do(step.command, step.header);
}

/** Everything that can be read of the model and of the registry is the same. */
function compareReads(rig: Rig, model: Model): void {
  assert.equal(rig.machine.revision, model.revision);
  assert.equal(rig.machine.compactRevision, model.compactRevision);
  assert.deepEqual(rig.list(), model.list(model.revision));
  for (let at = Math.max(model.compactRevision, 1); at <= model.revision; at++) {
    assert.deepEqual(rig.list('', at), model.list(at), `as of revision ${at}`);
  }
  const { keys, sessions, time } = rig.stats();
  assert.deepEqual([keys, sessions, time], [model.keys.size, model.sessions.size, model.time]);
  for (const name of ['a', 'b', 'job']) assert.deepEqual(rig.view(name), model.view(name));
}

test('[REG-1] [REG-2] [REG-8] [REG-50] [LOCK-2] [SESS-5] a log is answered as by the model', () => {
  fc.assert(
    fc.property(anyLog(MAX_STEPS), anyLimits, (log, limits) => {
      const rig = new Rig(limits);
      const model = new Model(limits);
      for (const step of log) {
        const result = act(rig, step);
        const expected = model.apply(step.header, step.command, rig.index, rig.time);
        assert.deepEqual(withoutMessage(result), expected);
        if (rig.index % COMMANDS_PER_LOOK === 0) compareReads(rig, model);
      }
      compareReads(rig, model);
    }),
    { numRuns: MODEL_RUNS },
  );
});

/** Plays events over keys as a watcher would keep a copy. */
function play(copy: Map<string, KeyRecord>, { type, record, previous }: KeyEvent): void {
  assert.deepEqual(previous && { ...previous, value: previous.value }, copy.get(record.key));
  if (type === 'put') copy.set(record.key, record);
  else copy.delete(record.key);
}

test('[WATCH-1] [WATCH-2] [WATCH-4] a copy kept by events is the registry, always', () => {
  fc.assert(
    fc.property(anyLog(MAX_STEPS), (log) => {
      const rig = new Rig({ ...LIMITS, historyRevisions: 1000, historyMs: 1e6 });
      const model = new Model({ ...LIMITS, historyRevisions: 1000, historyMs: 1e6 });
      const copy = new Map<string, KeyRecord>();
      let next = 1;
      for (const step of log) {
        act(rig, step);
        model.apply(step.header, step.command, rig.index, rig.time);
        for (const { revision, events } of rig.machine.takeEvents()) {
          assert.equal(revision, next++);
          for (const event of events) {
            const record = plain(event.record);
            play(copy, { ...event, record, previous: event.previous && plain(event.previous) });
          }
          assert.deepEqual(copy, model.past.get(revision));
        }
      }
      assert.equal(next, model.revision + 1);
    }),
    { numRuns: RUNS / 2 },
  );
});

test('[WATCH-1] [WATCH-4] [TABLE-16] tables too: events lead to what reads show as of them', () => {
  fc.assert(
    fc.property(everyLog(MAX_STEPS), (log) => {
      const rig = new Rig({ ...LIMITS, historyRevisions: 1000, historyMs: 1e6 });
      const copy = new Map<string, KeyRecord>();
      const past: KeyRecord[][] = [];
      for (const step of log) {
        act(rig, step);
        for (const { events } of rig.machine.takeEvents()) {
          for (const event of events) {
            const record = plain(event.record);
            play(copy, { ...event, record, previous: event.previous && plain(event.previous) });
          }
          past.push([...copy.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)));
        }
      }
      for (let at = Math.max(rig.machine.compactRevision, 1); at <= past.length; at++) {
        const records = rig.list('', at).map(({ record }) => record);
        assert.deepEqual(records, past[at - 1], `as of revision ${at}`);
      }
    }),
    { numRuns: RUNS / 3 },
  );
});

function plain(record: KeyRecord): KeyRecord {
  const { key, value, createRevision, modRevision, version, session, expiresAt, node, time } =
    record;
  return { key, value, createRevision, modRevision, version, session, expiresAt, node, time };
}

test('[REG-15] replicas with the same log give the same answers and the same snapshots', () => {
  fc.assert(
    fc.property(everyLog(MAX_STEPS), (log) => {
      const rigs = [new Rig(LIMITS), new Rig(LIMITS), new Rig(LIMITS)];
      for (const [at, { header, command, advanceMs }] of log.entries()) {
        const bytes = encodeCommand(header, command);
        const answers = rigs.map((rig, who) => {
          rig.time += advanceMs;
          // What one replica alone is asked must leave no trace.
          if (who === 1 && at % 7 === 0) rig.snapshot();
          if (who === 2 && at % 3 === 0) rig.machine.takeEvents();
          if (who === 2 && at % 5 === 0) rig.list();
          return Buffer.from(rig.applyBytes(bytes));
        });
        assert.deepEqual(answers[1], answers[0]);
        assert.deepEqual(answers[2], answers[0]);
      }
      const [first, ...others] = rigs.map((rig) => rig.snapshot());
      for (const other of others) assert.deepEqual(other, first);
    }),
    { numRuns: RUNS / 2 },
  );
});

test('[REG-17] snapshot and tail give, byte for byte, what the full log gives', () => {
  const place = fc.nat({ max: MAX_STEPS });
  fc.assert(
    fc.property(everyLog(MAX_STEPS), place, place, (log, first, second) => {
      const rig = new Rig(LIMITS);
      const copies: Rig[] = [];
      for (const [at, step] of log.entries()) {
        // The later copy is a copy of a copy.
        if (at === second) copies.push((copies[0] ?? rig).restored(rig.snapshot()));
        if (at === first) copies.push(rig.restored(rig.snapshot()));
        const answer = act(rig, step);
        for (const copy of copies) assert.deepEqual(act(copy, step), answer);
      }
      const whole = rig.snapshot();
      for (const copy of copies) assert.deepEqual(copy.snapshot(), whole);
    }),
    { numRuns: RUNS },
  );
});

test('[REG-16] a snapshot shows the state at its cut, whatever is applied while it is read', () => {
  fc.assert(
    fc.property(everyLog(60), everyLog(MAX_STEPS), (before, after) => {
      const rig = new Rig(LIMITS);
      for (const step of before) act(rig, step);
      const whole = rig.snapshot();
      const chunks = rig.machine.snapshotChunks();
      for (const step of after) act(rig, step);
      assert.deepEqual(Buffer.concat([...chunks]), whole);
    }),
    { numRuns: RUNS },
  );
});
