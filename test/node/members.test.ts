/** Who belongs to the cluster: founding, joining, wiped disks, changes, transfers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import type { MembershipChange } from '../../src/node/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { Cluster, id } from './support/cluster.ts';
import type { Instance } from './support/cluster.ts';

const SETTINGS = { snapshotEveryEntries: 20, trailingEntries: 5 };
const NOBODY: ReadonlyMap<NodeId, string> = new Map();

/** Runs the world until the promise settles; an error's code and outcome, or 'done'. */
async function outcomeOf(cluster: Cluster, promise: Promise<unknown>): Promise<string> {
  let outcome = '';
  const watched = (async () => {
    try {
      await promise;
      outcome = 'done';
    } catch (error) {
      assert.ok(error instanceof HoldfastError);
      outcome = `${error.code} ${error.outcome}: ${error.message}`;
    }
  })();
  await cluster.world.until('it is decided', () => outcome !== '');
  await watched;
  return outcome;
}

function change(cluster: Cluster, via: Instance, wanted: MembershipChange): Promise<string> {
  return outcomeOf(cluster, via.node.changeMembership(wanted));
}

function votersAt(cluster: Cluster, name: string): string {
  return cluster.status(name).membership!.voters.join(',');
}

test('[NODE-30] founding waits for every founding member', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  cluster.start('a');
  cluster.start('b');
  await cluster.world.run(3_000);
  assert.equal(cluster.status('a').role, 'joining');
  const call = cluster.propose(cluster.at('a'), 'x');
  await cluster.answered(call);
  const { answer } = call;
  assert.ok(answer?.type === 'error' && /waiting for c/.test(answer.error.message));
  cluster.start('c');
  await cluster.leader();
});

test('[NODE-30] a member that crashed while founding takes the record over', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  for (const name of ['a', 'b', 'c']) cluster.start(name);
  await cluster.world.until('a has founded', () => cluster.at('a').isStarted);
  const { storeId, clusterId } = cluster.status('a');
  await cluster.crash('b');
  cluster.start('b');
  await cluster.leader();
  assert.equal(cluster.status('b').clusterId, clusterId);
  assert.notEqual(cluster.status('b').storeId, storeId);
  assert.equal(votersAt(cluster, 'b'), 'a,b,c');
});

test('[NODE-31] founding members with different lists refuse to start, naming both', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const a = cluster.start('a');
  const b = cluster.start(
    'b',
    new Map([
      [id('a'), 'a:1'],
      [id('b'), 'b:1'],
    ]),
  );
  await cluster.world.until('both are refused', () => {
    return a.startError !== undefined && b.startError !== undefined;
  });
  for (const { startError } of [a, b]) {
    assert.ok(startError instanceof HoldfastError);
    assert.equal(startError.code, 'configuration-mismatch');
    assert.match(startError.message, /a=a:1,b=b:1,c=c:1/);
    assert.match(startError.message, /a=a:1,b=b:1(?!,c)/);
  }
  assert.equal(cluster.status('a').role, 'stopped');
});

test('[NODE-32] a list that was never true of the stored cluster is refused', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  await cluster.crash('c');
  const wrong = new Map([
    [id('a'), 'a:1'],
    [id('x'), 'x:1'],
    [id('c'), 'c:1'],
  ]);
  const again = cluster.start('c', wrong);
  await cluster.world.until('it is refused', () => again.startError !== undefined);
  assert.ok(again.startError instanceof HoldfastError);
  assert.equal(again.startError.code, 'configuration-mismatch');
  assert.match(again.startError.message, /names a, x, c, .* are a, b, c/);
  // The same store under the right list goes on.
  await cluster.crash('c');
  cluster.start('c');
  await cluster.leader();
});

test("[NODE-32] another member's store is refused", async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  await cluster.crash('b');
  await cluster.crash('c');
  cluster.disks.set('c', cluster.disk('b'));
  const again = cluster.start('c');
  await cluster.world.until('it is refused', () => again.startError !== undefined);
  assert.match(String(again.startError), /this store belongs to b, not to c/);
});

test('[NODE-32] the list must name the node itself', async () => {
  const cluster = new Cluster(['a', 'b']);
  const stray = cluster.start('x', cluster.peers);
  await cluster.world.until('it is refused', () => stray.startError !== undefined);
  assert.match(String(stray.startError), /must name this node, x/);
});

test('[NODE-33] a second node under a name in use stays outside', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  const { storeId } = cluster.status('b');
  const original = cluster.at('b');
  cluster.disks.delete('b');
  const impostor = cluster.start('b', new Map([...cluster.peers, [id('b'), 'elsewhere:1']]), {
    address: 'elsewhere:1',
  });
  await cluster.world.run(5_000);
  assert.equal(impostor.isStarted, false);
  const recorded = cluster.status('a').membership!;
  assert.equal(recorded.members[id('b')]!.storeId, storeId);
  assert.deepEqual(recorded.voters, ['a', 'b', 'c']);
  assert.equal(original.node.status().role === 'joining', false);
});

test('[NODE-33] a leader that hears nothing of a member lets its successor in', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const victim = cluster.follower().id;
  // The end of this life is noticed by nobody: no connection breaks.
  const before = cluster.at(victim);
  before.life.end();
  cluster.instances.delete(victim);
  cluster.disks.delete(victim);
  const moved = cluster.start(victim, cluster.peers, { address: 'elsewhere:1' });
  await cluster.world.run(1_000);
  assert.equal(leader.node.status().membership!.members[victim]!.address, `${victim}:1`);
  await cluster.world.until('it votes again', () => {
    const { storeId, membership } = moved.node.status();
    const known = membership?.members[victim];
    return known?.storeId === storeId && membership!.voters.includes(victim);
  });
});

test('[NODE-34] a wiped member comes back as a learner and is promoted', async () => {
  for (const entries of [5, 60]) {
    const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
    const leader = await cluster.startAll();
    for (let i = 0; i < entries; i++) await cluster.write(leader, `w${i}`);
    const victim = cluster.follower().id;
    const { storeId } = cluster.status(victim);
    await cluster.wipe(victim);
    const again = cluster.start(victim);
    await cluster.world.until('it joins', () => again.isStarted);
    assert.equal(cluster.status(victim).role, 'joining');
    await cluster.world.until('it votes again', () => {
      const membership = cluster.status(victim).membership!;
      const known = membership.members[victim]?.storeId;
      return known === cluster.status(victim).storeId && membership.voters.includes(victim);
    });
    assert.notEqual(cluster.status(victim).storeId, storeId);
    await cluster.world.until('the change is over', () => {
      return cluster.status(leader.id).membership!.outgoing.length === 0;
    });
    await cluster.converged();
    assert.equal(again.machine.counts.get('w0'), 1);
  }
});

test('[NODE-34] a wiped member gives no vote: two of three are not two any more', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  await cluster.write(leader, 'precious');
  const [one, two] = cluster.running().filter(({ id: other }) => other !== leader.id);
  // Only the leader and `one` hold what follows.
  cluster.isolate(two!.id);
  await cluster.write(leader, 'more precious');
  await cluster.crash(leader.id);
  await cluster.wipe(one!.id);
  cluster.heal();
  cluster.start(one!.id);
  await cluster.world.run(10_000);
  assert.equal(cluster.currentLeader(), undefined);
  cluster.start(leader.id);
  await cluster.world.until('it is whole again', () => {
    return cluster.running().every(({ machine }) => machine.counts.has('more precious'));
  });
});

test('[NODE-35] an added node joins as a learner, is recorded, and is promoted', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  for (let i = 0; i < 30; i++) await cluster.write(leader, `w${i}`);
  const follower = cluster.follower();
  const add = { type: 'add', id: id('d'), address: 'd:1', promote: true } as const;
  // Added before it is started, through a follower.
  assert.equal(await change(cluster, follower, add), 'done');
  assert.equal(cluster.status(leader.id).membership!.members[id('d')]!.storeId, '');
  const joined = cluster.start('d', NOBODY);
  await cluster.world.until('it votes', () => {
    return joined.isStarted && votersAt(cluster, 'd') === 'a,b,c,d';
  });
  await cluster.converged();
  assert.equal(joined.machine.counts.get('w0'), 1);
  assert.match(await cluster.write(joined, 'from d'), /^from d#1@/);
  await cluster.world.run(1_000);
  // It restarts with what it learned, and without a list.
  await cluster.crash('d');
  cluster.start('d', NOBODY);
  await cluster.leader();
});

test('[NODE-36] members are promoted, demoted and removed; nonsense is refused', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const add = { type: 'add', id: id('d'), address: 'd:1', promote: false } as const;
  assert.equal(await change(cluster, leader, add), 'done');
  assert.equal(await change(cluster, leader, add), 'done', 'again: nothing to do');
  const promote = { type: 'promote', id: id('d') } as const;
  assert.match(await change(cluster, leader, promote), /^membership-refused not-applied/);
  cluster.start('d', NOBODY);
  await cluster.converged();
  await cluster.world.run(1_000);
  assert.equal(votersAt(cluster, 'd'), 'a,b,c');
  assert.equal(await change(cluster, leader, promote), 'done');
  assert.equal(votersAt(cluster, leader.id), 'a,b,c,d');
  const gone = cluster.follower().id;
  assert.equal(await change(cluster, leader, { type: 'demote', id: gone }), 'done');
  assert.ok(!votersAt(cluster, leader.id).includes(gone));
  assert.equal(await change(cluster, leader, { type: 'remove', id: gone }), 'done');
  assert.equal(cluster.status(leader.id).membership!.members[gone], undefined);
  const refusals: [MembershipChange, RegExp][] = [
    [{ type: 'remove', id: id('zz') }, /zz is not a member/],
    [{ ...add, address: 'other:1' }, /member already, at d:1/],
    [{ type: 'add', id: id('e'), address: 'd:1', promote: true }, /address of d/],
  ];
  for (const [wanted, reason] of refusals) {
    const outcome = await change(cluster, leader, wanted);
    assert.match(outcome, /^membership-refused not-applied/);
    assert.match(outcome, reason);
  }
});

test('[NODE-36] a change that would leave no quorum of reachable voters is refused', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const [dead, alive] = cluster.running().filter((other) => other !== leader);
  await cluster.crash(dead!.id);
  await cluster.world.run(1_000);
  const demote = { type: 'demote', id: alive!.id } as const;
  const outcome = await change(cluster, leader, demote);
  assert.match(outcome, /^membership-refused not-applied: only 1 of the 2 voters/);
  assert.equal(await change(cluster, leader, { type: 'remove', id: dead!.id }), 'done');
  assert.match(await cluster.write(leader, 'x'), /^x#1@/);
});

test('[NODE-36] a leader that removes itself leaves the others with a leader', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const removed = await change(cluster, leader, { type: 'remove', id: leader.id });
  assert.equal(removed, 'done');
  const rest = cluster.running().filter((one) => one !== leader);
  const next = await cluster.leader(rest.map((one) => one.id));
  assert.match(await cluster.write(next, 'x'), /^x#1@/);
  assert.ok(!votersAt(cluster, next.id).includes(leader.id));
});

test('[NODE-37] leadership is handed to the one asked for, from anywhere', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const [one, two] = cluster.running().filter((other) => other !== leader);
  assert.equal(await outcomeOf(cluster, one!.node.transfer(two!.id)), 'done');
  assert.equal((await cluster.leader()).id, two!.id);
  assert.equal(await outcomeOf(cluster, two!.node.transfer(two!.id)), 'done', 'it leads already');
  const unknown = await outcomeOf(cluster, one!.node.transfer(id('zz')));
  assert.match(unknown, /^invalid-argument not-applied/);
  cluster.isolate(one!.id);
  const missed = await outcomeOf(cluster, two!.node.transfer(one!.id));
  assert.match(missed, /^timeout not-applied/);
  assert.match(await cluster.write(two!, 'still leads'), /^still leads#1@/);
});

test('[NODE-37] a cluster of one has nobody to hand leadership to, and says so', async () => {
  const cluster = new Cluster(['a']);
  const leader = await cluster.startAll();
  const alone = await outcomeOf(cluster, leader.node.transfer(undefined));
  assert.match(alone, /^membership-refused not-applied: there is no other voter/);
});

test('[NODE-38] a member that moved is found again, and its address recorded', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  await cluster.startAll();
  const moved = cluster.follower().id;
  await cluster.crash(moved);
  cluster.start(moved, cluster.peers, { address: 'new-place:1' });
  await cluster.world.until('everyone knows', () => {
    return cluster.running().every(({ node }) => {
      return node.status().membership?.members[moved]?.address === 'new-place:1';
    });
  });
  await cluster.leader();
});
