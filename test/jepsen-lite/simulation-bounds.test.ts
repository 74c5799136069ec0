/** What faults must not take, and what is waited for before a cluster is judged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../jepsen-lite/faults/fault.ts';
import { ClientNetwork } from '../../jepsen-lite/simulation/client-network.ts';
import { SimulatedCluster } from '../../jepsen-lite/simulation/cluster.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { Operator } from '../../jepsen-lite/simulation/operator.ts';
import { outcomeOf, type RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { runSimulation, type SimulationResult } from '../../jepsen-lite/simulation/run.ts';
import type { NodeId } from '../../src/raft/index.ts';

const SEED = 3;

async function runOf(
  faults: readonly Fault[],
  choice: { readonly seed?: number; readonly nodes?: number } = {},
): Promise<SimulationResult> {
  const { seed = SEED, nodes = 3 } = choice;
  const wishes = { workload: 'register', faultsMs: 900, nodes, clients: 1 };
  const result = await runSimulation({ seed, wishes, faults });
  assert.equal(outcomeOf(result.record), 'passed', result.record.violation?.message);
  return result;
}

const notesOf = ({ record }: SimulationResult): (string | undefined)[] =>
  record.faults.map(({ note }) => note);

/** Three nodes, one of which leads, and nobody who calls them. */
class QuietCluster {
  readonly cluster: SimulatedCluster;
  readonly operator: Operator;

  constructor() {
    const drawn = drawConfiguration(SEED, { workload: 'register', nodes: 3, clients: 0 });
    this.cluster = new SimulatedCluster(SEED, drawn);
    this.operator = new Operator(this.cluster, new ClientNetwork(this.cluster));
  }

  async begin(): Promise<void> {
    const { places, world } = this.cluster;
    for (const id of places.keys()) this.cluster.start(id);
    await world.until('somebody leads', () => this.cluster.leader() !== undefined);
    await world.until('all know of each other', () => this.isKnownToAll);
  }

  get isKnownToAll(): boolean {
    const { members } = this.operator;
    const membership = members.inForce();
    return membership !== undefined && members.isKnownToAll(membership);
  }

  /** Those who do not lead. */
  get followers(): [NodeId, NodeId] {
    const ids = this.cluster.running().map(({ id }) => id);
    const [one, two] = ids.filter((id) => id !== this.cluster.leader()!.id);
    return [one!, two!];
  }
}

test('[JEPSEN-21] a membership is known to all only when each voter runs and has it', async () => {
  const quiet = new QuietCluster();
  await quiet.begin();
  const { operator } = quiet;
  const membership = operator.members.inForce()!;
  const [follower, other] = quiet.followers;
  const isKnown = (voters: readonly NodeId[], outgoing: readonly NodeId[] = []): boolean =>
    operator.members.isKnownToAll({ ...membership, voters, outgoing });
  assert.equal(isKnown(membership.voters), true);
  assert.equal(isKnown(membership.voters.filter((id) => id !== other)), false);
  assert.equal(isKnown(membership.voters, membership.voters), false);
  operator.end(follower, false);
  assert.equal(isKnown(membership.voters), false);
});

test('[JEPSEN-21] while a voter knows of half of a change, no disk may be lost', async () => {
  const quiet = new QuietCluster();
  await quiet.begin();
  const { cluster, operator } = quiet;
  const leader = cluster.leader()!;
  const [follower, other] = quiet.followers;
  const why = (): string | undefined => operator.whyNotLose(cluster.at(follower));
  assert.equal(why(), undefined);
  cluster.network.slow(leader.id, follower, 50);
  leader.raft.changeMembership({ type: 'demote', id: other }).catch(() => {});
  const has = (voters: number): boolean => {
    const { voters: now = [], outgoing = [] } = operator.members.inForce() ?? {};
    return now.length === voters && outgoing.length === 0;
  };
  // Both voters that are left have it by the same name, and the follower not yet alone.
  await cluster.world.until('the leader has the change in force', () => has(2));
  assert.deepEqual(cluster.leader()!.id, leader.id);
  const known = cluster.at(follower).node!.raft.status().membership!;
  assert.deepEqual([known.voters.length, known.outgoing.length], [2, 3]);
  assert.equal(why(), 'the membership is about to change');
  await cluster.world.until('the follower has it, too', () => quiet.isKnownToAll);
  assert.equal(why(), 'no majority would be left');
});

test('[JEPSEN-21] a disk about to be damaged counts as damaged, of learners too', async () => {
  const misdirected: Fault = {
    type: 'damage',
    atMs: 300,
    forMs: 200,
    node: 'n2',
    how: 'misdirected',
    where: 0,
  };
  const wipe: Fault = { type: 'wipe', atMs: 300, forMs: 50, node: 'n3' };
  const lost = 'not carried out: n2 has lost its disk already';
  assert.deepEqual(notesOf(await runOf([misdirected, wipe])), [undefined, lost]);
  const demote: Fault = { type: 'membership', atMs: 100, forMs: 5_000, node: 'n2', how: 'demote' };
  const notes = notesOf(await runOf([demote, misdirected, wipe], { nodes: 5 }));
  assert.deepEqual(notes, [undefined, undefined, 'not carried out: another disk is damaged']);
});

test('[JEPSEN-21] while a change waits that was asked for, no disk may be lost', async () => {
  const quiet = new QuietCluster();
  await quiet.begin();
  const { cluster, operator } = quiet;
  const [follower, other] = quiet.followers;
  const why = (): string | undefined => operator.whyNotLose(cluster.at(follower));
  cluster.network.cut(cluster.leader()!.id, other);
  operator.members.transfer(other);
  assert.equal(why(), 'a change that was asked for may still come');
  await cluster.world.until('it was given up', () => !operator.members.isWaiting);
  assert.equal(why(), undefined);
});

test('[JEPSEN-22] a core is chosen when no change of members is waiting any more', async () => {
  const faults: Fault[] = [
    { type: 'partition', atMs: 850, forMs: 60_000, shape: 'leader', links: [], flapMs: 0 },
    { type: 'membership', atMs: 851, forMs: 60_000, node: 'n3', how: 'demote' },
  ];
  const { lines } = await runOf(faults);
  const gaveUp = lines.findIndex((line) => line.includes('membershipChanged not'));
  const chosen = lines.findIndex((line) => line.includes(' CORE '));
  assert.ok(gaveUp >= 0, 'the change did not wait');
  assert.ok(gaveUp < chosen, lines.join('\n'));
});

/** Whether all nodes were down at once, and began again, before they were compared. */
function allBeganAgain({ phases, nodes }: RunRecord): boolean {
  const fromMs = phases.find(({ name }) => name === 'convergence')!.fromMs;
  return nodes.every(({ life }) =>
    life.some(([atMs, value]) => value === 'down' && atMs >= fromMs),
  );
}

test('[JEPSEN-22] in half of the runs all nodes begin again before they are compared', async () => {
  const seeds = [1, 2, 3, 4, 5, 6];
  const runs = await Promise.all(seeds.map((seed) => runOf([], { seed })));
  const restarts = runs.filter(({ record }) => allBeganAgain(record)).length;
  assert.ok(restarts > 0 && restarts < seeds.length, `${restarts} of ${seeds.length}`);
});
