/** snapshot save, status and restore, as a user types them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { oneNode } from './one-node.ts';
import { runCli, startCli } from './run-cli.ts';

const node = oneNode();

let directory = '';
let saved = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-snapshot-'));
  saved = join(directory, 'saved.hfb');
});
after(() => rm(directory, { recursive: true }));

function save(...args: readonly string[]): ReturnType<typeof runCli> {
  return runCli(['snapshot', 'save', ...args, '--endpoints', node.endpoint]);
}

/** Runs a command without a node that must end with this code and say this. */
async function refused(code: number, message: RegExp, ...args: readonly string[]): Promise<void> {
  const result = await runCli(args);
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, message);
}

test('[CLI-120] snapshot save writes a file, and replaces one only when told to', async () => {
  await node.ok('put', 'k1', 'v1');
  await node.ok('put', 'k2', 'v2', '--ttl', '1h');
  await node.ok('lock', 'job', '--ttl', '1m');
  const first = await save(saved);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /saved\.hfb: \d+ bytes\n$/);
  assert.match(first.stderr, /MiB in .* s\n$/);
  const { length } = await readFile(saved);
  const again = await save(saved);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /exists already.*force/);
  const nowhere = await save(join(directory, 'nowhere', 'saved.hfb'));
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /cannot write the backup .*ENOENT/);
  const forced = await save(saved, '--force', '--local', '-w', 'json');
  assert.deepEqual(JSON.parse(forced.stdout), { file: saved, bytes: length });
  assert.deepEqual(await readdir(directory), ['saved.hfb']);
});

test('[CLI-121] snapshot status tells what a backup holds, in every format', async () => {
  const lines = await runCli(['snapshot', 'status', saved]);
  assert.match(lines.stdout, /^cluster: holdfast \([0-9a-f]{32}-[0-9a-f]{8}\)\nnode: a\n/);
  assert.match(lines.stdout, /\nkeys: 3\nsessions: 1\nbytes: \d+\n$/);
  const json = await runCli(['snapshot', 'status', saved, '-w', 'json']);
  const report = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(report).toSorted(), [
    'bytes',
    'clusterId',
    'clusterName',
    'compactRevision',
    'index',
    'keys',
    'node',
    'revision',
    'savedAt',
    'sessions',
    'time',
  ]);
  const drawn = await runCli(['snapshot', 'status', saved, '-w', 'table']);
  assert.match(drawn.stdout, /^FIELD +VALUE\n-+ +-+\ncluster /);
});

test('[CLI-122] a damaged backup is named with the place, and nothing is restored', async () => {
  const damaged = join(directory, 'damaged.hfb');
  const bytes = await readFile(saved);
  bytes[bytes.length - 60]! ^= 1;
  await writeFile(damaged, bytes);
  await refused(1, /corrupt-data: .*at byte \d+: the checksum/, 'snapshot', 'status', damaged);
  const data = join(directory, 'never', 'a');
  const options = ['--id', 'a', '--peers', 'a=127.0.0.1:7400', '--data', data];
  await refused(1, /at byte \d+/, 'snapshot', 'restore', damaged, ...options);
  assert.equal(existsSync(data), false);
  assert.deepEqual(await readdir(join(directory, 'never')).catch(() => []), []);
});

test('[CLI-123] restore refuses a directory in use and options that make no sense', async () => {
  const used = join(directory, 'used');
  await mkdir(used);
  await writeFile(join(used, 'notes'), 'precious');
  const restore = ['snapshot', 'restore', saved, '--id', 'a', '--data'];
  const peers = ['--peers', 'a=127.0.0.1:7400'];
  await refused(1, /not an empty directory/, ...restore, used, ...peers);
  await refused(1, /not an empty directory/, ...restore, saved, ...peers);
  assert.deepEqual(await readdir(used), ['notes']);
  const free = join(directory, 'free');
  await refused(2, /--store memory keeps nothing/, ...restore, free, ...peers, '--store', 'memory');
  await refused(2, /'a' is not in b\n$/, ...restore, free, '--peers', 'b=127.0.0.1:7400');
  await refused(2, /is not id=host:port/, ...restore, free, '--peers', 'a');
  await refused(2, /--bump-revision takes/, ...restore, free, ...peers, '--bump-revision', '-1');
  assert.equal(existsSync(free), false);
});

test('[CLI-124] nodes restored into both stores serve the backup as one new cluster', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  const peers = `a=127.0.0.1:${a},b=127.0.0.1:${b}`;
  const servers = [];
  for (const [id, port, store] of [['a', a, 'sqlite'] as const, ['b', b, 'level'] as const]) {
    const common = ['--id', id, '--peers', peers, '--store', store];
    const place = ['--data', join(directory, 'new', id)];
    const restored = await runCli(['snapshot', 'restore', saved, ...common, ...place]);
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /2 keys at revision 100000000\d for cluster 'holdfast'/);
    const listen = ['--listen', `127.0.0.1:${port}`];
    servers.push(startCli(['serve', ...common, ...place, ...listen]));
  }
  assert.deepEqual((await readdir(join(directory, 'new'))).toSorted(), ['a', 'b']);
  try {
    await Promise.all(servers.map((server) => server.printed(/restored backup [0-9a-f]{16}/)));
    const endpoints = ['--endpoints', `127.0.0.1:${b}`];
    const list = await runCli(['list', ...endpoints]);
    assert.equal(list.stdout, 'k1\tv1\nk2\tv2\n', list.stderr);
    const lock = await runCli(['lock', 'job', '--try', '--ttl', '1m', ...endpoints]);
    assert.match(lock.stdout, /token=100000\d{4}\n/, lock.stderr);
  } finally {
    for (const server of servers) server.kill('SIGTERM');
    await Promise.all(servers.map((server) => server.result));
  }
});
