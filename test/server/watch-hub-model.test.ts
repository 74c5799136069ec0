/** Random changes, consumers, losses and compactions against a registry that forgets nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { UNFILTERED, type WatchFilter } from '../../src/protocol/index.ts';
import type { KeyRange } from '../../src/server/range-index.ts';
import { put, remove } from './support/registry.ts';
import { HUB_OPTIONS, WatchModel, type WatchRun } from './support/watch-model.ts';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/1', 'c'];
const RANGES: readonly KeyRange[] = [
  { start: '', end: undefined },
  { start: 'a', end: 'b' },
  { start: 'a/', end: 'a0' },
  { start: 'b', end: 'b\0' },
  { start: 'a/1', end: 'b/1' },
  { start: 'x', end: 'y' },
];

const anyFilter: fc.Arbitrary<WatchFilter> = fc.oneof(
  fc.constant(UNFILTERED),
  fc.record({
    types: fc.constantFrom('all', 'put', 'delete'),
    causes: fc.constantFrom([], ['request'], ['expired'], ['expired', 'request']),
    previous: fc.boolean(),
  }),
);
const anyKey = fc.constantFrom(...KEYS);
type Step =
  | { type: 'change'; key: string; size: number; remove: boolean; ttlMs: number }
  | { type: 'dispatch' | 'background' | 'lose' }
  | { type: 'open'; range: KeyRange; filter: WatchFilter; back: number }
  | { type: 'mark'; which: number; ahead: number }
  | { type: 'acknowledge' | 'cancel' | 'stall'; which: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('change' as const),
      key: anyKey,
      size: fc.constantFrom(1, 10, 300),
      remove: fc.boolean(),
      ttlMs: fc.constantFrom(0, 0, 40),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ type: 'dispatch' as const }) },
  { weight: 5, arbitrary: fc.constant({ type: 'background' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'lose' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('open' as const),
      range: fc.constantFrom(...RANGES),
      filter: anyFilter,
      back: fc.integer({ min: -3, max: 30 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('acknowledge' as const), which: fc.nat() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('mark' as const),
      which: fc.nat(),
      ahead: fc.integer({ min: -2, max: 10 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('cancel', 'stall'), which: fc.nat() }),
  },
);

function perform(model: WatchModel, step: Step): void {
  switch (step.type) {
    case 'change': {
      const value = step.key.repeat(step.size);
      model.apply(step.remove ? remove(step.key) : put(step.key, value, step.ttlMs));
      return;
    }
    case 'dispatch':
      model.hub.dispatch();
      return;
    case 'background':
      model.schedule.step();
      return;
    case 'lose':
      model.loseEvents();
      return;
    case 'open': {
      // From the past, from now (0) and from revisions that are yet to come.
      const from = step.back === 0 ? 0 : Math.max(1, model.registry.revision + 1 - step.back);
      model.watch(step.range, from, step.filter);
      return;
    }
    case 'mark': {
      const at = Math.max(0, model.registry.revision + step.ahead);
      return withOne(model, step.which, (run) => model.askForMark(run, at));
    }
    case 'acknowledge':
      return withOne(model, step.which, (run) => model.acknowledge(run));
    case 'cancel':
      return withOne(model, step.which, (run) => model.hub.close(run.watcher));
    case 'stall':
      return withOne(model, step.which, (run) => {
        run.target.writable = !run.target.writable;
        model.hub.wake(run.watcher);
      });
  }
}

function withOne(model: WatchModel, which: number, act: (run: WatchRun) => void): void {
  const run = model.runs[which % Math.max(model.runs.length, 1)];
  if (run !== undefined && run.target.ended === undefined) act(run);
}

const IDS = '[WATCH-51] [WATCH-52] [WATCH-66] [WATCH-67] [WATCH-68]';
test(`${IDS} no watch misses, repeats or reorders anything`, () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200, size: 'max' }), (steps) => {
      const model = new WatchModel();
      for (const step of steps) perform(model, step);
      model.settle();
      for (const run of model.runs) {
        assert.notEqual(run.target.ended?.code, 'compacted');
        model.check(run);
      }
    }),
    { numRuns: 300 },
  );
});

test('[WATCH-53] what history no longer has ends a watch, and never leaves a silent gap', () => {
  let compacted = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 50, maxLength: 200, size: 'max' }), (steps) => {
      const model = new WatchModel({ historyRevisions: 8 });
      for (const step of steps) perform(model, step);
      model.settle();
      for (const run of model.runs) {
        if (run.target.ended?.code === 'compacted') compacted++;
        model.check(run);
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(compacted > 100, `only ${compacted} watches were compacted away`);
});

test('[WATCH-54] a watch is sent no more than its window and one message on credit', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200, size: 'max' }), (steps) => {
      const model = new WatchModel();
      // One message: a slice, or one revision that is larger, and its framing.
      const most = HUB_OPTIONS.windowBytes + HUB_OPTIONS.sliceBytes + 3000;
      for (const step of steps) {
        perform(model, step);
        for (const { target } of model.runs) assert.ok(target.unacknowledged <= most);
      }
    }),
    { numRuns: 100 },
  );
});
