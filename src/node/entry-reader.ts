/** Fetches entries the core no longer has in memory back from the store. */
import { HoldfastError } from '../base/index.ts';
import type { LogStore } from '../log-store/index.ts';
import type { FetchRequest, RaftCore } from '../raft/index.ts';
import { messageOf, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';

export class EntryReader {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #store: LogStore;
  /** Whether the state machine has enough to do already. */
  readonly #applierBusy: () => boolean;
  #waiting: FetchRequest[] = [];

  constructor(runtime: Runtime, raft: RaftCore, store: LogStore, applierBusy: () => boolean) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#store = store;
    this.#applierBusy = applierBusy;
  }

  wanted(request: FetchRequest): void {
    if (request.purpose.type === 'apply' && this.#applierBusy()) this.#waiting.push(request);
    else this.#fetch(request);
  }

  /** Takes up what had to wait for the state machine, or for the store to come back. */
  resume(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.wanted(request);
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
    // The core does not ask twice; so this is tried again until the store answers.
    const text = `entries ${request.from} to ${request.through} cannot be read: ${messageOf(error)}`;
    this.#runtime.environment.log('warn', text);
    this.#waiting.push(request);
  }
}
