/**
 * What people do for nodes and their disks: they start what stopped and replace what is damaged; in
 * faults they do the same at the wrong time, within the bounds of what a cluster can survive.
 */
import { HoldfastError } from '../../src/base/index.ts';
import { memberOf } from '../../src/raft/index.ts';
import type { Membership } from '../../src/raft/index.ts';
import type { DamageFault } from '../faults/fault.ts';
import type { ClientNetwork } from './client-network.ts';
import type { Place, SimulatedCluster } from './cluster.ts';
import { OldDisks, type OldDisk } from './old-disk.ts';
import { MemberOperator, type DiskKnowledge } from './member-operator.ts';
import { nothing, type OperatorEffect } from './operator-effect.ts';

/** Whoever waits for a moment at which a disk may be put back looks so often. */
const MOMENT_LOOKS = 60;
const LOOKS_IN_TIMEOUT = 20;

export class Operator implements DiskKnowledge {
  readonly members: MemberOperator;
  readonly #cluster: SimulatedCluster;
  readonly #clients: ClientNetwork;
  readonly #oldDisks: OldDisks;
  /** Nodes that are not to be started by themselves: their failure is permanent. */
  readonly #left = new Set<string>();

  constructor(cluster: SimulatedCluster, clients: ClientNetwork) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#oldDisks = new OldDisks(cluster);
    this.members = new MemberOperator(cluster, this);
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

  /**
   * Why this node's disk may not be lost now: all others must be good, and among the voters with
   * the disks they are known by.
   */
  whyNotLose({ id }: Place): string | undefined {
    const membership = this.members.inForce();
    if (membership === undefined) return 'nobody leads';
    if (!this.members.isKnownToAll(membership)) return 'the membership is about to change';
    if (membership.voters.length < 3) return 'no majority would be left';
    // It could leave fewer voters, of whom one is lost.
    if (this.members.isWaiting) return 'a change that was asked for may still come';
    const why = this.whichIsNotWhole(membership);
    if (why !== undefined) return why;
    const others = [...this.#cluster.places.values()].filter((one) => one.id !== id);
    return others.some(({ disk }) => disk.mayBeDamaged) ? 'another disk is damaged' : undefined;
  }

  /** Of the voters, one that has not, or may not have, all that the cluster relies on. */
  whichIsNotWhole(membership: Membership): string | undefined {
    const { regaining } = this.#oldDisks;
    for (const voter of membership.voters) {
      const other = this.#cluster.at(voter);
      const recorded = memberOf(membership, voter)?.storeId;
      const isWhole = !other.disk.mayBeDamaged && !regaining.includes(voter);
      const isGood = recorded === other.storeId && isWhole;
      if (!isGood) return `${voter} has lost its disk already`;
    }
    return undefined;
  }

  damage(place: Place, how: DamageFault['how'], where: number): OperatorEffect {
    const why = this.whyNotLose(place);
    if (why !== undefined) return nothing(why);
    if (!this.#cluster.hasSimulatedDisks) return nothing('the stores are real');
    const undo = (): void => this.#reread(place);
    if (how === 'misdirected') {
      place.disk.misdirectNext = true;
      return { targets: [place.id], undo };
    }
    const note = place.disk.flipBit(where);
    return note === undefined ? nothing('nothing is stored') : { targets: [place.id], undo, note };
  }

  /** Begins again, and so reads all that is stored: until then no other disk may be lost. */
  #reread({ id, disk, node }: Place): void {
    disk.misdirectNext = false;
    if (!disk.wasDamaged || node === undefined) return;
    this.end(id, false);
    this.#cluster.start(id);
  }

  wipe(place: Place): OperatorEffect {
    const why = this.whyNotLose(place);
    if (why !== undefined) return nothing(why);
    this.end(place.id, true);
    this.#cluster.empty(place.id);
    this.#cluster.sometimes.met('nodeWiped');
    return { targets: [place.id], undo: () => this.#cluster.start(place.id) };
  }

  /** Copies the disk now, and puts the copy in its place later. */
  useOldDisk(place: Place): OperatorEffect {
    if (!this.#cluster.hasSimulatedDisks) return nothing('the stores are real');
    const old = this.#oldDisks.keep(place);
    return { targets: [place.id], undo: () => this.#putBack(place, old, MOMENT_LOOKS) };
  }

  /** In a moment at which nothing hangs on what is lost; there may be none. */
  #putBack(place: Place, old: OldDisk, looksLeft: number): void {
    if (this.members.mayOnlyHeal || looksLeft === 0) return;
    const why = this.whyNotLose(place) ?? this.#oldDisks.whyNot(place, old);
    if (why !== undefined || place.node === undefined) {
      const soonMs = this.#timeoutMs / LOOKS_IN_TIMEOUT;
      this.#cluster.world.after(soonMs, () => this.#putBack(place, old, looksLeft - 1));
      return;
    }
    this.end(place.id, false);
    this.#oldDisks.putBack(place, old);
    this.#cluster.transfers.wentBack(place.id);
    this.#cluster.start(place.id);
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
    if (to !== undefined) this.members.transfer(to);
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
}
