/** The search against brute force, hand-made histories of each kind, and the witness. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkLinearizable } from '../../jepsen-lite/checkers/linearizability.ts';
import { register, registerModel } from '../../jepsen-lite/checkers/register.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';

/** Every subset of what has no answer, in every order that time allows. */
function bruteForce(history: readonly Operation[]): boolean {
  const operations = history.filter(
    (one) => one.type === 'ok' || (one.type === 'info' && one.f !== 'get'),
  );
  const extend = (left: readonly Operation[], state: string): boolean => {
    if (left.every((one) => one.type === 'info')) return true;
    return left.some((one) => {
      const mustGoBefore = left.some((other) => other.return !== null && other.return < one.call);
      if (mustGoBefore) return false;
      const next = registerModel.step(state, one);
      return (
        next !== undefined &&
        extend(
          left.filter((other) => other !== one),
          next,
        )
      );
    });
  };
  return extend(operations, registerModel.initial);
}

const value = fc.constantFrom('1', '2');
const call = fc.oneof(
  fc.record({ f: fc.constant('get'), output: fc.constantFrom('1', '2', null) }),
  fc.record({ f: fc.constant('put'), value }),
  fc.record({ f: fc.constant('delete') }),
  fc.record({ f: fc.constant('cas'), value: fc.tuple(value, value), output: fc.boolean() }),
);
const operation = fc
  .tuple(call, fc.nat(12), fc.nat(6), fc.constantFrom('ok', 'ok', 'ok', 'info', 'fail'))
  .map(([what, start, length, type], process = 0): Operation => {
    const end = type === 'info' ? null : start + length;
    const timing = { process, key: 'k', call: start, return: end };
    return { output: null, ...what, ...timing, type };
  });

test('[CHECK-27] the search agrees with brute force on small random histories', () => {
  const seen = { ok: 0, illegal: 0 };
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 7 }), (history) => {
      const verdict = register.check(history);
      assert.notEqual(verdict.type, 'unknown');
      const expected = bruteForce(history) ? 'ok' : 'illegal';
      seen[expected]++;
      assert.equal(verdict.type, expected);
    }),
    { numRuns: Number(process.env.HOLDFAST_RUNS ?? 4_000) },
  );
  assert.ok(seen.ok > 100 && seen.illegal > 100, JSON.stringify(seen));
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
