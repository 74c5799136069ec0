/** Short runs on real processes, as a user has them. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJepsenLite } from './support/run-jepsen-lite.ts';

interface Printed {
  readonly type: string;
  readonly outcome: string;
  readonly violation: unknown;
  readonly operations: number;
  readonly carriedOut: Readonly<Record<string, number>>;
  readonly rounds: number;
  readonly passed: number;
}

test('[REAL-2] real processes keep their promises under kills, pauses, partitions', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-real-test-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const files = ['--history', join(home, 'run.jsonl'), '--report', join(home, 'run.html')];
  const flags = ['--seed', SEED, '--faults', 'kill,pause,partition', '--time', '5s'];
  const { code, stdout, stderr } = await runJepsenLite('-w', 'json', 'real', ...flags, ...files);
  const lines = stdout.trim().split('\n');
  const [run, summary] = lines.map((line) => JSON.parse(line) as Printed);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(lines.length, 2);
  assert.ok(run !== undefined && summary !== undefined);
  assert.deepEqual([run.type, run.outcome, run.violation], ['run', 'passed', null]);
  assert.equal(run.rounds, 1, 'it was healed, and all nodes were equal');
  const carriedOut = Object.values(run.carriedOut).reduce((sum, count) => sum + count, 0);
  assert.ok(carriedOut > 0, 'some faults were carried out');
  assert.deepEqual([summary.type, summary.passed], ['summary', 1]);
  const history = readFileSync(join(home, 'run.jsonl'), 'utf8').trim().split('\n');
  assert.equal(history.length, run.operations);
  assert.ok(history.some((line) => (JSON.parse(line) as { type: string }).type === 'ok'));
  assert.ok(existsSync(join(home, 'run.html')));
});

/** Its faults are of many kinds. */
const SEED = '52';

const MISTAKES: readonly (readonly [flags: readonly string[], complaint: RegExp])[] = [
  [['--faults', 'kill,rust'], /--faults takes all, or some of kill,pause,.*, not 'kill,rust'/],
  [['--clients', '101'], /--clients takes 1 to 100, not 101/],
];

test('[REAL-10] what cannot be carried out is told before a run', async () => {
  for (const [flags, complaint] of MISTAKES) {
    const { code, stdout, stderr } = await runJepsenLite('real', ...flags);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, complaint);
  }
});
