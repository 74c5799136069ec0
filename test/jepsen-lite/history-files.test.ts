/** Histories as files: what is accepted, what is refused with which words, what is written. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { register } from '../../jepsen-lite/checkers/register.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { parseHistory, readHistory } from '../../jepsen-lite/history/read.ts';
import { HistoryWriter } from '../../jepsen-lite/history/write.ts';

const LINE =
  '{"process":3,"f":"put","key":"k1","value":"7","call":1234567,"return":1239999,' +
  '"type":"ok","output":null}';

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-history-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('[CHECK-1] a line of documented fields alone is an operation; more fields are kept', () => {
  assert.deepEqual(parseHistory(`${LINE}\n\n`), [
    {
      process: 3,
      f: 'put',
      key: 'k1',
      value: '7',
      call: 1_234_567,
      return: 1_239_999,
      type: 'ok',
      output: null,
    },
  ]);
  const [kept] = parseHistory(LINE.replace('{', '{"host":"b","revision":4,'));
  assert.deepEqual({ ...kept }, { host: 'b', revision: 4, ...parseHistory(LINE)[0] });
});

function line(process: number, f: string, rest: string): string {
  return `{"process":${process},"f":"${f}","key":"k1",${rest}}`;
}

test('[CHECK-1] a history of documented fields alone is judged', () => {
  const lines = [
    LINE,
    line(3, 'get', '"value":null,"call":1240000,"return":1250000,"type":"ok","output":"7"'),
    line(4, 'cas', '"value":["7","8"],"call":1240000,"return":1250000,"type":"ok","output":true'),
    line(5, 'delete', '"call":1260000,"return":null,"type":"info","output":null'),
    line(6, 'get', '"call":1270000,"return":1280000,"type":"ok","output":null'),
    line(6, 'cas', '"value":["7","8"],"call":1280000,"return":1290000,"type":"fail"'),
  ];
  assert.equal(register.check(parseHistory(lines.join('\n'))).type, 'ok');
  // Without the delete of unknown outcome, nothing explains that the key is gone.
  assert.equal(register.check(parseHistory(lines.toSpliced(3, 1).join('\n'))).type, 'illegal');
});

for (const [change, to, rule] of [
  ['"process":3', '"process":-1', 'process is not below 0'],
  ['"process":3,', '', 'process is a whole number, and is missing'],
  ['"process":3', '"process":1.5', 'process is a whole number'],
  ['"f":"put"', '"f":""', 'f is not empty'],
  ['"key":"k1"', '"key":7', 'key is text'],
  ['"call":1234567', '"call":-1', 'call is not below 0'],
  ['"call":1234567', '"call":"1"', 'call is a number of nanoseconds'],
  ['"return":1239999', '"return":"soon"', 'return is a number of nanoseconds, or null'],
  ['"return":1239999', '"return":1', 'return (1) is before call (1234567)'],
  ['"return":1239999', '"return":null', 'return is a number where type is ok'],
  ['"type":"ok"', '"type":"info"', 'return is null where type is info: nobody knows when it ends'],
  ['"type":"ok"', '"type":"done"', 'type is ok, fail or info'],
  ['"output":null', '"output":null,"revision":-4', 'revision is not below 0'],
  [LINE, '[1]', 'a line is one JSON object'],
] as const) {
  test(`[CHECK-2] refused with its line and rule: ${rule}`, () => {
    assert.throws(() => parseHistory(`${LINE}\n\n${LINE.replace(change, to)}\n`), {
      name: 'HistoryError',
      line: 3,
      rule,
      message: `line 3: ${rule}`,
    });
  });
}

test('[CHECK-2] what is not JSON is refused with its line', () => {
  assert.throws(() => parseHistory(`${LINE}\n{"process":`), /^HistoryError: line 2: not JSON: /);
});

function at(call: number, end: number | null, process = 1): string {
  const type = end === null ? 'info' : 'ok';
  return JSON.stringify({ process, f: 'put', key: 'k', call, return: end, type, output: null });
}

test('[CHECK-2] a process that calls two things at once, or goes on after an unknown outcome, is \
refused', () => {
  assert.equal(parseHistory([at(10, 20), at(0, 10), at(5, 15, 2)].join('\n')).length, 3);
  assert.throws(() => parseHistory([at(9, 20), at(0, 10)].join('\n')), {
    message: 'line 1: process 1 calls before its operation in line 2 has returned',
  });
  assert.throws(() => parseHistory([at(0, null), at(10, 20)].join('\n')), {
    message:
      'line 2: process 1 never learned the outcome of its operation in line 1: ' +
      'a client goes on under another number',
  });
  // What takes no time was seen, not called.
  assert.equal(parseHistory([at(0, 10), at(5, 5), at(20, null), at(30, 30)].join('\n')).length, 4);
});

test('[CHECK-3] what is written while it happens is read again, as it was', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'history.jsonl');
    await writeFile(path, 'what was there before');
    const history = Array.from({ length: 3_000 }, (_, i): Operation => ({
      process: i,
      f: 'put',
      key: `k${i % 7}`,
      value: { text: 'line\nbreak  ', i },
      call: i,
      return: i % 3 === 0 ? null : i + 2,
      type: i % 3 === 0 ? 'info' : 'ok',
      output: null,
      node: 'a',
    }));
    const writer = await HistoryWriter.create(path);
    for (const operation of history) writer.write(operation);
    await writer.close();
    assert.deepEqual(await readHistory(path), history);
  }));

test('[CHECK-3] a file that cannot be written to says so at the end', () =>
  inDirectory(async (directory) => {
    await assert.rejects(HistoryWriter.create(join(directory, 'none', 'h')), { code: 'ENOENT' });
    await assert.rejects(readHistory(join(directory, 'none')), { code: 'ENOENT' });
  }));
