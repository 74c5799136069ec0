/**
 * What people do for a cluster: they start what stopped, replace disks that are damaged, change the
 * membership; and in faults, do the same at the wrong time, within the bounds of what a cluster can
 * survive.
 */
import { HoldfastError, unreachable } from '../../src/base/index.ts';
import { isMember, memberOf } from '../../src/raft/index.ts';
import type { MembershipChange } from '../../src/node/index.ts';
import type { Membership, NodeId } from '../../src/raft/index.ts';
import type { DamageFault, MembershipFault } from '../faults/fault.ts';
import type { ClientNetwork } from './client-network.ts';
import type { Place, SimulatedCluster } from './cluster.ts';
import { OldDisks } from './old-disk.ts';
import type { Situation } from './sometimes.ts';

export interface OperatorEffect {
  readonly targets: readonly string[];
  readonly undo?: () => void;
  readonly note?: string;
}

/** Whoever insists on a change of membership asks again after so many election timeouts. */
const AGAIN_TIMEOUTS = 4;

const nothing = (why: string): OperatorEffect => ({ targets: [], note: `not carried out: ${why}` });

export class Operator {
  readonly #cluster: SimulatedCluster;
  readonly #clients: ClientNetwork;
  readonly #oldDisks: OldDisks;
  /** Nodes that are not to be started by themselves: their failure is permanent. */
  readonly #left = new Set<string>();
  /** What was not undone by now is left as it is. */
  #mayOnlyHeal = false;

  constructor(cluster: SimulatedCluster, clients: ClientNetwork) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#oldDisks = new OldDisks(cluster);
    cluster.onFailure = (id, error) => this.#failed(cluster.at(id), error);
  }

  get #timeoutMs(): number {
    return this.#cluster.configuration.settings.electionTimeoutMs ?? 1_000;
  }

  /** Ends a node's process, and with `power` its machine. */
  end(id: string, power: boolean): void {
    this.#cluster.end(id, power);
    this.#clients.nodeGone(id, power);
  }

  /** Whatever happens to these, nobody helps. */
  leave(ids: readonly string[]): void {
    this.#mayOnlyHeal = true;
    for (const id of ids) this.#left.add(id);
  }

  /** All are helped again. */
  leaveNobody(): void {
    this.#left.clear();
  }

  #failed(place: Place, error: unknown): void {
    const { id, disk, timeline } = place;
    const { violations, sometimes, world } = this.#cluster;
    this.#clients.nodeGone(id, false);
    const code = error instanceof HoldfastError ? error.code : 'unknown';
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'corrupt-data') {
      if (!disk.wasDamaged) {
        violations.report('durability', `${id} found damage where none was done: ${message}`, [id]);
      }
      sometimes.met('damageFound');
      timeline.disk(world.now, 'damaged');
      this.#cluster.empty(place.id);
    } else if (code !== 'disk-failed' && code !== 'disk-full') {
      violations.report('node-died', `${id} stopped by itself: ${message}`, [id]);
    }
    world.after(2 * this.#timeoutMs, () => {
      if (!this.#left.has(id)) this.#cluster.start(id);
    });
  }

  /** The membership that the newest leader has in force. */
  #membership(): Membership | undefined {
    return this.#cluster.leader()?.raft.status().membership;
  }

  /**
   * Why this node's disk may not be lost now: all others must be good, and among the voters with
   * the disks they are known by.
   */
  #whyNotLose({ id }: Place): string | undefined {
    const membership = this.#membership();
    if (membership === undefined) return 'nobody leads';
    if (membership.outgoing.length > 0) return 'the membership is about to change';
    if (membership.voters.length < 3) return 'no majority would be left';
    const why = this.#whichIsNotWhole(membership);
    if (why !== undefined) return why;
    const others = [...this.#cluster.places.values()].filter((one) => one.id !== id);
    return others.some(({ disk }) => disk.wasDamaged) ? 'another disk is damaged' : undefined;
  }

  /** Of the voters, one that has not, or may not have, all that the cluster relies on. */
  #whichIsNotWhole(membership: Membership): string | undefined {
    const { regaining } = this.#oldDisks;
    for (const voter of membership.voters) {
      const other = this.#cluster.at(voter);
      const recorded = memberOf(membership, voter)?.storeId;
      const isWhole = !other.disk.wasDamaged && !regaining.includes(voter);
      const isGood = recorded === other.storeId && isWhole;
      if (!isGood) return `${voter} has lost its disk already`;
    }
    return undefined;
  }

  damage(place: Place, how: DamageFault['how'], where: number): OperatorEffect {
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    if (!this.#cluster.hasSimulatedDisks) return nothing('the stores are real');
    if (how === 'misdirected') {
      place.disk.misdirectNext = true;
      return { targets: [place.id] };
    }
    const what = place.disk.flipBit(where);
    return what === undefined ? nothing('nothing is stored') : { targets: [place.id], note: what };
  }

  wipe(place: Place): OperatorEffect {
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    this.end(place.id, true);
    this.#cluster.empty(place.id);
    this.#cluster.sometimes.met('nodeWiped');
    return { targets: [place.id], undo: () => this.#cluster.start(place.id) };
  }

  /** Copies the disk now, and puts the copy in its place later. */
  useOldDisk(place: Place): OperatorEffect {
    if (!this.#cluster.hasSimulatedDisks) return nothing('the stores are real');
    const image = place.disk.keepImage();
    const undo = (): void => {
      if (place.node === undefined) return;
      const why = this.#whyNotLose(place) ?? this.#oldDisks.whyNot(place, image);
      if (why !== undefined) return;
      this.end(place.id, false);
      this.#oldDisks.putBack(place, image);
      this.#cluster.start(place.id);
    };
    return { targets: [place.id], undo };
  }

  /** Those whose disks were put back, and do not hold yet what they held before. */
  get goneBack(): readonly string[] {
    return this.#oldDisks.regaining;
  }

  /**
   * A leader goes on from where it knows a follower to be, also when that has gone back: only the
   * next leader asks anew. So leadership is handed on as long as that is needed.
   */
  helpThoseGoneBack(): void {
    const lagging = this.goneBack;
    const leader = this.#cluster.leader();
    if (lagging.length === 0 || leader === undefined) return;
    const { voters } = leader.raft.status().membership!;
    const to = voters.find((id) => id !== leader.id && !lagging.includes(id));
    if (to !== undefined) this.transfer(to);
  }

  transfer(to: string): OperatorEffect {
    const leader = this.#cluster.leader();
    if (leader === undefined) return nothing('nobody leads');
    const { world, transfers } = this.#cluster;
    transfers.asked(world.now + 10 * this.#timeoutMs);
    void this.#met('leadershipTransferred', leader.raft.transfer(to as NodeId));
    return { targets: [leader.id, to] };
  }

  changeMembership(fault: MembershipFault): OperatorEffect {
    const leader = this.#cluster.leader();
    const id = fault.node === 'leader' ? leader?.id : fault.node;
    if (leader === undefined || id === undefined) return nothing('nobody leads');
    switch (fault.how) {
      case 'demote':
        return this.#demote(id as NodeId);
      case 'remove':
        return this.#remove(this.#cluster.at(id));
      case 'join':
        return this.#join();
      default:
        return unreachable(fault.how);
    }
  }

  /** With one voter less, what is left must not count on a disk that is lost. */
  #demote(id: NodeId): OperatorEffect {
    const membership = this.#membership();
    const why = membership === undefined ? 'nobody leads' : this.#whichIsNotWhole(membership);
    if (why !== undefined) return nothing(why);
    this.#change({ type: 'demote', id });
    const isBack = ({ voters, learners }: Membership): boolean =>
      voters.includes(id) || !learners.includes(id);
    const undo = (): void => this.#insist(isBack, () => this.#change({ type: 'promote', id }));
    return { targets: [id], undo };
  }

  #remove(place: Place): OperatorEffect {
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    const { id } = place;
    this.#change({ type: 'remove', id });
    const isBack = (now: Membership): boolean => isMember(now, id);
    return { targets: [id], undo: () => this.#insist(isBack, () => this.#readmit(place)) };
  }

  /** A node that was removed comes back as a new one; one that was not is what it was. */
  #readmit(place: Place): void {
    const membership = this.#membership();
    if (membership === undefined || isMember(membership, place.id)) return;
    this.end(place.id, false);
    this.#cluster.empty(place.id);
    place.founds = false;
    this.#cluster.start(place.id);
    const { id, address } = place;
    this.#change({ type: 'add', id, address, promote: true });
  }

  #join(): OperatorEffect {
    const { configuration, places } = this.#cluster;
    if (places.size > configuration.nodes) return nothing('a node has joined already');
    const place = this.#cluster.addPlace(configuration.disks[0]!, false);
    this.#cluster.start(place.id);
    const { id, address } = place;
    this.#change({ type: 'add', id, address, promote: true });
    const isGone = (now: Membership): boolean => !isMember(now, id);
    return { targets: [id], undo: () => this.#insist(isGone, () => this.#giveUp(id)) };
  }

  /** Not while those who are left may not be able to do without it. */
  #giveUp(id: NodeId): void {
    const membership = this.#membership();
    if (membership === undefined || this.#whichIsNotWhole(membership) !== undefined) return;
    this.#change({ type: 'remove', id });
  }

  /** As people do: again and again until it is done, or nobody helps any more. */
  #insist(isDone: (membership: Membership) => boolean, attempt: () => void): void {
    if (this.#mayOnlyHeal) return;
    const membership = this.#membership();
    if (membership !== undefined && isDone(membership)) return;
    if (membership !== undefined) attempt();
    const againMs = AGAIN_TIMEOUTS * this.#timeoutMs;
    this.#cluster.world.after(againMs, () => this.#insist(isDone, attempt));
  }

  #change(change: MembershipChange): void {
    const leader = this.#cluster.leader();
    if (leader === undefined) return;
    void this.#met('membershipChanged', leader.raft.changeMembership(change));
  }

  /** Counts what comes to a good end; that it may be refused is part of the game. */
  async #met(situation: Situation, doing: Promise<void>): Promise<void> {
    try {
      await doing;
      this.#cluster.sometimes.met(situation);
    } catch (error) {
      this.#cluster.world.logged(`${situation} not: ${String(error)}`);
    }
  }

  /** Everything a node may suffer from ends, and it runs. */
  heal(id: string): void {
    const { disk, clock, clockRate, node, timeline } = this.#cluster.at(id);
    disk.set(undefined);
    disk.misdirectNext = false;
    clock.rate = clockRate;
    if (node === undefined) this.#cluster.start(id);
    else node.life.goOn();
    timeline.life(this.#cluster.world.now, 'up');
  }

  /**
   * Brings the cluster back to its founding members, all of them voters: one step, if one is to be
   * done. True when nothing is left to do.
   */
  restoreMembership(): boolean {
    const membership = this.#membership();
    if (membership === undefined) return false;
    for (const place of this.#cluster.places.values()) {
      const { id, number } = place;
      const isFounder = number < this.#cluster.configuration.nodes;
      const isVoter = membership.voters.includes(id);
      if (!isFounder && isMember(membership, id)) this.#giveUp(id);
      else if (!isFounder && place.node !== undefined) this.end(id, false);
      else if (isFounder && !isMember(membership, id)) this.#readmit(place);
      else if (isFounder && !isVoter) this.#change({ type: 'promote', id });
      else continue;
      return false;
    }
    return membership.outgoing.length === 0;
  }
}
