/** A node's disk as one of its lives sees it. After that life nothing reaches the disk. */
import { HoldfastError } from '../../src/base/index.ts';
import type { BlockChange, BlockMedium, RecordName } from '../../src/log-store/index.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export class SimulatedMedium implements BlockMedium {
  readonly kind = 'simulated';
  readonly #disk: SimulatedDisk;
  readonly #life: Life;
  readonly #world: World;

  constructor(disk: SimulatedDisk, life: Life, world: World) {
    this.#disk = disk;
    this.#life = life;
    this.#world = world;
  }

  async open(identity: Uint8Array): Promise<readonly string[]> {
    await this.#step(() => {
      const isBroken = this.#disk.trouble?.type === 'error';
      if (isBroken) throw new HoldfastError('disk-failed', systemError('EIO').message);
    });
    this.#world.wakeFully();
    const { records } = this.#disk.image;
    if (!records.has('identity')) records.set('identity', identity);
    if (!this.#disk.tornTail) return [];
    this.#disk.tornTail = false;
    return ['a torn write at the end was dropped'];
  }

  getRecord(name: RecordName): Uint8Array | undefined {
    return this.#disk.image.records.get(name);
  }

  scanBlocks(visit: (first: number, bytes: Uint8Array) => void): void {
    const { blocks } = this.#disk.image;
    for (const first of [...blocks.keys()].toSorted((a, b) => a - b)) {
      visit(first, blocks.get(first)!);
    }
  }

  readBlock(first: number): Uint8Array | undefined {
    return this.#disk.image.blocks.get(first);
  }

  commit(change: BlockChange): void | Promise<void> {
    const disk = this.#disk;
    disk.pending = { change };
    return this.#step(() => {
      disk.pending = undefined;
      this.#failIfTroubled(() => disk.commit(change));
      disk.commit(change);
    });
  }

  snapshotIds(): readonly number[] {
    return [...this.#disk.image.chunks.keys()];
  }

  putChunk(id: number, position: number, bytes: Uint8Array): void | Promise<void> {
    return this.#step(() => {
      this.#failIfTroubled(() => {});
      this.#disk.putChunk(id, position, bytes);
    });
  }

  readChunk(id: number, position: number): Uint8Array | undefined {
    return this.#disk.image.chunks.get(id)?.get(position);
  }

  deleteChunks(id: number): undefined {
    if (!this.#life.over) this.#disk.deleteChunks(id);
  }

  close(): undefined {}

  destroy(): undefined {
    this.#disk.replace(undefined);
  }

  #failIfTroubled(writeAllTheSame: () => void): void {
    const { trouble } = this.#disk;
    if (trouble?.type === 'full') throw systemError('ENOSPC');
    if (trouble?.type !== 'error') return;
    if (trouble.written) writeAllTheSame();
    throw systemError('EIO');
  }

  /**
   * Carries out one step on the disk once its time has passed. A synchronous disk has its node
   * stand still afterwards instead, unless it is stuck, where that would be for ever.
   */
  #step(work: () => void): void | Promise<void> {
    const disk = this.#disk;
    if (this.#life.over) return new Promise(() => {});
    const latencyMs = disk.latencyMs();
    if (disk.options.isSynchronous && disk.trouble?.type !== 'stuck') {
      this.#life.stalledUntil = Math.max(this.#life.stalledUntil, this.#world.now + latencyMs);
      return work();
    }
    return new Promise((resolve, reject) => {
      this.#world.after(latencyMs, () => {
        if (!this.#life.over) disk.whenFree(() => this.#finish(work, resolve, reject));
      });
    });
  }

  /** The disk does its part also while the process stands still, which hears of it later. */
  #finish(work: () => void, resolve: () => void, reject: (error: unknown) => void): void {
    let tell = resolve;
    try {
      work();
    } catch (error) {
      tell = () => reject(error);
    }
    this.#life.run(() => {
      this.#world.wake();
      tell();
    });
  }
}

function systemError(code: 'EIO' | 'ENOSPC'): Error {
  const message = code === 'EIO' ? 'i/o error' : 'no space left on device';
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
