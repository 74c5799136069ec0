/** verify on the command line, against three nodes in this process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { divergingCluster, type DivergingCluster } from '../embed/support/diverging.ts';
import { oneNode } from './one-node.ts';
import { runCli, type CliResult } from './run-cli.ts';

const single = oneNode();

async function fill(cluster: DivergingCluster): Promise<void> {
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
  for (let i = 0; i < 10; i++) await client.registry.put(`jobs/${i}`, 'good value');
  await client.registry.put('line\nbreak', '1');
}

function verify(cluster: DivergingCluster, ...args: string[]): Promise<CliResult> {
  const endpoints = cluster.endpoints.join(',');
  return runCli(['verify', '--endpoints', endpoints, '--timeout', '20s', ...args]);
}

test('[CLI-60] [CLI-62] equal replicas exit 0; one that is away 3', async () => {
  await using cluster = await divergingCluster();
  await fill(cluster);
  const equal = await verify(cluster);
  assert.equal(equal.code, 0, equal.stderr);
  assert.match(
    equal.stdout,
    /^compared at log index \d+, revision \d+: \d+ records.*\na\tequal\nb\tequal\nc\tequal\n/,
  );
  assert.match(equal.stdout, /all 3 replicas are equal/);
  await cluster.node('c').stop();
  const without = await verify(cluster, '--quick', '-w', 'json');
  assert.equal(without.code, 3, without.stderr);
  assert.match(without.stderr, /nothing differs, but not compared: c \(unreachable\)/);
  const { members, diverged } = JSON.parse(without.stdout) as {
    members: { id: string; state: string }[];
    diverged: boolean;
  };
  assert.equal(diverged, false);
  assert.deepEqual(
    members.map(({ id, state }) => `${id} ${state}`),
    ['a equal', 'b equal', 'c unreachable'],
  );
});

test('[CLI-61] [CLI-63] a diverged node is named with its keys, exit 1, and repaired', async () => {
  const tampering = { 'jobs/3': 'jobs/Z', 'line\nbreak': 'LINE\nbreak' };
  await using cluster = await divergingCluster({ b: tampering });
  await fill(cluster);
  await cluster.restart('b');
  const found = await verify(cluster);
  assert.equal(found.code, 1);
  assert.match(found.stderr, /diverged: b differ from the majority/);
  const lines = found.stdout
    .split('\n')
    .filter((line) => line.startsWith('b\t'))
    .toSorted();
  assert.deepEqual(lines, [
    'b\tdiverged',
    'b\textra\tLINE\\nbreak',
    'b\textra\tjobs/Z',
    'b\tmissing\tjobs/3',
    'b\tmissing\tline\\nbreak',
  ]);
  const shown = await verify(cluster, '-w', 'table', '--show', '1', '--quarantine');
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /NODE\s+STATE\s+HASH\s+DIFFERING KEYS/);
  assert.match(shown.stdout, /b: quarantined/);
  assert.match(cluster.node('b').status().unhealthy ?? '', /quarantined/);
  const repaired = await verify(cluster, '--repair');
  assert.equal(repaired.code, 0, repaired.stderr);
  assert.match(repaired.stdout, /b: quarantined\nb: installed anew\ncompared at log index/);
  assert.match(repaired.stdout, /all 3 replicas are equal\n$/);
  assert.equal(cluster.node('b').status().unhealthy, undefined);
});

test('[CLI-64] without a majority nothing is repaired; bad usage exits 2', async () => {
  await using cluster = await divergingCluster({
    b: { 'good value': 'evil value' },
    c: { 'good value': 'EVIL value' },
  });
  await fill(cluster);
  await cluster.restart('b');
  await cluster.restart('c');
  const { code, stderr, stdout } = await verify(cluster, '--repair', '-w', 'json');
  assert.equal(code, 1);
  assert.match(stderr, /no majority holds the same.*nothing was changed/);
  const result = JSON.parse(stdout) as { majority: boolean; repaired: string[] };
  assert.deepEqual([result.majority, result.repaired], [false, []]);
  const usage = await verify(cluster, '--wait', 'soon');
  assert.equal(usage.code, 2);
});

test('[CLI-60] a cluster of one node has nothing to compare, and says so', async () => {
  const { code, stdout } = await runCli(['verify', '--endpoints', single.endpoint]);
  assert.equal(code, 0);
  assert.match(stdout, /\na\tequal\nthere is one replica: nothing to compare it with\n$/);
});
