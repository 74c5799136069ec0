/** A memory store whose writes take virtual time, can be held, fail, or be lost in a crash. */
import { HoldfastError } from '../../../src/base/index.ts';
import { MemoryLogStore } from '../../../src/log-store/index.ts';
import type {
  LogDump,
  LogStore,
  OpenOptions,
  RecoveredLog,
  SnapshotReader,
  WriteBatch,
} from '../../../src/log-store/index.ts';
import type { Entry, LogIndex, Metadata, SnapshotMeta } from '../../../src/raft/index.ts';
import type { Life } from '../../../jepsen-lite/simulation/life.ts';
import type { World } from '../../../jepsen-lite/simulation/world.ts';

/** What survives a node's lives: the memory store, and how the disk behaves. */
export class Disk {
  readonly inner: MemoryLogStore = new MemoryLogStore();
  /** Virtual ms a write takes. */
  latencyMs = 0;
  held = false;
  /** Every write and every reopening fails with this. */
  failing: HoldfastError | undefined;
  /** A write that fails has reached the disk all the same. */
  failsLate = false;
  /** Reopening works although writes failed. */
  reopens = true;
  /** Told of a write when it is asked for. */
  asked: (batch: WriteBatch) => void = () => {};
  writes = 0;
  readonly batches: WriteBatch[] = [];
  waiting: (() => void)[] = [];

  release(): void {
    this.held = false;
    const waiting = this.waiting;
    this.waiting = [];
    for (const go of waiting) go();
  }
}

/** The disk as one life of a node sees it. After that life nothing reaches the disk any more. */
export class DiskStore implements LogStore {
  readonly kind = 'memory';
  readonly #disk: Disk;
  readonly #world: World;
  readonly #life: Life;
  #queue: Promise<void> = Promise.resolve();

  constructor(disk: Disk, world: World, life: Life) {
    this.#disk = disk;
    this.#world = world;
    this.#life = life;
  }

  /** Resolves after the disk's latency, and never once this life is over. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        if (this.#life.over) return;
        if (this.#disk.held) this.#disk.waiting.push(go);
        else resolve();
      };
      if (this.#disk.latencyMs === 0) go();
      else this.#world.after(this.#disk.latencyMs * (0.5 + this.#world.random()), go);
    });
  }

  async open(options: OpenOptions): Promise<RecoveredLog> {
    const { failing, reopens, inner } = this.#disk;
    if (failing !== undefined && !reopens) throw failing;
    return inner.open(options);
  }

  write(batch: WriteBatch): Promise<void> {
    this.#disk.asked(batch);
    const before = this.#queue;
    const written = (async () => {
      await before;
      await this.#pause();
      if (this.#disk.failing !== undefined && !this.#disk.failsLate) throw this.#disk.failing;
      this.#disk.writes += 1;
      this.#disk.batches.push(batch);
      await this.#disk.inner.write(batch);
      if (this.#disk.failing !== undefined) throw this.#disk.failing;
    })();
    this.#queue = written.catch(() => {});
    return written;
  }

  async storeEntries(entries: readonly Entry[]): Promise<LogIndex> {
    await this.write({ entries });
    return this.lastIndex();
  }

  storeMetadata(metadata: Metadata): Promise<void> {
    return this.write({ metadata });
  }

  deleteRange(from: LogIndex, through: LogIndex): Promise<void> {
    return this.#disk.inner.deleteRange(from, through);
  }

  getEntry(index: LogIndex): Promise<Entry | undefined> {
    return this.#disk.inner.getEntry(index);
  }

  slice(from: LogIndex, through: LogIndex, maxBytes: number): Promise<readonly Entry[]> {
    return this.#disk.inner.slice(from, through, maxBytes);
  }

  lastEntry(): Promise<Entry | undefined> {
    return this.#disk.inner.lastEntry();
  }

  lastIndex(): LogIndex {
    return this.#disk.inner.lastIndex();
  }

  firstIndex(): LogIndex {
    return this.#disk.inner.firstIndex();
  }

  hasData(): boolean {
    return this.#disk.inner.hasData();
  }

  getMetadata(): Metadata {
    return this.#disk.inner.getMetadata();
  }

  async saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#disk.inner.saveSnapshot(meta, this.#slowly(chunks));
  }

  async *#slowly(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      await this.#pause();
      yield chunk;
    }
    await this.#pause();
    if (this.#disk.failing !== undefined) throw this.#disk.failing;
  }

  openSnapshot(): Promise<SnapshotReader | undefined> {
    return this.#disk.inner.openSnapshot();
  }

  dump(): Promise<LogDump> {
    return this.#disk.inner.dump();
  }

  close(): Promise<void> {
    return this.#life.over ? Promise.resolve() : this.#disk.inner.close();
  }

  destroy(): Promise<void> {
    return Promise.reject(new HoldfastError('invalid-argument', 'not in these tests'));
  }
}
