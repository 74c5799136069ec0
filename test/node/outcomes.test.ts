/** What a caller is told when things go wrong, and that it is true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, resultOf } from './support/cluster.ts';

test('[NODE-5] after the leader crashed the others have everything acknowledged', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const first = await cluster.startAll();
  for (let i = 0; i < 20; i++) await cluster.write(first, `w${i}`);
  await cluster.crash(first.id);
  const crashedAt = cluster.world.now;
  const second = await cluster.leader();
  assert.ok(cluster.world.now - crashedAt < 1_500);
  assert.match(await cluster.write(second, 'after'), /^after#1@/);
  for (let i = 0; i < 20; i++) assert.equal(second.machine.counts.get(`w${i}`), 1);
  cluster.start(first.id);
  await cluster.converged();
  assert.equal(cluster.at(first.id).machine.counts.get('after'), 1);
});

test('[NODE-6] another entry applied in its place: not applied, and that is certain', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const old = await cluster.startAll();
  await cluster.write(old, 'before');
  cluster.isolate(old.id);
  // Appended to a log that nobody will follow.
  const lost = cluster.propose(old, 'lost', 60_000);
  const others = cluster.running().filter((one) => one !== old);
  await cluster.world.until('another leads', () => {
    return others.some(({ node }) => node.status().role === 'leader');
  });
  const next = others.find(({ node }) => node.status().role === 'leader')!;
  await cluster.write(next, 'instead');
  assert.equal(resultOf(lost), 'pending');
  cluster.heal();
  await cluster.answered(lost);
  assert.equal(resultOf(lost), 'not-leader not-applied');
  await cluster.converged();
  assert.equal(next.machine.counts.get('lost'), undefined);
});

test('[NODE-7] given up after it was appended: unknown, and it may still be applied', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  cluster.isolate(leader.id);
  const call = cluster.propose(leader, 'late', 100);
  await cluster.answered(call);
  assert.match(resultOf(call), / unknown$/);
  cluster.heal();
  await cluster.converged();
});

test('[NODE-7] given up before anybody could take it: certainly not applied', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.crash(leader.id);
  const [one] = cluster.running();
  await cluster.world.until('it knows', () => one!.node.status().leader === undefined);
  for (const { id } of cluster.running()) if (id !== one!.id) await cluster.crash(id);
  const call = cluster.propose(one!, 'never', 1_000);
  await cluster.answered(call);
  assert.equal(resultOf(call), 'no-quorum not-applied');
});

test('[NODE-8] without a quorum the answer says how many voters can be reached', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  await cluster.crash('b');
  await cluster.crash('c');
  const read = cluster.read(cluster.at('a'), 'x', 'linearizable', 1_500);
  const write = cluster.propose(cluster.at('a'), 'x', 1_500);
  await cluster.answered(read, write);
  for (const { answer } of [read, write]) {
    assert.ok(answer?.type === 'error');
    assert.equal(answer.error.code, 'no-quorum');
    assert.match(answer.error.message, /a reaches 1 of 3 voters .* it takes 2/);
  }
});

test('[NODE-9] calls wait for an election instead of failing', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.crash(leader.id);
  const [one] = cluster.running();
  await cluster.world.until('it knows', () => one!.node.status().leader === undefined);
  const calls = [cluster.propose(one!, 'patient'), cluster.read(one!, 'patient', 'linearizable')];
  await cluster.answered(...calls);
  assert.match(resultOf(calls[0]!), /^patient#1@/);
  assert.equal(calls[1]!.answer!.type, 'ok');
});

test('[NODE-14] a connection that breaks leaves a forwarded command unknown', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const follower = cluster.follower();
  cluster.network.cut(leader.id, follower.id);
  const call = cluster.propose(follower, 'once', 60_000);
  await cluster.world.until('it is applied', () => leader.machine.counts.has('once'));
  assert.equal(resultOf(call), 'pending');
  follower.transport.lose(leader.id);
  await cluster.answered(call);
  assert.equal(resultOf(call), 'connection-lost unknown');
  cluster.heal();
  await cluster.world.run(2_000);
  await cluster.converged();
  assert.equal(leader.machine.counts.get('once'), 1);
});

test('[NODE-12] what a node without the lead refused is tried again until done', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const follower = cluster.follower();
  // The follower still sends to the old leader while leadership moves on.
  const moving = leader.node.transfer(undefined);
  const calls = Array.from({ length: 30 }, (_, i) => cluster.propose(follower, `f${i}`));
  await cluster.answered(...calls);
  await moving;
  for (const [i, call] of calls.entries()) assert.match(resultOf(call), new RegExp(`^f${i}#1@`));
});

test('[NODE-12] repeated messages apply nothing twice', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { seed: 5 });
  await cluster.startAll();
  cluster.faults.repeat = 1;
  cluster.faults.delayMs = 5;
  const follower = cluster.follower();
  const calls = Array.from({ length: 30 }, (_, i) => cluster.propose(follower, `f${i}`));
  await cluster.answered(...calls);
  await cluster.world.run(1_000);
  for (const [i, call] of calls.entries()) assert.match(resultOf(call), new RegExp(`^f${i}#1@`));
  assert.ok([...follower.machine.counts.values()].every((count) => count === 1));
});
