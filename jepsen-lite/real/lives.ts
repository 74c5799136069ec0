/** The lives of a cluster's processes: begun, ended, held back; those that end by themselves. */
import { rm } from 'node:fs/promises';
import type { Violations } from '../simulation/violations.ts';
import type { DiskTroubles } from './disk-troubles.ts';
import type { Observer } from './observer.ts';
import type { ProcessCluster } from './process-cluster.ts';
import { tearTail } from './surgery.ts';

/** A node that stopped by itself is started again after so long. */
const RESTART_MS = 800;
const CORRUPT = 'corrupt-data';
/** Ports are chosen before they are used: another program may have been quicker. */
const PORT_TAKEN = 'address-in-use';

/** Where a node is, whatever process runs there. */
export interface Place {
  readonly id: string;
  readonly isFounder: boolean;
  /** Its process was ended from here, so its end says nothing. */
  isEnded: boolean;
  isPaused: boolean;
  /** Somebody works on its files: it may not be started. */
  isHeld: boolean;
  /** Its files were tampered with since they were last made. */
  isDamaged: boolean;
  /** All it had stored was taken away since it ran last. */
  isEmptied: boolean;
  /** Its disk is not the one it is known by. */
  lost: LostDisk | undefined;
  /** It was removed, or never was a member, and takes part only as one that joins. */
  isJoining: boolean;
}

export interface LostDisk {
  /** Since when it seems to be what it was, again. */
  steadySinceMs: number | undefined;
  /** What its log reached, and has to reach again. */
  readonly through: number;
}

/** All is gone. */
export function lostWhole(): LostDisk {
  return { steadySinceMs: undefined, through: 0 };
}

export interface LivesParts {
  readonly cluster: ProcessCluster;
  readonly founders: number;
  readonly observer: Observer;
  readonly troubles: DiskTroubles;
  readonly violations: Violations;
  readonly now: () => number;
  readonly random: () => number;
}

/** Whether a process that ended by itself says that it did so for what it found in its files. */
export function tellsOfDamage(said: string): boolean {
  return said.includes(CORRUPT);
}

export class Lives {
  readonly #parts: LivesParts;
  readonly #places: ReadonlyMap<string, Place>;
  /** Nobody is helped any more while their failures are permanent. */
  #left: ReadonlySet<string> = new Set();
  #isOver = false;

  constructor(parts: LivesParts) {
    this.#parts = parts;
    this.#places = new Map(
      parts.cluster.ids.map((id, i) => {
        const isFounder = i < parts.founders;
        const sound = { isDamaged: false, isEmptied: false, lost: undefined };
        const fresh = { isEnded: false, isPaused: false, isHeld: false };
        return [id, { ...fresh, ...sound, id, isFounder, isJoining: !isFounder }];
      }),
    );
  }

  get places(): readonly Place[] {
    return [...this.#places.values()];
  }

  get founders(): string[] {
    return this.places.flatMap(({ id, isFounder }) => (isFounder ? [id] : []));
  }

  place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`there is no node ${id}`);
    return place;
  }

  start(id: string): void {
    const place = this.place(id);
    if (this.#isOver || place.isHeld || this.#parts.cluster.isRunning(id)) return;
    place.isEnded = false;
    place.isPaused = false;
    // One that joins has nothing to lose, whatever way it lost it.
    if (place.isEmptied && !place.isJoining) this.#parts.observer.sometimes.met('nodeWiped');
    place.isEmptied = false;
    this.#parts.cluster.startNode(id, place.isJoining);
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'up');
  }

  /** Ends the process at once; `tears`: and leaves a torn write at the end of its journal. */
  async kill(id: string, tears = false): Promise<void> {
    const place = this.place(id);
    const { cluster, observer, now, random } = this.#parts;
    if (!cluster.isRunning(id)) return;
    place.isEnded = true;
    place.isPaused = false;
    observer.timeline(id).life(now(), 'down');
    await cluster.signal(id, 'SIGKILL');
    if (tears && tearTail(cluster.directory(id), random)) observer.sometimes.met('tornTail');
  }

  /** Ends the process and keeps it down while its files are worked on. */
  async whileDown(id: string, work: () => void | Promise<void>): Promise<void> {
    const place = this.place(id);
    if (place.isHeld) return;
    place.isHeld = true;
    try {
      await this.kill(id);
      await work();
    } finally {
      place.isHeld = false;
    }
  }

  async pause(id: string): Promise<void> {
    this.place(id).isPaused = true;
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'paused');
    this.#parts.observer.sometimes.met('processPaused');
    await this.#parts.cluster.signal(id, 'SIGSTOP');
  }

  async goOn(id: string): Promise<void> {
    const place = this.place(id);
    if (!place.isPaused) return;
    place.isPaused = false;
    this.#parts.observer.timeline(id).life(this.#parts.now(), 'up');
    await this.#parts.cluster.signal(id, 'SIGCONT');
  }

  /** To be called when a process is gone. */
  exited(id: string, code: number | null): void {
    const place = this.place(id);
    if (place.isEnded || this.#isOver) return;
    const { cluster, observer, violations, troubles, now } = this.#parts;
    observer.timeline(id).life(now(), 'down');
    const said = cluster.log(id).slice(-5).join(' | ');
    const isExpected = place.isJoining || said.includes(PORT_TAKEN) || troubles.excuses(id, said);
    if (tellsOfDamage(said)) this.#foundDamage(place, said);
    else if (!isExpected) {
      violations.report('node-died', `${id} stopped by itself (code ${code}): ${said}`, [id]);
    }
    setTimeout(() => {
      if (!this.#left.has(id) && (place.isFounder || this.#isMember(id))) this.start(id);
    }, RESTART_MS).unref();
  }

  #foundDamage(place: Place, said: string): void {
    const { observer, violations, now } = this.#parts;
    const { id } = place;
    if (!place.isDamaged) {
      violations.report('durability', `${id} found damage where none was done: ${said}`, [id]);
    }
    observer.sometimes.met('damageFound');
    observer.timeline(id).disk(now(), 'damaged');
    void this.whileDown(id, () => this.empty(id));
  }

  /** Takes away all that a node that is down has stored. */
  async empty(id: string): Promise<void> {
    const place = this.place(id);
    await rm(this.#parts.cluster.directory(id), { recursive: true, force: true });
    place.isDamaged = false;
    place.isEmptied = true;
    place.lost = lostWhole();
    this.#parts.observer.timeline(id).disk(this.#parts.now(), 'wiped');
  }

  #isMember(id: string): boolean {
    return this.#parts.observer.leader()?.members.some((member) => member.id === id) === true;
  }

  /** Whatever happens to these, nobody helps. */
  leave(ids: readonly string[]): void {
    this.#left = new Set(ids);
  }

  /** Everything a node may suffer from ends, and it runs. */
  async heal(id: string): Promise<void> {
    const { troubles, observer, cluster, now } = this.#parts;
    const place = this.place(id);
    await this.goOn(id);
    if (troubles.heal(id)) observer.timeline(id).disk(now(), 'ok');
    cluster.tell(id, { type: 'clockRate', rate: 1 });
    if (place.isFounder) this.start(id);
  }

  stop(): void {
    this.#isOver = true;
    for (const { id } of this.places) this.#parts.troubles.heal(id);
  }
}
