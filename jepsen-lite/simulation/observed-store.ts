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

export class ObservedStore implements LogStore {
  readonly kind: string;
  readonly #inner: LogStore;
  readonly #world: World;
  readonly #observer: StoreObserver;

  constructor(inner: LogStore, world: World, observer: StoreObserver) {
    this.kind = inner.kind;
    this.#inner = inner;
    this.#world = world;
    this.#observer = observer;
  }

  async open(options: OpenOptions): Promise<RecoveredLog> {
    this.#world.wakeFully();
    const recovered = await this.#inner.open(options);
    this.#observer.opened(recovered);
    return recovered;
  }

  write(batch: WriteBatch): Promise<void> {
    this.#world.wake();
    this.#observer.asked(batch);
    return this.#inner.write(batch).then(
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
    this.#world.wake();
    return this.#inner.getEntry(index);
  }

  slice(from: LogIndex, through: LogIndex, maxBytes: number): Promise<readonly Entry[]> {
    this.#world.wake();
    return this.#inner.slice(from, through, maxBytes);
  }

  lastEntry(): Promise<Entry | undefined> {
    this.#world.wake();
    return this.#inner.lastEntry();
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
    await this.#inner.saveSnapshot(meta, chunks);
    this.#observer.saved(meta);
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#world.wakeFully();
    const reader = await this.#inner.openSnapshot();
    if (reader !== undefined) this.#observer.reading(reader.meta);
    return reader && this.#waking(reader);
  }

  #waking(reader: SnapshotReader): SnapshotReader {
    return {
      meta: reader.meta,
      size: reader.size,
      read: (offset, length) => {
        this.#world.wakeFully();
        return reader.read(offset, length);
      },
      close: () => reader.close(),
    };
  }

  dump(): Promise<LogDump> {
    return this.#inner.dump();
  }

  close(): Promise<void> {
    this.#world.wakeFully();
    return this.#inner.close();
  }

  destroy(): Promise<void> {
    this.#world.wakeFully();
    return this.#inner.destroy();
  }
}
