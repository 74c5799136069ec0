/** What can be wrong with how nodes are started: each refused with a line that says what to do. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { runCli, startCli, type CliResult, type RunningCli } from './run-cli.ts';

let directory = '';
const running: RunningCli[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
});

after(async () => {
  for (const one of running) one.kill('SIGKILL');
  await Promise.all(running.map((one) => one.result));
  await rm(directory, { recursive: true, force: true });
});

async function address(): Promise<string> {
  const [port] = await freePorts(1);
  return `127.0.0.1:${port}`;
}

function start(...args: string[]): RunningCli {
  const one = startCli(['serve', ...args]);
  running.push(one);
  return one;
}

async function stop(one: RunningCli): Promise<void> {
  one.kill('SIGTERM');
  assert.equal((await one.result).code, 0);
}

async function refused(code: number, message: RegExp, ...args: string[]): Promise<void> {
  assertRefused(code, message, await runCli(['serve', ...args]));
}

function assertRefused(code: number, message: RegExp, result: CliResult): void {
  assert.equal(result.code, code, result.stderr + result.stdout);
  assert.match(result.stderr, message);
  assert.equal(result.stderr.trim().split('\n').length, 1, `one line: ${result.stderr}`);
}

test('[CLI-20] an unknown store, and a durable one without a directory', async () => {
  const at = await address();
  await refused(2, /unknown store 'redis'.*sqlite, level, memory/, ...flags('a', at, 'redis'));
  await refused(2, /--data is needed/, ...flags('a', at, 'sqlite'));
});

function flags(id: string, listen: string, store: string, data?: string): string[] {
  const place = data === undefined ? [] : ['--data', join(directory, data)];
  return ['--id', id, '--listen', listen, '--store', store, ...place];
}

for (const store of ['sqlite', 'level']) {
  test(`[CLI-21] ${store}: a data directory that cannot be used`, async () => {
    await writeFile(join(directory, `file-${store}`), 'not a directory');
    const at = await address();
    await refused(1, /data-directory/, ...flags('a', at, store, `file-${store}/inside`));
    // Under /proc a missing directory cannot be made, and the refusal says it is missing.
    const nowhere = ['--data', '/proc/holdfast/a'];
    await refused(1, /data-directory/, ...flags('a', at, store), ...nowhere);
  });

  test(`[CLI-22] ${store}: one data directory for two nodes`, async () => {
    const first = start(...flags('a', await address(), store, `twice-${store}`));
    await first.printed(/a serves/);
    await refused(1, /data-in-use/, ...flags('b', await address(), store, `twice-${store}`));
    await stop(first);
  });

  test(`[CLI-23] ${store}: a directory that belongs to another node id`, async () => {
    const data = `renamed-${store}`;
    const at = await address();
    const first = start(...flags('a', at, store, data));
    await first.printed(/a serves/);
    await stop(first);
    await refused(1, /configuration-mismatch/, ...flags('b', at, store, data));
    const again = start(...flags('a', at, store, data));
    await again.printed(/a serves/);
    await stop(again);
  });
}

test('[CLI-24] a directory of another kind of store', async () => {
  const first = start(...flags('a', await address(), 'sqlite', 'kind'));
  await first.printed(/a serves/);
  await stop(first);
  await refused(1, /sqlite store/, ...flags('a', await address(), 'level', 'kind'));
});

test('[CLI-25] a port that is taken', async () => {
  const server = createServer();
  const at = await address();
  await new Promise<void>((resolve) => {
    server.listen(Number(at.split(':')[1]), '127.0.0.1', resolve);
  });
  await refused(1, /address-in-use.*127\.0\.0\.1/, ...flags('a', at, 'memory'));
  await new Promise((resolve) => server.close(resolve));
});

test('[CLI-26] a peer list that disagrees with the membership on disk', async () => {
  const [one, two] = [await address(), await address()];
  const first = start(...flags('a', one, 'sqlite', 'peers'), '--peers', `a=${one}`);
  await first.printed(/a serves/);
  await stop(first);
  const peers = `a=${one},b=${two}`;
  const again = [...flags('a', one, 'sqlite', 'peers'), '--peers', peers];
  await refused(1, /configuration-mismatch.*b/, ...again);
});

test('[CLI-27] peer lists that make no sense', async () => {
  const at = await address();
  const node = flags('a', at, 'memory');
  await refused(2, /--peers.*id=host:port/, ...node, '--peers', 'a');
  await refused(2, /twice/, ...node, '--peers', `a=${at},a=${at}`);
  await refused(2, /peers.*\ba\b/, ...node, '--peers', `b=${at}`);
  await refused(2, /listen/, ...flags('a', 'nowhere', 'memory'));
});

test('[CLI-28] without a quorum a read times out with no-quorum, and says so', async () => {
  const [one, two] = [await address(), await address()];
  const peers = `a=${one},b=${two}`;
  const both = [
    start(...flags('a', one, 'memory'), '--peers', peers),
    start(...flags('b', two, 'memory'), '--peers', peers),
  ];
  const endpoints = ['--endpoints', `${one},${two}`];
  await Promise.all(both.map((node) => node.printed(/serves/)));
  const put = await runCli(['put', 'k', 'v', ...endpoints, '--timeout', '20s']);
  assert.equal(put.code, 0, put.stderr);
  both[1]?.kill('SIGKILL');
  await both[1]?.result;
  const read = await runCli(['get', 'k', ...endpoints, '--timeout', '3s']);
  assert.equal(read.code, 1, read.stderr);
  assert.match(read.stderr, /no-quorum/);
  const lines = 'a\tb\n'.repeat(100_000);
  const stopped = await startCli(['import', '-', ...endpoints, '--timeout', '3s'], lines).result;
  assert.equal(stopped.code, 1, stopped.stderr);
  assert.match(stopped.stderr, /the import stopped: run it again; first: no-quorum/);
  const local = await runCli(['get', 'k', ...endpoints, '--consistency', 'local']);
  assert.equal(local.stdout, 'v\n', local.stderr);
});

test('[CLI-29] two nodes with one id, and two clusters on one port, are told apart', async () => {
  const [one, two] = [await address(), await address()];
  const first = start(...flags('a', one, 'memory'), '--peers', `a=${one},b=${two}`);
  const impostor = start(...flags('a', two, 'memory'), '--peers', `a=${two},b=${one}`);
  await first.printed(/duplicate node id/);
  await impostor.printed(/duplicate node id/);
  const stranger = [...flags('b', await address(), 'memory'), '--cluster', 'another'];
  start(...stranger, '--peers', `a=${one},b=${two}`);
  await first.printed(/another/);
});

/** A module without a file. */
function moduleUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`;
}

test('[CLI-33] a store whose driver is not installed says what to install', async () => {
  const drivers = { sqlite: 'better-sqlite3', level: 'classic-level' };
  const hook = `export async function resolve(name, context, next) {
    if (!${JSON.stringify(Object.values(drivers))}.includes(name)) return next(name, context);
    throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
  }`;
  const register = `import { register } from 'node:module'; register('${moduleUrl(hook)}');`;
  process.env['NODE_OPTIONS'] = `--import ${moduleUrl(register)}`;
  try {
    for (const [store, driver] of Object.entries(drivers)) {
      const message = new RegExp(`--store ${store} needs a driver.*npm install ${driver}@`);
      const without = start(...flags('a', await address(), store, `driver-${store}`));
      assertRefused(2, message, await without.result);
    }
  } finally {
    delete process.env['NODE_OPTIONS'];
  }
});
