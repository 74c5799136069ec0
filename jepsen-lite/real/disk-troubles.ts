/**
 * Disks that are slow, stuck, full or fail while their nodes run: a library between the process and
 * the C library meets the calls of SQLite and LevelDB themselves. What is already in the system's
 * cache stays.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DiskFault } from '../faults/fault.ts';
import type { NodeDisk } from '../simulation/run-record.ts';
import type { DiskShim, Trouble } from './disk-shim/shim.ts';
import { setTrouble, troubleHits } from './disk-shim/shim.ts';
import type { Observer } from './observer.ts';
import { nothing, type OperatorEffect } from './operator-effect.ts';

/** How long a crash waits for a call that it can fall into. */
const PENDING_MS = 300;
const POLL_MS = 2;
/** What a node may say when it ends because of its disk, be it when it starts. */
const DISK_TROUBLE = /\b(disk-failed|disk-full|data-directory)\b/;
const STATES: Readonly<Record<DiskFault['how']['type'], NodeDisk>> = {
  slow: 'slow',
  stuck: 'stuck',
  error: 'failing',
  full: 'full',
};

interface Disk {
  trouble: Trouble | undefined;
  /** There was trouble in the life of its process. */
  wasTroubled: boolean;
}

export class DiskTroubles {
  readonly #home: string;
  readonly #shim: DiskShim | string;
  readonly #disks = new Map<string, Disk>();

  /**
   * @param home where each node has its directory
   * @param shim or why there is none
   */
  constructor(home: string, shim: DiskShim | string) {
    this.#home = home;
    this.#shim = shim;
  }

  /** Why disks cannot be made to misbehave. */
  get whyNot(): string | undefined {
    return typeof this.#shim === 'string' ? this.#shim : undefined;
  }

  #disk(id: string): Disk {
    const disk = this.#disks.get(id) ?? { trouble: undefined, wasTroubled: false };
    this.#disks.set(id, disk);
    return disk;
  }

  #file(id: string): string {
    return join(this.#home, `${id}.trouble`);
  }

  /** For a process that is about to start. */
  environmentOf(id: string): Record<string, string> {
    const disk = this.#disk(id);
    disk.wasTroubled = disk.trouble !== undefined;
    if (typeof this.#shim === 'string') return {};
    const directory = join(this.#home, id);
    return this.#shim.environment({ directory, troubleFile: this.#file(id) });
  }

  begin(id: string, how: DiskFault['how'], observer: Observer, now: () => number): OperatorEffect {
    if (typeof this.#shim === 'string') return nothing(this.#shim);
    const before = troubleHits(this.#file(id));
    this.#set(id, how);
    observer.timeline(id).disk(now(), STATES[how.type]);
    const undo = (): void => {
      // Another one may have taken its place.
      if (this.#disk(id).trouble !== how) return;
      this.heal(id);
      observer.timeline(id).disk(now(), 'ok');
      const hits = troubleHits(this.#file(id)) - before;
      if (hits > 0 && how.type === 'error') observer.sometimes.met('writeFailed');
    };
    return { targets: [id], undo };
  }

  /** Tells whether there was trouble. */
  heal(id: string): boolean {
    if (this.#disk(id).trouble === undefined) return false;
    this.#set(id, undefined);
    return true;
  }

  #set(id: string, how: Trouble | undefined): void {
    const disk = this.#disk(id);
    disk.trouble = how;
    disk.wasTroubled = true;
    setTrouble(this.#file(id), how);
  }

  /** Whether what a node said when it ended by itself was to be expected of it. */
  excuses(id: string, said: string): boolean {
    return this.#disk(id).wasTroubled && DISK_TROUBLE.test(said);
  }

  /**
   * Holds the node back in the middle of its next write, or (`synced`) of the sync after it, as
   * long as `use` takes; tells whether there was one.
   */
  async whilePending(
    id: string,
    synced: boolean,
    use: () => Promise<void>,
    patienceMs: number = PENDING_MS,
  ): Promise<boolean> {
    const disk = this.#disk(id);
    const isPossible = typeof this.#shim !== 'string' && disk.trouble === undefined;
    const file = this.#file(id);
    const before = troubleHits(file);
    const isMet = (): boolean => troubleHits(file) > before;
    if (isPossible) {
      this.#set(id, { type: synced ? 'stuckSync' : 'stuck' });
      const deadline = performance.now() + patienceMs;
      while (!isMet() && performance.now() < deadline) await sleep(POLL_MS);
    }
    const wasMet = isPossible && isMet();
    await use();
    if (isPossible) this.heal(id);
    return wasMet;
  }
}
