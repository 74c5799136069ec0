/** The table, the goals and the page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures, Row } from '../../bench/measure/figures.ts';
import { GOALS, verdictOf } from '../../bench/report/goals.ts';
import { page } from '../../bench/report/page.ts';
import { plot } from '../../bench/report/plot.ts';
import { familyTable, goalTable } from '../../bench/report/table.ts';
import { FAMILIES } from '../../bench/rows/families.ts';
import { put } from '../../bench/rows/loads.ts';

function row(contestant: string, x: number, ...runs: readonly Figures[]): Row {
  return { family: 'put', point: `${x} in flight`, x, contestant, runs };
}

const ROWS: readonly Row[] = [
  row('sqlite', 100, { perSecond: 50_000, p99Ms: 3 }, { perSecond: 40_000, p99Ms: 3 }),
  row('etcd', 100, { perSecond: 10_000, p99Ms: 12 }, { perSecond: 10_000, p99Ms: 12 }),
  row('limit sqlite', 100, { perSecond: 90_000 }, { perSecond: 90_000 }),
];
const RESULTS = {
  environment: {
    date: '2026-01-01T00:00:00.000Z',
    cpu: 'a <fast> one',
    cores: 2,
    memoryGiB: 8,
    kernel: '6',
    loadBefore: 0,
    fsync: { p50: 0.5, p90: 1, p99: 2, p999: 3, max: 4 },
    fsyncModes: {},
    versions: { node: '20' },
  },
  runs: 2,
  measureMs: 3000,
  rows: ROWS,
  failures: ['get, level: gone'],
};

test('a row of the table shows its medians, and how it does against peer and limit', () => {
  const lines = familyTable(put, ROWS).split('\n');
  const sqlite = lines.find((line) => line.includes(' sqlite '));
  assert.match(sqlite ?? '', /45,000 .* 3\.00 .* 4\.50 +0\.50$/);
  const etcd = lines.find((line) => line.includes(' etcd '));
  assert.match(etcd ?? '', /10,000 .* - +-$/);
});

test('goals are judged by the rows there are, and only those are shown', () => {
  const table = goalTable(ROWS);
  assert.match(table, /sqlite, 100 in flight, against etcd +4\.50x +2\.50x +5\.00x +must/);
  assert.match(table, /sqlite, 100, against the bare pipeline +0\.50x +0\.40x +0\.70x +must/);
  assert.match(table, /p99 of put.* 0\.25x +1\.00x +0\.50x +goal/);
  assert.equal(table.trimEnd().split('\n').length, 4);
  assert.equal(goalTable([]), '');
});

test('less is better for some goals', () => {
  const stall = GOALS.find(({ unit, better }) => unit === 'ms' && better === 'less');
  assert.ok(stall !== undefined);
  assert.equal(verdictOf(stall, stall.goal), 'goal');
  assert.equal(verdictOf(stall, stall.must), 'must');
  assert.equal(verdictOf(stall, stall.must + 1), 'missed');
  assert.equal(verdictOf(stall, undefined), 'not measured');
});

test('every goal can be reached: some row of some family decides it', () => {
  const everything = GOALS.map((goal) => {
    // Rows of every family and contestant there can be, all with all figures.
    return [goal, goal.measured(allRows())] as const;
  });
  const unmeasured = everything.filter(([, measured]) => measured === undefined);
  assert.deepEqual(
    unmeasured.map(([goal]) => goal.text),
    [],
  );
});

function allRows(): Row[] {
  const figures = Object.fromEntries(
    FAMILIES.flatMap(({ columns }) => columns.map(({ figure }) => [figure, 1])),
  );
  const contestants = ['sqlite', 'level', 'etcd', 'counter', 'overwrite, random'];
  const limits = ['limit sqlite', 'limit level blocks'];
  const places = [1, 10, 100, 1000, 1024, 1_000_000];
  return FAMILIES.flatMap(({ name }) =>
    [...contestants, ...limits].flatMap((contestant) =>
      places.map((x) => ({
        family: name,
        point: x === 1 ? 'uncontended, 1 client' : `${x}`,
        x,
        contestant,
        runs: [figures],
      })),
    ),
  );
}

test('the page is whole in itself: tables, plots, failures; nothing loaded or unescaped', () => {
  const html = page(RESULTS);
  assert.match(html, /a &lt;fast&gt; one/);
  assert.match(html, /get, level: gone/);
  assert.match(html, /<h2 id="put">/);
  assert.ok((html.match(/<svg /g) ?? []).length >= 3);
  assert.doesNotMatch(html, /<script|<link|src=|@import|url\(/);
});

test('a plot leaves out what cannot be drawn, and names every line', () => {
  const lines = [
    {
      name: 'one',
      isReference: false,
      points: [
        { x: 1, y: 10 },
        { x: 10, y: 100 },
      ],
    },
    { name: 'none', isReference: true, points: [{ x: 1, y: 0 }] },
  ];
  const svg = plot({ title: 't', xTitle: 'x', yTitle: 'y', lines });
  assert.match(svg, />one<\/text>/);
  assert.doesNotMatch(svg, />none<|NaN|Infinity/);
  assert.equal(plot({ title: 't', xTitle: 'x', yTitle: 'y', lines: [] }), '');
});
