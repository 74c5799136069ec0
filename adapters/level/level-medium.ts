/** A log's blocks, records and snapshot chunks as keys of one LevelDB. */
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
import { beginCreation, directoryState, endCreation, releaseDirectory } from './marker.ts';
import { findTableDamage } from './table-check.ts';

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
  /** The first write that failed. */
  #failure: HoldfastError | undefined;

  constructor(options: LevelMediumOptions) {
    this.#options = options;
  }

  get #open(): ClassicLevel<Buffer, Buffer> {
    if (this.#db === undefined) throw new HoldfastError('closed', 'the database is closed');
    return this.#db;
  }

  async open(identity: Uint8Array): Promise<readonly string[]> {
    const { path } = this.#options;
    const state = directoryState(path);
    if (state === 'store') await this.#checkFiles();
    if (state === 'absent') beginCreation(path);
    // Fails when another process is creating it right now.
    if (state === 'unfinished') await this.#destroyFiles();
    this.#failure = undefined;
    this.#untidy = nothingUntidy();
    this.#db = await this.#openFiles();
    if (state === 'store') return [];
    await this.#write([this.#put(recordKey('identity'), identity)]);
    endCreation(path);
    return state === 'absent' ? [] : ['an unfinished creation was begun anew'];
  }

  /** Before LevelDB opens, which may pass over damage, or tidy it away. */
  async #checkFiles(): Promise<void> {
    const { path } = this.#options;
    let damage: HoldfastError | undefined;
    try {
      damage = findLogDamage(path) ?? (await findTableDamage(path));
    } catch (error) {
      throw unusablePlace(path, error);
    }
    if (damage !== undefined) throw damage;
  }

  async #openFiles(): Promise<ClassicLevel<Buffer, Buffer>> {
    const { path } = this.#options;
    const db = new ClassicLevel<Buffer, Buffer>(path, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      compression: false,
      writeBufferSize: WRITE_BUFFER_BYTES,
      maxFileSize: TABLE_BYTES,
      cacheSize: CACHE_BYTES,
    });
    try {
      await db.open();
      return db;
    } catch (error) {
      const mapped = asHoldfastError(error, path);
      throw mapped.code === 'disk-failed' ? unusablePlace(path, error) : mapped;
    }
  }

  #put(key: Buffer, bytes: Uint8Array): Batch {
    return { type: 'put', key, value: asBuffer(bytes) };
  }

  /**
   * After a failed write LevelDB's log may end in the middle of a record, and what would be
   * appended could not be read back. So nothing is written any more until it is opened anew.
   */
  #write(batch: Batch[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { sync } = this.#options;
    return this.#open.batch(batch, { sync }).catch((error: unknown) => {
      this.#failure ??= asHoldfastError(error, this.#options.path);
      throw this.#failure;
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
   * Deleting only marks keys; what they held stays until tables are rewritten. Asks for that now
   * and then, in the background. A failure shows in the next write.
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
    // Synced like any write: LevelDB may change log files, and a later sync reaches only the
    // newest.
    return this.#write([this.#put(chunkKey(id, position), bytes)]);
  }

  readChunk(id: number, position: number): Uint8Array | undefined {
    return this.#get(chunkKey(id, position));
  }

  async deleteChunks(id: number): Promise<void> {
    const keys = await this.#open.keys(chunksOf(id)).all();
    // Synced too: if a crash kept a later write and not this one, this would look like damage.
    await this.#write(keys.map((key) => ({ type: 'del', key })));
  }

  async close(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    await this.#tidying;
    if (db === undefined) return;
    if (this.#failure === undefined) {
      const { sync } = this.#options;
      // Only marks the end; without it nothing is lost but a way to notice damage.
      await db.put(CLOSING_KEY, Buffer.alloc(0), { sync }).catch(() => undefined);
    }
    await db.close();
  }

  async #destroyFiles(): Promise<void> {
    try {
      await ClassicLevel.destroy(this.#options.path);
    } catch (error) {
      throw asHoldfastError(error, this.#options.path);
    }
  }

  async destroy(): Promise<void> {
    const { path } = this.#options;
    if (directoryState(path) === 'absent') return;
    await this.#destroyFiles();
    releaseDirectory(path);
  }
}
