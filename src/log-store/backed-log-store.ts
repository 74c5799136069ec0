/** A `LogStore` over any `LogBackend`: everything that is the same for every medium. */
import { HoldfastError } from '../base/index.ts';
import type { Entry, LogIndex, Metadata, SnapshotMeta, Term } from '../raft/index.ts';
import type { LogBackend, StoredState } from './backend.ts';
import type {
  LogDump,
  LogStore,
  OpenOptions,
  RecoveredLog,
  SnapshotReader,
  WriteBatch,
} from './contract.ts';
import { closedStore, invalidArgument, messageOf, writeFailure } from './errors.ts';
import { conflictWithSnapshot, LogSummary } from './recovery.ts';
import type { StoredSnapshot } from './record-codec.ts';
import { SnapshotShelf } from './snapshot-shelf.ts';
import { checkDeleteRange, checkWrite, emptyLog } from './write-check.ts';
import type { CheckedWrite, LogPosition } from './write-check.ts';
import { WriteQueue } from './write-queue.ts';

const NEW_METADATA: Metadata = { term: 0 as Term, votedFor: undefined };

/** What is known of the store while it is open. */
interface OpenState {
  readonly storeId: string;
  readonly queue: WriteQueue;
  readonly snapshots: SnapshotShelf;
  log: LogPosition;
  metadata: Metadata | undefined;
  /** A commit under way that takes entries away: reads wait for it. */
  removal: Promise<void> | undefined;
  /** Why no write is taken any more. */
  failure: HoldfastError | undefined;
}

export class BackedLogStore implements LogStore {
  readonly kind: string;
  readonly #backend: LogBackend;
  #phase: 'closed' | 'opening' | 'open' | 'closing' = 'closed';
  #state: OpenState | undefined;
  /** Resolves when the last `open` is over, well or badly. */
  #opening: Promise<void> = Promise.resolve();
  #closing: Promise<void> = Promise.resolve();

  constructor(backend: LogBackend) {
    this.kind = backend.kind;
    this.#backend = backend;
  }

  open(options: OpenOptions): Promise<RecoveredLog> {
    if (this.#phase !== 'closed') {
      const message = `this ${this.kind} store is open already`;
      return Promise.reject(new HoldfastError('data-in-use', message));
    }
    this.#phase = 'opening';
    const opening = this.#openBackend(options);
    this.#opening = opening.then(
      () => undefined,
      () => undefined,
    );
    return opening;
  }

  async #openBackend(options: OpenOptions): Promise<RecoveredLog> {
    const summary = new LogSummary();
    try {
      const stored = await this.#backend.open(options.newStoreId, (entry) => summary.add(entry));
      const recovered = await this.#recover(stored, summary);
      this.#phase = 'open';
      return recovered;
    } catch (error) {
      await this.#backend.close();
      this.#phase = 'closed';
      throw error;
    }
  }

  async #recover(stored: StoredState, found: LogSummary): Promise<RecoveredLog> {
    const snapshot = stored.snapshot?.meta;
    const repaired = [...stored.repaired];
    const conflict = conflictWithSnapshot(found, snapshot);
    let summary = found;
    if (conflict !== undefined) {
      await this.#backend.commit({
        metadata: undefined,
        truncateFrom: found.first,
        entries: [],
        compactThrough: undefined,
      });
      summary = new LogSummary();
      repaired.push(conflict);
    }
    const empty = emptyLog(snapshot?.index ?? 0);
    const log =
      summary.first === undefined ? empty : { ...empty, first: summary.first, last: summary.last };
    this.#state = {
      storeId: stored.storeId,
      queue: new WriteQueue(),
      snapshots: new SnapshotShelf(this.#backend, stored.snapshot, stored.nextSnapshotId),
      log,
      metadata: stored.metadata,
      removal: undefined,
      failure: undefined,
    };
    return {
      storeId: stored.storeId,
      metadata: stored.metadata ?? NEW_METADATA,
      firstIndex: log.first as LogIndex,
      lastIndex: log.last as LogIndex,
      lastTime: summary.first === undefined ? (snapshot?.time ?? 0) : summary.lastTime,
      snapshot,
      termRuns: summary.termRuns,
      membershipEntries: summary.membershipEntries,
      repaired,
    };
  }

  #opened(): OpenState {
    if (this.#phase !== 'open' || this.#state === undefined) throw closedStore();
    return this.#state;
  }

  write(batch: WriteBatch): Promise<void> {
    try {
      const state = this.#opened();
      return state.queue.run(() => this.#apply(state, batch));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #apply(state: OpenState, batch: WriteBatch): void | Promise<void> {
    if (state.failure !== undefined) throw state.failure;
    const checked = checkWrite(state.log, batch);
    if (checked === undefined) return undefined;
    const pending = this.#poisoning(state, () => this.#backend.commit(checked.change));
    if (pending === undefined) return this.#settle(state, checked);
    const settled = pending.then(() => this.#settle(state, checked));
    const { change } = checked;
    if (change.truncateFrom !== undefined || change.compactThrough !== undefined) {
      state.removal = settled;
    }
    return settled;
  }

  #settle(state: OpenState, checked: CheckedWrite): undefined {
    // Saving a snapshot takes its turn among the writes, so nothing else moved the log meanwhile.
    state.log = checked.log;
    state.removal = undefined;
    if (checked.change.metadata !== undefined) state.metadata = checked.change.metadata;
  }

  /** Runs a commit. One that fails leaves the medium in doubt, so nothing may follow it. */
  #poisoning(state: OpenState, commit: () => void | Promise<void>): void | Promise<void> {
    const poison = (error: unknown): never => {
      const failure = writeFailure(this.kind, error);
      state.failure = new HoldfastError(
        failure.code,
        `an earlier write failed (${messageOf(error)}); open the ${this.kind} store anew`,
        { cause: error },
      );
      state.removal = undefined;
      throw failure;
    };
    try {
      return commit()?.catch(poison);
    } catch (error) {
      return poison(error);
    }
  }

  async storeEntries(entries: readonly Entry[]): Promise<LogIndex> {
    const state = this.#opened();
    if (entries.length === 0) return state.log.last as LogIndex;
    await this.write({ entries });
    return entries.at(-1)!.index;
  }

  storeMetadata(metadata: Metadata): Promise<void> {
    return this.write({ metadata });
  }

  async deleteRange(from: LogIndex, through: LogIndex): Promise<void> {
    const state = this.#opened();
    // Judged when its turn comes: writes before it move the ends of the log.
    await state.queue.run(() => this.#apply(state, checkDeleteRange(state.log, from, through)));
  }

  async getEntry(index: LogIndex): Promise<Entry | undefined> {
    const state = await this.#readable();
    if (!(index >= state.log.first && index <= state.log.last)) return undefined;
    return this.#backend.read(index, index, 0)[0];
  }

  async slice(from: LogIndex, through: LogIndex, maxBytes: number): Promise<readonly Entry[]> {
    const { log } = await this.#readable();
    if (!(from >= 1 && from <= through && through <= log.last)) {
      throw invalidArgument(`cannot read ${from} to ${through}: the log ends at ${log.last}`);
    }
    if (from < log.first) {
      throw new HoldfastError('compacted', `entry ${from} is gone, the log begins at ${log.first}`);
    }
    return this.#backend.read(from, through, maxBytes);
  }

  async lastEntry(): Promise<Entry | undefined> {
    const { log } = await this.#readable();
    return log.first > log.last ? undefined : this.#backend.read(log.last, log.last, 0)[0];
  }

  /** The state, once no commit is taking away what may be asked for. */
  async #readable(): Promise<OpenState> {
    const state = this.#opened();
    while (state.removal !== undefined) await state.removal.catch(() => {});
    return this.#opened();
  }

  lastIndex(): LogIndex {
    return this.#opened().log.last as LogIndex;
  }

  firstIndex(): LogIndex {
    return this.#opened().log.first as LogIndex;
  }

  hasData(): boolean {
    const { log, metadata, snapshots } = this.#opened();
    return log.first <= log.last || metadata !== undefined || snapshots.current !== undefined;
  }

  getMetadata(): Metadata {
    return this.#opened().metadata ?? NEW_METADATA;
  }

  async saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const state = this.#opened();
    if (state.failure !== undefined) throw state.failure;
    const staged = await state.snapshots.stage(meta, chunks);
    await state.queue.run(() => this.#makeCurrent(state, staged));
    await state.snapshots.dropUnused();
  }

  #makeCurrent(state: OpenState, staged: StoredSnapshot): void | Promise<void> {
    const { snapshots } = state;
    try {
      if (state.failure !== undefined) throw state.failure;
      snapshots.refuseOlder(staged.meta);
    } catch (error) {
      return snapshots.drop(staged.id).then(() => {
        throw error;
      });
    }
    const adopt = (): undefined => {
      const { log } = state;
      const { index } = staged.meta;
      state.log = log.first > log.last ? emptyLog(index) : { ...log, snapshotIndex: index };
      snapshots.replace(staged);
    };
    // Should it fail, the chunks stay: for all we know the snapshot is the current one now.
    const pending = this.#poisoning(state, () => this.#backend.commitSnapshot(staged));
    return pending === undefined ? adopt() : pending.then(adopt);
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    return this.#opened().snapshots.openCurrent();
  }

  async dump(): Promise<LogDump> {
    const { log, storeId, snapshots } = await this.#readable();
    const entries =
      log.first > log.last ? [] : this.#backend.read(log.first, log.last, Number.POSITIVE_INFINITY);
    return { storeId, metadata: this.getMetadata(), snapshot: snapshots.current, entries };
  }

  close(): Promise<void> {
    if (this.#phase === 'opening') return this.#opening.then(() => this.close());
    if (this.#phase === 'open') {
      this.#phase = 'closing';
      this.#closing = this.#shut(this.#state!);
    }
    return this.#closing;
  }

  async #shut(state: OpenState): Promise<void> {
    await state.snapshots.close();
    await state.queue.idle();
    await this.#backend.close();
    this.#state = undefined;
    this.#phase = 'closed';
  }

  async destroy(): Promise<void> {
    if (this.#phase !== 'closed') {
      throw new HoldfastError('data-in-use', `close the ${this.kind} store before destroying it`);
    }
    await this.#backend.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
