/** Sets and lists: each kind of violation by hand, and random histories against a search. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append } from '../../jepsen-lite/checkers/append.ts';
import { checkLinearizable } from '../../jepsen-lite/checkers/linearizability.ts';
import type { Model } from '../../jepsen-lite/checkers/model.ts';
import { set } from '../../jepsen-lite/checkers/set.ts';
import type { Checker } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { assertIllegal, assertOk, done, open, typeOf } from './support/operations.ts';

const add = (value: number, call: number, end: number): Operation =>
  done(0, 'add', [call, end], { value });
const read = (output: number[], call: number, end: number): Operation =>
  done(1, 'read', [call, end], { output });
const push = (value: number, call: number, end: number): Operation =>
  done(0, 'append', [call, end], { value });

test('[CHECK-4] a set: an acknowledged element is missing', () => {
  assertIllegal(
    set,
    [add(1, 0, 5), add(2, 5, 9), read([2], 10, 11)],
    'read by process 1 (10.000 ms to 11.000 ms: [2]) misses what add 1 by process 0 ' +
      '(0.000 ms to 5.000 ms: ok) had added before',
  );
});

test('[CHECK-4] a set: an element is gone again', () => {
  assertIllegal(
    set,
    [open(0, 'add', 0, { value: 1 }), read([1], 5, 6), read([], 7, 8)],
    'read by process 1 (7.000 ms to 8.000 ms: []) misses 1, which read by process 1 ' +
      '(5.000 ms to 6.000 ms: [1]) had shown before',
  );
});

test('[CHECK-4] a set: an element that nobody added, or whose add had failed', () => {
  assertIllegal(
    set,
    [add(1, 0, 5), read([1, 3], 6, 7)],
    'read by process 1 (6.000 ms to 7.000 ms: [1,3]) shows 3, which nobody added',
  );
  assertIllegal(
    set,
    [{ ...add(1, 0, 5), type: 'fail' }, read([1], 6, 7)],
    'read by process 1 (6.000 ms to 7.000 ms: [1]) shows 1, which nobody added',
  );
});

test('[CHECK-4] a set: an element before it was added', () => {
  assertIllegal(
    set,
    [read([1], 0, 1), add(1, 2, 3)],
    'read by process 1 (0.000 ms to 1.000 ms: [1]) shows what add 1 by process 0 (2.000 ' +
      'ms to 3.000 ms: ok) added only later',
  );
});

test('[CHECK-4] a set: an element twice', () => {
  assertIllegal(
    set,
    [add(1, 0, 5), read([1, 1], 6, 7)],
    'read by process 1 (6.000 ms to 7.000 ms: [1,1]) shows 1 twice',
  );
});

test('[CHECK-4] a set: an add is refused for nothing but its own first sending', () => {
  const refused = done(0, 'add', [0, 9], { value: 1, output: false });
  assertIllegal(
    set,
    [refused, done(1, 'read', [10, 11], { output: [1] })],
    'add 1 by process 0 (0.000 ms to 9.000 ms: false) was told that 1 is there already, though ' +
      'nobody else had added it: its own add happened before, and was not recognised',
  );
  const lost = open(2, 'add', 9, { value: 1 });
  assertOk(set, [refused, lost, done(1, 'read', [10, 11], { output: [1] })]);
});

test('[CHECK-4] a set: two reads that saw two orders', () => {
  assertIllegal(
    set,
    [add(1, 0, 9), add(2, 0, 9), read([1], 2, 5), read([2], 2, 5)],
    'read by process 1 (2.000 ms to 5.000 ms: [1]) shows 1 without 2, and read by ' +
      'process 1 (2.000 ms to 5.000 ms: [2]) shows 2 without 1, so neither came first',
  );
});

test('[CHECK-4] a set: the later of two adds without the earlier', () => {
  assertIllegal(
    set,
    [add(1, 0, 1), add(2, 2, 9), read([2], 0, 9)],
    'a read shows what add 2 by process 0 (2.000 ms to 9.000 ms: ok) added, and misses ' +
      'what add 1 by process 0 (0.000 ms to 1.000 ms: ok) had added before that began',
  );
});

test('[CHECK-4] a set: what may be, is allowed, and sets of other keys are others', () => {
  assertOk(set, [add(1, 0, 9), read([], 1, 2), read([1], 3, 4), open(2, 'add', 5, { value: 2 })]);
  const elsewhere = { ...read([], 20, 21), key: 'other' };
  assertOk(set, [add(1, 0, 9), read([1], 10, 11), elsewhere]);
  const nothing = done(1, 'read', [4, 5], { output: null });
  assertOk(set, [nothing, add(1, 6, 9)]);
  assert.equal(set.check([add(1, 0, 3), nothing]).type, 'illegal');
  assert.equal(set.check([]).type, 'unknown');
});

test('[CHECK-4] a set: an element that was added twice is there from the first add on', () => {
  const twice = [add(1, 0, 9), add(1, 5, 6)];
  assertOk(set, [...twice, read([], 3, 4), read([1], 4, 5)]);
  assert.equal(set.check([...twice, read([], 7, 8)]).type, 'illegal');
  assertOk(set, [open(0, 'add', 0, { value: 1 }), add(1, 5, 6), read([1], 3, 4)]);
});

test('[CHECK-5] how much was looked at is said, over all keys', () => {
  const other = { ...add(9, 0, 1), key: 'other' };
  const sets = [add(1, 0, 5), read([1], 6, 7), read([1], 8, 9), other];
  assert.deepEqual(set.check(sets), { type: 'ok', how: 'rules', checked: { adds: 2, reads: 2 } });
  const lists = [push(1, 0, 5), read([1], 6, 7), { ...push(9, 0, 1), key: 'other' }];
  const checked = { appends: 2, reads: 1 };
  assert.deepEqual(append.check(lists), { type: 'ok', how: 'rules', checked });
});

test('[CHECK-5] a list: an acknowledged element is missing', () => {
  assertIllegal(
    append,
    [push(1, 0, 5), read([], 6, 7)],
    'read by process 1 (6.000 ms to 7.000 ms: []) misses what append 1 by process 0 ' +
      '(0.000 ms to 5.000 ms: ok) had appended before',
  );
});

test('[CHECK-5] a list: two reads that do not grow into each other', () => {
  const pushes = [push(1, 0, 9), push(2, 0, 9)];
  assertIllegal(
    append,
    [...pushes, read([1, 2], 2, 5), read([2], 2, 5)],
    'read by process 1 (2.000 ms to 5.000 ms: [2]) has 2 in place 0, where read by ' +
      'process 1 (2.000 ms to 5.000 ms: [1,2]) has 1, so neither list grew into the other',
  );
});

test('[CHECK-5] a list: shorter than before', () => {
  assertIllegal(
    append,
    [push(1, 0, 9), read([1], 2, 5), read([], 6, 7)],
    'read by process 1 (6.000 ms to 7.000 ms: []) shows less than read by process 1 ' +
      '(2.000 ms to 5.000 ms: [1]) had before',
  );
});

test('[CHECK-5] a list: in another order than time allows', () => {
  assertIllegal(
    append,
    [push(1, 0, 1), push(2, 2, 3), read([2, 1], 4, 5)],
    'append 2 by process 0 (2.000 ms to 3.000 ms: ok) stands before append 1 by process ' +
      '0 (0.000 ms to 1.000 ms: ok), which had returned before it was called',
  );
});

test('[CHECK-5] a list: an element twice, of nobody, or too early', () => {
  assertIllegal(
    append,
    [push(1, 0, 1), read([1, 1], 2, 3)],
    'read by process 1 (2.000 ms to 3.000 ms: [1,1]) shows 1 twice: it was applied twice',
  );
  assertIllegal(
    append,
    [push(1, 0, 1), read([1, 4], 2, 3)],
    'read by process 1 (2.000 ms to 3.000 ms: [1,4]) shows 4, which nobody appended',
  );
  assertIllegal(
    append,
    [read([1], 0, 1), push(1, 2, 3)],
    'read by process 1 (0.000 ms to 1.000 ms: [1]) shows what append 1 by process 0 ' +
      '(2.000 ms to 3.000 ms: ok) appended only later',
  );
});

test('[CHECK-5] a list: what may be, is allowed', () => {
  const unknown = open(3, 'append', 1, { value: 3 });
  assertOk(append, [push(1, 0, 9), unknown, read([3], 2, 5), read([3, 1], 4, 9)]);
});

function ascending(a: number, b: number): number {
  return a - b;
}

/** As sequential objects: what the checkers must come to, the slow way. */
function modelOf(f: string, isList: boolean): Model<string> {
  const grown = (elements: number[], value: number): number[] => {
    if (isList) return [...elements, value];
    return elements.includes(value) ? elements : [...elements, value].toSorted(ascending);
  };
  return {
    name: f,
    initial: '[]',
    part: (operation) => (operation.f === f || operation.f === 'read' ? '' : undefined),
    step(state, { f: called, value, output }) {
      const elements = JSON.parse(state) as number[];
      if (called !== 'read') return JSON.stringify(grown(elements, Number(value)));
      const shown = isList ? (output as number[]) : (output as number[]).toSorted(ascending);
      return JSON.stringify(shown) === state ? state : undefined;
    },
    textOf: (state) => state,
    readsOnly: (operation) => operation.f === 'read',
  };
}

function histories(f: string, reads: readonly number[][]): fc.Arbitrary<Operation[]> {
  const type = fc.constantFrom('ok', 'ok', 'ok', 'info', 'fail') as fc.Arbitrary<Operation['type']>;
  const timing = fc.tuple(fc.nat(12), fc.nat(6), type);
  const writes = fc.array(timing, { minLength: 1, maxLength: 3 });
  const looks = fc.array(fc.tuple(fc.nat(12), fc.nat(6), fc.constantFrom(...reads)), {
    maxLength: 4,
  });
  return fc.tuple(writes, looks).map(([changes, shown]) => [
    ...changes.map(([call, length, outcome], i): Operation => {
      const operation = done(i, f, [call, call + length], { value: i, type: outcome });
      return outcome === 'info' ? { ...operation, return: null } : operation;
    }),
    ...shown.map(([call, length, output], i) =>
      done(9 + i, 'read', [call, call + length], { output }),
    ),
  ]);
}

function agrees(
  checker: Checker,
  model: Model<string>,
  arbitrary: fc.Arbitrary<Operation[]>,
): void {
  const met = { ok: 0, illegal: 0, unknown: 0 };
  fc.assert(
    fc.property(arbitrary, (history) => {
      fc.pre(history.some(({ type }) => type !== 'fail'));
      const expected = typeOf(checkLinearizable(model, history));
      met[expected]++;
      assert.equal(typeOf(checker.check(history)), expected);
    }),
    { numRuns: Number(process.env.HOLDFAST_RUNS ?? 4_000) },
  );
  assert.ok(met.ok > 100 && met.illegal > 100, JSON.stringify(met));
}

test('[CHECK-6] sets are judged as a search over all orders judges them', () => {
  const reads = [[], [0], [1], [0, 1], [0, 1, 2], [2], [1, 2]];
  agrees(set, modelOf('add', false), histories('add', reads));
});

test('[CHECK-6] lists are judged as a search over all orders judges them', () => {
  const reads = [[], [0], [1], [0, 1], [1, 0], [0, 1, 2], [2, 1], [0, 2]];
  agrees(append, modelOf('append', true), histories('append', reads));
});
