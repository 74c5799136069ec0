/**
 * How the search and the witness say what they found, and that it ends; see
 * `checkers-all-orders.test.ts`, too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkLinearizable } from '../../jepsen-lite/checkers/linearizability.ts';
import { PlacedSet } from '../../jepsen-lite/checkers/placed-set.ts';
import { register, registerModel } from '../../jepsen-lite/checkers/register.ts';
import type { Verdict } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';

test('[CHECK-27] sets of places have equal texts exactly when they are equal', () => {
  const size = 100;
  const indexes = fc.array(fc.nat(size - 1), { maxLength: 40 });
  const built = (added: readonly number[], takenOut: readonly number[]): PlacedSet => {
    const set = new PlacedSet(size);
    for (const i of [...added, ...takenOut]) set.add(i);
    for (const i of takenOut) set.delete(i);
    return set;
  };
  fc.assert(
    fc.property(fc.nat(size), indexes, indexes, fc.nat(), (whole, more, takenOut, at) => {
      const added = [...Array(whole).keys(), ...more].filter((i) => !takenOut.includes(i));
      const text = built(added, takenOut).text();
      assert.equal(text, built(added.toReversed(), []).text());
      const one = at % size;
      const other = added.includes(one) ? added.filter((i) => i !== one) : [...added, one];
      assert.notEqual(text, built(other, takenOut.includes(one) ? [] : takenOut).text());
    }),
    { numRuns: 300 },
  );
});

test('[CHECK-28] a stale read is told with what contradicts it', () => {
  const verdict = register.check([
    { process: 0, f: 'put', key: 'x', value: '1', call: 0, return: 10, type: 'ok', output: null },
    { process: 0, f: 'put', key: 'x', value: '2', call: 20, return: 30, type: 'ok', output: null },
    { process: 1, f: 'get', key: 'x', call: 40, return: 50, type: 'ok', output: '1' },
  ]);
  assert.equal(verdict.type, 'illegal');
  assert.match(
    verdict.message,
    /x: no order explains it: after 2 operations .* get x by process 1/,
  );
  assert.equal(verdict.operations.length, 3);
});

test('[CHECK-29] an order that revisions tell is proof, and one that they tell wrongly is not held \
against the history', () => {
  const history: Operation[] = [];
  for (let i = 0; i < 1_000; i++) {
    const [at, revision] = [i * 10, i + 1];
    const common = { key: 'x', type: 'ok', revision } as const;
    history.push({
      ...common,
      process: 0,
      f: 'put',
      value: i,
      call: at,
      return: at + 15,
      output: null,
    });
    history.push({ ...common, process: 1, f: 'get', call: at + 1, return: at + 30, output: i });
  }
  const told = register.check(history);
  assert.deepEqual(told, {
    type: 'ok',
    how: 'witness',
    checked: { operations: 2_000, parts: 1, witnessed: 1, searched: 0 },
  });
  const lied = history.map((one, i) => ({ ...one, revision: i % 7 }));
  assert.equal(checkLinearizable(registerModel, lied).type, 'ok');
});

test('[CHECK-30] a search that takes too long says that it does not know', () => {
  const history: Operation[] = [];
  for (let i = 0; i < 40; i++) {
    const common = { process: i, key: 'x', call: 0, return: 100, type: 'ok' } as const;
    history.push({ ...common, f: 'increment', value: 2 ** i, output: null });
  }
  history.push({ process: 40, f: 'get', key: 'x', call: 0, return: 100, type: 'ok', output: 0.5 });
  const verdict = register.check(history, { timeLimitMs: 20 });
  assert.equal(verdict.type, 'unknown');
});

/** The verdict, if a search comes to it before it has looked at the clock so many times. */
function judgedSoon(history: readonly Operation[], looks: number): Verdict['type'] {
  let time = 0;
  return register.check(history, { now: () => time++, timeLimitMs: looks }).type;
}

/**
 * A counter counted up by calls that overlap; of every fifth nobody hears, and every other of these
 * happens, long after. `lastSum` is what the last call is answered.
 */
function countedHistory(lastSum: (sum: number) => number): Operation[] {
  const history: Operation[] = [];
  const late: number[] = [];
  const calls = 160;
  for (let i = 0, sum = 0; i < calls; i++) {
    const call = i * 10;
    const common = { process: i, f: 'increment', key: 'x', value: 1, call } as const;
    if (i % 5 === 0) {
      history.push({ ...common, return: null, type: 'info', output: null });
      if (i % 10 === 0) late.push(i);
      continue;
    }
    if (late.length > 0 && i - late[0]! > 30) sum += late.splice(0, 1).length;
    sum++;
    const output = i === calls - 1 ? lastSum(sum) : sum;
    history.push({ ...common, return: call + 35, type: 'ok', output });
  }
  return history;
}

test('[CHECK-33] of 32 increments that nobody heard of, it is soon known whether some of them \
explain the sums', () => {
  assert.equal(
    judgedSoon(
      countedHistory((sum) => sum),
      10,
    ),
    'ok',
  );
  assert.equal(
    judgedSoon(
      countedHistory((sum) => sum + 32),
      10,
    ),
    'illegal',
  );
  assert.equal(
    judgedSoon(
      countedHistory((sum) => sum - 8),
      10,
    ),
    'illegal',
  );
});

test('[CHECK-33] writes that nobody heard of and nobody read are soon known not to matter', () => {
  const common = { key: 'x', type: 'ok', output: null } as const;
  const history: Operation[] = [];
  for (let i = 0; i < 32; i++) {
    const [process, call] = [i, i * 10];
    const write = { ...common, process, f: 'put', call };
    history.push({ ...write, value: `lost ${i}`, return: null, type: 'info' });
    history.push({ ...write, process: 100, value: i, return: call + 5 });
  }
  const last = { ...common, process: 101, f: 'get', call: 400, return: 410 };
  assert.equal(judgedSoon([...history, { ...last, output: 'lost 3' }], 10), 'ok');
  assert.equal(judgedSoon([...history, { ...last, output: 30 }], 10), 'illegal');
});
