import { applyCommand } from './apply.ts';
import { RECORD_OVERHEAD_BYTES } from './mvcc-store.ts';
import { drain, toAsyncIterable } from './streaming.ts';
import { writeAnswer } from './codec/answer.ts';
import { writeResult } from './codec/result.ts';
import type { EventsSince } from './history.ts';
import { RegistryLeaderSide } from './leader-side.ts';
import { standingOf } from './lock-queries.ts';
import { INITIAL_LIMITS, limitsText, resolveLimits } from './limits.ts';
import { answerQuery } from './query.ts';
import { ResultPool } from './result-pool.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { SnapshotCut, writeSnapshot } from './snapshot-writer.ts';
import { RegistryState } from './state.ts';
import type {
  ByteString,
  LockPlaceRef,
  LockStanding,
  RegistryAnswer,
  RegistryLimits,
  RegistryResult,
  Revision,
  RevisionEvents,
} from './types.ts';

/** Snapshots read at once; one more and the oldest is given up, lest it hold history for ever. */
const MAX_CUTS = 4;
/** Hashed at a time by a hash tree. */
const TREE_SLICE_BYTES = 128 * 1024;

/** What the node knows of an entry; see `ApplyContext` of the node. */
export interface RegistryContext {
  /** Log index. */
  readonly index: number;
  readonly term: number;
  /** Cluster time in ms. */
  readonly time: number;
}

/**
 * The locking registry as a deterministic state machine; fits the node's `StateMachine` by shape.
 * Commands, results, queries and answers are bytes; see the codecs.
 */
export class RegistryStateMachine {
  readonly leaderSide: RegistryLeaderSide;
  /** The limits as configured: nodes that differ must not replicate from each other. */
  readonly configuration: string;
  #state: RegistryState;
  readonly #pool = new ResultPool();
  #cuts: SnapshotCut[] = [];
  #treeListener: (() => void) | undefined;
  /** Events up to here have been taken. */
  #taken: Revision;

  /**
   * `limits` are those that this replica has the log set when it leads; those in force are part of
   * the state. Throws a `RangeError` when one makes no sense.
   */
  constructor(options: { readonly limits?: Partial<RegistryLimits> } = {}) {
    const limits = resolveLimits(options.limits);
    this.configuration = limitsText(limits);
    this.#state = new RegistryState(INITIAL_LIMITS);
    this.#taken = this.#state.store.revision;
    this.#keepUntaken(this.#state);
    this.leaderSide = new RegistryLeaderSide(() => this.#state, limits);
  }

  /**
   * Events are cleaned away only once they were taken, though compacted before: a watcher that
   * keeps up misses nothing. Within limits, should nobody take any.
   */
  #keepUntaken(state: RegistryState): void {
    const kept = (): Revision =>
      Math.max(this.#taken, state.store.revision - state.limits.historyRevisions) as Revision;
    state.compaction.pin({
      get compactRevision(): Revision {
        return kept();
      },
    });
  }

  /** The latest revision. */
  get revision(): Revision {
    return this.#state.store.revision;
  }

  /** Cluster time in ms, of the last entry applied. */
  get time(): number {
    return this.#state.store.time;
  }

  /** About how many bytes a snapshot would have now, history's included; follows from the state. */
  get snapshotBytes(): number {
    const { store, compaction } = this.#state;
    const changes = store.revision - compaction.compactRevision;
    return store.liveBytes + compaction.historyBytes + RECORD_OVERHEAD_BYTES * changes;
  }

  /** What all changes so far weigh in memory, about: grows with each, until a restore. */
  get changedBytes(): number {
    return this.#state.compaction.changedBytes;
  }

  /** The oldest revision that can be read; watches can begin after it. */
  get compactRevision(): Revision {
    return this.#state.compaction.compactRevision;
  }

  /** Applies an encoded command; the result is an encoded `RegistryResult`. */
  apply(command: Uint8Array, context: RegistryContext): Uint8Array {
    return this.#pool.encode<RegistryResult>(writeResult, this.#carryOut(command, context));
  }

  /** The same without the result. */
  applyUnanswered(command: Uint8Array, context: RegistryContext): void {
    this.#carryOut(command, context);
  }

  #carryOut(command: Uint8Array, context: RegistryContext): RegistryResult {
    const result = applyCommand(this.#state, command, context.index, context.time);
    if (result.type === 'session') {
      this.leaderSide.leases.opened(result.session, result.ttlMs, this.#state.store.time);
    }
    return result;
  }

  /** Answers an encoded query with an encoded `RegistryAnswer`, refusals included. */
  query(request: Uint8Array): Uint8Array {
    return this.#pool.encode<RegistryAnswer>(writeAnswer, this.#answer(request));
  }

  #answer(request: Uint8Array): RegistryAnswer {
    return answerQuery(this.#state, this.leaderSide.leases, request);
  }

  /** How a place in a lock's queue stands here; `gone` also when it has not been heard of yet. */
  standingOf(place: LockPlaceRef): LockStanding {
    return standingOf(this.#state, place);
  }

  /**
   * Goes on for about a millisecond with what the hash tree has to do, between commands; false when
   * nothing is left.
   */
  treeWork(): boolean {
    return this.#state.tree.step(TREE_SLICE_BYTES);
  }

  /** `listener` is called whenever `treeWork` is to be called again, until it returns false. */
  onTreeWork(listener: () => void): void {
    this.#treeListener = listener;
    this.#state.tree.onWork = listener;
  }

  /**
   * The revisions made since the last call. To be called after every batch of applied entries.
   * There may be a gap before the first: after a restore, or when more was applied between two
   * calls than history keeps. Whoever stands before the gap goes on with `eventsSince`.
   */
  takeEvents(): RevisionEvents[] {
    const { history } = this.#state.store;
    const events = history.slice(this.#taken + 1);
    this.#taken = history.last;
    return events;
  }

  /**
   * Changes of keys from `start` to before `end` (undefined: to the last), from revision `from` on;
   * of at most `limit` revisions that have any. To be called again with `next` as long as that is
   * not above the latest revision.
   */
  eventsSince(
    from: Revision,
    start: ByteString,
    end: ByteString | undefined,
    limit: number,
  ): EventsSince {
    const { compaction, store } = this.#state;
    const { compactRevision } = compaction;
    if (from <= compactRevision) return { type: 'compacted', compactRevision };
    return store.history.since(from, start, end, limit);
  }

  /** Cuts the state now; the chunks, of at most 256 KiB, are made as they are asked for. */
  snapshot(): AsyncIterable<Uint8Array> {
    const cut = this.#cut();
    return toAsyncIterable(writeSnapshot(cut), () => cut.close('its reader left'));
  }

  /** The same as `snapshot`, for readers that need not wait. */
  snapshotChunks(): IterableIterator<Uint8Array> {
    return writeSnapshot(this.#cut());
  }

  #cut(): SnapshotCut {
    this.#cuts = this.#cuts.filter((cut) => cut.open);
    if (this.#cuts.length >= MAX_CUTS) {
      this.#cuts[0]!.close(`${MAX_CUTS} newer snapshots were begun before it was read to its end`);
    }
    const cut = new SnapshotCut(this.#state);
    this.#cuts.push(cut);
    return cut;
  }

  /**
   * Replaces the whole state by a snapshot's. Rejects with a `MalformedBytesError` that says where
   * it is damaged, and then leaves the state as it was.
   */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const restorer = this.restorer();
    return drain(chunks, (chunk) => restorer.push(chunk)).then(() => restorer.finish());
  }

  /** The same as `restore`, for callers that need not wait: push every chunk, then finish. */
  restorer(): { push(chunk: Uint8Array): void; finish(): void } {
    const reader = new SnapshotReader();
    return {
      push: (chunk) => reader.push(chunk),
      finish: () => this.#replaceState(reader.finish()),
    };
  }

  #replaceState(state: RegistryState): void {
    this.#state = state;
    state.tree.onWork = this.#treeListener;
    this.#taken = state.store.revision;
    this.#keepUntaken(state);
    this.leaderSide.deposed();
  }
}
