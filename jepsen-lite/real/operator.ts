/**
 * What people do for a cluster of processes: replace disks that are damaged, change the membership;
 * and in faults the same at the wrong time, within what a cluster survives.
 */
import { connect, HoldfastError } from '../../src/client/index.ts';
import type { HoldfastClient, StatusReport } from '../../src/client/index.ts';
import { unreachable } from '../../src/base/index.ts';
import type { DamageFault, MembershipFault } from '../faults/fault.ts';
import { lostWhole, type Lives, type LivesParts, type Place } from './lives.ts';
import type { OldDisks } from './old-disks.ts';
import { nothing, type OperatorEffect } from './operator-effect.ts';
import { stepBack, type Step } from './step-back.ts';
import { damage } from './surgery.ts';

/** How long a node whose disk was lost must look like a voter before it counts as one. */
const STEADY_MS = 1_500;
/** Leadership is handed on no more often. */
const HAND_ON_MS = 3_000;

export interface OperatorParts extends LivesParts {
  readonly lives: Lives;
  readonly oldDisks: OldDisks;
}

export class Operator {
  readonly #parts: OperatorParts;
  readonly #lives: Lives;
  readonly #doing = new Set<Promise<void>>();
  #admin: Promise<HoldfastClient> | undefined = undefined;
  /** The membership may be another one than the founders. */
  #mayDiffer = false;
  #handedOnMs = -Infinity;
  #isOver = false;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
    this.#lives = parts.lives;
  }

  get founders(): string[] {
    return this.#lives.founders;
  }

  /** Founders whose disk is as they wrote it. */
  get undamaged(): string[] {
    return this.founders.filter((id) => !this.#lives.place(id).isDamaged);
  }

  /** Every node is a voter with the disk it is known by, as far as is known. */
  get isWhole(): boolean {
    return !this.#mayDiffer && this.#lives.places.every(({ lost }) => lost === undefined);
  }

  /** Why this node's disk may not be lost now: everyone else's must be good. */
  #whyNotLose({ id }: Place): string | undefined {
    if (this.#mayDiffer) return 'the membership is not the founding one';
    if (this.founders.length < 3) return 'no majority would be left';
    for (const other of this.#lives.places) {
      if (other.id !== id && (!this.#isFound(other) || other.isDamaged)) {
        return `${other.id} has lost its disk already`;
      }
    }
    if (this.#lives.place(id).isHeld) return 'somebody works on it';
    return this.#lives.place(id).isFounder ? undefined : `${id} is no member`;
  }

  /** Files are tampered with while the node is down; it comes back when the fault is over. */
  async damage(id: string, how: DamageFault['how'], where: number): Promise<OperatorEffect> {
    const place = this.#lives.place(id);
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    place.isDamaged = true;
    let note: string | undefined;
    await this.#lives.whileDown(id, () => {
      note = damage(this.#parts.cluster.directory(id), how, where);
    });
    if (note === undefined) place.isDamaged = false;
    const undo = (): void => this.#lives.start(id);
    return { targets: [id], undo, note: note ?? 'nothing was stored' };
  }

  async wipe(id: string): Promise<OperatorEffect> {
    const place = this.#lives.place(id);
    const why = this.#whyNotLose(place);
    if (why !== undefined) return nothing(why);
    place.lost = lostWhole();
    await this.#lives.whileDown(id, () => this.#lives.empty(id));
    return { targets: [id], undo: () => this.#lives.start(id) };
  }

  /** Copies the disk now, and puts the copy in its place when the fault is over. */
  async useOldDisk(id: string): Promise<OperatorEffect> {
    const { cluster, oldDisks } = this.#parts;
    const place = this.#lives.place(id);
    const why = this.#whyNotUseOld(place);
    if (why !== undefined) return nothing(why);
    let kept = '';
    await this.#lives.whileDown(id, async () => {
      kept = await oldDisks.keep(cluster.directory(id));
    });
    this.#lives.start(id);
    const effect = { targets: [id], note: 'copied, but the copy was not put back' };
    const undo = (): void => {
      this.#do(async () => {
        const because = await this.#putBack(place, kept);
        effect.note = because === undefined ? 'the copy was put back' : `not put back: ${because}`;
      });
    };
    return Object.assign(effect, { undo });
  }

  #whyNotUseOld(place: Place): string | undefined {
    return place.isDamaged ? 'its disk is damaged' : this.#whyNotLose(place);
  }

  /** Why not, or undefined. */
  async #putBack(place: Place, kept: string): Promise<string | undefined> {
    const { cluster, oldDisks, observer } = this.#parts;
    const { id } = place;
    if (!cluster.isRunning(id)) return `${id} is down`;
    const why = this.#whyNotUseOld(place);
    if (why !== undefined) return why;
    place.lost = lostWhole();
    const others = this.founders.filter((other) => other !== id);
    let answer: Awaited<ReturnType<OldDisks['putBack']>> | undefined;
    await this.#lives.whileDown(id, async () => {
      answer = await oldDisks.putBack(kept, cluster.directory(id), others);
    });
    place.lost = answer?.type === 'putBack' ? { steadySinceMs: undefined, ...answer } : undefined;
    if (answer?.type === 'putBack') observer.sometimes.met('oldDisk');
    this.#lives.start(id);
    return answer?.type === 'refused' ? answer.why : undefined;
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
        const place = this.#lives.place(id);
        const why = this.#whyNotLose(place);
        if (why !== undefined) return nothing(why);
        place.isJoining = true;
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
    const spare = this.#lives.places.find(({ isFounder }) => !isFounder);
    if (spare === undefined) return nothing('there is no place for another node');
    const { id } = spare;
    this.#lives.start(id);
    const address = this.#parts.cluster.endpoint(id);
    this.#changeMembers((admin) => admin.addMember({ id, address }));
    return { targets: [id], undo: () => this.#changeMembers((admin) => admin.removeMember(id)) };
  }

  /** A node that was removed comes back as a new one; one that was not is what it was. */
  async #readmit(id: string): Promise<void> {
    if (this.#parts.observer.leader() === undefined || this.#isMember(id)) return;
    this.#lives.place(id).isJoining = true;
    await this.#lives.whileDown(id, () => this.#lives.empty(id));
    this.#lives.start(id);
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
      await change(await this.#connected());
      this.#parts.observer.sometimes.met(situation);
    });
  }

  /** One for all: whoever asks while it is being connected gets the same. */
  #connected(): Promise<HoldfastClient> {
    const { endpoints, clusterName } = this.#parts.cluster;
    const connecting = this.#admin ?? connect({ endpoints, clusterName });
    this.#admin = connecting;
    connecting.catch(() => {
      if (this.#admin === connecting) this.#admin = undefined;
    });
    return connecting;
  }

  #do(what: () => Promise<void>): void {
    if (this.#isOver) return;
    const doing = what()
      .catch((error: unknown) => {
        if (error instanceof HoldfastError) return;
        this.#parts.violations.report('harness', `the operator failed: ${String(error)}`);
      })
      .finally(() => this.#doing.delete(doing));
    this.#doing.add(doing);
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
    this.#helpThoseGoneBack(leader);
    for (const place of this.#lives.places) {
      const { id, isFounder } = place;
      const role = leader.members.find((one) => one.id === id)?.role;
      const isRunning = cluster.isRunning(id);
      const hasAll = !this.#isBehind(id, leader);
      const step = stepBack({ isFounder, role, isRunning, hasAll, isFound: this.#isFound(place) });
      if (step === undefined) continue;
      await this.#take(step, place);
      return `${id} is not back as a voter`;
    }
    for (const place of this.#lives.places) place.isJoining = !place.isFounder;
    this.#mayDiffer = false;
    return undefined;
  }

  async #take(step: Step, place: Place): Promise<void> {
    const { id } = place;
    switch (step) {
      case 'start':
        this.#lives.start(id);
        return;
      case 'remove':
        this.#changeMembers((admin) => admin.removeMember(id));
        return;
      case 'empty':
        await this.#lives.whileDown(id, () => this.#lives.empty(id));
        place.lost = undefined;
        return;
      case 'readmit':
        await this.#readmit(id);
        return;
      case 'promote':
        this.#changeMembers((admin) => admin.promote(id));
        return;
      case 'wait':
        return;
      default:
        unreachable(step);
    }
  }

  /** It lacks what the leader has taken a snapshot of. */
  #isBehind(id: string, leader: StatusReport | undefined): boolean {
    const applied = this.#parts.observer.status(id)?.appliedIndex ?? 0;
    return applied < (leader?.snapshotIndex ?? 0) + 1;
  }

  /** Whether it has been a voter, with all that is committed, for a while. */
  #isFound(place: Place): boolean {
    const { observer, now } = this.#parts;
    const leader = observer.leader();
    const status = observer.status(place.id);
    const role = leader?.members.find(({ id }) => id === place.id)?.role;
    const isBehind = this.#isBehind(place.id, leader);
    if (place.lost === undefined) return true;
    const lacks = (status?.appliedIndex ?? 0) < place.lost.through;
    if (role !== 'voter' || isBehind || lacks || status?.role === 'joining') {
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
    for (const place of this.#lives.places) {
      if (!place.isDamaged) continue;
      await this.#lives.whileDown(place.id, () => this.#lives.empty(place.id));
      this.#lives.start(place.id);
    }
  }

  /**
   * A leader goes on from where it knows a follower to be, also when that has gone back: only the
   * next leader asks anew. So leadership is handed on as long as that is needed.
   */
  #helpThoseGoneBack(leader: StatusReport): void {
    const { now, observer } = this.#parts;
    const goneBack = this.#lives.places.filter(({ id, lost }) => {
      return (observer.status(id)?.appliedIndex ?? 0) < (lost?.through ?? 0);
    });
    if (goneBack.length === 0 || now() - this.#handedOnMs < HAND_ON_MS) return;
    const isBack = (id: string): boolean => goneBack.some((place) => place.id === id);
    const to = this.founders.find((id) => id !== leader.id && !isBack(id));
    if (to === undefined) return;
    this.#handedOnMs = now();
    this.transfer(to);
  }

  /** What is under way fails, and nothing more is begun. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#lives.stop();
    const admin = await this.#admin?.catch(() => undefined);
    await admin?.close();
    await Promise.all(this.#doing);
  }
}
