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

function ofStore(node: Instance): MembershipChange {
  return { type: 'giveUpStore', id: node.id, storeId: node.node.status().storeId };
}

async function giveUp(cluster: Cluster, node: Instance): Promise<void> {
  assert.equal(await change(cluster, node, { type: 'standDown', id: node.id }), 'done');
  assert.equal(await change(cluster, node, ofStore(node)), 'done');
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
  assert.equal(await change(cluster, again, ofStore(again)), 'done');
  await cluster.wipe(name);
  cluster.start(name, NOBODY);
  await cluster.world.until('it votes', () => votersAt(cluster, leader.id) === 'a,b,c');
});

test('[NODE-71] also between its two steps, or while its next store is being filled', async () => {
  for (const when of ['stoodDown', 'filling'] as const) {
    const cluster = new Cluster(['a', 'b', 'c'], { settings: SETTINGS });
    const leader = await cluster.startAll();
    for (let i = 0; i < 60; i++) await cluster.write(leader, `w${i}`);
    const name = cluster.follower().id;
    if (when === 'stoodDown') {
      const wanted = { type: 'standDown', id: name } as const;
      assert.equal(await change(cluster, cluster.at(name), wanted), 'done');
      await cluster.crash(name);
      cluster.start(name);
      await cluster.world.until('it is back', () => cluster.status(name).leader === leader.id);
      await cluster.world.run(2_000);
    } else {
      await giveUp(cluster, cluster.at(name));
      await cluster.wipe(name);
      const next = cluster.start(name, NOBODY);
      await cluster.world.until('its store is known', () => {
        const { membership } = cluster.status(leader.id);
        return next.isStarted && membership!.members[name]!.storeId === next.node.status().storeId;
      });
    }
    assert.ok(!votersAt(cluster, leader.id).includes(name), when);
    assert.equal(await change(cluster, leader, ofStore(cluster.at(name))), 'done');
    await cluster.wipe(name);
    cluster.start(name, NOBODY);
    await cluster.world.until(`it votes: ${when}`, () => {
      return votersAt(cluster, leader.id) === 'a,b,c';
    });
  }
});

test('[NODE-71] nor does a store count that was given up before the leader knew it', async () => {
  const cluster = new Cluster(['a', 'b', 'c']);
  const leader = await cluster.startAll();
  const name = cluster.follower().id;
  await giveUp(cluster, cluster.at(name));
  await cluster.wipe(name);
  const next = cluster.start(name, NOBODY);
  await cluster.world.until('its store has an id', () => next.node.status().storeId !== '');
  const { members } = cluster.status(leader.id).membership!;
  assert.match(members[name]!.storeId, /^given-up:/, 'of the store before');
  assert.equal(await change(cluster, leader, ofStore(next)), 'done');
  // It lives on for as long as ending its life takes: were it filled, a voter would be emptied.
  await cluster.world.run(5_000);
  assert.ok(!votersAt(cluster, leader.id).includes(name));
  await cluster.wipe(name);
  cluster.start(name, NOBODY);
  await cluster.world.until('it votes', () => votersAt(cluster, leader.id) === 'a,b,c');
});

test('[NODE-74] two are not taken out at once, whoever asks, and whoever died', async () => {
  const cluster = new Cluster(['a', 'b', 'c', 'd', 'e']);
  const first = await cluster.startAll();
  const [one, two] = cluster.running().filter((other) => other !== first);
  const standDown = (which: Instance): Promise<string> =>
    change(cluster, which, { type: 'standDown', id: which.id });
  assert.equal(await standDown(one!), 'done');
  const refusal = new RegExp(`^membership-refused not-applied: .*${one!.id} is being installed`);
  assert.match(await standDown(two!), refusal);
  // The leader that let it stand down is gone, and back as another's follower.
  await cluster.crash(first.id);
  await cluster.leader();
  cluster.start(first.id);
  const next = await cluster.leader();
  const other = cluster.running().find(({ id }) => id !== one!.id && id !== next.id);
  assert.match(await standDown(other!), refusal);
  await cluster.world.run(2_000);
  assert.ok(!votersAt(cluster, next.id).includes(one!.id), 'nor does it vote again by itself');
  // Asked to stand down again it goes on from there.
  await giveUp(cluster, one!);
  await cluster.wipe(one!.id);
  cluster.start(one!.id, NOBODY);
  await cluster.world.until('it votes', () => votersAt(cluster, next.id) === 'a,b,c,d,e');
  await cluster.leader();
  assert.equal(await standDown(cluster.follower()), 'done');
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
  const keep = await change(cluster, leader, ofStore(one!));
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
