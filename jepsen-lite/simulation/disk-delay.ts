/**
 * Gives a real store the time and the troubles of a simulated disk. The store itself works in one
 * moment of virtual time: somewhere within the write's latency, so that a crash finds it before or
 * after, and unacknowledged either way.
 */
import { HoldfastError } from '../../src/base/index.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

const NO_CHANGE = { records: [], removed: [], added: [] };

export class DiskDelay {
  readonly #disk: SimulatedDisk;
  readonly #life: Life;
  readonly #world: World;
  #last: Promise<unknown> = Promise.resolve();
  /** As a store is after a failure, until it is opened anew. */
  #poison: HoldfastError | undefined;

  constructor(disk: SimulatedDisk, life: Life, world: World) {
    this.#disk = disk;
    this.#life = life;
    this.#world = world;
  }

  /** The store is opened, be it for the first time or anew after a failure. */
  opening(): void {
    this.#poison = undefined;
  }

  /** One write after another, each with its latency around it. */
  write(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(() => this.#write(work));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #write(work: () => Promise<void>): Promise<void> {
    const disk = this.#disk;
    if (this.#poison !== undefined) throw this.#poison;
    const latencyMs = disk.latencyMs();
    const beforeMs = latencyMs * disk.dice.random();
    disk.pending = { change: NO_CHANGE };
    await this.pass(beforeMs);
    this.#poison = this.#trouble();
    const isWritten = disk.trouble?.type === 'error' && disk.trouble.written;
    if (this.#poison === undefined || isWritten) await work();
    await this.pass(latencyMs - beforeMs);
    disk.pending = undefined;
    if (this.#poison !== undefined) throw this.#poison;
  }

  #trouble(): HoldfastError | undefined {
    const type = this.#disk.trouble?.type;
    if (type === 'full') return new HoldfastError('disk-full', 'no space left on device');
    return type === 'error' ? new HoldfastError('disk-failed', 'i/o error') : undefined;
  }

  /** Lets so much time pass, and more while the disk is stuck. Never over once the life is. */
  pass(ms: number = this.#disk.latencyMs()): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#life.run(() => {
          this.#world.wakeFully();
          resolve();
        });
      };
      this.#world.after(ms, () => {
        if (!this.#life.over) this.#disk.whenFree(goOn);
      });
    });
  }
}
