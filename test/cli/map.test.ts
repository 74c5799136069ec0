/** Named maps against one real node, as a user types them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type HoldfastClient } from '../../src/index.ts';
import { oneNode } from './one-node.ts';
import { runCli, startCli } from './run-cli.ts';

const node = oneNode();
const { ok, refused } = node;
function client(): Promise<HoldfastClient> {
  return connect({ endpoints: [node.endpoint] });
}

test('[CLI-70] map create, put, get, entries, remove and drop', async () => {
  await using connected = await client();
  const { registry } = connected;
  assert.match(await ok('map', 'create', 'flags'), /^OK \d+\n$/);
  const flags = registry.rawMap('flags');
  await flags.put('b', { on: true });
  assert.match(await ok('map', 'put', 'flags', 'a', '"text"'), /^OK \d+\n$/);
  assert.equal(await ok('map', 'get', 'flags', 'b'), '{"on":true}\n');
  assert.equal(await ok('map', 'entries', 'flags'), 'a\t"text"\nb\t{"on":true}\n');
  const json = await ok('map', 'entries', 'flags', '-w', 'json');
  const [first]: [{ key: string; value: string }] = JSON.parse(json);
  assert.deepEqual([first.key, first.value], ['a', '"text"']);
  assert.equal(await ok('map', 'remove', 'flags', 'a'), 'OK\n');
  assert.equal(await ok('map', 'remove', 'flags', 'a'), 'OK (it was not there)\n');
  await refused(1, /not-found: map 'flags' has no key 'a'/, 'map', 'get', 'flags', 'a');
  assert.equal(await ok('map', 'drop', 'flags'), 'OK\n');
  assert.deepEqual(await registry.maps(), []);
});

test('[CLI-71] map list tells of every map, also of those that programs open', async () => {
  await using connected = await client();
  const { registry } = connected;
  const workers = await registry.map('workers', { persist: false, prune: true });
  await workers.put('one', { load: 1 });
  const { createRevision } = workers;
  const list = `workers\tpersist=false\tprune=true\trevision=${createRevision}\n`;
  assert.equal(await ok('map', 'list'), list);
  assert.match(await ok('map', 'list', '-w', 'table'), /NAME +PERSIST[^]*workers +false +true/);
  await refused(2, /map "workers" prunes/, 'map', 'put', 'workers', 'two', '{}');
  const session = await registry.openSession();
  await ok('map', 'put', 'workers', 'two', '{}', '--session', String(session.id));
  assert.deepEqual(await workers.fetch('two'), {});
  await workers.drop();
});

test('[CLI-72] map watch prints a snapshot or the past, then changes', async () => {
  await using connected = await client();
  const { registry } = connected;
  const map = await registry.map('w');
  const { revision: from } = await map.put('k', 1);
  const watching = node.start('map', 'watch', 'w', '--initial');
  await watching.printed(/PUT\tk\t1/);
  const { revision } = await map.put('k', 2);
  await map.remove('k');
  await map.drop();
  const { code, stdout } = await watching.result;
  assert.equal(code, 0);
  const lines = [`${from}\tPUT\tk\t1`, `${revision}\tPUT\tk\t2`, `${revision + 1}\tREMOVE\tk`, ''];
  assert.deepEqual(stdout.split('\n'), lines);
  await (await registry.map('w')).put('k', 3);
  const past = ['--from', String(from), '--count', '1', '-w', 'json'];
  const event: unknown = JSON.parse(await ok('map', 'watch', 'w', ...past));
  const expected = { type: 'put', revision: revision + 4, key: 'k', value: '3' };
  assert.deepEqual(event, expected, 'what was in the other map is not told');
});

test('[CLI-73] bad input is refused with the rule, and what is absent is named', async () => {
  await using connected = await client();
  const { registry } = connected;
  const absent = /no-such-map:.*"none".*holdfast map list/;
  await refused(1, absent, 'map', 'put', 'none', 'k', '1');
  await refused(1, /no-such-map/, 'map', 'watch', 'none', '--initial');
  const map = await registry.map('m');
  await refused(2, /not JSON.*quotes/, 'map', 'put', 'm', 'k', 'on');
  await ok('map', 'put', 'm', 'k', 'on', '--raw');
  const fromStdin = ['map', 'put', 'm', 'in', '-', '--endpoints', node.endpoint];
  assert.equal((await startCli(fromStdin, '[1]').result).code, 0);
  assert.deepEqual(await map.fetch('in'), [1]);
  await refused(2, /exclude each other/, 'map', 'watch', 'm', '--initial', '--from', '1');
  await refused(1, /map-conflict:.*prune false, not true/, 'map', 'create', 'm', '--prune');
  const help = await runCli(['map', 'put', '--help']);
  assert.match(help.stdout, /Examples:\n +holdfast map put flags/);
});
