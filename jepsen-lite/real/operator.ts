/**
 * What people do for a cluster of processes: start what stopped, replace disks that are damaged,
 * change the membership; and in faults the same at the wrong time, within what a cluster survives.
 */
import { rm } from 'node:fs/promises';
import { connect, HoldfastError, type HoldfastClient } from '../../src/client/index.ts';
import { unreachable } from '../../src/base/index.ts';
import type { DamageFault, MembershipFault } from '../faults/fault.ts';
import type { Violations } from '../simulation/violations.ts';
import type { Observer } from './observer.ts';
import type { ProcessCluster } from './process-cluster.ts';
import { damage, tearTail } from './surgery.ts';

/** Whom something hit, and how it is undone. */
export interface OperatorEffect {
  readonly targets: readonly string[];
  readonly undo?: () => void;
  readonly note?: string;
}

export const nothing = (why: string): OperatorEffect => ({
  targets: [],
  note: `not carried out: ${why}`,
});

/** A node that stopped by itself is started again after so long. */
const RESTART_MS = 800;
/** How long a node whose disk was lost must look like a voter before it counts as one. */
const STEADY_MS = 1_500;
const CORRUPT = 'corrupt-data';

interface Place {
  readonly id: string;
  readonly isFounder: boolean;
  /** Its process was ended from here, so its end says nothing. */
  isEnded: boolean;
  isPaused: boolean;
  /** Its files were tampered with since they were last made. */
  isDamaged: boolean;
  /** Its disk is not the one it is known by; since when it seems to be, again. */
  lost: { steadySinceMs: number | undefined } | undefined;
  /** It was removed, or never was a member, and takes part only as one that joins. */
  isJoining: boolean;
}

export interface OperatorParts {
  readonly cluster: ProcessCluster;
  readonly founders: number;
  readonly observer: Observer;
  readonly violations: Violations;
  readonly now: () => number;
  readonly random: () => number;
}

export class Operator {
  readonly #parts: OperatorParts;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #doing = new Set<Promise<void>>();
  #admin: HoldfastClient | undefined = undefined;
  /** Nobody is helped any more while their failures are permanent. */
  #left: ReadonlySet<string> = new Set();
  #isOver = false;
  /** The membership may be another one than the founders. */
  #mayDiffer = false;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
    this.#places = new Map(
      parts.cluster.ids.map((id, i) => {
        const isFounder = i < parts.founders;
        const fresh = { isEnded: false, isPaused: false, isDamaged: false, lost: undefined };
        return [id, { id, isFounder, ...fresh, isJoining: !isFounder }];
      }),
    );
  }

  get founders(): string[] {
    return [...this.#places.values()].flatMap(({ id, isFounder }) => (isFounder ? [id] : []));
  }

  /** Every node is a voter with the disk it is known by, as far as is known. */
  get isWhole(): boolean {
    return !this.#mayDiffer && [...this.#places.values()].every(({ lost }) => lost === undefined);
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`there is no node ${id}`);
    return place;
  }

  start(id: string): void {
    const place = this.#place(id);
    if (this.#isOver || this.#parts.cluster.isRunning(id)) return;
    place.isEnded = false;
    place.isPaused = false;
    this.#parts.cluster.startNode(id, place.isJoining);
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'up');
  }

  /** Ends the process at once; `tears`: and leaves a torn write at the end of its journal. */
  async kill(id: string, tears = false): Promise<void> {
    const place = this.#place(id);
    const { cluster, observer, now, random } = this.#parts;
    if (!cluster.isRunning(id)) return;
    place.isEnded = true;
    place.isPaused = false;
    observer.timeline(id).life(now(), 'down');
    await cluster.signal(id, 'SIGKILL');
    if (tears && tearTail(cluster.directory(id), random)) observer.sometimes.met('tornTail');
  }

  async pause(id: string): Promise<void> {
    this.#place(id).isPaused = true;
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'paused');
    this.#parts.observer.sometimes.met('processPaused');
    await this.#parts.cluster.signal(id, 'SIGSTOP');
  }

  async goOn(id: string): Promise<void> {
    const place = this.#place(id);
    if (!place.isPaused) return;
    place.isPaused = false;
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'up');
    await this.#parts.cluster.signal(id, 'SIGCONT');
  }

  /** To be called when a process is gone. */
  exited(id: string, code: number | null): void {
    const place = this.#place(id);
    if (place.isEnded || this.#isOver) return;
    const { cluster, observer, violations, now } = this.#parts;
    observer.timeline(id).life(now(), 'down');
    const said = cluster.log(id).slice(-5).join(' | ');
    if (said.includes(CORRUPT)) this.#foundDamage(place, said);
    else if (!place.isJoining) {
      violations.report('node-died', `${id} stopped by itself (code ${code}): ${said}`, [id]);
    }
    this.#later(RESTART_MS, () => {
      if (!this.#left.has(id) && (place.isFounder || this.#isMember(id))) this.start(id);
    });
  }

  #foundDamage(place: Place, said: string): void {
    const { observer, violations, now } = this.#parts;
    const { id } = place;
    if (!place.isDamaged) {
      violations.report('durability', `${id} found damage where none was done: ${said}`, [id]);
    }
    observer.sometimes.met('damageFound');
    observer.timeline(id).disk(now(), 'damaged');
    this.#do(() => this.#empty(place));
  }

  async #empty(place: Place): Promise<void> {
    await rm(this.#parts.cluster.directory(place.id), { recursive: true, force: true });
    place.isDamaged = false;
    place.lost = { steadySinceMs: undefined };
    this.#parts.observer.timeline(place.id).disk(this.#parts.now(), 'wiped');
  }

  /** Why this node's disk may not be lost now: everyone else's must be good. */
  #whyNotLose({ id }: Place): string | undefined {
    if (this.#mayDiffer) return 'the membership is not the founding one';
    if (this.founders.length < 3) return 'no majority would be left';
    for (const other of this.#places.values()) {
      if (other.id !== id && (!this.#isFound(other) || other.isDamaged)) {
        return `${other.id} has lost its disk already`;
      }
    }
    return this.#place(id).isFounder ? undefined : `${id} is no member`;
  }

  /** Files are tampered with while the node is down; it comes back when the fault is over. */
  async damage(id: string, how: DamageFault['how'], where: number): Promise<OperatorEffect> {
    const place = this.#place(id);
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    place.isDamaged = true;
    await this.kill(id);
    const note = damage(this.#parts.cluster.directory(id), how, where);
    if (note === undefined) place.isDamaged = false;
    const undo = (): void => this.start(id);
    return { targets: [id], undo, note: note ?? 'nothing was stored' };
  }

  async wipe(id: string): Promise<OperatorEffect> {
    const place = this.#place(id);
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    place.lost = { steadySinceMs: undefined };
    await this.kill(id);
    await this.#empty(place);
    this.#parts.observer.sometimes.met('nodeWiped');
    return { targets: [id], undo: () => this.start(id) };
  }

  transfer(to: string): OperatorEffect {
    const leader = this.#parts.observer.leader();
    if (leader === undefined) return nothing('nobody leads');
    this.#change('leadershipTransferred', (admin) => admin.transfer(to));
    return { targets: [leader.id, to] };
  }

  /** The leader knows the founders as voters, and nobody else; another change may be under way. */
  #looksWhole(): boolean {
    const members = this.#parts.observer.leader()?.members ?? [];
    const voters = members.filter(({ role }) => role === 'voter');
    const { length } = this.founders;
    return members.length === length && voters.length === length && this.#doing.size === 0;
  }

  changeMembership({ how }: MembershipFault, id: string): OperatorEffect {
    if (!this.#looksWhole()) return nothing('the membership is not the founding one');
    switch (how) {
      case 'demote':
        this.#changeMembers((admin) => admin.demote(id));
        return {
          targets: [id],
          undo: () => this.#changeMembers((admin) => admin.promote(id)),
        };
      case 'remove': {
        const why = this.#whyNotLose(this.#place(id));
        if (why !== undefined) return nothing(why);
        this.#place(id).isJoining = true;
        this.#changeMembers((admin) => admin.removeMember(id));
        return { targets: [id], undo: () => this.#do(() => this.#readmit(id)) };
      }
      case 'join':
        return this.#join();
      default:
        return unreachable(how);
    }
  }

  #join(): OperatorEffect {
    const spare = [...this.#places.values()].find(({ isFounder }) => !isFounder);
    if (spare === undefined) return nothing('there is no place for another node');
    const { id } = spare;
    this.start(id);
    const address = this.#parts.cluster.endpoint(id);
    this.#changeMembers((admin) => admin.addMember({ id, address }));
    return { targets: [id], undo: () => this.#changeMembers((admin) => admin.removeMember(id)) };
  }

  /** A node that was removed comes back as a new one; one that was not is what it was. */
  async #readmit(id: string): Promise<void> {
    const place = this.#place(id);
    if (this.#parts.observer.leader() === undefined || this.#isMember(id)) return;
    await this.kill(id);
    await this.#empty(place);
    place.isJoining = true;
    this.start(id);
    const address = this.#parts.cluster.endpoint(id);
    this.#changeMembers((admin) => admin.addMember({ id, address }));
  }

  #isMember(id: string): boolean {
    return this.#parts.observer.leader()?.members.some((member) => member.id === id) === true;
  }

  #changeMembers(change: (admin: HoldfastClient) => Promise<void>): void {
    this.#mayDiffer = true;
    this.#change('membershipChanged', change);
  }

  /** That it may be refused is part of the game. */
  #change(
    situation: 'membershipChanged' | 'leadershipTransferred',
    change: (admin: HoldfastClient) => Promise<void>,
  ): void {
    this.#do(async () => {
      this.#admin ??= await connect({ endpoints: this.#parts.cluster.endpoints });
      await change(this.#admin);
      this.#parts.observer.sometimes.met(situation);
    });
  }

  #do(what: () => Promise<void>): void {
    const doing = what()
      .catch((error: unknown) => {
        if (error instanceof HoldfastError) return;
        this.#parts.violations.report('harness', `the operator failed: ${String(error)}`);
      })
      .finally(() => this.#doing.delete(doing));
    this.#doing.add(doing);
  }

  #later(delayMs: number, what: () => void): void {
    setTimeout(() => {
      if (!this.#isOver) what();
    }, delayMs).unref();
  }

  /** Whatever happens to these, nobody helps. */
  leave(ids: readonly string[]): void {
    this.#left = new Set(ids);
  }

  /** Everything a node may suffer from ends, and it runs. */
  async heal(id: string): Promise<void> {
    const place = this.#place(id);
    await this.goOn(id);
    this.#parts.cluster.tell(id, { type: 'clockRate', rate: 1 });
    if (place.isFounder) this.start(id);
  }

  /**
   * Brings the cluster back to its founding members with good disks: one step, if one is to be
   * done. Undefined when nothing is left to do, else what.
   */
  async restore(): Promise<string | undefined> {
    const { cluster, observer } = this.#parts;
    await Promise.all(this.#doing);
    const leader = observer.leader();
    if (leader === undefined) return 'nobody leads';
    for (const place of this.#places.values()) {
      const { id, isFounder } = place;
      const member = leader.members.find((one) => one.id === id);
      if (isFounder && !cluster.isRunning(id)) this.start(id);
      else if (!isFounder && member !== undefined) {
        this.#changeMembers((admin) => admin.removeMember(id));
      } else if (!isFounder && cluster.isRunning(id)) {
        await this.kill(id);
        await this.#empty(place);
        place.lost = undefined;
      } else if (isFounder && member === undefined) await this.#readmit(id);
      else if (isFounder && member?.role === 'learner' && place.lost === undefined) {
        this.#changeMembers((admin) => admin.promote(id));
      } else if (place.lost === undefined || this.#isFound(place)) continue;
      return `${id} is not back as a voter`;
    }
    for (const place of this.#places.values()) place.isJoining = !place.isFounder;
    this.#mayDiffer = false;
    return undefined;
  }

  /** Whether it has been a voter, with all that is committed, for a while. */
  #isFound(place: Place): boolean {
    const { observer, now } = this.#parts;
    const leader = observer.leader();
    const status = observer.status(place.id);
    const role = leader?.members.find(({ id }) => id === place.id)?.role;
    const isBehind = (status?.appliedIndex ?? 0) < (leader?.snapshotIndex ?? 0) + 1;
    if (place.lost === undefined) return true;
    if (role !== 'voter' || isBehind || status?.role === 'joining') {
      place.lost.steadySinceMs = undefined;
      return false;
    }
    place.lost.steadySinceMs ??= now();
    if (now() - place.lost.steadySinceMs < STEADY_MS) return false;
    place.lost = undefined;
    observer.timeline(place.id).disk(now(), 'ok');
    return true;
  }

  /** Disks that were tampered with are replaced: what hides in them must not add up. */
  async replaceDamaged(): Promise<void> {
    for (const place of this.#places.values()) {
      if (!place.isDamaged) continue;
      await this.kill(place.id);
      await this.#empty(place);
      this.start(place.id);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#admin?.close();
    await Promise.all(this.#doing);
  }
}
