/** Rules on intervals, on random histories, against the same rules looked up pair by pair. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readWriteLock, semaphore } from '../../jepsen-lite/checkers/lock.ts';
import { revisions } from '../../jepsen-lite/checkers/revisions.ts';
import type { Checker } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { done, seen, typeOf } from './support/operations.ts';

const RUNS = { numRuns: Number(process.env.HOLDFAST_RUNS ?? 3_000) };
const LIMIT = 3;

/** From one moment to another, no two of which are the same. */
interface Held {
  readonly from: number;
  readonly to: number;
  /** Of a semaphore its permits, else 1 for a reader and 2 for a writer. */
  readonly weight: number;
}

const holds: fc.Arbitrary<Held[]> = fc
  .tuple(
    fc.shuffledSubarray(
      Array.from({ length: 40 }, (_, i) => i),
      { minLength: 10, maxLength: 10 },
    ),
    fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 5, maxLength: 5 }),
  )
  .map(([moments, weights]) =>
    weights.map((weight, i) => {
      const [a, b] = [moments[2 * i]!, moments[2 * i + 1]!];
      return { from: Math.min(a, b), to: Math.max(a, b), weight };
    }),
  );

/** Each held by a session of its own; tokens are in order, so that nothing else can be wrong. */
function historyOf(all: readonly Held[], terms: (weight: number) => object): Operation[] {
  const inOrder = all.toSorted((a, b) => a.from - b.from);
  return inOrder.flatMap(({ from, to, weight }, i) => [
    done(i, 'lock', [from - 0.5, from], {
      key: 'l',
      value: { session: i, ...terms(weight) },
      output: i + 1,
    }),
    seen(i, 'holding', to, { key: 'l', value: { session: i } }),
  ]);
}

function overlap(a: Held, b: Held): boolean {
  return a !== b && Math.max(a.from, b.from) < Math.min(a.to, b.to);
}

function agrees(
  checker: Checker,
  terms: (weight: number) => object,
  isBad: (all: readonly Held[]) => boolean,
): void {
  const met = { ok: 0, illegal: 0 };
  fc.assert(
    fc.property(holds, (all) => {
      const expected = isBad(all) ? 'illegal' : 'ok';
      met[expected]++;
      assert.equal(checker.check(historyOf(all, terms)).type, expected);
    }),
    RUNS,
  );
  assert.ok(met.ok > 5 && met.illegal > 100, JSON.stringify(met));
}

test('[CHECK-14] readers and writers, as each pair of them says', () => {
  agrees(
    readWriteLock,
    (weight) => ({ mode: weight === 1 ? 'shared' : 'exclusive' }),
    (all) => all.some((a) => all.some((b) => a.weight + b.weight > 2 && overlap(a, b))),
  );
});

test('[CHECK-14] permits, as a count at each moment says', () => {
  agrees(
    semaphore,
    (permits) => ({ mode: 'semaphore', limit: LIMIT, permits }),
    (all) =>
      all.some(({ from }) => {
        const out = all.filter((one) => one.from <= from && from < one.to);
        return out.reduce((sum, { weight }) => sum + weight, 0) > LIMIT;
      }),
  );
});

function contradict(a: Operation, b: Operation): boolean {
  if (a === b) return false;
  if (a.f === 'put' && b.f === 'put' && a.revision === b.revision) return true;
  if (a.return! >= b.call) return false;
  return b.f === 'put' ? b.revision! <= a.revision! : b.f === 'read' && b.revision! < a.revision!;
}

test('[CHECK-8] revisions, as each pair of operations says', () => {
  const f = fc.constantFrom('put', 'read', 'get');
  const operation = fc
    .tuple(f, fc.nat(12), fc.nat(6), fc.integer({ min: 1, max: 9 }))
    .map(([name, call, length, revision]) => done(0, name, [call, call + length], { revision }));
  const met = { ok: 0, illegal: 0 };
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 5 }), (history) => {
      fc.pre(history.some((one) => one.f !== 'get'));
      const expected = history.some((a) => history.some((b) => contradict(a, b)))
        ? 'illegal'
        : 'ok';
      met[expected]++;
      assert.equal(typeOf(revisions.check(history)), expected);
    }),
    RUNS,
  );
  assert.ok(met.ok > 100 && met.illegal > 100, JSON.stringify(met));
});
