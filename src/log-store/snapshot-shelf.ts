/** Snapshots of one open store: staged chunk by chunk, made current at once, kept while read. */
import { ByteWriter } from '../base/index.ts';
import type { SnapshotMeta } from '../raft/index.ts';
import type { LogBackend } from './backend.ts';
import type { SnapshotReader } from './contract.ts';
import { closedStore, invalidArgument, messageOf, readingRecord } from './errors.ts';
import type { StoredSnapshot } from './record-codec.ts';

/** Every chunk of a stored snapshot but its last has this many bytes. */
export const CHUNK_BYTES: number = 256 * 1024;

/** The same bytes in pieces of `CHUNK_BYTES`, each in a buffer of its own. */
async function* inChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // It grows: many a snapshot is far smaller than a chunk.
  let chunk = new ByteWriter();
  for await (const bytes of source) {
    let used = 0;
    while (used < bytes.length) {
      const part = bytes.subarray(used, used + CHUNK_BYTES - chunk.length);
      chunk.raw(part);
      used += part.length;
      if (chunk.length < CHUNK_BYTES) continue;
      yield chunk.finish();
      chunk = new ByteWriter(CHUNK_BYTES);
    }
  }
  if (chunk.length > 0) yield chunk.finish().slice();
}

/** How many chunks a snapshot of `size` bytes has. */
export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_BYTES);
}

export class SnapshotShelf {
  readonly #backend: LogBackend;
  #current: StoredSnapshot | undefined;
  #nextId: number;
  /** Snapshots that are no longer current. */
  readonly #superseded = new Set<number>();
  #open = true;
  /** Open readers of each snapshot. */
  readonly #readers = new Map<number, number>();
  /** Steps on the medium under way. */
  readonly #steps = new Set<Promise<void>>();

  constructor(backend: LogBackend, current: StoredSnapshot | undefined, nextId: number) {
    this.#backend = backend;
    this.#current = current;
    this.#nextId = nextId;
  }

  get current(): SnapshotMeta | undefined {
    return this.#current?.meta;
  }

  /** Throws when `meta` is older than the current snapshot, or the store is closing. */
  refuseOlder(meta: SnapshotMeta): void {
    if (!this.#open) throw closedStore();
    const current = this.#current?.meta;
    if (current !== undefined && meta.index < current.index) {
      throw invalidArgument(`snapshot ${meta.index} is older than the current ${current.index}`);
    }
  }

  /** Puts the chunks where `commit` can make them current. Leaves nothing when it rejects. */
  async stage(meta: SnapshotMeta, source: AsyncIterable<Uint8Array>): Promise<StoredSnapshot> {
    this.refuseOlder(meta);
    const id = this.#nextId++;
    let size = 0;
    let position = 0;
    try {
      for await (const chunk of inChunks(source)) {
        if (!this.#open) throw closedStore();
        await this.#step(() => this.#backend.putChunk(id, position, chunk));
        size += chunk.length;
        position++;
      }
    } catch (error) {
      await this.drop(id);
      throw error;
    }
    return { id, size, meta };
  }

  /** The staged snapshot is durably current now. */
  replace(snapshot: StoredSnapshot): void {
    if (this.#current !== undefined) this.#superseded.add(this.#current.id);
    this.#current = snapshot;
  }

  /** Removes the superseded snapshots that nobody reads. */
  async dropUnused(): Promise<void> {
    for (const id of this.#superseded) {
      if (this.#readers.has(id)) continue;
      this.#superseded.delete(id);
      await this.drop(id);
    }
  }

  /** Removes chunks as well as it can: what stays is removed when the store is next opened. */
  async drop(id: number): Promise<void> {
    if (!this.#open) return;
    try {
      await this.#step(() => this.#backend.deleteChunks(id));
    } catch {
      // Left-over chunks cost space, never correctness.
    }
  }

  openCurrent(): SnapshotReader | undefined {
    const snapshot = this.#current;
    if (snapshot === undefined) return undefined;
    const { id, size, meta } = snapshot;
    this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    let reading = true;
    return {
      meta,
      size,
      read: async (offset, length) => {
        if (!reading || !this.#open) throw closedStore();
        return this.#read(snapshot, offset, length);
      },
      close: async () => {
        if (!reading) return;
        reading = false;
        await this.#unpin(id);
      },
    };
  }

  /** No step begins after this; resolves when those under way are over. */
  async close(): Promise<void> {
    this.#open = false;
    await Promise.allSettled(this.#steps);
  }

  #step(work: () => void | Promise<void>): Promise<void> | undefined {
    const pending = work();
    if (pending === undefined) return undefined;
    this.#steps.add(pending);
    const over = (): void => {
      this.#steps.delete(pending);
    };
    pending.then(over, over);
    return pending;
  }

  async #unpin(id: number): Promise<void> {
    const left = this.#readers.get(id)! - 1;
    if (left > 0) {
      this.#readers.set(id, left);
      return;
    }
    this.#readers.delete(id);
    await this.dropUnused();
  }

  #read(snapshot: StoredSnapshot, offset: number, length: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length >= 0)) {
      throw invalidArgument(`cannot read ${length} bytes at ${offset} of a snapshot`);
    }
    const bytes = new Uint8Array(Math.max(0, Math.min(length, snapshot.size - offset)));
    let filled = 0;
    while (filled < bytes.length) {
      const at = offset + filled;
      const position = Math.floor(at / CHUNK_BYTES);
      const chunk = this.#chunkAt(snapshot.id, position, at);
      const part = chunk.subarray(at % CHUNK_BYTES).subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  #chunkAt(id: number, position: number, offset: number): Uint8Array {
    return readingRecord('snapshot', () => {
      try {
        return this.#backend.readChunk(id, position);
      } catch (error) {
        throw new Error(`at offset ${offset}: ${messageOf(error)}`, { cause: error });
      }
    });
  }
}
