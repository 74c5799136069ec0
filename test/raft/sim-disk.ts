/**
 * A disk in memory that keeps the log store's contract: writes are atomic, complete in the order of
 * their tokens, and are lost by a crash unless they completed.
 */
import { invariant } from '../../src/base/index.ts';
import type {
  Entry,
  LogIndex,
  Metadata,
  NodeId,
  PersistRequest,
  PersistToken,
  RecoveredState,
  SnapshotMeta,
  Term,
  TermRun,
} from '../../src/raft/index.ts';

export interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: Uint8Array;
}

export class SimDisk {
  readonly storeId: string;
  metadata: Metadata = { term: 0 as Term, votedFor: undefined };
  snapshot: StoredSnapshot | undefined;
  /** Writes begun and not completed, oldest first. */
  readonly pending: PersistRequest[] = [];
  /** Every vote that ever became durable here. */
  readonly votes: Map<Term, NodeId> = new Map();
  #entries: Entry[] = [];
  /** Where an empty log goes on from. Compaction moves it; a snapshot saved meanwhile does not. */
  #base: LogIndex;
  #lastToken = 0;

  constructor(storeId: string, snapshot: StoredSnapshot | undefined) {
    this.storeId = storeId;
    this.snapshot = snapshot;
    this.#base = snapshot?.meta.index ?? (0 as LogIndex);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get lastIndex(): LogIndex {
    return this.#entries.at(-1)?.index ?? this.#base;
  }

  get firstIndex(): LogIndex {
    return this.#entries[0]?.index ?? ((this.lastIndex + 1) as LogIndex);
  }

  entryAt(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  /** The durable term at an index; of the snapshot when it ends there. */
  termAt(index: LogIndex): Term | undefined {
    const meta = this.snapshot?.meta;
    return this.entryAt(index)?.term ?? (meta?.index === index ? meta.term : undefined);
  }

  /** Whether index and term are durable here, as an entry or beneath the snapshot. */
  holds(index: LogIndex, term: Term): boolean {
    const entry = this.entryAt(index);
    if (entry !== undefined) return entry.term === term;
    return this.snapshot !== undefined && index <= this.snapshot.meta.index;
  }

  begin(request: PersistRequest): void {
    invariant(request.token > this.#lastToken, 'persist tokens grow', request.token);
    this.#lastToken = request.token;
    this.pending.push(request);
  }

  /** Completes the oldest write and returns its token. */
  completeNext(): PersistToken | undefined {
    const request = this.pending.shift();
    if (request === undefined) return undefined;
    this.#apply(request);
    return request.token;
  }

  /** Power fails: the oldest `kept` pending writes had reached the disk, the others are lost. */
  crash(kept: number): void {
    for (let i = 0; i < kept; i++) this.completeNext();
    this.pending.length = 0;
    this.#lastToken = 0;
  }

  saveSnapshot(snapshot: StoredSnapshot): void {
    const current = this.snapshot?.meta.index ?? -1;
    invariant(snapshot.meta.index >= current, 'an older snapshot replaces a newer one');
    this.snapshot = snapshot;
  }

  /** Puts a log in place without going through a core, for scenarios that begin in mid-story. */
  plant(entries: readonly Entry[], metadata: Metadata): void {
    this.#entries = [...entries];
    this.metadata = metadata;
  }

  #apply(request: PersistRequest): void {
    if (request.metadata !== undefined) this.#applyMetadata(request.metadata);
    const { truncateFrom, compactThrough } = request;
    if (truncateFrom !== undefined) {
      const kept = this.#entries.filter((entry) => entry.index < truncateFrom);
      this.#entries = kept;
    }
    for (const entry of request.entries) {
      const expected = this.lastIndex + 1;
      invariant(entry.index === expected, 'a write leaves a gap', { index: entry.index, expected });
      this.#entries.push(entry);
    }
    if (compactThrough !== undefined) {
      const covered = this.snapshot?.meta.index ?? 0;
      invariant(compactThrough <= covered, 'compacted beyond the snapshot', compactThrough);
      this.#entries = this.#entries.filter((entry) => entry.index > compactThrough);
      if (compactThrough > this.#base) this.#base = compactThrough;
    }
  }

  #applyMetadata(next: Metadata): void {
    const now = this.metadata;
    invariant(next.term >= now.term, 'the durable term went back', { now, next });
    if (next.term === now.term && now.votedFor !== undefined) {
      invariant(next.votedFor === now.votedFor, 'a vote changed within its term', { now, next });
    }
    this.metadata = next;
    if (next.votedFor !== undefined) this.votes.set(next.term, next.votedFor);
  }

  /** What the log store's `open` would find: a log that lacks the snapshot's end is discarded. */
  recover(): RecoveredState {
    const meta = this.snapshot?.meta;
    if (meta !== undefined && meta.index > 0) {
      const held = this.entryAt(meta.index);
      const adjoins = this.#entries[0]?.index === meta.index + 1;
      if (held?.term !== meta.term && !adjoins) this.#entries = [];
    }
    if (this.#entries.length === 0) this.#base = meta?.index ?? (0 as LogIndex);
    const after = this.#entries.filter((entry) => entry.index > (meta?.index ?? 0));
    const last = this.#entries.at(-1);
    return {
      metadata: this.metadata,
      snapshot: meta,
      termRuns: termRunsOf(this.#entries),
      lastIndex: this.lastIndex,
      lastTime: last?.time ?? meta?.time ?? 0,
      firstIndex: this.firstIndex,
      membershipEntries: after.filter((entry) => entry.type === 'membership'),
    };
  }
}

function termRunsOf(entries: readonly Entry[]): TermRun[] {
  const runs: TermRun[] = [];
  for (const { index, term } of entries) {
    if (runs.at(-1)?.term !== term) runs.push({ first: index, term });
  }
  return runs;
}
