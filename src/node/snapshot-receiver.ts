/** Receives a snapshot chunk by chunk straight into the store. */
import type { LogStore } from '../log-store/index.ts';
import type { RaftCore, SnapshotChunkRequest, SnapshotMeta } from '../raft/index.ts';
import { ChunkFeed } from './chunk-feed.ts';
import { messageOf, settle } from './runtime.ts';
import type { Runtime } from './runtime.ts';

interface Staging {
  readonly meta: SnapshotMeta;
  readonly feed: ChunkFeed;
  nextOffset: number;
  /** The last chunk was taken: the store is making the snapshot durable. */
  finishing: boolean;
  /** The chunk whose sender waits until the store has taken it. */
  unanswered: SnapshotChunkRequest | undefined;
}

/**
 * Snapshots have the same bytes on every replica, so a transfer goes on where it stood though the
 * leader changes, as long as the next leader sends the same snapshot. Another snapshot, or a store
 * that refuses this one, makes it start over.
 */
export class SnapshotReceiver {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #store: LogStore;
  #staging: Staging | undefined;
  #answeredAt = -Infinity;

  constructor(runtime: Runtime, raft: RaftCore, store: LogStore) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#store = store;
  }

  received(chunk: SnapshotChunkRequest): void {
    let staging = this.#staging;
    if (staging?.finishing === true) {
      // Too late to turn back: who asks for something else has to ask again.
      if (isSame(staging.meta, chunk.snapshot) && chunk.last) staging.unanswered = chunk;
      else this.#correct(chunk, 0);
      return;
    }
    if (staging !== undefined && !isSame(staging.meta, chunk.snapshot)) {
      this.#abandon('another snapshot is being sent');
      staging = undefined;
    }
    if (staging === undefined && chunk.offset === 0) staging = this.#begin(chunk.snapshot);
    if (staging === undefined || chunk.offset !== staging.nextOffset) {
      this.#correct(chunk, staging?.nextOffset ?? 0);
      return;
    }
    this.#take(staging, chunk);
  }

  /**
   * Tells where to go on. A chunk that comes twice would otherwise be answered twice, each answer
   * fetch a chunk, and the sum of them never end: so right after an answer it gets none, and the
   * last chunk, which the core holds everything up for, a late one.
   */
  #correct(chunk: SnapshotChunkRequest, nextOffset: number): void {
    const { environment } = this.#runtime;
    if (environment.now() - this.#answeredAt >= this.#pauseMs) {
      this.#answer(chunk, nextOffset, false);
    } else if (chunk.last) {
      this.#answerLater(chunk, nextOffset);
    }
  }

  #answerLater(chunk: SnapshotChunkRequest, nextOffset: number): void {
    const { environment } = this.#runtime;
    environment.setTimer(this.#pauseMs, () => {
      this.#runtime.post(() => this.#answer(chunk, nextOffset, false));
    });
  }

  get #pauseMs(): number {
    return this.#runtime.settings.electionTimeoutMs / 2;
  }

  stop(): void {
    this.#abandon('the node stops');
  }

  #begin(meta: SnapshotMeta): Staging {
    const feed = new ChunkFeed();
    const staging: Staging = {
      meta,
      feed,
      nextOffset: 0,
      finishing: false,
      unanswered: undefined,
    };
    this.#staging = staging;
    settle(
      this.#runtime,
      this.#store.saveSnapshot(meta, feed),
      () => this.#saved(staging),
      (error) => this.#refused(staging, error),
    );
    return staging;
  }

  #take(staging: Staging, chunk: SnapshotChunkRequest): void {
    staging.nextOffset += chunk.data.length;
    staging.unanswered = chunk;
    if (chunk.last) {
      staging.finishing = true;
      staging.feed.end(chunk.data);
      return;
    }
    // The next chunk is asked for only when the store took this one.
    staging.feed.push(chunk.data, () => {
      this.#runtime.post(() => {
        if (this.#staging !== staging || staging.unanswered !== chunk) return;
        this.#conclude(staging, staging.nextOffset, false);
      });
    });
  }

  #saved(staging: Staging): void {
    if (this.#staging !== staging) return;
    this.#staging = undefined;
    this.#conclude(staging, staging.nextOffset, true);
    const { snapshotIndex, appliedIndex } = this.#raft.status();
    const { meta } = staging;
    // Entries were quicker, and the snapshot is one like this node's own.
    if (snapshotIndex < meta.index && meta.index <= appliedIndex) this.#raft.snapshotSaved(meta);
  }

  #refused(staging: Staging, error: unknown): void {
    if (this.#staging !== staging) return;
    this.#staging = undefined;
    const text = `the snapshot at ${staging.meta.index} was not taken: ${messageOf(error)}`;
    this.#runtime.environment.log('warn', text);
    // A store that refuses once may go on refusing: the next attempt is not made at once.
    if (staging.unanswered !== undefined) this.#answerLater(staging.unanswered, 0);
  }

  #conclude(staging: Staging, nextOffset: number, complete: boolean): void {
    const chunk = staging.unanswered;
    staging.unanswered = undefined;
    if (chunk !== undefined) this.#answer(chunk, nextOffset, complete);
  }

  #abandon(reason: string): void {
    this.#staging?.feed.fail(new Error(reason));
    this.#staging = undefined;
  }

  #answer(chunk: SnapshotChunkRequest, nextOffset: number, complete: boolean): void {
    this.#answeredAt = this.#runtime.environment.now();
    this.#raft.snapshotChunkStaged(chunk, { nextOffset, complete });
  }
}

function isSame(a: SnapshotMeta, b: SnapshotMeta): boolean {
  return a.index === b.index && a.term === b.term;
}
