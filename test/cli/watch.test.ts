import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneNode } from './one-node.ts';

const node = oneNode();

async function put(key: string, value: string): Promise<string> {
  return /OK (\d+)/.exec(await node.ok('put', key, value))?.[1] ?? '';
}

test('[CLI-90] watch is of a range, of one type of events, with what was before', async () => {
  const from = await put('r/a', '1');
  await put('r/b', '1');
  await put('r/b', '2');
  await node.ok('delete', 'r/b');
  await put('r/c', '1');
  const range = ['--range', 'r/b', 'r/c', '--from', from, '--previous', '--count', '1'];
  const deletes = await node.ok('watch', ...range, '--events', 'delete');
  assert.match(deletes, /^\d+\tDELETE\tr\/b\twas 2\n$/);
  const out = await node.ok(
    'watch',
    '--range',
    'r/b',
    '--from',
    from,
    '--count',
    '4',
    '-w',
    'json',
  );
  const events = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; key: string; previous: unknown });
  assert.deepEqual(
    events.map(({ type, key, previous }) => [type, key, previous]),
    [
      ['put', 'r/b', null],
      ['put', 'r/b', null],
      ['delete', 'r/b', null],
      ['put', 'r/c', null],
    ],
  );
});

test('[CLI-91] watch --progress says where it begins', async () => {
  const from = await put('p/a', '1');
  const watching = ['watch', 'p/', '--from', from, '--progress', '--count', '1'];
  const lines = (await node.ok(...watching, '-w', 'json')).trim().split('\n');
  assert.deepEqual(JSON.parse(lines[0] ?? ''), { type: 'progress', revision: Number(from) - 1 });
  assert.equal((JSON.parse(lines[1] ?? '') as { key: string }).key, 'p/a');
  assert.match(await node.ok(...watching), /^\d+\tPROGRESS\n\d+\tPUT\tp\/a\t1\n$/);
});

test('[CLI-92] options of watch that do not go together are bad usage', async () => {
  await node.refused(2, /prefix or --range/, 'watch', 'r/', '--range', 'a', 'b');
  await node.refused(2, /--range takes a first key/, 'watch', '--range', 'a', 'b', 'c');
  await node.refused(2, /put or delete, not 'puts'/, 'watch', '--events', 'puts');
  await node.refused(2, /ends after it starts/, 'watch', '--range', 'b', 'a');
});
