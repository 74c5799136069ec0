/**
 * What people do about who belongs to a cluster and who leads it, within the bounds of what it can
 * survive.
 */
import { unreachable } from '../../src/base/index.ts';
import { isMember } from '../../src/raft/index.ts';
import type { MembershipChange } from '../../src/node/index.ts';
import type { Membership, NodeId } from '../../src/raft/index.ts';
import type { MembershipFault } from '../faults/fault.ts';
import type { Place, SimulatedCluster } from './cluster.ts';
import type { SimulatedNode } from './node.ts';
import { nothing, type OperatorEffect } from './operator-effect.ts';
import type { Situation } from './sometimes.ts';

/** What has to be known of disks, since members hang on them. */
export interface DiskKnowledge {
  end(id: string, power: boolean): void;
  /** Why this node's disk may not be lost now. */
  whyNotLose(place: Place): string | undefined;
  /** Of the voters, one that may not have all that the cluster relies on. */
  whichIsNotWhole(membership: Membership): string | undefined;
}

/** Whoever insists on a change of membership asks again after so many election timeouts. */
const AGAIN_TIMEOUTS = 4;

export class MemberOperator {
  readonly #cluster: SimulatedCluster;
  readonly #disks: DiskKnowledge;
  /** What was not undone by now is left as it is. */
  mayOnlyHeal = false;
  /** Who was asked for a change and may still carry it out, also when it leads again later. */
  readonly #asked = new Set<{ readonly node: SimulatedNode }>();

  constructor(cluster: SimulatedCluster, disks: DiskKnowledge) {
    this.#cluster = cluster;
    this.#disks = disks;
  }

  get #timeoutMs(): number {
    return this.#cluster.configuration.settings.electionTimeoutMs ?? 1_000;
  }

  /** Whether some change that was asked for may still come. */
  get isWaiting(): boolean {
    return [...this.#asked].some(({ node }) => !node.life.over);
  }

  /** The membership that the newest leader has in force. */
  inForce(): Membership | undefined {
    return this.#cluster.leader()?.raft.status().membership;
  }

  /**
   * Whether every voter has this membership in force, alone. What only the leader has could be lost
   * with it, and leave those behind who have to count on who was a voter before.
   */
  isKnownToAll({ voters, outgoing }: Membership): boolean {
    if (outgoing.length > 0) return false;
    return voters.every((id) => {
      const known = this.#cluster.at(id).node?.raft.status().membership;
      return known?.outgoing.length === 0 && known.voters.join() === voters.join();
    });
  }

  transfer(to: string): OperatorEffect {
    const leader = this.#cluster.leader();
    if (leader === undefined) return nothing('nobody leads');
    const { world, transfers } = this.#cluster;
    transfers.asked(world.now + 10 * this.#timeoutMs);
    void this.#met('leadershipTransferred', leader, leader.raft.transfer(to as NodeId));
    return { targets: [leader.id, to] };
  }

  change(fault: MembershipFault): OperatorEffect {
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
    const membership = this.inForce();
    const why = membership === undefined ? 'nobody leads' : this.#disks.whichIsNotWhole(membership);
    if (why !== undefined) return nothing(why);
    this.#ask({ type: 'demote', id });
    const isBack = ({ voters, learners }: Membership): boolean =>
      voters.includes(id) || !learners.includes(id);
    const undo = (): void => this.#insist(isBack, () => this.#ask({ type: 'promote', id }));
    return { targets: [id], undo };
  }

  #remove(place: Place): OperatorEffect {
    const why = this.#disks.whyNotLose(place);
    if (why !== undefined) return nothing(why);
    const { id } = place;
    this.#ask({ type: 'remove', id });
    const isBack = (now: Membership): boolean => isMember(now, id);
    return { targets: [id], undo: () => this.#insist(isBack, () => this.#readmit(place)) };
  }

  /** A node that was removed comes back as a new one; one that was not is what it was. */
  #readmit(place: Place): void {
    const membership = this.inForce();
    if (membership === undefined || isMember(membership, place.id)) return;
    this.#disks.end(place.id, false);
    this.#cluster.empty(place.id);
    place.founds = false;
    this.#cluster.start(place.id);
    const { id, address } = place;
    this.#ask({ type: 'add', id, address, promote: true });
  }

  #join(): OperatorEffect {
    const { configuration, places } = this.#cluster;
    if (places.size > configuration.nodes) return nothing('a node has joined already');
    const place = this.#cluster.addPlace(configuration.disks[0]!, false);
    this.#cluster.start(place.id);
    const { id, address } = place;
    this.#ask({ type: 'add', id, address, promote: true });
    const isGone = (now: Membership): boolean => !isMember(now, id);
    return { targets: [id], undo: () => this.#insist(isGone, () => this.#giveUp(id)) };
  }

  /** Not while those who are left may not be able to do without it. */
  #giveUp(id: NodeId): void {
    const membership = this.inForce();
    if (membership === undefined || this.#disks.whichIsNotWhole(membership) !== undefined) return;
    this.#ask({ type: 'remove', id });
  }

  /** As people do: again and again until it is done, or nobody helps any more. */
  #insist(isDone: (membership: Membership) => boolean, attempt: () => void): void {
    if (this.mayOnlyHeal) return;
    const membership = this.inForce();
    if (membership !== undefined && isDone(membership)) return;
    if (membership !== undefined) attempt();
    const againMs = AGAIN_TIMEOUTS * this.#timeoutMs;
    this.#cluster.world.after(againMs, () => this.#insist(isDone, attempt));
  }

  #ask(change: MembershipChange): void {
    const leader = this.#cluster.leader();
    if (leader === undefined) return;
    void this.#met('membershipChanged', leader, leader.raft.changeMembership(change));
  }

  /** Counts what comes to a good end; that it may be refused is part of the game. */
  async #met(situation: Situation, node: SimulatedNode, doing: Promise<void>): Promise<void> {
    const asked = { node };
    this.#asked.add(asked);
    try {
      await doing;
      this.#cluster.sometimes.met(situation);
    } catch (error) {
      this.#cluster.world.logged(`${situation} not: ${String(error)}`);
    }
    this.#asked.delete(asked);
  }

  /**
   * Brings the cluster back to its founding members, all of them voters: one step, if one is to be
   * done. True when nothing is left to do.
   */
  restore(): boolean {
    const membership = this.inForce();
    if (membership === undefined) return false;
    for (const place of this.#cluster.places.values()) {
      const { id, number } = place;
      const isFounder = number < this.#cluster.configuration.nodes;
      const isVoter = membership.voters.includes(id);
      if (!isFounder && isMember(membership, id)) this.#giveUp(id);
      else if (!isFounder && place.node !== undefined) this.#disks.end(id, false);
      else if (isFounder && !isMember(membership, id)) this.#readmit(place);
      else if (isFounder && !isVoter) this.#ask({ type: 'promote', id });
      else continue;
      return false;
    }
    return membership.outgoing.length === 0;
  }
}
