/** Medians, percentiles and ratios, on which every row of the bench rests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medians, ratio, type Row } from '../../bench/measure/figures.ts';
import { median, percentiles } from '../../bench/measure/statistics.ts';
import { inTurns } from '../../bench/measure/turns.ts';

function row(contestant: string, ...perSecond: readonly number[]): Row {
  const runs = perSecond.map((value) => ({ perSecond: value }));
  return { family: 'put', point: '1 in flight', x: 1, contestant, runs };
}

test('percentiles are of the nearest rank, whatever the order of the samples', () => {
  const samples = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  assert.deepEqual(percentiles(samples), { p50: 500, p90: 900, p99: 990, p999: 999, max: 1000 });
  assert.deepEqual(percentiles([]), { p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
});

test('a median is the middle, or between the two in the middle', () => {
  assert.equal(median([10, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 10]), 3);
  assert.ok(Number.isNaN(median([])));
});

test('medians are taken figure by figure, over the runs that have it', () => {
  const runs = [{ a: 1, b: 7 }, { a: 3 }, { a: 2 }];
  assert.deepEqual(medians(runs), { a: 2, b: 7 });
});

test('a ratio compares runs of the same turn, so that drift cancels', () => {
  // The machine became ten times slower for both: each turn still says twice as much.
  assert.equal(ratio(row('a', 200, 20, 18), row('b', 100, 10, 9), 'perSecond'), 2);
  assert.equal(ratio(row('a', 1), row('b', 1), 'p50Ms'), undefined);
});

test('contestants take turns, and one that fails is left out from there on', async () => {
  const order: string[] = [];
  const rows: Row[] = [];
  const failures: string[] = [];
  const contestant = (name: string) => ({
    name,
    measure: async ({ label }: { label: string }, run: number) => {
      order.push(`${label}${run}${name}`);
      if (name === 'b' && label === 'y') throw new Error('no answer');
      return { perSecond: run };
    },
    stop: async () => undefined,
  });
  await inTurns({
    family: 'f',
    points: [{ label: 'x' }, { label: 'y', x: 2 }],
    contestants: [contestant('a'), contestant('b')],
    runs: 2,
    onRow: (one) => rows.push(one),
    onFailure: (what, error) => failures.push(`${what}: ${String(error)}`),
  });
  assert.deepEqual(order, ['x0a', 'x0b', 'x1a', 'x1b', 'y0a', 'y0b', 'y1a']);
  assert.deepEqual(
    rows.map(({ point, contestant: who }) => point + who),
    ['xa', 'xb', 'ya'],
  );
  assert.deepEqual(failures, ['f, y, b: Error: no answer']);
});
