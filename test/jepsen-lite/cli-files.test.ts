/** What `jepsen-lite` reads and writes: refused before the work, kept when it is cut short. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { interruptedJepsenLite, runJepsenLite } from './support/run-jepsen-lite.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-files-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const SHORT = ['--time', '1s', '--workload', 'register', '--nodes', '3'] as const;

test('[KIT-4] folders of what is written are made, and a report names its own run', async () => {
  const save = join(directory, 'save', 'here');
  const report = join(directory, 'reports', 'run.html');
  const to = ['--save', save, '--report', report] as const;
  const { code, stderr } = await runJepsenLite('simulate', '--seeds', '5', ...SHORT, ...to);
  assert.equal(code, 0, stderr);
  assert.equal(existsSync(save), true);
  const again = 'npx jepsen-lite replay --seed 5 --time 1s --nodes 3 --workload register';
  assert.ok(readFileSync(report, 'utf8').includes(`<code>${again}</code>`));
});

test('[KIT-4] what cannot be written is refused before anything is run', async () => {
  const folder = join(directory, 'folder');
  const file = join(directory, 'file');
  mkdirSync(folder);
  writeFileSync(file, '');
  const refused: readonly (readonly [RegExp, readonly string[]])[] = [
    [/--report: '.*folder' is a folder/, ['simulate', '--report', folder]],
    [/cannot make the folder of --save, '.*file'/, ['simulate', '--save', file]],
    [/cannot make the folder of --save, '\/proc\/x\/y'/, ['simulate', '--save', '/proc/x/y']],
    [/ --report, '\/proc'/, ['simulate', '--report', '/proc/run.html']],
    [/cannot make the folder of --history, '.*file'/, ['real', '--history', join(file, 'h.jsonl')]],
    [/cannot make the folder of --table, '.*file'/, ['mutants', '--table', join(file, 't.md')]],
    [/: --only: there is no 'x'; --list has all$/m, ['mutants', '--only', '1,x']],
  ];
  const results = await Promise.all(refused.map(([, args]) => runJepsenLite(...args)));
  results.forEach(({ code, stdout, stderr }, i) => {
    assert.match(stderr, refused[i]![0]);
    assert.equal(stdout, '');
    assert.equal(code, 2);
  });
});

test('[KIT-4] a file for replay that is older, or has options beside it, fails', async () => {
  const older = join(directory, 'older.json');
  const text = join(directory, 'text.json');
  writeFileSync(older, '{ "version": 0, "seed": 4 }');
  writeFileSync(text, 'no\njson');
  const results = await Promise.all([
    runJepsenLite('replay', older),
    runJepsenLite('replay', older, '--nodes', '3'),
    runJepsenLite('replay', text),
  ]);
  const patterns = [
    /^jepsen-lite: .*older\.json: version: it is 0, and this jepsen-lite reads \d+ only\n$/,
    /^jepsen-lite: --nodes goes without a file: .*\n$/,
    /^jepsen-lite: .*text\.json: not JSON: .*\n$/,
  ];
  results.forEach(({ code, stderr }, i) => {
    assert.match(stderr, patterns[i]!);
    assert.equal(stderr.split('\n').length, 2, stderr);
    assert.equal(code, 2);
  });
});

test('[KIT-4] simulate that is interrupted tells what it has done, and exits with 3', async () => {
  const args = ['simulate', '--seeds', '1..100000', ...SHORT, '-w', 'json'] as const;
  const { code, stdout } = await interruptedJepsenLite(...args);
  const lines = stdout.trim().split('\n');
  const parsed = lines.map((line): Record<string, unknown> => JSON.parse(line));
  const summary = parsed.pop();
  assert.equal(summary?.['type'], 'summary');
  assert.equal(summary['interrupted'], true);
  assert.equal(summary['runs'], parsed.length);
  assert.equal(code, 3);
});
