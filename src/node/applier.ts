/** Feeds committed entries to the state machine, in order, each exactly once. */
import { HoldfastError } from '../base/index.ts';
import type { LogStore, SnapshotReader } from '../log-store/index.ts';
import type { Entry, LogIndex, SnapshotMeta } from '../raft/index.ts';
import type { Environment } from './contract.ts';
import { messageOf, nextTurn, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { StateMachine } from './state-machine.ts';

/** A turn applies for at most so long; then messages and ticks get their chance. */
const BUDGET_MS = 10;
/** The clock is read once for so many entries. */
const ENTRIES_PER_LOOK = 64;
/** With more than this waiting, no more is fetched from the store. */
const BACKLOG_ENTRIES = 4096;
const RESTORE_CHUNK_BYTES = 256 * 1024;
/** A restore broken off because the store was being opened anew is begun again after so long. */
const RESTORE_RETRY_MS = 100;

export interface ApplierHandlers {
  /** After each entry; a result that is an error is the same on every replica. */
  applied(entry: Entry, result: Uint8Array | HoldfastError): void;
  /** Whether anybody here waits for a result. */
  isAwaited(): boolean;
  /** After each batch of entries, and after a restore. */
  batchApplied(index: LogIndex): void;
  /** The state was replaced by this snapshot. */
  restored(snapshot: SnapshotMeta): void;
  failed(error: HoldfastError): void;
}

const NO_RESULT = new Uint8Array(0);

export class Applier {
  readonly #runtime: Runtime;
  readonly #store: LogStore;
  readonly #stateMachine: StateMachine;
  readonly #handlers: ApplierHandlers;
  #queue: Entry[] = [];
  /** Entries of the queue that are applied already. */
  #head = 0;
  #index: LogIndex;
  #time: number;
  #restoring = false;
  /** To be restored once the restore under way is over. */
  #restoreNext: SnapshotMeta | undefined;

  constructor(
    runtime: Runtime,
    store: LogStore,
    stateMachine: StateMachine,
    from: { readonly index: LogIndex; readonly time: number },
    handlers: ApplierHandlers,
  ) {
    this.#runtime = runtime;
    this.#store = store;
    this.#stateMachine = stateMachine;
    this.#index = from.index;
    this.#time = from.time;
    this.#handlers = handlers;
  }

  get index(): LogIndex {
    return this.#index;
  }

  /** Cluster time of the last entry applied. */
  get time(): number {
    return this.#time;
  }

  get restoring(): boolean {
    return this.#restoring;
  }

  get hasBacklog(): boolean {
    return this.#queue.length - this.#head > BACKLOG_ENTRIES;
  }

  add(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#queue =
      this.#head === this.#queue.length
        ? [...entries]
        : [...this.#queue.slice(this.#head), ...entries];
    this.#head = 0;
  }

  /** Replaces the state with the store's snapshot; entries wait meanwhile. */
  restore(snapshot: SnapshotMeta): void {
    // What was committed before the snapshot is in it.
    this.#queue = [];
    this.#head = 0;
    if (this.#restoring) {
      this.#restoreNext = snapshot;
      return;
    }
    this.#restoring = true;
    this.#beginRestore();
  }

  #beginRestore(): void {
    settle(
      this.#runtime,
      restoreFrom(this.#store, this.#stateMachine, this.#runtime.environment),
      (restored) => this.#restored(restored),
      (error) => this.#restoreFailed(error),
    );
  }

  #restoreFailed(error: unknown): void {
    // After a failed write the store is closed and opened anew, whoever reads from it.
    if (error instanceof HoldfastError && error.code === 'closed') {
      this.#runtime.environment.setTimer(RESTORE_RETRY_MS, () => this.#beginRestore());
    } else {
      this.#handlers.failed(restoreError(error));
    }
  }

  #restored(snapshot: SnapshotMeta): void {
    this.#restoring = false;
    this.#index = snapshot.index;
    this.#time = snapshot.time;
    this.#handlers.restored(snapshot);
    this.#handlers.batchApplied(snapshot.index);
    const next = this.#restoreNext;
    this.#restoreNext = undefined;
    if (next !== undefined && next.index > snapshot.index) this.restore(next);
  }

  /** Applies what is there, within the budget. True when something is left for another turn. */
  run(): boolean {
    if (this.#restoring || this.#head === this.#queue.length) return false;
    const { environment } = this.#runtime;
    const until = environment.now() + BUDGET_MS;
    const before = this.#index;
    while (this.#head < this.#queue.length) {
      const end = Math.min(this.#queue.length, this.#head + ENTRIES_PER_LOOK);
      while (this.#head < end) this.#apply(this.#queue[this.#head++]!);
      if (environment.now() > until) break;
    }
    if (this.#index > before) this.#handlers.batchApplied(this.#index);
    if (this.#head < this.#queue.length) return true;
    this.#queue = [];
    this.#head = 0;
    return false;
  }

  #apply(entry: Entry): void {
    // A restored snapshot may be newer than the one asked for.
    if (entry.index <= this.#index) return;
    this.#index = entry.index;
    this.#time = entry.time;
    const result = entry.type === 'command' ? this.#applyCommand(entry) : NO_RESULT;
    this.#handlers.applied(entry, result);
  }

  #applyCommand(entry: Entry): Uint8Array | HoldfastError {
    const { index, term, time } = entry;
    const machine = this.#stateMachine;
    try {
      if (machine.applyUnanswered === undefined || this.#handlers.isAwaited()) {
        return machine.apply(entry.data, { index, term, time });
      }
      machine.applyUnanswered(entry.data, { index, term, time });
      return NO_RESULT;
    } catch (error) {
      // Every replica throws at the same entry, so it is a no-op everywhere.
      const text = `the state machine threw at log index ${index}: ${messageOf(error)}`;
      this.#runtime.environment.log('error', text);
      return new HoldfastError('invalid-command', text, { cause: error });
    }
  }
}

/** Restores the state from the store's current snapshot and returns where it stands. */
export async function restoreFrom(
  store: LogStore,
  stateMachine: StateMachine,
  environment: Environment,
): Promise<SnapshotMeta> {
  const reader = await store.openSnapshot();
  if (reader === undefined) throw new Error('the store has no snapshot to restore');
  let unreadable: unknown;
  const chunks = chunksOf(reader, environment, (error) => {
    unreadable = error;
  });
  try {
    await stateMachine.restore(chunks);
    return reader.meta;
  } catch (error) {
    // Whatever the state machine makes of it: this is why.
    throw unreadable ?? error;
  } finally {
    await reader.close();
  }
}

export function restoreError(error: unknown): HoldfastError {
  const code = error instanceof HoldfastError ? error.code : 'corrupt-data';
  return new HoldfastError(code, `the snapshot cannot be restored: ${messageOf(error)}`, {
    cause: error,
  });
}

async function* chunksOf(
  reader: SnapshotReader,
  environment: Environment,
  unreadable: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < reader.size;) {
    const chunk = await reader.read(offset, RESTORE_CHUNK_BYTES).catch((error: unknown) => {
      unreadable(error);
      throw error;
    });
    offset += chunk.length;
    yield chunk;
    // A follower that restores is to answer its leader all the while.
    await nextTurn(environment);
  }
}
