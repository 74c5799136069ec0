/** Fetches entries the core no longer has in memory back from the store. */
import { HoldfastError } from '../base/index.ts';
import type { LogStore } from '../log-store/index.ts';
import type { FetchRequest, RaftCore } from '../raft/index.ts';
import { messageOf, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';

export interface EntryReaderOptions {
  /** Whether the state machine has enough to do already. */
  readonly applierBusy: () => boolean;
  /** What is to be applied next is damaged: this node cannot go on. */
  readonly lost: (error: HoldfastError) => void;
}

export class EntryReader {
  readonly #runtime: Runtime;
  readonly #raft: Pick<RaftCore, 'role' | 'entriesFetched'>;
  readonly #store: LogStore;
  readonly #options: EntryReaderOptions;
  /** Wait for the state machine. */
  #waiting: FetchRequest[] = [];
  /** Could not be read, and wait for the next tick. */
  #unreadable: FetchRequest[] = [];
  /** Those that were complained of. */
  readonly #told = new WeakSet<FetchRequest>();

  constructor(
    runtime: Runtime,
    raft: Pick<RaftCore, 'role' | 'entriesFetched'>,
    store: LogStore,
    options: EntryReaderOptions,
  ) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#store = store;
    this.#options = options;
  }

  wanted(request: FetchRequest): void {
    if (request.purpose.type === 'apply' && this.#options.applierBusy()) {
      this.#waiting.push(request);
    } else {
      this.#fetch(request);
    }
  }

  /** Takes up what had to wait for the state machine. */
  resume(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.wanted(request);
  }

  /**
   * Tries once more what could not be read. Not sooner: a store that is closed refuses without
   * letting any time pass, and it could never be opened again if it were asked without a pause.
   */
  tick(): void {
    if (this.#unreadable.length === 0) return;
    const unreadable = this.#unreadable;
    this.#unreadable = [];
    for (const request of unreadable) {
      // A follower's entries are the leader's business; the next one asks for itself.
      if (request.purpose.type === 'apply' || this.#raft.role === 'leader') this.wanted(request);
    }
  }

  #fetch(request: FetchRequest): void {
    const { from, through, maxBytes } = request;
    settle(
      this.#runtime,
      this.#store.slice(from, through, maxBytes),
      (entries) => this.#raft.entriesFetched(request, entries),
      (error) => this.#failed(request, error),
    );
  }

  #failed(request: FetchRequest, error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (code === 'compacted') {
      this.#raft.entriesFetched(request, undefined);
      return;
    }
    const { from, through } = request;
    const text = `entries ${from} to ${through} cannot be read: ${messageOf(error)}`;
    if (code === 'corrupt-data' && request.purpose.type === 'apply') {
      this.#options.lost(new HoldfastError(code, text, { cause: error }));
      return;
    }
    // The core does not ask twice; so this is tried again until the store answers.
    if (!this.#told.has(request)) this.#runtime.environment.log('warn', text);
    this.#told.add(request);
    this.#unreadable.push(request);
  }
}
