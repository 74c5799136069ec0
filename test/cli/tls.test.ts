/** Nodes and commands over mutual TLS, and what whoever lacks the right files is told. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { freePorts } from '../../jepsen-lite/real/process-cluster.ts';
import { connect, HoldfastError } from '../../src/client/index.ts';
import { runCli, startCli, type RunningCli } from './run-cli.ts';

/** The tests run with the tree's root as working directory. */
const FIXTURES = 'test/transport/fixtures';
const CA = ['--tls-ca', `${FIXTURES}/cluster-ca.pem`];
const PAIR = pair('cluster');

function pair(name: string): string[] {
  return ['--tls-cert', `${FIXTURES}/${name}.pem`, '--tls-key', `${FIXTURES}/${name}.key`];
}

let endpoints = '';
const nodes: RunningCli[] = [];

before(async () => {
  const addresses = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  endpoints = addresses.join(',');
  const peers = `a=${addresses[0]},b=${addresses[1]}`;
  for (const [i, listen] of addresses.entries()) {
    const id = ['--id', i === 0 ? 'a' : 'b', '--listen', listen, '--peers', peers];
    nodes.push(startCli(['serve', ...id, '--store', 'memory', ...CA, ...PAIR]));
  }
  await Promise.all(nodes.map((node) => node.printed(/serves/)));
});

after(async () => {
  for (const node of nodes) node.kill('SIGKILL');
  await Promise.all(nodes.map((node) => node.result));
});

async function refused(code: number, message: RegExp, ...args: string[]): Promise<void> {
  const result = await runCli(args);
  assert.match(result.stderr, message);
  assert.equal(result.code, code);
  assert.equal(result.stderr.trim().split('\n').length, 1, `one line: ${result.stderr}`);
}

test('[CLI-30] nodes and commands with certificates of one authority talk over TLS', async () => {
  const tls = ['--endpoints', endpoints, '--timeout', '20s', ...CA, ...PAIR];
  const put = await runCli(['put', 'k', 'v', ...tls]);
  assert.equal(put.code, 0, put.stderr);
  assert.equal((await runCli(['get', 'k', ...tls])).stdout, 'v\n');
  const status = await runCli(['status', '-w', 'json', ...tls]);
  const rows: { role: string }[] = JSON.parse(status.stdout);
  assert.deepEqual(rows.map(({ role }) => role).toSorted(), ['follower', 'leader']);
  const [ca, cert, key] = await Promise.all(
    ['cluster-ca.pem', 'cluster.pem', 'cluster.key'].map((name) => readFile(`${FIXTURES}/${name}`)),
  );
  assert.ok(ca !== undefined && cert !== undefined && key !== undefined);
  await using client = await connect({ endpoints: endpoints.split(','), tls: { ca, cert, key } });
  assert.equal((await client.registry.get('k'))?.text(), 'v');
});

test('[CLI-31] without the right certificate a command is refused at once, with why', async () => {
  const at = ['get', 'k', '--endpoints', endpoints, '--timeout', '1h'];
  await refused(1, /wrong-certificate.*your certificate is missing.*--tls-cert/, ...at, ...CA);
  const stranger = [...at, ...CA, ...pair('stranger')];
  await refused(1, /wrong-certificate.*your certificate is not trusted/, ...stranger);
  const distrusting = [...at, '--tls-ca', `${FIXTURES}/stranger-ca.pem`, ...PAIR];
  await refused(1, /wrong-certificate.*its certificate is not trusted.*--tls-ca/, ...distrusting);
  const plain = ['get', 'k', '--endpoints', endpoints, '--timeout', '1s'];
  await refused(1, /connection-lost.*a port that speaks TLS\?/, ...plain);
  await nodes[0]?.printed(/TLS failed: plain speech to a port with TLS/);
});

test('[CLI-32] TLS files that cannot serve are bad usage, for commands and nodes', async () => {
  const [port] = await freePorts(1);
  const serve = ['serve', '--id', 'x', '--listen', `127.0.0.1:${port}`, '--store', 'memory'];
  const key = ['--tls-key', `${FIXTURES}/cluster.key`];
  for (const command of [['get', 'k', '--endpoints', endpoints], serve]) {
    await refused(2, /--tls-cert and --tls-key go together/, ...command, ...key);
    await refused(2, /cannot read.*'nothing.pem'/, ...command, ...key, '--tls-cert', 'nothing.pem');
    const noPem = ['--tls-cert', 'package.json', ...key];
    await refused(2, /tls.cert is not a PEM text/, ...command, ...noPem);
    const foreign = ['--tls-cert', `${FIXTURES}/stranger.pem`, ...key];
    await refused(2, /key values mismatch/, ...command, ...foreign);
  }
  await refused(2, /needs --tls-cert and --tls-key/, ...serve, ...CA);
});

test('[CLI-31] a command that speaks TLS to a port without it is told so', async () => {
  const [port] = await freePorts(1);
  const at = `127.0.0.1:${port}`;
  const plain = startCli(['serve', '--id', 'a', '--listen', at, '--store', 'memory']);
  nodes.push(plain);
  await plain.printed(/a serves/);
  const get = ['get', 'k', '--endpoints', at, '--timeout', '1s', ...CA];
  await refused(1, /connection-lost.*a port that does not speak TLS\?/, ...get);
  const pem = await readFile(`${FIXTURES}/cluster-ca.pem`, 'utf8');
  const error: unknown = await connect({
    endpoints: [at],
    requestTimeout: '1s',
    tls: { ca: pem },
  }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HoldfastError && error.code === 'connection-lost');
});
