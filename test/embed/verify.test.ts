/** Replicas that differ are found and named, and are equal again after a repair. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type HoldfastClient, type Registry, type Verification } from '../../src/index.ts';
import { until } from './support/cluster.ts';
import { failure } from './support/failure.ts';
import { divergingCluster, type DivergingCluster } from './support/diverging.ts';

function client(cluster: DivergingCluster): Promise<HoldfastClient> {
  return connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
}

function states({ members }: Verification): string {
  return members.map(({ id, state }) => `${id} ${state}`).join(', ');
}

function differencesOf({ members }: Verification, id: string): string[] {
  const member = members.find((one) => one.id === id);
  return (member?.differences ?? []).map(({ kind, name }) => `${kind} ${name}`).toSorted();
}

async function fill(registry: Registry): Promise<void> {
  for (let i = 0; i < 20; i++) await registry.put(`jobs/${i % 4}/${i}`, `${i}`);
  await registry.put('jobs/x', 'good value');
  await registry.put('lone/key', '1');
  await registry.put('config', 'c');
}

/** Where nothing was heard in time, it is given more: how long that takes is not what is tested. */
async function refusalOfVerify(remote: HoldfastClient): Promise<string> {
  for (let timeout = 300; ; timeout *= 2) {
    const { code } = await failure(remote.verify({ timeout }));
    if (code !== 'timeout' || timeout > 20_000) return code;
  }
}

/** Counts up until told to stop; resolves to how often it was acknowledged. */
function keepCounting(registry: Registry): () => Promise<number> {
  const state = { stopped: false };
  const counting = (async (): Promise<number> => {
    let counted = 0;
    for (; !state.stopped; counted++) await registry.increment('count');
    return counted;
  })();
  return () => {
    state.stopped = true;
    return counting;
  };
}

test('[TREE-40] replicas are equal, also while writes go on, asked from anywhere', async () => {
  await using cluster = await divergingCluster();
  await using remote = await client(cluster);
  await fill(remote.registry);
  const steps = new Set<string>();
  const onProgress = ({ step }: { step: string }): void => void steps.add(step);
  const first = await remote.verify({ onProgress });
  assert.equal(states(first), 'a equal, b equal, c equal');
  assert.ok(first.majority && !first.diverged);
  assert.ok(first.keys >= 23, `${first.keys} keys`);
  assert.deepEqual([...steps], ['locking', 'hashing']);
  assert.equal(new Set(first.members.map(({ root }) => root)).size, 1);
  const stop = keepCounting(remote.registry);
  const second = await cluster.node('b').verify({ quick: true });
  const third = await cluster.node('c').verify();
  assert.ok((await stop()) > 0);
  assert.equal(states(second), 'a equal, b equal, c equal');
  assert.equal(states(third), 'a equal, b equal, c equal');
  assert.ok(third.index > second.index && second.index > first.index);
});

test('[TREE-41] [TREE-42] keys that differ are named, and a repair loses nothing', async () => {
  const tampering = { 'good value': 'evil value', 'jobs/0/8': 'jobs/0/Z', 'lone/': 'LONE/' };
  await using cluster = await divergingCluster({ b: tampering });
  await using remote = await client(cluster);
  await fill(remote.registry);
  await cluster.restart('b');
  const named = [
    'different jobs/x',
    'extra LONE/key',
    'extra jobs/0/Z',
    'missing jobs/0/8',
    'missing lone/key',
  ];
  for (const asked of [remote, cluster.node('b')]) {
    const found = await asked.verify();
    assert.equal(states(found), 'a equal, b diverged, c equal');
    assert.ok(found.diverged && found.majority);
    assert.deepEqual(differencesOf(found, 'b'), named);
  }
  const short = await remote.verify({ maxDifferences: 2 });
  const b = short.members.find(({ id }) => id === 'b');
  assert.ok(b !== undefined && b.more);
  assert.equal(b.differences.length, 2);
  assert.equal(b.differing, named.length);
  const stop = keepCounting(remote.registry);
  await remote.reinstall('b');
  const counted = await stop();
  const after = await remote.verify();
  assert.equal(states(after), 'a equal, b equal, c equal');
  const local = cluster.node('b').registry;
  assert.equal((await local.get('jobs/x', { consistency: 'local' }))?.text(), 'good value');
  assert.equal((await local.get('count'))?.text(), `${counted}`);
});

test('[TREE-43] the majority is right, and a leader that differs is mended like any', async () => {
  await using cluster = await divergingCluster({ b: { 'good value': 'evil value' } });
  await using remote = await client(cluster);
  await fill(remote.registry);
  await cluster.restart('b');
  await cluster.lead('b');
  // Asked of itself: on a busy machine another may lead by now, and would answer for the rest.
  const held = await cluster.node('b').registry.get('jobs/x');
  assert.equal(held?.text(), 'evil value');
  const found = await remote.verify();
  assert.equal(states(found), 'a equal, b diverged, c equal');
  assert.notEqual(found.reference, 'b');
  await remote.quarantine('b');
  await until('another leads', async () => (await cluster.node('a').waitForLeader()) !== 'b');
  // Taken out, it can still be compared.
  assert.deepEqual(differencesOf(await remote.verify(), 'b'), ['different jobs/x']);
  await remote.reinstall('b');
  assert.equal(states(await remote.verify()), 'a equal, b equal, c equal');
  assert.equal((await remote.registry.get('jobs/x'))?.text(), 'good value');
});

test('[TREE-44] without a majority nobody is called right', async () => {
  await using cluster = await divergingCluster({
    b: { 'good value': 'evil value' },
    c: { 'good value': 'EVIL value' },
  });
  await using remote = await client(cluster);
  await fill(remote.registry);
  await cluster.restart('b');
  await cluster.restart('c');
  const found = await remote.verify();
  assert.ok(found.diverged && !found.majority);
  assert.equal(states(found), 'a diverged, b diverged, c diverged');
  for (const { id } of found.members) {
    const expected = id === found.reference ? [] : ['different jobs/x'];
    assert.deepEqual(differencesOf(found, id), expected);
  }
});

test('[TREE-45] [TREE-46] who is away is told apart; others wait for the lock', async () => {
  await using cluster = await divergingCluster();
  await using remote = await client(cluster);
  await fill(remote.registry);
  await using session = await remote.registry.openSession({ ttl: '30s' });
  assert.equal((await remote.registry.hashTree.lock({ session })).type, 'ok');
  assert.equal(await refusalOfVerify(remote), 'locked');
  const abort = new AbortController();
  const aborted = failure(remote.verify({ quick: true, signal: abort.signal }));
  abort.abort(new Error('enough'));
  assert.equal((await aborted).code, 'aborted');
  const waiting = remote.verify();
  await session.close();
  assert.equal(states(await waiting), 'a equal, b equal, c equal');
  // And it leaves the lock behind for the next.
  const again = await remote.registry.hashTree.lock();
  assert.equal(again.type, 'ok');
  await remote.registry.hashTree.release();
  await cluster.node('c').stop();
  const without = await remote.verify();
  assert.equal(states(without), 'a equal, b equal, c unreachable');
  assert.ok(!without.diverged && without.majority);
});
