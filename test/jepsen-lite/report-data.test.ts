/** What a page computes from its record: columns, rows, points, buckets, excerpts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { decodePage, encodePage } from '../../jepsen-lite/report/encoding.ts';
import { excerptOf } from '../../jepsen-lite/report/excerpt.ts';
import { kindColors } from '../../jepsen-lite/report/kinds.ts';
import { drawnOrders } from '../../jepsen-lite/report/orders.ts';
import { addressOf, readAddress } from '../../jepsen-lite/report/page/address.ts';
import { bucketsOf } from '../../jepsen-lite/report/page/buckets.ts';
import { prepareRun } from '../../jepsen-lite/report/page/run.ts';
import { placeAt, valueAt } from '../../jepsen-lite/report/page/search.ts';
import { sampleRecord } from './support/sample-record.ts';

const record = sampleRecord({ operations: 900, durationMs: 9000, fails: true });
const page = { record, orders: drawnOrders(record) };
const run = prepareRun(page);

const json = fc.jsonValue();
const operations = fc.array(
  fc.record(
    {
      process: fc.nat(9),
      f: fc.string({ unit: 'binary' }),
      key: fc.string({ unit: 'binary' }),
      value: json,
      call: fc.double({ min: 0, max: 1e12, noNaN: true }),
      return: fc.option(fc.nat()),
      type: fc.constantFrom('ok', 'fail', 'info'),
      output: json,
      revision: fc.nat(),
      error: fc.string(),
      node: fc.string(),
      anything: json,
    },
    { requiredKeys: ['process', 'f', 'call', 'return', 'type', 'output'] },
  ),
);

test('columns give back every history, also fields that are not known', () => {
  fc.assert(
    fc.property(operations, (history) => {
      const written = { record: { ...record, history: history as Operation[] }, orders: [] };
      const read = decodePage(JSON.parse(JSON.stringify(encodePage(written))));
      assert.deepEqual(read.record.history, JSON.parse(JSON.stringify(history)));
    }),
    { numRuns: 60 },
  );
});

test('points of an order never go back, and stand between call and return', () => {
  assert.ok(run.paths.length > 1);
  for (const { order, pointsMs } of run.paths) {
    order.operations.forEach((operation, i) => {
      assert.ok(i === 0 || pointsMs[i]! >= pointsMs[i - 1]!, `${order.part} ${i}`);
      assert.ok(pointsMs[i]! >= run.callMs[operation]!);
      assert.ok(pointsMs[i]! <= run.returnMs[operation]!);
    });
  }
});

test('of the failing key the order ends before the read that has no place', () => {
  const path = run.paths.find(({ order }) => order.end === 'stuck')!;
  const { stuck, operations: placed } = path.order;
  assert.ok(record.violation!.operations.includes(stuck));
  assert.ok(!placed.includes(stuck));
  assert.ok(run.accused.has(stuck));
});

test('a client keeps its row when it goes on as another process, and bars never overlap', () => {
  const lost = record.history.findIndex(({ type }) => type === 'info');
  assert.ok(lost >= 0);
  assert.equal(run.rows.length, 9, 'one row for each of nine clients');
  for (const { operations: row } of run.rows) {
    row.forEach((i, at) => {
      if (at === 0) return;
      assert.ok(run.endMs[row[at - 1]!]! <= run.callMs[i]!);
    });
  }
});

test('every operation is counted in one bucket, and filters hold some back', () => {
  const all = bucketsOf(run, 0, run.durationMs + 1, 250, () => true);
  const sum = [all.ok, all.fail, all.info].flatMap((list) => [...list]).reduce((a, b) => a + b);
  assert.equal(sum, record.history.length);
  const gets = bucketsOf(run, 0, run.durationMs + 1, 250, (i) => record.history[i]!.f === 'get');
  const answered = record.history.filter(({ f, type }) => f === 'get' && type === 'ok').length;
  assert.equal(
    [...gets.ok].reduce((a, b) => a + b),
    answered,
  );
});

test('a bucket tells median and 99th percentile of what returned', () => {
  const { callMs, returnMs } = run;
  const latencies = record.history
    .map((one, i) => (one.type === 'ok' ? returnMs[i]! - callMs[i]! : NaN))
    .filter((ms) => !Number.isNaN(ms))
    .toSorted((a, b) => a - b);
  const { median, p99 } = bucketsOf(run, 0, 1e6, 1e6, () => true);
  assert.equal(median[0], latencies[Math.floor((latencies.length - 1) / 2)]);
  assert.equal(p99[0], latencies[Math.ceil((latencies.length - 1) * 0.99)]);
});

test('changes are looked up as they stood', () => {
  const changes = [
    [10, 'a'],
    [20, 'b'],
  ] as const;
  const asked = [9, 10, 19, 20, 99].map((ms) => valueAt(changes, ms));
  assert.deepEqual(asked, [undefined, 'a', 'a', 'b', 'b']);
  assert.equal(placeAt(changes, 9), -1);
});

test('an address brings back what it was made of', () => {
  const place = {
    fromMs: 1.5,
    toMs: 20,
    atMs: 0,
    operation: 3,
    filter: { key: 'a&b=#/ü', process: 0, node: undefined },
  };
  assert.deepEqual(readAddress(addressOf(place)), place);
  const nothing = { key: undefined, process: undefined, node: undefined };
  assert.deepEqual(readAddress('#from=x&to=').filter, nothing);
  assert.equal(readAddress('#from=x&to=').fromMs, undefined);
});

test('known calls have their own colours everywhere, others take the rest', () => {
  assert.deepEqual(kindColors(['cas', 'constructor', 'get', 'other']), [2, 4, 0, 5]);
});

test('of a long history the part around the violation is kept, and all that points into it', () => {
  const excerpt = excerptOf(page, 200);
  assert.equal(excerpt.record.history.length, 200);
  const named = (of: typeof record): Operation[] =>
    of.violation!.operations.map((place) => of.history[place]!);
  const last = named(record).at(-1)!;
  assert.ok(named(excerpt.record).includes(last));
  for (const { part, operations: order } of excerpt.orders) {
    for (const place of order) assert.equal(excerpt.record.history[place]!.key, part);
  }
  assert.equal(excerptOf(page, 5000), page);
});
