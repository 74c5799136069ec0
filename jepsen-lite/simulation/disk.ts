/**
 * What survives a node's lives: the encoded records, blocks and chunks of a `BlockBackend`, as a
 * disk with a page cache holds them. A commit is atomic and durable once it is over, as the real
 * stores' are; chunks of snapshots are durable only with the next commit.
 */
import type { BlockChange, RecordName } from '../../src/log-store/index.ts';
import type { Dice } from './random.ts';
import { withFlippedBit } from './frame-bytes.ts';

/** The bytes on the disk. They are never changed in place, so copies of the maps are images. */
export interface DiskImage {
  readonly records: Map<RecordName, Uint8Array>;
  readonly blocks: Map<number, Uint8Array>;
  /** By snapshot, then by position. */
  readonly chunks: Map<number, Map<number, Uint8Array>>;
}

function emptyImage(): DiskImage {
  return { records: new Map(), blocks: new Map(), chunks: new Map() };
}

function copyOf({ records, blocks, chunks }: DiskImage): DiskImage {
  return {
    records: new Map(records),
    blocks: new Map(blocks),
    chunks: new Map([...chunks].map(([id, pieces]) => [id, new Map(pieces)])),
  };
}

/** A write that has been asked for and is not durable yet. */
interface PendingCommit {
  readonly change: BlockChange;
}

export type DiskTrouble =
  | { readonly type: 'slow'; readonly latencyMs: number }
  | { readonly type: 'stuck' }
  | { readonly type: 'error'; readonly written: boolean }
  | { readonly type: 'full' };

/** Something stored that is not what was written. */
interface Damage {
  readonly what: string;
  /** Whether nothing has replaced or removed it since. */
  isThere(image: DiskImage): boolean;
}

export interface DiskOptions {
  /** Of a write, at least and at most. */
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** The process stands still while it writes, as with a synchronous driver. */
  readonly isSynchronous: boolean;
}

export class SimulatedDisk {
  readonly options: DiskOptions;
  readonly dice: Dice;
  image: DiskImage = emptyImage();
  trouble: DiskTrouble | undefined = undefined;
  pending: PendingCommit | undefined = undefined;
  /** What a torn write left to be dropped when the disk is next opened. */
  tornTail = false;
  /** The next commit that adds a block puts it in another one's place. */
  misdirectNext = false;
  #damage: Damage | undefined = undefined;
  #wasDamaged = false;
  /** Undoes what is in the page cache only, newest last. */
  #unsynced: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: DiskOptions, dice: Dice) {
    this.options = options;
    this.dice = dice;
  }

  /** What is stored wrongly and would be noticed if it were read; undefined if nothing is. */
  get damage(): string | undefined {
    if (this.#damage?.isThere(this.image) === false) this.#damage = undefined;
    return this.#damage?.what;
  }

  /** Something was stored wrongly since all of it was last read, be it gone by now. */
  get wasDamaged(): boolean {
    return this.#wasDamaged;
  }

  /** It was, or is about to be. */
  get mayBeDamaged(): boolean {
    return this.#wasDamaged || this.misdirectNext;
  }

  /** All of it was read, and is as it should be. */
  foundSound(): void {
    this.#wasDamaged = false;
  }

  #damaged(damage: Damage): void {
    this.#damage = damage;
    this.#wasDamaged = true;
  }

  latencyMs(): number {
    if (this.trouble?.type === 'slow') return this.trouble.latencyMs * this.dice.between(0.5, 1.5);
    return this.dice.between(this.options.minLatencyMs, this.options.maxLatencyMs);
  }

  /** Calls back once the disk is not stuck. */
  whenFree(go: () => void): void {
    if (this.trouble?.type === 'stuck') this.#waiting.push(go);
    else go();
  }

  set(trouble: DiskTrouble | undefined): void {
    this.trouble = trouble;
    if (trouble?.type === 'stuck') return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** All of it at once; with it the page cache is on disk too. */
  commit(change: BlockChange): void {
    const { records, blocks } = this.image;
    for (const { name, bytes } of change.records) records.set(name, bytes);
    for (const { keys } of change.removed) for (const key of keys) blocks.delete(key);
    for (const { first, bytes } of change.added) blocks.set(this.#placeOf(first, bytes), bytes);
    this.#unsynced = [];
  }

  #placeOf(first: number, bytes: Uint8Array): number {
    const others = this.misdirectNext ? [...this.image.blocks.keys()] : [];
    if (!this.misdirectNext || others.length === 0) return first;
    this.misdirectNext = false;
    const place = this.dice.pick(others);
    const isThere = (image: DiskImage): boolean => image.blocks.get(place) === bytes;
    this.#damaged({ what: `block ${first} in the place of block ${place}`, isThere });
    return place;
  }

  putChunk(id: number, position: number, bytes: Uint8Array): void {
    const { chunks } = this.image;
    const pieces = chunks.get(id) ?? new Map<number, Uint8Array>();
    chunks.set(id, pieces);
    pieces.set(position, bytes);
    this.#unsynced.push(() => pieces.delete(position));
  }

  deleteChunks(id: number): void {
    const { chunks } = this.image;
    const pieces = chunks.get(id);
    if (pieces === undefined) return;
    chunks.delete(id);
    this.#unsynced.push(() => chunks.set(id, pieces));
  }

  /**
   * The process is gone, and with the power what was not synced. A write under way may still have
   * been carried out, or be torn, or not have begun. True when something that was not synced is
   * lost.
   */
  crash(power: boolean): boolean {
    const { pending, dice } = this;
    this.#waiting = [];
    this.pending = undefined;
    // A commit that was carried out has synced all that was written before it.
    if (pending !== undefined && dice.chance(0.4)) this.commit(pending.change);
    else if (pending !== undefined && dice.chance(0.5)) this.tornTail = true;
    return power && this.#loseUnsynced();
  }

  #loseUnsynced(): boolean {
    const undo = this.#unsynced.toReversed();
    this.#unsynced = [];
    const everything = this.dice.chance(0.5);
    let lost = 0;
    for (const lose of undo) {
      if (!everything && this.dice.chance(0.5)) continue;
      lose();
      lost += 1;
    }
    return lost > 0;
  }

  /** Something is in the page cache only. */
  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  keepImage(): DiskImage {
    return copyOf(this.image);
  }

  /** Goes back to an earlier image, or to an empty disk. */
  replace(image: DiskImage | undefined): void {
    this.image = image ?? emptyImage();
    this.pending = undefined;
    this.tornTail = false;
    this.misdirectNext = false;
    this.#damage = undefined;
    this.#wasDamaged = false;
    this.#unsynced = [];
  }

  /** Flips one bit of all that is stored; says where, or undefined when nothing is stored. */
  flipBit(where: number): string | undefined {
    const stored = this.#storedValues();
    let left = where * stored.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const value of stored) {
      const { what, bytes } = value;
      if (left >= bytes.length) {
        left -= bytes.length;
        continue;
      }
      const flipped = withFlippedBit(bytes, left / bytes.length);
      value.put(flipped);
      this.#damaged({ what, isThere: (image) => value.get(image) === flipped });
      return what;
    }
    return undefined;
  }

  #storedValues(): StoredValue[] {
    const { records, blocks, chunks } = this.image;
    const values: StoredValue[] = [];
    for (const [name, bytes] of records) {
      const get = (image: DiskImage): Uint8Array | undefined => image.records.get(name);
      values.push({ what: name, bytes, get, put: (flipped) => records.set(name, flipped) });
    }
    for (const [first, bytes] of blocks) {
      const get = (image: DiskImage): Uint8Array | undefined => image.blocks.get(first);
      const put = (flipped: Uint8Array): unknown => blocks.set(first, flipped);
      values.push({ what: `block ${first}`, bytes, get, put });
    }
    for (const [id, pieces] of chunks) {
      for (const [position, bytes] of pieces) {
        const get = (image: DiskImage): Uint8Array | undefined =>
          image.chunks.get(id)?.get(position);
        const put = (flipped: Uint8Array): unknown => pieces.set(position, flipped);
        values.push({ what: `chunk ${position} of snapshot ${id}`, bytes, get, put });
      }
    }
    return values;
  }
}

interface StoredValue {
  readonly what: string;
  readonly bytes: Uint8Array;
  put(flipped: Uint8Array): unknown;
  get(image: DiskImage): Uint8Array | undefined;
}
