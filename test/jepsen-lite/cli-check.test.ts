/** `jepsen-lite check`: exit codes and what is printed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Verdict } from '../../jepsen-lite/checkers/verdict.ts';
import { createProgram } from '../../jepsen-lite/cli/program.ts';
import { runJepsenLite } from './support/run-jepsen-lite.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-check-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const put =
  '{"process":1,"f":"put","key":"k","value":"7","call":0,"return":9,"type":"ok","output":null}';

function read(output: string | null): string {
  const times = '"call":20,"return":30';
  const value = JSON.stringify(output);
  return `{"process":2,"f":"get","key":"k",${times},"type":"ok","output":${value}}`;
}

function historyFile(name: string, ...lines: string[]): string {
  const path = join(directory, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('[KIT-1] check passes a history that keeps the promise, with exit code 0', async () => {
  const file = historyFile('good', put, read('7'));
  const { code, stdout, stderr } = await runJepsenLite('check', file, '--model', 'register');
  assert.equal(stderr, '');
  assert.match(stdout, /^register: ok, the order .* explains it \(2 lines, 2 operations, 1 part\b/);
  assert.equal(code, 0);
});

test('[KIT-1] check tells a violation in a sentence, with exit code 1', async () => {
  const file = historyFile('lost', put, read(null));
  const { code, stdout } = await runJepsenLite('check', file, '--model', 'register');
  assert.match(stdout, /^register: violation: .*fits nowhere\n {2}put k "7" by process 1/);
  assert.ok(stdout.endsWith(`\nCheck again: npx jepsen-lite check ${file} --model register\n`));
  assert.equal(code, 1);
  const json = await runJepsenLite('check', file, '--model', 'register', '-w', 'json');
  const { verdict, replay }: { verdict: Verdict; replay: string } = JSON.parse(json.stdout);
  assert.equal(replay, `npx jepsen-lite check ${file} --model register`);
  assert.ok(verdict.type === 'illegal');
  assert.equal(verdict.operations.length, 2);
  assert.equal(json.code, 1);
});

test('[KIT-1] check says with exit code 3 that it knows nothing', async () => {
  const file = historyFile('other', put);
  const { code, stdout } = await runJepsenLite('check', file, '--model', 'lock');
  assert.match(stdout, /^lock: unknown: /);
  assert.equal(code, 3);
});

test('[KIT-1] check takes no acts alone for proof, with exit code 3', async () => {
  const file = historyFile('acts', put);
  const { code, stdout } = await runJepsenLite('check', file, '--model', 'register');
  assert.match(stdout, /^register: unknown: nothing in the history .*: that takes an answered get/);
  assert.equal(code, 3);
});

test('[KIT-1] a bad command or file is told in one line, with exit code 2', async () => {
  const file = historyFile('bad', put, '{"process":1}');
  const shape = historyFile(
    'shape',
    put,
    put.replace('"put"', '"cas"').replaceAll('0,', '20,').replace('9,', '29,'),
  );
  const asRegister = ['--model', 'register'] as const;
  const refused: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^jepsen-lite: .*bad: line 2: f is /, ['check', file, '--model', 'register']],
    [/shape: line 2: cas: value is a pair: .*\(model register\)/, ['check', shape, ...asRegister]],
    [/^jepsen-lite: --model takes one of register, .*not 'x'/, ['check', file, '--model', 'x']],
    [/^jepsen-lite: cannot read the history 'absent'/, ['check', 'absent', '--model', 'lock']],
    [/^jepsen-lite: .*'--model <name>'.*see jepsen-lite check --help/, ['check', file]],
    [/^jepsen-lite: unknown command 'simulat'/, ['simulat']],
  ];
  const results = await Promise.all(refused.map(([, args]) => runJepsenLite(...args)));
  refused.forEach(([pattern], i) => {
    const { code, stdout, stderr } = results[i]!;
    assert.match(stderr, pattern);
    assert.equal(stderr.split('\n').length, 2, stderr);
    assert.equal(stdout, '');
    assert.equal(code, 2);
  });
});

test('[KIT-1] the help of every command has an example', async () => {
  for (const command of (await createProgram()).commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [, examples = ''] = help.split('\nExamples:\n');
    assert.ok(examples.includes(`jepsen-lite ${command.name()} `), command.name());
  }
});
