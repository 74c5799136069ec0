/** The script of a report, run as it was written, in a browser that is hardly one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportHtml } from '../../jepsen-lite/report/report.ts';
import type { RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { FakePage } from './support/fake-page.ts';
import { sampleRecord } from './support/sample-record.ts';

const record = sampleRecord({ operations: 600, durationMs: 12_000, fails: true });
const html = reportHtml(record);

test('the whole run is drawn: faults, nodes, clients, plots, the violation', () => {
  const written = new FakePage(html).takeWritten();
  for (const heading of ['Run', 'Time', 'Faults', 'Nodes', 'Clients', 'Latency', 'violation']) {
    assert.ok(written.includes(heading), heading);
  }
  for (const { node } of record.nodes) assert.ok(written.includes(node), node);
  assert.ok(written.some((text) => text.startsWith('leader, term')));
});

test('from near, operations are written out', () => {
  const fromMs = record.history[100]!.call / 1e6;
  const page = new FakePage(html, `#from=${fromMs}&to=${fromMs + 20}`);
  assert.ok(page.takeWritten().some((text) => /^(get|put|cas|delete) register\/\d/.test(text)));
});

test('v goes to the violation, and tells of the operation that has no place', () => {
  const page = new FakePage(html);
  page.press('v');
  const { atMs } = record.violation!;
  const fields = new URLSearchParams(page.hash.slice(1));
  assert.ok(Number(fields.get('from')) < atMs && Number(fields.get('to')) > atMs, page.hash);
  assert.match(page.element('chosen').textContent, /no place: see the violation/);
  page.press('[');
  assert.match(page.element('chosen').textContent, /order \d+ of \d+ of register\/\d/);
});

test('scrubbing tells what every node was at that moment', () => {
  const [atMs, term] = record.nodes[0]!.term.at(-1)!;
  const page = new FakePage(html, `#at=${atMs + 1}`);
  assert.equal(page.element('moment').textContent, `${((atMs + 1) / 1000).toFixed(4)} s`);
  const rows = page
    .element('moment-nodes')
    .children.map((row) => (typeof row === 'string' ? row : row.textContent));
  assert.equal(rows.length, record.nodes.length);
  assert.match(rows[0]!, new RegExp(`^n1 \\S+ ${term} `));
});

test('zooming, moving, the faults in turn: the address says what is shown', () => {
  const page = new FakePage(html);
  const span = (): number => {
    const fields = new URLSearchParams(page.hash.slice(1));
    return Number(fields.get('to') ?? 12_000) - Number(fields.get('from') ?? 0);
  };
  page.press('+');
  page.press('+');
  assert.ok(Math.abs(span() - 12_000 * 0.36) < 1, page.hash);
  page.press('0');
  assert.equal(span(), 12_000);
  page.press('Escape');
  page.pointer('pointermove', 133, 400);
  page.press('n');
  const at = Number(new URLSearchParams(page.hash.slice(1)).get('at'));
  assert.ok(Math.abs(at - record.faults[0]!.fromMs) < 0.001, page.hash);
});

test('a drag moves the view, and a wheel with Ctrl zooms where the pointer is', () => {
  const page = new FakePage(html, '#from=4000&to=6000');
  page.pointer('pointerdown', 600, 500);
  page.pointer('pointermove', 500, 500);
  page.pointer('pointerup', 500, 500);
  const moved = Number(new URLSearchParams(page.hash.slice(1)).get('from'));
  // 1056 px of the canvas are the plot's.
  assert.ok(Math.abs(moved - (4000 + (100 * 2000) / 1056)) < 0.01, page.hash);
  const wheel = { deltaX: 0, deltaY: -100, ctrlKey: true, offsetX: 132, offsetY: 500 };
  page.element('overlay').dispatch('wheel', wheel);
  page.settle();
  const after = new URLSearchParams(page.hash.slice(1));
  assert.ok(Math.abs(Number(after.get('from')) - moved) < 0.01, 'the left edge stands still');
  assert.ok(Number(after.get('to')) - moved < 2000, 'it came closer');
});

test('an empty record is drawn too', () => {
  const empty: RunRecord = {
    ...record,
    faults: [],
    history: [],
    nodes: [],
    messages: { sent: 0, kept: [], choice: 'none' },
    phases: [],
    results: [],
    durationMs: 0,
  };
  const { violation: _, ...rest } = empty;
  const page = new FakePage(reportHtml(rest));
  page.press('v');
  page.press('+');
  page.pointer('pointermove', 400, 200);
  assert.ok(page.takeWritten().includes('Run'));
});
