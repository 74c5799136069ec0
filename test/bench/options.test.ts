/** What the bench says to flags that break a rule. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseOptions, type RawOptions } from '../../bench/options.ts';

const FAMILIES = ['put', 'get', 'locks'];
const PROGRAM = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function run(...flags: readonly string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...flags], (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

test('each flag that breaks a rule is refused by its name, with what it takes', () => {
  const cases: readonly (readonly [RawOptions, RegExp])[] = [
    [{ rows: 'put,gets' }, /--rows: there is no 'gets'; choose from put, get, locks/],
    [{ store: 'memory' }, /--store: there is no 'memory'; choose from sqlite, level/],
    [{ inFlight: '1,x' }, /--in-flight 1,x: whole numbers from 1 to 10000/],
    [{ inFlight: '0' }, /--in-flight 0/],
    [{ runs: '0' }, /--runs 0: a whole number from 1 to 100/],
    [{ runs: '1.5' }, /--runs 1\.5/],
    [{ time: '3' }, /--time 3: from 100ms to 10m/],
    [{ time: '99ms' }, /--time 99ms/],
    [{ time: '11m' }, /--time 11m/],
    [{ compare: 'consul' }, /--compare consul: etcd is the only peer/],
  ];
  for (const [raw, message] of cases) {
    assert.throws(() => parseOptions(raw, FAMILIES), message, JSON.stringify(raw));
  }
});

test('without flags everything is run five times; --quick is less of it', () => {
  const usual = parseOptions({}, FAMILIES);
  assert.deepEqual(usual.rows, FAMILIES);
  assert.deepEqual([usual.runs, usual.measureMs, usual.etcd], [5, 3000, false]);
  const quick = parseOptions({ quick: true, runs: '2', rows: 'locks, put' }, FAMILIES);
  assert.deepEqual(quick.rows, ['put', 'locks']);
  assert.equal(quick.runs, 2);
  assert.ok(quick.measureMs < usual.measureMs);
});

test('a bad flag is one line on stderr and exit code 2; --help is help', async () => {
  const [bad, help] = await Promise.all([run('--rows', 'nothing'), run('--help')]);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /^bench: --rows: there is no 'nothing'[^\n]*\n$/);
  assert.equal(help.code, 0);
  assert.match(help.out, /--compare <peer>/);
  assert.equal(help.err, '');
});
