/** Registers: shapes of histories that the literature on linearizability argues with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkers } from '../../jepsen-lite/checkers/index.ts';
import { register } from '../../jepsen-lite/checkers/register.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { assertIllegal, assertOk, done, open } from './support/operations.ts';

const key = 'x';
const write = (process: number, value: number, call: number, end: number): Operation =>
  done(process, 'write', [call, end], { key, value });
const read = (process: number, output: number | null, call: number, end: number): Operation =>
  done(process, 'read', [call, end], { key, output });
function swap(process: number, [from, to]: [number, number], call: number, ok: boolean): Operation {
  return done(process, 'cas', [call, call + 1], { key, value: [from, to], output: ok });
}

test('[CHECK-24] a read during a write may show either value, but never the old one again', () => {
  const first = [write(0, 1, 0, 1), write(0, 2, 10, 50)];
  assertOk(register, [...first, read(1, 1, 12, 20), read(2, 2, 15, 25)]);
  assertOk(register, [...first, read(1, 2, 12, 20), read(2, 2, 21, 25)]);
  // Two readers one after the other see the new value and then the old one.
  assertIllegal(
    register,
    [...first, read(1, 2, 12, 20), read(2, 1, 21, 25)],
    'x: no order explains it: after 3 operations the state is 2, and read x by process 2 ' +
      '(21.000 ms to 25.000 ms: 1) fits nowhere',
  );
});

test('[CHECK-24] what is per process in order, but not in time, is not enough', () => {
  assertIllegal(
    register,
    [write(0, 1, 0, 1), write(0, 2, 2, 3), read(1, 1, 4, 5)],
    'x: no order explains it: after 2 operations the state is 2, and read x by process 1 ' +
      '(4.000 ms to 5.000 ms: 1) fits nowhere',
  );
});

test('[CHECK-24] two writes at once: all readers must agree which came last', () => {
  const writes = [write(0, 1, 0, 10), write(1, 2, 0, 10)];
  assertOk(register, [...writes, read(2, 1, 11, 12), read(3, 1, 11, 12)]);
  assertIllegal(
    register,
    [...writes, read(2, 1, 11, 12), read(3, 2, 11, 12)],
    'x: no order explains it: after 3 operations the state is 2, and read x by process 2 ' +
      '(11.000 ms to 12.000 ms: 1) fits nowhere',
  );
});

test('[CHECK-24] a write of unknown outcome may take effect at any time later, once', () => {
  const unknown = open(9, 'write', 0, { key, value: 7 });
  const first = write(0, 1, 1, 2);
  assertOk(register, [unknown, first, read(1, 1, 3, 4), read(1, 7, 50, 51)]);
  assertOk(register, [unknown, first, read(1, 1, 3, 4), read(1, 1, 50, 51)]);
  const again = [read(1, 7, 3, 4), write(0, 2, 5, 6), read(1, 7, 50, 51)];
  assertIllegal(
    register,
    [unknown, first, ...again],
    'x: no order explains it: after 4 operations the state is 2, and read x by process 1 ' +
      '(50.000 ms to 51.000 ms: 7) fits nowhere',
  );
});

test('[CHECK-24] what failed has no effect, now or later', () => {
  const failed = { ...write(0, 7, 0, 1), type: 'fail' } as const;
  assertIllegal(
    register,
    [failed, read(1, 7, 2, 3)],
    'x: no order explains it: before any operation the state is absent, and read x by ' +
      'process 1 (2.000 ms to 3.000 ms: 7) fits nowhere',
  );
});

test('[CHECK-24] intervals are closed: what ends when another begins may come after it', () => {
  assertOk(register, [write(0, 1, 0, 10), read(1, null, 10, 20)]);
  assertIllegal(
    register,
    [write(0, 1, 0, 10), read(1, null, 10.001, 20)],
    'x: no order explains it: after one operation the state is 1, and read x by process ' +
      '1 (10.001 ms to 20.000 ms: nothing) fits nowhere',
  );
});

test('[CHECK-24] swaps: of two from one value one succeeds', () => {
  const first = write(0, 1, 0, 1);
  assertOk(register, [first, swap(1, [1, 2], 2, true), swap(2, [1, 3], 2, false)]);
  assertIllegal(
    register,
    [first, swap(1, [1, 2], 2, true), swap(2, [1, 3], 2, true)],
    'x: no order explains it: after 2 operations the state is 2, and cas x [1,3] by ' +
      'process 2 (2.000 ms to 3.000 ms: true) fits nowhere',
  );
  // Refused, though at no moment was anything else there.
  assertIllegal(
    register,
    [first, swap(1, [1, 2], 2, false)],
    'x: no order explains it: after one operation the state is 1, and cas x [1,2] by ' +
      'process 1 (2.000 ms to 3.000 ms: false) fits nowhere',
  );
});

test('[CHECK-24] keys share nothing; a name that no model has is none of its operations', () => {
  assertOk(register, [write(0, 1, 0, 1), { ...read(1, null, 2, 3), key: 'y' }]);
  for (const name of ['toString', 'constructor', 'lock']) {
    assert.equal(register.check([done(0, name, [0, 1], { key })]).type, 'unknown');
  }
});

test('[CHECK-25] every checker has a name, a promise, and nothing to say of nothing', () => {
  for (const [name, checker] of Object.entries(checkers)) {
    assert.equal(checker.name, name);
    assert.ok(checker.promise.length > 20);
    const verdict = checker.check([]);
    assert.equal(verdict.type, 'unknown', name);
    assert.equal(verdict.type === 'unknown' && verdict.why.startsWith('the history has no'), true);
  }
});
