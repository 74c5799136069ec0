/** A report is one file that needs nothing else, and says what its record says, whatever it is. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodePage, type EncodedPage } from '../../jepsen-lite/report/encoding.ts';
import { reportHtml, writeReport } from '../../jepsen-lite/report/report.ts';
import type { RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { sampleRecord } from './support/sample-record.ts';

const NASTY = '</script><script>alert(1)</script><!-- "\' & \u2028 ünï😀 \\ __proto__';

function embedded(html: string): EncodedPage {
  const found = /<script type="application\/json" id="run">([\s\S]*?)<\/script>/.exec(html);
  return JSON.parse(found![1]!) as EncodedPage;
}

/** What a reader sees of it, roughly. */
function textOf(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');
}

const small = { operations: 300, durationMs: 6000 };
const passed = reportHtml(sampleRecord(small));
const failedRecord = sampleRecord({ ...small, fails: true });
const failed = reportHtml(failedRecord);

test('the data in a report is the record, field for field', () => {
  assert.deepEqual(decodePage(embedded(failed)).record, JSON.parse(JSON.stringify(failedRecord)));
});

test('ten thousand operations fit into 1.5 MB', () => {
  const record = sampleRecord({ operations: 12_000 });
  assert.ok(record.history.length > 10_000, String(record.history.length));
  const html = reportHtml(record);
  assert.ok(html.length < 1.5e6, String(html.length));
});

test('a report refers to nothing outside itself, and may fetch nothing', () => {
  assert.doesNotMatch(failed, /https?:|<link|<iframe|@import|\burl\(|\bsrc=|\bfetch\(/);
  assert.match(failed, /Content-Security-Policy" content="default-src &#39;none&#39;/);
});

test('a failure says its contradiction in one sentence, and the command that replays it', () => {
  const text = textOf(failed);
  assert.match(text, /Violation/);
  assert.ok(text.includes(failedRecord.violation!.message));
  assert.ok(text.includes('npx jepsen-lite replay --seed 7 --workload register'));
  assert.match(text, /The contradiction/);
});

test('a run that passed says under what it held, and what was not tested', () => {
  const text = textOf(passed);
  assert.match(text, /Passed/);
  assert.match(text, /as if there were one copy of it: held under \d+ faults?\./);
  assert.match(text, /What was not tested/);
  assert.match(text, /Never came about: figure 8 shape\./);
  assert.match(text, /No such fault in this run: .*power loss of all/);
});

test('a run that nobody could judge is unknown, and says why', () => {
  const verdict = { type: 'unknown', why: 'k1: no order was found in time' } as const;
  const record = { ...sampleRecord(small), results: [{ checker: 'c', promise: 'p', verdict }] };
  const text = textOf(reportHtml(record));
  assert.match(text, /Unknown c: k1: no order was found in time\./);
  assert.match(text, /c gave no answer: k1: no order was found in time\./);
});

test('nothing that a run says can become markup or script', () => {
  const base = failedRecord;
  const operation = { ...base.history[0]!, key: NASTY, value: { [NASTY]: NASTY }, node: NASTY };
  const record: RunRecord = {
    ...base,
    history: [operation, ...base.history.slice(1)],
    workload: { name: NASTY, promise: NASTY },
    configuration: { [NASTY]: NASTY },
    replay: NASTY,
    faults: base.faults.map((fault) => ({ ...fault, targets: [NASTY], note: NASTY })),
    messages: { ...base.messages, choice: NASTY },
    sometimes: { [NASTY]: 0 },
    results: [
      { checker: NASTY, promise: NASTY, verdict: { type: 'unknown', why: NASTY } },
      ...base.results,
    ],
    violation: { ...base.violation!, check: NASTY, message: NASTY, operations: [0] },
    notTested: [NASTY],
    traceHash: NASTY,
  };
  const html = reportHtml(record);
  assert.equal(html.match(/<script/g)!.length, 2);
  assert.equal(html.match(/<\/script/g)!.length, 2);
  assert.doesNotMatch(html, /<!--/);
  assert.deepEqual(decodePage(embedded(html)).record, JSON.parse(JSON.stringify(record)));
  assert.equal(textOf(html).split(NASTY.replace(/\s+/g, ' ')).length > 12, true);
});

test('an empty record makes a report that says it proves nothing', () => {
  const record: RunRecord = {
    ...sampleRecord(small),
    phases: [],
    faults: [],
    history: [],
    nodes: [],
    messages: { sent: 0, kept: [], choice: 'none' },
    results: [],
    sometimes: {},
    durationMs: 0,
    wallMs: 0,
  };
  const text = textOf(reportHtml(record));
  assert.match(text, /No checker looked at the history\. No client called anything\./);
});

test('writing a report puts it into one file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'report-'));
  try {
    const path = join(directory, 'run.html');
    await writeReport(failedRecord, path);
    assert.equal(await readFile(path, 'utf8'), failed);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a fault that was not carried out counts for nothing', () => {
  const base = sampleRecord(small);
  const [one] = base.faults;
  const missed = { ...one!, targets: [], note: 'not carried out: nobody leads' };
  const text = textOf(reportHtml({ ...base, faults: [missed] }));
  assert.match(text, /held under 0 faults\./);
  assert.match(text, /No such fault in this run: .*clocks of other speed/);
  assert.match(text, /not carried out: nobody leads/);
});
