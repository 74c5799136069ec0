/** Slow, failing and full disks, and a process that stands still. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { Cluster, resultOf } from './support/cluster.ts';
import type { Disk } from './support/disk.ts';

function fail(disk: Disk, code: 'disk-failed' | 'disk-full' = 'disk-failed'): void {
  disk.failing = new HoldfastError(code, 'the disk says no');
}

test('[NODE-40] a leader whose write hangs hands over and sits elections out', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const slow = await cluster.startAll();
  const disk = cluster.disk(slow.id);
  disk.held = true;
  const call = cluster.propose(slow, 'while it hangs', 60_000);
  await cluster.world.until('another leads', () => {
    const leader = cluster.currentLeader();
    return leader !== undefined && leader.id !== slow.id;
  });
  assert.match(slow.node.status().unhealthy!, /took longer than 1000 ms/);
  const next = cluster.currentLeader()!;
  assert.ok(next.machine.counts.has('while it hangs'), 'the others need not wait for it');
  disk.release();
  await cluster.answered(call);
  assert.match(resultOf(call), /^while it hangs#1@/);
  await cluster.leader();
  await cluster.crash(next.id);
  await cluster.world.run(1_000);
  assert.notEqual(slow.node.status().unhealthy, undefined, 'not trusted yet');
  assert.notEqual(cluster.currentLeader()?.id, slow.id);
  await cluster.world.until('it is healthy again', () => {
    return slow.node.status().unhealthy === undefined;
  });
});

test('[NODE-40] with every disk slow, somebody leads all the same', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  for (const name of ['a', 'b', 'c']) cluster.disk(name).latencyMs = 1_500;
  const call = cluster.propose(leader, 'x', 30_000);
  await cluster.answered(call);
  for (const name of ['a', 'b', 'c']) cluster.disk(name).latencyMs = 0;
  const again = await cluster.leader();
  assert.match(await cluster.write(again, 'y'), /^y#1@/);
});

test('[NODE-41] a failed write ends leadership and is in doubt; the disk recovers', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const sick = await cluster.startAll();
  await cluster.write(sick, 'before');
  const disk = cluster.disk(sick.id);
  fail(disk);
  const call = cluster.propose(sick, 'doubtful');
  await cluster.answered(call);
  assert.equal(resultOf(call), 'disk-failed unknown');
  assert.match(sick.node.status().unhealthy!, /the disk says no/);
  await cluster.world.until('another leads', () => {
    const leader = cluster.currentLeader();
    return leader !== undefined && leader.id !== sick.id;
  });
  // Calls through the sick node are still served, by the new leader.
  assert.match(await cluster.write(sick, 'forwarded'), /^forwarded#1@/);
  disk.failing = undefined;
  await cluster.world.until('healthy', () => sick.node.status().unhealthy === undefined);
  await cluster.converged();
  assert.equal(sick.machine.counts.get('forwarded'), 1);
  assert.equal(sick.fatal, undefined);
});

test('[NODE-41] a write that failed though it arrived does no harm when repeated', async () => {
  const cluster = new Cluster(['a']);
  const only = await cluster.startAll();
  const disk = cluster.disk('a');
  disk.failsLate = true;
  fail(disk);
  const call = cluster.propose(only, 'twice written');
  await cluster.answered(call);
  assert.equal(resultOf(call), 'disk-failed unknown');
  disk.failing = undefined;
  await cluster.leader();
  assert.match(await cluster.write(only, 'after'), /^after#1@/);
  assert.equal(only.machine.counts.get('twice written'), 1);
  assert.equal(only.fatal, undefined);
});

test('[NODE-42] a full disk refuses writes and recovers by itself', async () => {
  const cluster = new Cluster(['a']);
  const only = await cluster.startAll();
  await cluster.write(only, 'before');
  const disk = cluster.disk('a');
  fail(disk, 'disk-full');
  disk.reopens = false;
  const doubtful = cluster.propose(only, 'doubtful');
  await cluster.answered(doubtful);
  assert.equal(resultOf(doubtful), 'disk-full unknown');
  const refused = cluster.propose(only, 'refused');
  await cluster.answered(refused);
  assert.equal(resultOf(refused), 'disk-full not-applied');
  await cluster.world.run(60_000);
  assert.equal(only.fatal, undefined, 'however long it takes');
  disk.failing = undefined;
  await cluster.leader();
  assert.match(await cluster.write(only, 'after'), /^after#1@/);
  assert.equal(only.machine.counts.get('before'), 1);
  assert.equal(only.machine.counts.get('refused'), undefined);
});

test('[NODE-43] a store that cannot be opened again stops the node', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const sick = await cluster.startAll();
  const disk = cluster.disk(sick.id);
  fail(disk);
  disk.reopens = false;
  cluster.propose(sick, 'x');
  await cluster.world.until('it gives up', () => sick.fatal !== undefined);
  assert.equal(sick.fatal!.code, 'disk-failed');
  assert.equal(sick.node.status().role, 'stopped');
  const late = cluster.propose(sick, 'late');
  await cluster.answered(late);
  assert.equal(resultOf(late), 'disk-failed unknown');
});

test('[NODE-43] a store that comes back without what it acknowledged stops the node', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const sick = await cluster.startAll();
  for (let i = 0; i < 5; i++) await cluster.write(sick, `w${i}`);
  const disk = cluster.disk(sick.id);
  fail(disk);
  cluster.propose(sick, 'x');
  await cluster.world.until('it failed', () => sick.node.status().unhealthy !== undefined);
  // Behind the node's back, while the store is closed for reopening.
  const open = disk.inner.open.bind(disk.inner);
  disk.inner.open = async (options) => ({ ...(await open(options)), lastIndex: 2 as never });
  disk.failing = undefined;
  await cluster.world.until('it gives up', () => sick.fatal !== undefined);
  assert.equal(sick.fatal!.code, 'corrupt-data');
});

test('[NODE-44] a node that stood still catches up without deposing a healthy leader', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const { term } = leader.node.status();
  const still = cluster.follower();
  still.life.stalledUntil = cluster.world.now + 10_000;
  await cluster.write(leader, 'meanwhile');
  await cluster.world.run(12_000);
  assert.equal(leader.node.status().role, 'leader');
  assert.equal(leader.node.status().term, term);
  await cluster.converged();
});

test('[NODE-45] what queues up behind a write becomes one write', async () => {
  const cluster = new Cluster(['a']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'warm');
  const disk = cluster.disk('a');
  disk.held = true;
  const { writes } = disk;
  const calls = [cluster.propose(leader, 'first')];
  await cluster.world.run(10);
  for (let i = 0; i < 10; i++) {
    calls.push(cluster.propose(leader, `queued${i}`));
    await cluster.world.run(2);
  }
  disk.release();
  await cluster.answered(...calls);
  assert.equal(disk.writes - writes, 2);
  assert.equal(disk.batches.at(-1)!.entries!.length, 10);
});

test('[NODE-46] nothing is acknowledged or voted before it is durable', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'warm');
  await cluster.world.run(200);
  const followers = cluster.running().filter((one) => one !== leader);
  for (const { id } of followers) cluster.disk(id).held = true;
  for (const { transport } of followers) transport.sent.length = 0;
  const call = cluster.propose(leader, 'x', 60_000);
  await cluster.world.run(300);
  assert.equal(resultOf(call), 'pending');
  for (const { transport } of followers) {
    assert.ok(transport.sent.every(({ type }) => type !== 'appendResponse'));
  }
  cluster.disk(followers[0]!.id).release();
  await cluster.answered(call);
  assert.match(resultOf(call), /^x#1@/);
});
