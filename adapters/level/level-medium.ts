/** A log's blocks, records and snapshot chunks as keys of one LevelDB. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { HoldfastError } from '../../src/base/index.ts';
import { corruptData, messageOf, unusablePlace } from '../../src/log-store/index.ts';
import type { BlockChange, BlockMedium, KeyRange, RecordName } from '../../src/log-store/index.ts';
import {
  ALL_BLOCKS,
  ALL_CHUNKS,
  CLOSING_KEY,
  blockKey,
  blockOfKey,
  chunkKey,
  chunksOf,
  recordKey,
  snapshotOfKey,
} from './keys.ts';
import { findLogDamage } from './log-check.ts';
import { claimDirectory, isStore, releaseDirectory } from './marker.ts';

/** What LevelDB gathers in memory and in its log before it writes a table. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const TABLE_BYTES = 16 * 1024 * 1024;
const CACHE_BYTES = 4 * 1024 * 1024;
/** Blocks removed from the front before their space is asked back. */
const TIDY_AFTER_BLOCKS = 256;

type Batch =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer };

export interface LevelMediumOptions {
  readonly path: string;
  /** LevelDB's write option: whether a write waits for its fsync. */
  readonly sync: boolean;
}

interface Untidy {
  blocks: number;
  from: number;
  through: number;
}

function nothingUntidy(): Untidy {
  return { blocks: 0, from: Number.MAX_SAFE_INTEGER, through: 0 };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function asHoldfastError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  // An open that fails says so in general, and why in its cause.
  const cause = error instanceof Error && codeOf(error.cause) !== undefined ? error.cause : error;
  const code = codeOf(cause);
  const message = messageOf(cause);
  if (code === 'LEVEL_LOCKED') {
    return new HoldfastError('data-in-use', `another process has ${path} open; stop it first`, {
      cause,
    });
  }
  if (code === 'LEVEL_CORRUPTION') return corruptData('entry', `${path}: ${message}`);
  const isFull = /No space left/.test(message);
  return new HoldfastError(isFull ? 'disk-full' : 'disk-failed', `${path}: ${message}`, {
    cause,
    outcome: 'unknown',
  });
}

export class LevelMedium implements BlockMedium {
  readonly kind = 'level';
  readonly #options: LevelMediumOptions;
  #db: ClassicLevel<Buffer, Buffer> | undefined;
  /** Removed since the last compaction. */
  #untidy: Untidy = nothingUntidy();
  /** A compaction under way, which closing waits for. */
  #tidying: Promise<void> | undefined;

  constructor(options: LevelMediumOptions) {
    this.#options = options;
  }

  get #open(): ClassicLevel<Buffer, Buffer> {
    if (this.#db === undefined) throw new HoldfastError('closed', 'the database is closed');
    return this.#db;
  }

  async open(identity: Uint8Array): Promise<readonly string[]> {
    const { path } = this.#options;
    const existed = claimDirectory(path);
    const damage = existed ? findLogDamage(path) : undefined;
    if (damage !== undefined) throw damage;
    const db = new ClassicLevel<Buffer, Buffer>(path, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      compression: false,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxFileSize: TABLE_BYTES,
      cacheSize: CACHE_BYTES,
    });
    const wasCreated = existsSync(join(path, 'CURRENT'));
    try {
      await db.open();
    } catch (error) {
      const mapped = asHoldfastError(error, path);
      throw mapped.code === 'disk-failed' ? unusablePlace(path, error) : mapped;
    }
    this.#db = db;
    this.#untidy = nothingUntidy();
    const isEmpty = (await db.keys({ limit: 1 }).all()).length === 0;
    if (isEmpty) await this.#write([this.#put(recordKey('identity'), identity)]);
    return existed && !wasCreated ? ['an unfinished creation was finished'] : [];
  }

  #put(key: Buffer, bytes: Uint8Array): Batch {
    return { type: 'put', key, value: asBuffer(bytes) };
  }

  #write(batch: Batch[]): Promise<void> {
    const { sync, path } = this.#options;
    return this.#open.batch(batch, { sync }).catch((error: unknown) => {
      throw asHoldfastError(error, path);
    });
  }

  #get(key: Buffer): Buffer | undefined {
    try {
      return this.#open.getSync(key);
    } catch (error) {
      throw asHoldfastError(error, this.#options.path);
    }
  }

  getRecord(name: RecordName): Uint8Array | undefined {
    return this.#get(recordKey(name));
  }

  async scanBlocks(visit: (first: number, bytes: Uint8Array) => void): Promise<void> {
    try {
      for await (const [key, bytes] of this.#open.iterator(ALL_BLOCKS)) {
        visit(blockOfKey(key), bytes);
      }
    } catch (error) {
      throw asHoldfastError(error, this.#options.path);
    }
  }

  readBlock(first: number): Uint8Array | undefined {
    return this.#get(blockKey(first));
  }

  commit(change: BlockChange): Promise<void> {
    const batch: Batch[] = [];
    for (const { name, bytes } of change.records) batch.push(this.#put(recordKey(name), bytes));
    for (const { keys } of change.removed) {
      for (const first of keys) batch.push({ type: 'del', key: blockKey(first) });
    }
    for (const { first, bytes } of change.added) batch.push(this.#put(blockKey(first), bytes));
    const written = this.#write(batch);
    return change.removed.length === 0 ? written : written.then(() => this.#tidy(change.removed));
  }

  /**
   * Deleting only marks keys; what they held stays until tables are rewritten. Asks for that now and
   * then, in the background. A failure shows in the next write.
   */
  #tidy(removed: readonly KeyRange[]): void {
    for (const { from, through, keys } of removed) {
      this.#untidy.blocks += keys.length;
      this.#untidy.from = Math.min(this.#untidy.from, from);
      this.#untidy.through = Math.max(this.#untidy.through, through);
    }
    const { blocks, from, through } = this.#untidy;
    if (blocks < TIDY_AFTER_BLOCKS || this.#tidying !== undefined || this.#db === undefined) return;
    this.#untidy = nothingUntidy();
    const over = (): void => {
      this.#tidying = undefined;
    };
    this.#tidying = this.#db.compactRange(blockKey(from), blockKey(through + 1)).then(over, over);
  }

  async snapshotIds(): Promise<readonly number[]> {
    const ids = new Set<number>();
    for await (const key of this.#open.keys(ALL_CHUNKS)) ids.add(snapshotOfKey(key));
    return [...ids];
  }

  putChunk(id: number, position: number, bytes: Uint8Array): Promise<void> {
    // Synced like any write: LevelDB may change log files, and a later sync reaches only the newest.
    return this.#write([this.#put(chunkKey(id, position), bytes)]);
  }

  readChunk(id: number, position: number): Uint8Array | undefined {
    return this.#get(chunkKey(id, position));
  }

  async deleteChunks(id: number): Promise<void> {
    const keys = await this.#open.keys(chunksOf(id)).all();
    const batch = keys.map((key): Batch => ({ type: 'del', key }));
    await this.#open.batch(batch).catch((error: unknown) => {
      throw asHoldfastError(error, this.#options.path);
    });
  }

  async close(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    await this.#tidying;
    if (db?.status !== 'open') return;
    // When the disk has failed this write fails too, and closing is all that is left to do.
    await db.put(CLOSING_KEY, Buffer.alloc(0), { sync: this.#options.sync }).catch(() => undefined);
    await db.close();
  }

  async destroy(): Promise<void> {
    const { path } = this.#options;
    if (!isStore(path)) return;
    try {
      await ClassicLevel.destroy(path);
    } catch (error) {
      throw asHoldfastError(error, path);
    }
    releaseDirectory(path);
  }
}
