/** Stopping and starting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { Cluster, resultOf } from './support/cluster.ts';

test('[NODE-50] a leader that stops hands over first: nobody waits for an election', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const calls = Array.from({ length: 20 }, (_, i) => cluster.propose(leader, `last${i}`));
  const before = cluster.world.now;
  await cluster.stop(leader.id);
  assert.ok(
    calls.every((call) => resultOf(call).includes('#1@')),
    'what was under way is finished',
  );
  await cluster.leader();
  assert.ok(cluster.world.now - before < 400, 'less than an election timeout');
});

test('[NODE-50] a node that stops refuses new calls and answers all it had', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.crash('b');
  await cluster.crash('c');
  if (!cluster.instances.has(leader.id)) cluster.start(leader.id);
  const node = cluster.at('a');
  const stuck = [
    cluster.propose(node, 'x', 60_000),
    cluster.read(node, 'x', 'linearizable', 60_000),
  ];
  await cluster.world.run(10);
  await cluster.stop('a');
  await cluster.world.run(10);
  for (const call of stuck) assert.match(resultOf(call), /^stopped /);
  assert.equal(node.node.status().role, 'stopped');
  await node.node.stop();
});

test('[NODE-50] a single node finishes its writes and can be started again', async () => {
  const cluster = new Cluster(['a']);
  const node = await cluster.startAll();
  cluster.disk('a').latencyMs = 20;
  const call = cluster.propose(node, 'x');
  await cluster.stop('a');
  assert.equal(resultOf(call), 'x#1@2');
  cluster.start('a');
  const again = await cluster.leader();
  await cluster.write(again, 'y');
  assert.equal(again.machine.counts.get('x'), 1);
});

test('[NODE-51] a node can be stopped while it waits for its founding peers', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const node = cluster.start('a');
  await cluster.world.run(1_000);
  void node.node.stop();
  await cluster.world.until('start ends', () => node.startError !== undefined);
  assert.ok(node.startError instanceof HoldfastError);
  assert.equal(node.startError.code, 'stopped');
  // Address and store are free again.
  await cluster.crash('a');
  for (const name of ['a', 'b', 'c']) cluster.start(name);
  await cluster.leader();
});

test('[NODE-51] a start that fails leaves nothing open', async () => {
  const cluster = new Cluster(['a']);
  const taken = cluster.start('x', new Map([['x' as never, 'a:1']]));
  await cluster.world.until('x runs', () => taken.isStarted);
  const failed = cluster.start('a');
  await cluster.world.until('it fails', () => failed.startError !== undefined);
  assert.ok(failed.startError instanceof HoldfastError);
  assert.equal(failed.startError.code, 'address-in-use');
  await cluster.stop('x');
  cluster.start('a');
  await cluster.leader();
});

test('[NODE-52] a machine that cannot restore its snapshot does not start', async () => {
  const cluster = new Cluster(['a'], { settings: { snapshotEveryEntries: 5 } });
  const node = await cluster.startAll();
  for (let i = 0; i < 10; i++) await cluster.write(node, `w${i}`);
  await cluster.world.until('there is one', () => cluster.status('a').snapshotIndex > 0);
  await cluster.crash('a');
  const again = cluster.start('a');
  again.machine.restore = () => Promise.reject(new Error('not my format'));
  await cluster.world.until('it fails', () => again.startError !== undefined);
  assert.match(String(again.startError), /snapshot cannot be restored: not my format/);
});

test('[NODE-53] waiting for a leader ends with one, or with no-leader', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const a = cluster.start('a');
  let outcome = '';
  const wait = async (): Promise<void> => {
    try {
      outcome = await a.node.waitForLeader({ timeoutMs: 1_000 });
    } catch (error) {
      outcome = (error as HoldfastError).code;
    }
  };
  void wait();
  await cluster.world.until('it gives up', () => outcome !== '');
  assert.equal(outcome, 'no-leader');
  cluster.start('b');
  cluster.start('c');
  await cluster.world.until('it is started', () => a.isStarted);
  outcome = '';
  void wait();
  await cluster.world.until('it knows', () => outcome !== '');
  assert.equal(outcome, cluster.currentLeader()!.id);
});
