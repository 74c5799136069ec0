/** A log store without a disk: for tests, simulation, and clusters whose data may be lost. */
import { HoldfastError } from '../base/index.ts';
import type { Entry, Metadata } from '../raft/index.ts';
import type { LogBackend, LogChange, StoredState } from './backend.ts';
import { BackedLogStore } from './backed-log-store.ts';
import type { StoredSnapshot } from './record-codec.ts';

/** Entries a compaction leaves in the array before it is cut for real. */
const MIN_DEAD_ENTRIES = 1024;

class MemoryBackend implements LogBackend {
  readonly kind = 'memory';
  #storeId: string | undefined;
  #metadata: Metadata | undefined;
  #snapshot: StoredSnapshot | undefined;
  /** The log from `#dead` on; what stands before was compacted away. */
  #entries: Entry[] = [];
  #dead = 0;
  readonly #chunks = new Map<number, Uint8Array[]>();

  open(newStoreId: string, visit: (entry: Entry) => void): StoredState {
    this.#storeId ??= newStoreId;
    for (let at = this.#dead; at < this.#entries.length; at++) visit(this.#entries[at]!);
    let nextSnapshotId = (this.#snapshot?.id ?? 0) + 1;
    for (const id of this.#chunks.keys()) {
      nextSnapshotId = Math.max(nextSnapshotId, id + 1);
      if (id !== this.#snapshot?.id) this.#chunks.delete(id);
    }
    return {
      storeId: this.#storeId,
      metadata: this.#metadata,
      snapshot: this.#snapshot,
      nextSnapshotId,
      repaired: [],
    };
  }

  /** Where in the array an index held stands. */
  #place(index: number): number {
    return this.#dead + index - this.#entries[this.#dead]!.index;
  }

  commit(change: LogChange): undefined {
    if (change.metadata !== undefined) this.#metadata = change.metadata;
    if (change.truncateFrom !== undefined) this.#entries.length = this.#place(change.truncateFrom);
    for (const entry of change.entries) this.#entries.push(entry);
    if (change.compactThrough !== undefined) this.#compact(change.compactThrough);
  }

  #compact(through: number): void {
    const end = this.#place(through) + 1;
    const dead: (Entry | undefined)[] = this.#entries;
    dead.fill(undefined, this.#dead, end);
    this.#dead = end;
    if (end === this.#entries.length || end > Math.max(MIN_DEAD_ENTRIES, dead.length / 2)) {
      this.#entries = this.#entries.slice(end);
      this.#dead = 0;
    }
  }

  read(from: number, through: number, maxBytes: number): readonly Entry[] {
    const first = this.#place(from);
    const end = first + through - from + 1;
    let at = first;
    let bytes = 0;
    do {
      bytes += this.#entries[at]!.data.length;
      at++;
    } while (at < end && bytes + this.#entries[at]!.data.length <= maxBytes);
    return this.#entries.slice(first, at);
  }

  putChunk(id: number, _position: number, data: Uint8Array): undefined {
    const chunks = this.#chunks.get(id);
    if (chunks === undefined) this.#chunks.set(id, [data]);
    else chunks.push(data);
  }

  commitSnapshot(snapshot: StoredSnapshot): undefined {
    this.#snapshot = snapshot;
  }

  readChunk(id: number, position: number): Uint8Array {
    const chunk = this.#chunks.get(id)?.[position];
    if (chunk === undefined) throw new HoldfastError('corrupt-data', `no chunk ${position}`);
    return chunk;
  }

  deleteChunks(id: number): undefined {
    this.#chunks.delete(id);
  }

  close(): undefined {}

  destroy(): undefined {
    this.#storeId = undefined;
    this.#metadata = undefined;
    this.#snapshot = undefined;
    this.#entries = [];
    this.#dead = 0;
    this.#chunks.clear();
  }
}

/**
 * Keeps everything in memory. What was written survives `close` and `open` of the same object, as a
 * disk survives its process, and nothing else; use it where losing a node's data is acceptable.
 */
export class MemoryLogStore extends BackedLogStore {
  constructor() {
    super(new MemoryBackend());
  }
}
