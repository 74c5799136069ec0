/** What may happen in a random run. Each action does one thing, chosen by the run's own chance. */
import { invariant } from '../../src/base/index.ts';
import type { LogIndex, Membership, NodeId } from '../../src/raft/index.ts';
import type { Cluster } from './cluster.ts';
import { targetOf } from './member-target.ts';
import type { Rng } from './rng.ts';
import type { Link } from './sim-network.ts';
import type { SimNode } from './sim-node.ts';

/** What a run carries. */
export interface RunState {
  readonly cluster: Cluster;
  readonly rng: Rng;
  /** All nodes tick together, so that leases can be judged. */
  readonly lockstep: boolean;
  /** Nodes that may still join. */
  readonly spares: NodeId[];
  /** The node whose disk was lost and which is no voter again yet; one at a time is survivable. */
  wiped: NodeId | undefined;
  commands: number;
  reads: number;
}

type Action = (state: RunState) => void;

const MAX_PADDING = 30;

export type ActionName =
  | 'tick'
  | 'impatience'
  | 'deliver'
  | 'reorder'
  | 'drop'
  | 'duplicate'
  | 'disk'
  | 'crash'
  | 'powerLoss'
  | 'restart'
  | 'holdDisk'
  | 'partition'
  | 'cutOneWay'
  | 'isolateLeader'
  | 'coup'
  | 'propose'
  | 'read'
  | 'leaseRead'
  | 'transfer'
  | 'snapshot'
  | 'compact'
  | 'unreachable'
  | 'campaigns'
  | 'calm'
  | 'join'
  | 'member'
  | 'wipe'
  | 'healNetwork';

function anyAlive({ cluster, rng }: RunState): SimNode | undefined {
  return rng.pick(cluster.alive());
}

function tick(state: RunState): void {
  if (state.lockstep) {
    state.cluster.tickAll();
    return;
  }
  const node = anyAlive(state);
  if (node === undefined) return;
  for (let left = state.rng.between(1, 6); left > 0; left--) state.cluster.tick(node.id);
}

/** One impatient node: time runs faster there. */
function impatience(state: RunState): void {
  const node = anyAlive(state);
  if (node === undefined) return;
  for (let left = state.rng.between(4, 24); left > 0; left--) state.cluster.tick(node.id);
}

function deliver({ cluster, rng }: RunState): void {
  for (let left = rng.between(1, 6); left > 0; left--) {
    const link = rng.pick(cluster.network.busyLinks());
    if (link !== undefined) cluster.deliver(link.from, link.to);
  }
}

function reorder({ cluster, rng }: RunState): void {
  const link = rng.pick(cluster.network.busyLinks());
  if (link !== undefined) cluster.deliver(link.from, link.to, rng.below(link.queue.length));
}

function drop({ cluster, rng }: RunState): void {
  const link = rng.pick(cluster.network.busyLinks());
  link?.queue.splice(rng.below(link.queue.length), rng.between(1, 3));
}

function duplicate({ cluster, rng }: RunState): void {
  const link = rng.pick(cluster.network.busyLinks());
  const message = link === undefined ? undefined : rng.pick(link.queue);
  if (message !== undefined) link?.queue.push(message);
}

function disk(state: RunState): void {
  const { rng } = state;
  for (const node of state.cluster.alive()) {
    if (node.diskHeld || rng.chance(0.4)) continue;
    if (rng.chance(0.6)) node.completeWrites(rng.between(1, 3));
    else if (node.tasks.length > 0) node.runTask(rng.below(node.tasks.length));
  }
}

function crash({ cluster, rng }: RunState): void {
  const node = (rng.chance(0.4) ? cluster.leader() : undefined) ?? rng.pick(cluster.alive());
  if (node?.raft === undefined) return;
  const joint = node.raft.membership.outgoing.length > 0;
  if (joint && node.raft.role === 'leader') cluster.oracle.count('leaderCrashedInJointMembership');
  if (node.disk.pending.length > 0) cluster.oracle.count('crashedWithPendingWrites');
  cluster.crash(node.id, rng.below(node.disk.pending.length + 1));
}

function powerLoss({ cluster, rng }: RunState): void {
  for (const node of cluster.alive()) {
    cluster.crash(node.id, rng.below(node.disk.pending.length + 1));
  }
}

function restart({ cluster, rng }: RunState): void {
  const node = rng.pick([...cluster.nodes.values()].filter((one) => one.raft === undefined));
  if (node !== undefined) cluster.start(node.id);
}

function holdDisk(state: RunState): void {
  const node = anyAlive(state);
  if (node !== undefined) node.diskHeld = !node.diskHeld;
}

function partition({ cluster, rng }: RunState): void {
  const groups: NodeId[][] = [[], [], []];
  const count = rng.between(2, 3);
  for (const id of cluster.nodes.keys()) groups[rng.below(count)]?.push(id);
  cluster.network.partition([...cluster.nodes.keys()], groups);
}

/** The leader keeps at most a minority with it, and does not know yet. */
function isolateLeader({ cluster, rng }: RunState): void {
  const leader = cluster.leader();
  if (leader === undefined) return;
  const ids = [...cluster.nodes.keys()];
  const others = ids.filter((id) => id !== leader.id);
  const friends = others.filter(() => rng.chance(0.25));
  const group = [leader.id, ...friends];
  const rest = ids.filter((id) => !group.includes(id));
  cluster.network.partition(ids, [group, rest]);
  const isolated = rest.every((id) => cluster.network.link(leader.id, id).cut);
  invariant(isolated, 'a partition that divides nothing', rest);
  if (rest.length > 0) cluster.oracle.count('leaderIsolated');
}

/** The others elect someone else while the leader, cut off, has not noticed; then all meet. */
function coup(state: RunState): void {
  const { cluster, rng } = state;
  const leader = cluster.leader();
  if (leader === undefined) return;
  if (rng.chance(0.4)) ignoreOne(state, leader);
  // Replies to what it sent last stay on their way for a while.
  for (let left = rng.below(4); left > 0; left--) tickBut(state, undefined);
  deliverAll(cluster, (link) => link.from === leader.id && !link.cut);
  isolateLeader(state);
  if (rng.chance(0.4)) restartOthers(state, leader);
  for (let left = rng.below(4); left > 0; left--) proposeAt(state, leader);
  takeOver(state, leader);
  const successor = cluster.leader();
  for (let left = rng.below(4); left > 0; left--) {
    if (successor !== undefined) proposeAt(state, successor);
  }
  if (rng.chance(0.5)) cluster.settle();
  if (rng.chance(0.5)) cluster.network.heal();
  if (rng.chance(0.5)) cluster.read(leader.id, state.reads++);
}

function deliverAll(cluster: Cluster, chosen: (link: Link) => boolean): void {
  for (const link of cluster.network.links().filter(chosen)) {
    for (let left = link.queue.length; left > 0; left--) cluster.deliver(link.from, link.to);
  }
}

/** One follower hears nothing of the leader for a while, and is the first to lose patience. */
function ignoreOne(state: RunState, leader: SimNode): void {
  const { cluster, rng } = state;
  const ignored = rng.pick(cluster.alive().filter((one) => one !== leader));
  if (ignored === undefined) return;
  cluster.network.link(leader.id, ignored.id).cut = true;
  for (let left = rng.below(20); left > 0; left--) {
    tickBut(state, undefined);
    cluster.settle();
  }
}

/** One tick for everybody; where clocks need not run alike, not for the one excepted. */
function tickBut({ cluster, lockstep }: RunState, excepted: SimNode | undefined): void {
  for (const node of cluster.alive()) if (lockstep || node !== excepted) cluster.tick(node.id);
}

function takeOver(state: RunState, leader: SimNode): void {
  const { cluster, rng } = state;
  const repliesArriveAt = rng.below(15);
  for (let i = 0; i < 30 && cluster.leader()?.id === leader.id; i++) {
    if (i === repliesArriveAt) deliverAll(cluster, (link) => link.to === leader.id);
    tickBut(state, leader);
    cluster.settle();
    if (state.lockstep) leaseRead(state);
  }
}

/** Some that may have confirmed a round to the leader lose their memory of it. */
function restartOthers({ cluster, rng }: RunState, leader: SimNode): void {
  for (const node of cluster.alive()) {
    if (node === leader || rng.chance(0.5)) continue;
    cluster.crash(node.id, node.disk.pending.length);
    cluster.start(node.id);
  }
}

function cutOneWay({ cluster, rng }: RunState): void {
  const ids = [...cluster.nodes.keys()];
  const [from, to] = [rng.pick(ids), rng.pick(ids)];
  if (from !== undefined && to !== undefined) cluster.network.link(from, to).cut = true;
}

function propose(state: RunState): void {
  const { cluster, rng } = state;
  const leaders = cluster.alive().filter((node) => node.raft?.role === 'leader');
  const node = rng.pick(leaders);
  if (node !== undefined) proposeAt(state, node);
}

function proposeAt(state: RunState, node: SimNode): void {
  const { cluster, rng } = state;
  const commands = Array.from({ length: rng.between(1, 4) }, () =>
    `c${state.commands++}`.padEnd(rng.below(MAX_PADDING), '.'),
  );
  cluster.propose(node.id, commands);
}

function read(state: RunState): void {
  const leader = state.cluster.leader();
  const node = state.rng.chance(0.5) ? leader : anyAlive(state);
  if (node !== undefined) state.cluster.read(node.id, state.reads++);
}

function leaseRead({ cluster }: RunState): void {
  for (const node of cluster.alive()) cluster.leaseRead(node.id);
}

function transfer({ cluster, rng }: RunState): void {
  const leader = cluster.leader();
  const to = rng.pick([...cluster.nodes.keys()]);
  if (leader !== undefined && to !== undefined) cluster.transfer(leader.id, to);
}

/** At one node, or at all; sometimes durable and the log cut at once. */
function snapshot(state: RunState): void {
  const { cluster, rng } = state;
  const one = anyAlive(state);
  const nodes = rng.chance(0.5) ? cluster.alive() : [];
  if (nodes.length === 0 && one !== undefined) nodes.push(one);
  for (const node of nodes) {
    node.takeSnapshot();
    if (!node.diskHeld && rng.chance(0.5)) cluster.finishDisk(node.id);
    if (rng.chance(0.5)) compactAt(node, state);
  }
}

function compact(state: RunState): void {
  const node = anyAlive(state);
  if (node !== undefined) compactAt(node, state);
}

function compactAt(node: SimNode, { rng }: RunState): void {
  const covered = node.raft?.status().snapshotIndex ?? 0;
  if (covered === 0) return;
  const index = rng.chance(0.7) ? covered : rng.between(1, covered);
  node.input((raft) => raft.compact(index as LogIndex));
}

function unreachable(state: RunState): void {
  const { cluster, rng } = state;
  const node = anyAlive(state);
  const peer = rng.pick([...cluster.nodes.keys()]);
  if (node === undefined || peer === undefined || peer === node.id) return;
  const { queue } = cluster.network.link(node.id, peer);
  queue.splice(rng.below(queue.length + 1));
  node.input((raft) => raft.peerUnreachable(peer));
}

function campaigns(state: RunState): void {
  const allowed = state.rng.chance(0.6);
  anyAlive(state)?.input((raft) => raft.setCampaignAllowed(allowed));
}

/** A stretch of good weather: whoever can talk and write does. */
function calm(state: RunState): void {
  const { cluster, rng } = state;
  for (let left = rng.between(1, 25); left > 0; left--) {
    cluster.tickAll();
    cluster.settle();
    if (state.lockstep) leaseRead(state);
  }
}

function join(state: RunState): void {
  const id = state.spares.shift();
  if (id !== undefined) state.cluster.join(id);
}

function member(state: RunState): void {
  const { cluster, rng } = state;
  const leader = cluster.leader();
  if (leader === undefined) return;
  if (state.wiped !== undefined) {
    readmit(state);
    return;
  }
  const membership = cluster.core(leader.id).membership;
  const ids = rng.chance(0.15) ? randomVoters(state, membership) : [];
  const outside = [...cluster.nodes.keys()].filter((id) => !(id in membership.members));
  const changes = [
    () => targetOf(cluster, leader.id, 'add', pickOne(rng, outside)),
    () => targetOf(cluster, leader.id, 'add-learner', pickOne(rng, outside)),
    () => targetOf(cluster, leader.id, 'promote', pickOne(rng, membership.learners)),
    () => targetOf(cluster, leader.id, 'remove', pickOne(rng, Object.keys(membership.members))),
    () => targetOf(cluster, leader.id, 'add', pickOne(rng, membership.voters)),
  ];
  const change = rng.pick(changes);
  if (ids.length > 0) cluster.changeMembership(leader.id, targetOf(cluster, leader.id, 'set', ids));
  else if (change !== undefined) cluster.changeMembership(leader.id, change());
}

function pickOne(rng: Rng, ids: readonly string[]): NodeId[] {
  const id = rng.pick(ids);
  return id === undefined ? [] : [id as NodeId];
}

/** Any non-empty choice of today's voters and learners. */
function randomVoters({ rng }: RunState, membership: Membership): NodeId[] {
  return [...membership.voters, ...membership.learners].filter(() => rng.chance(0.6));
}

/** A disk may be lost only while the cluster is whole, and only one until it is whole again. */
function wipe(state: RunState): void {
  const { cluster, rng } = state;
  const leader = cluster.leader();
  if (state.wiped !== undefined || leader?.raft === undefined) return;
  const { membership, membershipIndex, commitIndex } = leader.raft.status();
  const whole = [...cluster.nodes.values()].every(
    ({ raft }) => raft !== undefined && raft.status().membershipIndex === membershipIndex,
  );
  const settled = membershipIndex <= commitIndex && membership.outgoing.length === 0;
  const victim = rng.pick(membership.voters);
  if (!whole || !settled || victim === undefined || membership.voters.length < 3) return;
  cluster.wipe(victim);
  cluster.start(victim);
  state.wiped = victim;
  cluster.oracle.count('wiped');
}

/**
 * What a runtime's leader does when a member shows up with another disk: first it stops voting,
 * then it is a learner with the new disk, and the core makes it a voter once it has caught up.
 */
export function readmit(state: RunState): void {
  const { cluster, wiped } = state;
  const leader = cluster.leader();
  if (wiped === undefined || leader?.raft === undefined) return;
  const { membership, membershipIndex, commitIndex } = leader.raft.status();
  const isVoter = membership.voters.includes(wiped);
  const known = (membership.members as Readonly<Record<string, { storeId: string }>>)[wiped];
  if (known?.storeId !== cluster.node(wiped).disk.storeId) {
    const change = isVoter ? 'add-learner' : 'add';
    cluster.changeMembership(leader.id, targetOf(cluster, leader.id, change, [wiped]));
    return;
  }
  if (!isVoter || membership.outgoing.length > 0 || membershipIndex > commitIndex) return;
  state.wiped = undefined;
  cluster.oracle.count('wipedNodeReadmitted');
}

export const ACTIONS: Readonly<Record<ActionName, Action>> = {
  tick,
  impatience,
  deliver,
  reorder,
  drop,
  duplicate,
  disk,
  crash,
  powerLoss,
  restart,
  holdDisk,
  partition,
  cutOneWay,
  isolateLeader,
  coup,
  propose,
  read,
  leaseRead,
  transfer,
  snapshot,
  compact,
  unreachable,
  campaigns,
  calm,
  join,
  member,
  wipe,
  healNetwork: ({ cluster }) => cluster.network.heal(),
};
