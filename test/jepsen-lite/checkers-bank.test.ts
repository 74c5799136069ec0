/** Banks, revisions, and writes that happen once: each kind of violation by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bank } from '../../jepsen-lite/checkers/bank.ts';
import { exactlyOnce } from '../../jepsen-lite/checkers/exactly-once.ts';
import { revisions } from '../../jepsen-lite/checkers/revisions.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { assertIllegal, assertOk, done, open, seen } from './support/operations.ts';

const accounts = done(0, 'accounts', [0, 1], { value: { a: 10, b: 10 }, revision: 1 });
const transfer = (amount: number, call: number, end: number, revision: number): Operation =>
  done(1, 'transfer', [call, end], {
    value: { from: 'a', to: 'b', amount },
    output: true,
    revision,
  });
const read = (a: number, b: number, call: number, end: number, revision: number): Operation =>
  done(2, 'read', [call, end], { output: { a, b }, revision });

test('[CHECK-7] a bank: a read that does not add up', () => {
  assertIllegal(
    bank,
    [accounts, transfer(3, 2, 5, 2), read(7, 10, 3, 4, 2)],
    'read by process 2 (3.000 ms to 4.000 ms: {"a":7,"b":10}) adds up to 17, not to 20',
  );
});

test('[CHECK-7] a bank: a debt', () => {
  assertIllegal(
    bank,
    [accounts, read(-1, 21, 3, 4, 2)],
    'read by process 2 (3.000 ms to 4.000 ms: {"a":-1,"b":21}) shows a with -1, below zero',
  );
});

test('[CHECK-7] a bank: one revision, two states', () => {
  assertIllegal(
    bank,
    [accounts, read(10, 10, 2, 3, 2), read(9, 11, 4, 5, 2)],
    'read by process 2 (2.000 ms to 3.000 ms: {"a":10,"b":10}) and read by process 2 ' +
      '(4.000 ms to 5.000 ms: {"a":9,"b":11}) differ, though both are as of revision 2',
  );
});

test('[CHECK-7] a bank: a read that skips a transfer of an earlier revision', () => {
  const reads = [read(10, 10, 2, 3, 1), read(10, 10, 4, 20, 2)];
  assertIllegal(
    bank,
    [accounts, ...reads, transfer(3, 4, 9, 2)],
    'read by process 2 (4.000 ms to 20.000 ms: {"a":10,"b":10}) does not follow from ' +
      'read by process 2 (2.000 ms to 3.000 ms: {"a":10,"b":10}): with the transfers ' +
      'acknowledged between their revisions (1), it would be {"a":7,"b":13}',
  );
});

test('[CHECK-7] a bank: a stale read is found by the search', () => {
  const stale = { ...read(10, 10, 12, 13, 1) };
  assertIllegal(
    bank,
    [accounts, transfer(3, 4, 9, 2), stale],
    'no order explains it: after 2 operations the state is [["a",7],["b",13]], and read ' +
      'by process 2 (12.000 ms to 13.000 ms: {"a":10,"b":10}) fits nowhere',
  );
});

test('[CHECK-7] a bank: transfers of unknown outcome explain what they can', () => {
  const unknown = open(3, 'transfer', 2, { value: { from: 'a', to: 'b', amount: 4 } });
  const refused = { ...transfer(30, 2, 3, 1), output: false };
  assertOk(bank, [accounts, unknown, refused, read(10, 10, 3, 4, 1), read(6, 14, 5, 6, 2)]);
  assertIllegal(
    bank,
    [accounts, unknown, read(10, 10, 3, 4, 1), read(5, 15, 5, 6, 2)],
    'read by process 2 (5.000 ms to 6.000 ms: {"a":5,"b":15}) does not follow from read ' +
      'by process 2 (3.000 ms to 4.000 ms: {"a":10,"b":10}): with the transfers ' +
      'acknowledged between their revisions (0), it would be {"a":10,"b":10}',
  );
});

test('[CHECK-7] a bank: what has no revision is placed where the others need it', () => {
  const unknown = open(3, 'transfer', 2, { value: { from: 'a', to: 'b', amount: 4 } });
  const idle = open(4, 'transfer', 2, { value: { from: 'b', to: 'a', amount: 1 } });
  // Refused while there was not enough: not at the end of its time, when there is again.
  const value = { from: 'a', to: 'b', amount: 7 };
  const refused = done(5, 'transfer', [6, 20], { value, output: false });
  const back = done(1, 'transfer', [9, 10], {
    value: { from: 'b', to: 'a', amount: 9 },
    output: true,
    revision: 3,
  });
  const history = [
    accounts,
    unknown,
    idle,
    refused,
    back,
    read(10, 10, 3, 4, 1),
    read(6, 14, 7, 8, 2),
    read(15, 5, 11, 12, 3),
  ];
  const verdict = bank.check(history);
  assert.equal(verdict.type === 'ok' ? verdict.how : verdict.type, 'rules, witness');
});

test('[CHECK-7] a bank: histories made by a bank are good, and one coin taken out is seen', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(4), fc.nat(20)), { minLength: 1 });
  fc.assert(
    fc.property(steps, fc.nat(), (plan, at) => {
      const history: Operation[] = [accounts];
      let [a, b] = [10, 10];
      for (const [i, [isRead, amount, length]] of plan.entries()) {
        const [call, revision] = [i * 10, i + 2];
        const isEnough = a >= amount;
        if (isRead) history.push(read(a, b, call, call + length, revision));
        else {
          history.push({ ...transfer(amount, call, call + length, revision), output: isEnough });
          if (isEnough) [a, b] = [a - amount, b + amount];
        }
      }
      history.push(read(a, b, 1_000, 1_001, 200));
      assertOk(bank, history);
      const stolen = history.filter(({ f }) => f === 'read')[at % history.length];
      if (stolen === undefined) return;
      const { a: shown, b: other } = stolen.output as { a: number; b: number };
      const bad = history.map((one) =>
        one === stolen ? { ...one, output: { a: shown - 1, b: other + 1 } } : one,
      );
      const isAlone = bad.filter(({ f }) => f === 'read').length === 1 && plan.length === 0;
      if (!isAlone) assert.equal(bank.check(bad).type, 'illegal');
    }),
    { numRuns: Number(process.env.HOLDFAST_RUNS ?? 400) },
  );
});

const put = (key: string, call: number, end: number, revision: number): Operation =>
  done(0, 'put', [call, end], { key, value: String(revision), revision });

test('[CHECK-8] revisions: a later write with a smaller one, of another key', () => {
  assertIllegal(
    revisions,
    [put('a', 0, 1, 7), put('b', 2, 3, 6)],
    'put b "6" by process 0 (2.000 ms to 3.000 ms: ok) made revision 6, though revision ' +
      '7 was known before its call from put a "7" by process 0 (0.000 ms to 1.000 ms: ok)',
  );
});

test('[CHECK-8] revisions: one for two writes', () => {
  assertIllegal(
    revisions,
    [put('a', 0, 4, 7), put('b', 2, 3, 7)],
    'put a "7" by process 0 (0.000 ms to 4.000 ms: ok) and put b "7" by process 0 (2.000 ' +
      'ms to 3.000 ms: ok) both made revision 7',
  );
});

test('[CHECK-8] revisions: a read of everything from before what was known', () => {
  const old = done(1, 'read', [5, 6], { output: [], revision: 6 });
  assertIllegal(
    revisions,
    [put('a', 0, 1, 7), old],
    'read by process 1 (5.000 ms to 6.000 ms: []) is as of revision 6, though revision 7 ' +
      'was known before its call from put a "7" by process 0 (0.000 ms to 1.000 ms: ok)',
  );
  const event = seen(1, 'event', 1, { key: 'a', value: { watch: 1 }, revision: 7 });
  assertIllegal(
    revisions,
    [event, put('b', 2, 3, 5)],
    'put b "5" by process 0 (2.000 ms to 3.000 ms: ok) made revision 5, though revision ' +
      '7 was known before its call from event a {"watch":1} by process 1 (at 1.000 ms' +
      ': ok)',
  );
});

test('[CHECK-8] revisions: what overlaps may go either way, and a key is read as it is', () => {
  const get = done(1, 'get', [20, 21], { key: 'a', output: '7', revision: 7 });
  const missed = done(2, 'cas', [30, 31], {
    key: 'a',
    value: ['1', '2'],
    output: false,
    revision: 9,
  });
  assertOk(revisions, [put('a', 0, 4, 7), put('b', 2, 3, 6), put('c', 10, 11, 9), get, missed]);
  assert.equal(revisions.check([get].slice(1)).type, 'unknown');
});

const increment = (call: number, end: number, output: number): Operation =>
  done(0, 'increment', [call, end], { key: 'n', value: 1, output });
const sum = (output: string, call: number, end: number): Operation =>
  done(1, 'get', [call, end], { key: 'n', output });

test('[CHECK-9] once: two increments left one sum', () => {
  assertIllegal(
    exactlyOnce,
    [increment(0, 1, 1), increment(2, 3, 1)],
    'increment n 1 by process 0 (0.000 ms to 1.000 ms: 1) and increment n 1 by process 0 ' +
      '(2.000 ms to 3.000 ms: 1) left the same sum',
  );
});

test('[CHECK-9] once: a sum of more than was called, or of less than was acknowledged', () => {
  const unknown = open(3, 'increment', 0, { key: 'n', value: 1 });
  assertOk(exactlyOnce, [increment(0, 1, 1), unknown, sum('2', 4, 5)]);
  assertIllegal(
    exactlyOnce,
    [increment(0, 1, 1), unknown, sum('3', 4, 5)],
    'get n by process 1 (4.000 ms to 5.000 ms: "3") is more than the 2 of all increments ' +
      'called by then, so one was applied twice',
  );
  assertIllegal(
    exactlyOnce,
    [increment(0, 1, 1), increment(2, 3, 2), sum('1', 4, 5)],
    'get n by process 1 (4.000 ms to 5.000 ms: "1") is less than the 2 acknowledged before it',
  );
});

test('[CHECK-9] once: an increment that leaves more than was called, without a read', () => {
  const unknown = open(3, 'increment', 0, { key: 'n', value: 1 });
  assertOk(exactlyOnce, [increment(0, 1, 1), unknown, increment(2, 3, 3)]);
  assertIllegal(
    exactlyOnce,
    [increment(0, 1, 1), increment(2, 3, 3)],
    'increment n 1 by process 0 (2.000 ms to 3.000 ms: 3) is more than the 2 of all increments ' +
      'called by then, so one was applied twice',
  );
});

function told(revision: number): Operation {
  return seen(4, 'event', revision, { key: 'k', output: { type: 'put', value: 'x' }, revision });
}

test('[CHECK-9] once: a value that was put once, at two revisions', () => {
  const once = open(0, 'put', 0, { key: 'k', value: 'x' });
  assertIllegal(
    exactlyOnce,
    [once, told(5), told(8)],
    '"x" was put once, and watches show it at the revisions 5 and 8: it was applied twice',
  );
  assertOk(exactlyOnce, [once, told(5), told(5)]);
  assertOk(exactlyOnce, [once, { ...once, process: 9 }, told(5), told(8)]);
});
