/** Transactions and their kin against one real node, as a user types them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneNode } from './one-node.ts';
import { runCli, startCli } from './run-cli.ts';

const node = oneNode();
const { holdfast, ok, refused } = node;

test('[CLI-40] txn runs one branch and prints each result; exit 1 for else', async () => {
  const statements = [
    'if absent stock/7',
    'then put stock/7 "three of them" 1h',
    'then increment sold 2',
    'then get stock/7',
    'then count stock/',
    'then list sto',
    'then delete nothing',
    'else get stock/7',
    'else delete-prefix stock/',
  ];
  const out = (await ok('txn', ...statements)).split('\n');
  assert.match(out[0] ?? '', /^then ran at revision \d+$/);
  assert.match(out[1] ?? '', /^OK \d+$/);
  const rest = ['2', 'three of them', '1', 'stock/7\tthree of them', '-', ''];
  assert.deepEqual(out.slice(2), rest);
  const again = await holdfast('txn', '-w', 'json', ...statements);
  assert.deepEqual([again.code, again.stderr], [1, '']);
  const { succeeded, results }: { succeeded: boolean; results: [{ value: string }, number] } =
    JSON.parse(again.stdout);
  assert.deepEqual([succeeded, results[0].value, results[1]], [false, 'three of them', 1]);
  assert.match(await ok('txn', '-w', 'table', 'then increment sold'), /OPERATION[^]*sold +3/);
});

test('[CLI-40] txn reads its statements from stdin, with every compare', async () => {
  await ok('put', 'k', 'm');
  const script = `# all of them hold
if version k = 1
if mod k > 0
if create k != 0
if session k < 1
if value k > "l"
if exists k

then put k n`;
  const { code, stdout, stderr } = await startCli(['txn', '--endpoints', node.endpoint], script)
    .result;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^then ran/);
  assert.equal(await ok('get', 'k'), 'n\n');
});

test('[CLI-41] a statement that cannot be read is named, and nothing happens', async () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['when k', /'when k': it begins with if, then or else/],
    ['if version k ~ 1', /if TARGET KEY =/],
    ['if colour k = 1', /compares version, create, mod, session or value/],
    ['if version k = x', /'x' is no whole number/],
    ['then jump k', /operations are put, increment/],
    ['then put k', /put takes another number of words/],
    ['then put k "open', /a quote is open/],
    ['then put k v soon', /soon/],
  ];
  for (const [statement, message] of rows)
    await refused(2, message, 'txn', 'then put x 1', statement);
  await refused(2, /"x" is changed twice/, 'txn', 'then put x 1', 'then delete x');
  const silent = await node.start('txn').result;
  assert.deepEqual([silent.code, /no statements/.test(silent.stderr)], [2, true], silent.stderr);
  await refused(1, /not-found/, 'get', 'x');
});

test('[CLI-42] cas swaps only the value it was told', async () => {
  await ok('put', 'c', 'one');
  assert.match(await ok('cas', 'c', 'one', 'two'), /^OK \d+\n$/);
  await refused(1, /not-swapped: 'c' is 'two', not 'one'/, 'cas', 'c', 'one', 'three');
  await refused(1, /'absent' is absent/, 'cas', 'absent', 'one', 'three');
  assert.equal(await ok('get', 'c'), 'two\n');
});

test('[CLI-43] get --revision reads the past until compact has passed it', async () => {
  const first = /OK (\d+)/.exec(await ok('put', 'r', 'old'))?.[1] ?? '';
  const second = /OK (\d+)/.exec(await ok('put', 'r', 'new'))?.[1] ?? '';
  assert.equal(await ok('get', 'r', '--revision', first), 'old\n');
  assert.equal(await ok('compact', second), 'OK\n');
  await refused(1, /compacted/, 'get', 'r', '--revision', first);
  await refused(1, /compacted/, 'compact', first);
  await refused(2, /yet to come/, 'compact', '999999');
  await refused(2, /whole number above zero/, 'compact', 'all');
});

test('[CLI-44] delete --prefix removes all of a prefix; list --count counts it', async () => {
  for (const key of ['d/1', 'd/2', 'e']) await ok('put', key, '');
  assert.equal(await ok('list', 'd/', '--count'), '2\n');
  assert.equal(await ok('delete', 'd/', '--prefix'), '2\n');
  assert.equal(await ok('list', 'd/', '--count', '-w', 'json'), '{"count":0}\n');
  assert.equal(await ok('get', 'e'), '\n');
});

test('[CLI-45] txn --help teaches the statements with examples', async () => {
  const { stdout } = await runCli(['txn', '--help']);
  for (const word of ['if value KEY', 'delete-prefix', 'Examples:', 'Exit 0']) {
    assert.ok(stdout.includes(word), word);
  }
});
