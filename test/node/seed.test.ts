/** Clusters founded from a seed: a state that was put into every founding member's store before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { plantSeed, type Seed } from '../../src/node/seed.ts';
import type { LogIndex } from '../../src/raft/index.ts';
import { Cluster, id } from './support/cluster.ts';
import { bytes } from './support/machine.ts';

const NAMES = ['a', 'b', 'c'];
const INDEX = 1_000_000 as LogIndex;
const TIME = 5_000;
const DIGEST = 'ab'.repeat(32);
const OTHER_DIGEST = 'cd'.repeat(32);

async function* seedBytes(): AsyncGenerator<Uint8Array> {
  const state = { counts: [['old', 3]], lastTime: TIME, filler: 'x'.repeat(300) };
  const all = bytes(JSON.stringify(state));
  for (let at = 0; at < all.length; at += 64) yield all.subarray(at, at + 64);
}

async function* cutOff(): AsyncGenerator<Uint8Array> {
  yield bytes('{');
  await Promise.resolve();
  throw new Error('the power went');
}

/** Seeds these nodes' disks; fresh ones when they were wiped. */
async function plant(
  cluster: Cluster,
  names: readonly string[],
  overrides: Partial<Seed> = {},
  chunks: () => AsyncIterable<Uint8Array> = seedBytes,
): Promise<void> {
  for (const name of names) {
    const seed: Seed = {
      digest: DIGEST,
      clusterName: 'test',
      id: id(name),
      peers: cluster.peers,
      index: INDEX,
      time: TIME,
      ...overrides,
    };
    const newStoreId = `store of ${name}`;
    await plantSeed(cluster.disk(name).inner, seed, chunks(), { newStoreId });
  }
}

function begun(cluster: Cluster, name: string): void {
  const { machine } = cluster.at(name);
  assert.equal(machine.counts.get('old'), 3, `${name} begins with the seed`);
  for (const { index } of machine.applied) assert.ok(index > INDEX);
}

async function refusals(cluster: Cluster, names: readonly string[]): Promise<string[]> {
  await cluster.world.until('all are refused', () =>
    names.every((name) => cluster.at(name).startError !== undefined),
  );
  return names.map((name) => {
    const { startError } = cluster.at(name);
    assert.ok(startError instanceof HoldfastError);
    assert.equal(startError.code, 'configuration-mismatch');
    return startError.message;
  });
}

test('[BACKUP-6] a cluster founded from a seed begins with its state, index and time', async () => {
  const cluster = new Cluster(NAMES);
  await plant(cluster, NAMES);
  const leader = await cluster.startAll();
  assert.equal(await cluster.write(leader, 'old'), `old#4@${INDEX + 2}`);
  await cluster.converged();
  const ids = new Set(NAMES.map((name) => cluster.status(name).clusterId));
  assert.equal(ids.size, 1);
  const [clusterId = ''] = ids;
  assert.match(clusterId, new RegExp(`-${DIGEST.slice(0, 16)}-`));
  for (const name of NAMES) {
    assert.equal(cluster.at(name).machine.counts.get('old'), 4);
    assert.ok(cluster.at(name).machine.lastTime >= TIME, 'cluster time goes on');
    await cluster.crash(name);
  }
  for (const name of NAMES) cluster.start(name);
  await cluster.write(await cluster.leader(), 'old');
  await cluster.converged();
  assert.equal(cluster.status('a').clusterId, clusterId);
  assert.equal(cluster.at('b').machine.counts.get('old'), 5);
});

test('[BACKUP-6] without a seed a cluster id is what it was', async () => {
  const cluster = new Cluster(NAMES);
  await cluster.startAll();
  assert.match(cluster.status('a').clusterId, /^[0-9a-f]{32}-[0-9a-f]{8}$/);
});

test('[BACKUP-7] members with different seeds refuse to found a cluster, naming both', async () => {
  const cluster = new Cluster(NAMES);
  await plant(cluster, ['a', 'b']);
  await plant(cluster, ['c'], { digest: OTHER_DIGEST });
  for (const name of NAMES) cluster.start(name);
  const [a = '', , c = ''] = await refusals(cluster, NAMES);
  assert.match(a, /a begins with the restored backup (ab){8}, c with the restored backup (cd){8}/);
  assert.match(c, /c begins with the restored backup (cd){8}/);
});

test('[BACKUP-7] one member without a seed, and nobody founds a cluster', async () => {
  const cluster = new Cluster(NAMES);
  await plant(cluster, ['a', 'b']);
  for (const name of NAMES) cluster.start(name);
  const [a = '', , c = ''] = await refusals(cluster, NAMES);
  assert.match(a, /a begins with the restored backup (ab){8}, c with no backup/);
  assert.match(c, /c begins with no backup, [ab] with the restored backup (ab){8}/);
});

test('[BACKUP-7] a seeded node neither joins another cluster nor lets its nodes in', async () => {
  const cluster = new Cluster(NAMES);
  const alone = new Map([[id('c'), 'c:1']]);
  cluster.start('c', alone);
  await cluster.leader(['c']);
  await plant(cluster, ['a', 'b']);
  cluster.start('a');
  cluster.start('b');
  const [a = ''] = await refusals(cluster, ['a', 'b']);
  assert.match(a, /restored backup (ab){8}, but c belongs to another, [0-9a-f-]{41}: stop it/);
});

test('[BACKUP-7] a seed starts only as it was restored', async () => {
  const wrong: [Partial<Seed>, RegExp][] = [
    [{ id: id('b') }, /for the node b, but it was started for a:/],
    [{ clusterName: 'orders' }, /for the cluster 'orders', but it was started for 'test'/],
    [{ peers: new Map([[id('a'), 'a:1']]) }, /for the peers a, but it was started for a,b,c/],
  ];
  for (const [overrides, message] of wrong) {
    const cluster = new Cluster(NAMES);
    await plant(cluster, ['a'], overrides);
    cluster.start('a');
    assert.match((await refusals(cluster, ['a']))[0] ?? '', message);
  }
});

test('[BACKUP-8] a store whose seeding was cut off starts only once seeded anew', async () => {
  const cluster = new Cluster(NAMES);
  await plant(cluster, ['a', 'b']);
  await assert.rejects(() => plant(cluster, ['c'], {}, cutOff), /the power went/);
  for (const name of NAMES) cluster.start(name);
  await cluster.world.until('c is refused', () => cluster.at('c').startError !== undefined);
  const { startError } = cluster.at('c');
  assert.ok(startError instanceof HoldfastError && startError.code === 'corrupt-data');
  assert.match(startError.message, /was cut off: do it again/);
  await cluster.crash('c');
  await plant(cluster, ['c']);
  cluster.start('c');
  await cluster.leader();
  begun(cluster, 'c');
});

test('[BACKUP-8] a store with data is not seeded over', async () => {
  const cluster = new Cluster(NAMES);
  await cluster.startAll();
  for (const name of NAMES) await cluster.crash(name);
  await assert.rejects(() => plant(cluster, ['a']), /for a store without data/);
  const seeded = new Cluster(NAMES);
  await plant(seeded, ['a']);
  await assert.rejects(() => plant(seeded, ['a']), /for a store without data/);
});

/** Founds a cluster in which `c` was met, and died before it had written its record. */
async function withoutC(settings = {}): Promise<Cluster> {
  const cluster = new Cluster(NAMES, { settings });
  await plant(cluster, NAMES);
  const { inner } = cluster.disk('c');
  const save = inner.saveSnapshot.bind(inner);
  inner.saveSnapshot = () => new Promise(() => {});
  for (const name of NAMES) cluster.start(name);
  await cluster.leader(['a', 'b']);
  await cluster.crash('c');
  inner.saveSnapshot = save;
  return cluster;
}

test('[BACKUP-9] a member that died while founding from a seed takes the record over', async () => {
  const cluster = await withoutC();
  cluster.start('c');
  const leader = await cluster.leader();
  begun(cluster, 'c');
  await cluster.write(leader, 'x');
  await cluster.converged();
  // Its vote counts: it is the member that the others met.
  await cluster.crash('a');
  await cluster.write(await cluster.leader(), 'y');
});

test('[BACKUP-9] and when the record is gone by then, it is sent a snapshot', async () => {
  const cluster = await withoutC({ snapshotEveryEntries: 10, trailingEntries: 2 });
  const leader = cluster.currentLeader()!;
  for (let i = 0; i < 25; i++) await cluster.write(leader, `w${i}`);
  await cluster.converged();
  cluster.start('c');
  await cluster.converged();
  assert.equal(cluster.at('c').machine.restores, 1, 'its own seed is passed over');
  begun(cluster, 'c');
  await cluster.crash(leader.id);
  await cluster.write(await cluster.leader(), 'after');
});

test('[BACKUP-9] power lost at any moment of founding delays it only', async () => {
  const moments = new Set<string>();
  for (let passed = 1; passed <= 40; passed += 3) {
    const cluster = new Cluster(NAMES, { seed: passed });
    await plant(cluster, NAMES);
    for (const name of NAMES) {
      cluster.disk(name).latencyMs = 2;
      cluster.start(name);
    }
    await cluster.world.run(passed);
    moments.add(NAMES.map((name) => (cluster.at(name).isStarted ? 'begun' : 'not')).join());
    for (const name of NAMES) await cluster.crash(name);
    for (const name of NAMES) cluster.start(name);
    await cluster.leader();
    for (const name of NAMES) begun(cluster, name);
  }
  assert.ok(moments.size > 1, 'some lost it before, some after');
});

test('[BACKUP-9] wiped and new nodes are sent what the cluster began with', async () => {
  const cluster = new Cluster(NAMES);
  await plant(cluster, NAMES);
  await cluster.startAll();
  await cluster.wipe('b');
  cluster.start('b');
  await cluster.leader();
  await cluster.converged();
  begun(cluster, 'b');
  const joining = cluster.start('d', new Map(), { address: 'd:1' });
  const change = { type: 'add', id: id('d'), address: 'd:1', promote: true } as const;
  let added = false;
  const adding = (async () => {
    await cluster.currentLeader()!.node.changeMembership(change);
    added = true;
  })();
  await cluster.world.until('d was added', () => added);
  await adding;
  await cluster.converged();
  assert.equal(joining.machine.counts.get('old'), 3);
});
