/** A log store whose every call is seen, and lets promises go on in virtual time. */
import type {
  LogDump,
  LogStore,
  OpenOptions,
  RecoveredLog,
  SnapshotReader,
  WriteBatch,
} from '../../src/log-store/index.ts';
import type { Entry, LogIndex, Metadata, SnapshotMeta } from '../../src/raft/index.ts';
import type { DiskDelay } from './disk-delay.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export interface StoreObserver {
  opened(recovered: RecoveredLog): void;
  asked(batch: WriteBatch): void;
  durable(batch: WriteBatch): void;
  failed(error: unknown): void;
  /** A snapshot is current and durable. */
  saved(meta: SnapshotMeta): void;
  /** A snapshot is about to be read, be it to restore from it. */
  reading(meta: SnapshotMeta): void;
}

export interface ObservedStoreParts {
  readonly world: World;
  readonly life: Life;
  /**
   * Its promises have something real behind them: virtual time waits for it, and passes around it.
   */
  readonly real: DiskDelay | undefined;
  readonly observer: StoreObserver;
}

export class ObservedStore implements LogStore {
  readonly kind: string;
  readonly #inner: LogStore;
  readonly #world: World;
  readonly #parts: ObservedStoreParts;
  readonly #observer: StoreObserver;

  constructor(inner: LogStore, parts: ObservedStoreParts) {
    this.kind = inner.kind;
    this.#inner = inner;
    this.#parts = parts;
    this.#world = parts.world;
    this.#observer = parts.observer;
  }

  /** Lets promises go on, and nothing come back after this life's end. */
  #seen<T>(call: () => Promise<T>): Promise<T> {
    const { real, life, world } = this.#parts;
    if (life.over) return new Promise(() => {});
    world.wake();
    if (real === undefined) return call();
    // In the order they were asked for, whichever is done first.
    const result = world.inOrder(call());
    return new Promise((resolve, reject) => {
      result.then(
        (value) => life.over || resolve(value),
        (error: unknown) => life.over || reject(error instanceof Error ? error : new Error()),
      );
    });
  }

  async open(options: OpenOptions): Promise<RecoveredLog> {
    this.#world.wakeFully();
    this.#parts.real?.opening();
    const recovered = await this.#seen(() => this.#inner.open(options));
    this.#observer.opened(recovered);
    return recovered;
  }

  write(batch: WriteBatch): Promise<void> {
    this.#observer.asked(batch);
    const { real } = this.#parts;
    const write = (): Promise<void> => this.#seen(() => this.#inner.write(batch));
    return (real === undefined ? write() : real.write(write)).then(
      () => this.#observer.durable(batch),
      (error: unknown) => {
        this.#observer.failed(error);
        throw error;
      },
    );
  }

  storeEntries(entries: readonly Entry[]): Promise<LogIndex> {
    return this.#inner.storeEntries(entries);
  }

  storeMetadata(metadata: Metadata): Promise<void> {
    return this.#inner.storeMetadata(metadata);
  }

  deleteRange(from: LogIndex, through: LogIndex): Promise<void> {
    return this.#inner.deleteRange(from, through);
  }

  getEntry(index: LogIndex): Promise<Entry | undefined> {
    return this.#seen(() => this.#inner.getEntry(index));
  }

  slice(from: LogIndex, through: LogIndex, maxBytes: number): Promise<readonly Entry[]> {
    return this.#seen(() => this.#inner.slice(from, through, maxBytes));
  }

  lastEntry(): Promise<Entry | undefined> {
    return this.#seen(() => this.#inner.lastEntry());
  }

  lastIndex(): LogIndex {
    return this.#inner.lastIndex();
  }

  firstIndex(): LogIndex {
    return this.#inner.firstIndex();
  }

  hasData(): boolean {
    return this.#inner.hasData();
  }

  getMetadata(): Metadata {
    return this.#inner.getMetadata();
  }

  async saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#world.wakeFully();
    const { real, life } = this.#parts;
    if (real !== undefined) await this.#saveHolding(meta, chunks, real);
    else await this.#inner.saveSnapshot(meta, chunks);
    if (!life.over) this.#observer.saved(meta);
  }

  /** Virtual time stands still while the store is at work, not while it waits for a chunk. */
  async #saveHolding(
    meta: SnapshotMeta,
    chunks: AsyncIterable<Uint8Array>,
    real: DiskDelay,
  ): Promise<void> {
    const { world } = this.#parts;
    let release = world.holdUntilReleased();
    async function* released(): AsyncGenerator<Uint8Array> {
      release();
      for await (const chunk of chunks) {
        release = world.holdUntilReleased();
        yield chunk;
        release();
        await real.pass();
      }
      release = world.holdUntilReleased();
    }
    try {
      await this.#inner.saveSnapshot(meta, released());
    } finally {
      release();
    }
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#world.wakeFully();
    const reader = await this.#seen(() => this.#inner.openSnapshot());
    if (reader !== undefined) this.#observer.reading(reader.meta);
    return reader && this.#waking(reader);
  }

  #waking(reader: SnapshotReader): SnapshotReader {
    return {
      meta: reader.meta,
      size: reader.size,
      read: (offset, length) => {
        this.#world.wakeFully();
        return this.#seen(() => reader.read(offset, length));
      },
      close: () => this.#seen(() => reader.close()),
    };
  }

  dump(): Promise<LogDump> {
    return this.#inner.dump();
  }

  close(): Promise<void> {
    this.#world.wakeFully();
    return this.#seen(() => this.#inner.close());
  }

  destroy(): Promise<void> {
    this.#world.wakeFully();
    return this.#inner.destroy();
  }
}
