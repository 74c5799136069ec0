/** A member whose data is to be thrown away: the cluster first learns to do without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import type { MembershipChange } from '../../src/node/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { Cluster } from './support/cluster.ts';
import type { Instance } from './support/cluster.ts';

const SETTINGS = { snapshotEveryEntries: 20, trailingEntries: 5 };
const NOBODY: ReadonlyMap<NodeId, string> = new Map();

async function change(cluster: Cluster, via: Instance, wanted: MembershipChange): Promise<string> {
  let outcome = '';
  const watched = (async () => {
    try {
      await via.node.changeMembership(wanted);
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

async function giveUp(cluster: Cluster, node: Instance): Promise<void> {
  assert.equal(await change(cluster, node, { type: 'standDown', id: node.id }), 'done');
  const wanted = { type: 'giveUpStore', id: node.id, promote: true } as const;
  assert.equal(await change(cluster, node, wanted), 'done');
}

const votersAt = (cluster: Cluster, name: string): string =>
  cluster.status(name).membership!.voters.join(',');

test('[NODE-70] a store given up counts no more; the next one is filled and votes', async () => {
  const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
  const leader = await cluster.startAll();
  for (let i = 0; i < 60; i++) await cluster.write(leader, `w${i}`);
  const node = cluster.follower();
  const { storeId } = cluster.status(node.id);
  await giveUp(cluster, node);
  // It runs on as if nothing had been, and is not taken for a node with a new store.
  await cluster.world.run(3_000);
  const { membership } = cluster.status(leader.id);
  assert.ok(!membership!.voters.includes(node.id));
  assert.equal(membership!.members[node.id]!.storeId, `given-up:${storeId}`);
  await cluster.wipe(node.id);
  const again = cluster.start(node.id, NOBODY);
  await cluster.world.until('it votes again', () => {
    return again.isStarted && votersAt(cluster, node.id) === 'a,b,c';
  });
  await cluster.world.until('the change is over', () => {
    return cluster.status(leader.id).membership!.outgoing.length === 0;
  });
  await cluster.converged();
  assert.equal(again.machine.counts.get('w0'), 1);
  assert.notEqual(cluster.status(node.id).storeId, storeId);
});

test('[NODE-71] a re-installation that was interrupted can be asked for again', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const name = cluster.follower().id;
  await giveUp(cluster, cluster.at(name));
  await cluster.crash(name);
  // On the store that was given up.
  const again = cluster.start(name);
  await cluster.world.until('it is back', () => cluster.status(name).leader === leader.id);
  await cluster.world.run(2_000);
  assert.ok(!votersAt(cluster, leader.id).includes(name));
  const wanted = { type: 'giveUpStore', id: name, promote: false } as const;
  assert.equal(await change(cluster, again, wanted), 'done');
  await cluster.wipe(name);
  cluster.start(name, NOBODY);
  await cluster.world.until('it votes', () => votersAt(cluster, leader.id) === 'a,b,c');
});

test('[NODE-72] a voter stands down while all others are there, and never leading', async () => {
  const cluster = new Cluster(['a', 'b', 'c', 'd', 'e']);
  const leader = await cluster.startAll();
  const refused = async (via: Instance, target: Instance, why: RegExp): Promise<void> => {
    const outcome = await change(cluster, via, { type: 'standDown', id: target.id });
    assert.match(outcome, /^membership-refused not-applied/);
    assert.match(outcome, why);
  };
  const [one, two, dead] = cluster.running().filter((other) => other !== leader);
  await refused(leader, leader, /it leads/);
  const keep = await change(cluster, leader, { type: 'giveUpStore', id: one!.id, promote: true });
  assert.match(keep, /^membership-refused not-applied: .* votes/);
  await giveUp(cluster, one!);
  await refused(two!, two!, new RegExp(`${one!.id} is being installed`));
  await cluster.wipe(one!.id);
  cluster.start(one!.id, NOBODY);
  await cluster.world.until('it votes', () => votersAt(cluster, leader.id) === 'a,b,c,d,e');
  await cluster.crash(dead!.id);
  await cluster.world.run(1_000);
  await refused(two!, two!, new RegExp(`${dead!.id} cannot be reached`));
});

test('[NODE-73] a node that sits out does not lead, until it may again', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const first = await cluster.startAll();
  first.node.sitOut('an operator says so');
  assert.equal(cluster.status(first.id).unhealthy, 'an operator says so');
  await cluster.world.until('another leads', () => {
    const leader = cluster.currentLeader();
    return leader !== undefined && leader !== first;
  });
  const next = await cluster.leader();
  const third = cluster.running().find((one) => one !== first && one !== next);
  await cluster.stop(third!.id);
  // The one other voter that could lead goes too.
  await cluster.crash(next.id);
  cluster.start(third!.id);
  await cluster.world.run(5_000);
  assert.notEqual(cluster.currentLeader(), first);
  first.node.sitOut(undefined);
  assert.equal(cluster.status(first.id).unhealthy, undefined);
  // Refused while another transfer or an election is under way.
  for (let asked = 0; asked < 20 && cluster.currentLeader() !== first; asked++) {
    void first.node.transfer(first.id).catch(() => undefined);
    await cluster.world.run(500);
  }
  assert.equal(cluster.currentLeader(), first);
});
