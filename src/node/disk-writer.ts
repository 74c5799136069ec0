/** One durable write after the other, and what waits for them. */
import { HoldfastError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import type { LogStore, RecoveredLog, WriteBatch } from '../log-store/index.ts';
import type { LogIndex, Message, PersistRequest, PersistToken } from '../raft/index.ts';
import { messageOf, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/**
 * Failed attempts to open the store again after which the node gives up; a full disk is waited for.
 */
const MAX_REOPEN_FAILURES = 5;
/** Entries merged into one write have at most this many bytes of data beyond the first batch. */
const MAX_GROUP_BYTES = 16 * 1024 * 1024;

export interface DiskWriterHandlers {
  /** Everything up to `token` is durable; `tookMs` is what the last write needed. */
  durable(token: PersistToken, tookMs: number): void;
  send(message: Message): void;
  /** A write failed; the writer keeps trying. */
  failed(error: HoldfastError): void;
  /** The store was opened anew and took the write that had failed. */
  recovered(): void;
  /** The store cannot be brought back, or came back with less than it had acknowledged. */
  lost(error: HoldfastError): void;
}

interface QueuedWrite {
  readonly request: PersistRequest;
  /** Leave once this write is durable. */
  messages: readonly Message[];
}

/**
 * Hands writes to the store in order, one at a time. What queues up meanwhile is merged into one
 * bigger write as far as its meaning allows (group commit). After a failure nothing is lost from
 * the queue: the store is opened anew and the same batch written again, as a replacement of
 * whatever part of it may have arrived.
 */
export class DiskWriter {
  readonly #runtime: Runtime;
  readonly #store: LogStore;
  readonly #handlers: DiskWriterHandlers;
  #queue: QueuedWrite[] = [];
  #inFlight: QueuedWrite[] = [];
  #startedAt = 0;
  #durableLast: LogIndex;
  #failure: HoldfastError | undefined;
  #retryMs = FIRST_RETRY_MS;
  #reopenFailures = 0;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(
    runtime: Runtime,
    store: LogStore,
    durableLast: LogIndex,
    handlers: DiskWriterHandlers,
  ) {
    this.#runtime = runtime;
    this.#store = store;
    this.#durableLast = durableLast;
    this.#handlers = handlers;
  }

  /** Why the store takes no writes now; undefined when it does. */
  get failure(): HoldfastError | undefined {
    return this.#failure;
  }

  get idle(): boolean {
    return this.#inFlight.length === 0;
  }

  /** How long the write under way has taken so far, 0 when there is none. */
  waitedMs(now: number): number {
    return this.#inFlight.length === 0 ? 0 : now - this.#startedAt;
  }

  /** `messages` leave when this write and all before it are durable: now, if there are none. */
  write(request: PersistRequest | undefined, messages: readonly Message[]): void {
    if (request !== undefined) {
      this.#queue.push({ request, messages });
      if (this.#inFlight.length === 0) this.#next();
      return;
    }
    if (messages.length === 0) return;
    const last = this.#queue.at(-1) ?? this.#inFlight.at(-1);
    if (last === undefined) for (const message of messages) this.#handlers.send(message);
    else last.messages = last.messages.length === 0 ? messages : [...last.messages, ...messages];
  }

  /** Nothing more is written after this, and no store touched; a write under way may still end. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#cancelRetry?.();
  }

  #next(): void {
    if (this.#queue.length === 0 || this.#stopped) return;
    const taken = mergeable(this.#queue);
    this.#inFlight = this.#queue.slice(0, taken);
    this.#queue = this.#queue.slice(taken);
    this.#issue(merge(this.#inFlight));
  }

  #issue(batch: WriteBatch): void {
    this.#startedAt = this.#runtime.environment.now();
    settle(
      this.#runtime,
      this.#store.write(batch),
      () => this.#written(batch),
      (error) => this.#writeFailed(error),
    );
  }

  #written(batch: WriteBatch): void {
    const done = this.#inFlight;
    this.#inFlight = [];
    this.#noteDurable(batch);
    const wasFailing = this.#failure !== undefined;
    this.#failure = undefined;
    this.#retryMs = FIRST_RETRY_MS;
    const tookMs = this.#runtime.environment.now() - this.#startedAt;
    // The disk works on while the rest of this turn is done.
    this.#next();
    this.#handlers.durable(done.at(-1)!.request.token, tookMs);
    for (const { messages } of done) for (const message of messages) this.#handlers.send(message);
    if (wasFailing) this.#handlers.recovered();
  }

  #noteDurable(batch: WriteBatch): void {
    const last = batch.entries?.at(-1);
    if (last !== undefined) this.#durableLast = last.index;
    else if (batch.truncateFrom !== undefined && batch.truncateFrom <= this.#durableLast) {
      this.#durableLast = (batch.truncateFrom - 1) as LogIndex;
    }
  }

  #writeFailed(error: unknown): void {
    if (this.#stopped) return;
    this.#failure = diskError(error);
    this.#handlers.failed(this.#failure);
    this.#retryLater();
  }

  #retryLater(): void {
    const delayMs = this.#retryMs;
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
    this.#cancelRetry = this.#runtime.environment.setTimer(delayMs, () => {
      this.#cancelRetry = undefined;
      if (!this.#stopped) this.#reopen();
    });
  }

  #reopen(): void {
    settle(
      this.#runtime,
      this.#openAnew(),
      (recovered) => this.#reopened(recovered),
      (error) => this.#reopenFailed(diskError(error)),
    );
  }

  async #openAnew(): Promise<RecoveredLog> {
    await this.#store.close();
    // Whoever stopped this node has closed the store, and would not look again.
    if (this.#stopped) throw new HoldfastError('stopped', 'the node was stopped');
    return this.#store.open({ newStoreId: this.#runtime.environment.newId() });
  }

  #reopenFailed(error: HoldfastError): void {
    if (this.#stopped) return;
    this.#failure = error;
    if (error.code !== 'disk-full') this.#reopenFailures += 1;
    if (this.#reopenFailures >= MAX_REOPEN_FAILURES) this.#handlers.lost(error);
    else this.#retryLater();
  }

  #reopened(recovered: RecoveredLog): void {
    if (this.#stopped) return;
    this.#reopenFailures = 0;
    const batch = asReplacement(merge(this.#inFlight));
    const keptThrough = Math.min(this.#durableLast, (batch.truncateFrom ?? Infinity) - 1);
    if (recovered.lastIndex < keptThrough) {
      const message =
        `the store came back with entries up to ${recovered.lastIndex} though ` +
        `${keptThrough} was durable; wipe it and let this node rejoin`;
      this.#handlers.lost(new HoldfastError('corrupt-data', message));
      return;
    }
    this.#issue(batch);
  }
}

function diskError(error: unknown): HoldfastError {
  const code: ErrorCode = error instanceof HoldfastError ? error.code : 'disk-failed';
  return new HoldfastError(code, messageOf(error), { outcome: 'unknown', cause: error });
}

/** How many from the front may go into one atomic batch without changing the order of effects. */
function mergeable(queue: readonly QueuedWrite[]): number {
  let bytes = 0;
  for (let i = 1; i < queue.length; i++) {
    const { request } = queue[i]!;
    // A batch truncates before it appends and compacts last, so these may only stand at its ends.
    if (request.truncateFrom !== undefined) return i;
    if (queue[i - 1]!.request.compactThrough !== undefined) return i;
    for (const entry of request.entries) bytes += entry.data.length;
    if (bytes > MAX_GROUP_BYTES) return i;
  }
  return queue.length;
}

function merge(writes: readonly QueuedWrite[]): WriteBatch {
  const first = writes[0]!.request;
  if (writes.length === 1) return first;
  const entries = writes.flatMap(({ request }) => request.entries);
  let { metadata } = first;
  for (const { request } of writes) metadata = request.metadata ?? metadata;
  const { compactThrough } = writes.at(-1)!.request;
  return { metadata, truncateFrom: first.truncateFrom, entries, compactThrough };
}

/** The same batch, written so that it also succeeds when part or all of it is there already. */
function asReplacement(batch: WriteBatch): WriteBatch {
  const first = batch.entries?.[0]?.index;
  if (first === undefined) return batch;
  const truncateFrom = Math.min(batch.truncateFrom ?? first, first) as LogIndex;
  return { ...batch, truncateFrom };
}
