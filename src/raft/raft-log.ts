/** The log as the core sees it: terms of every index, the newest entries, what is durable. */
import { invariant } from '../base/index.ts';
import type { EntryBatch } from './entry.ts';
import { NO_INDEX, NO_TERM, logIndex } from './entry.ts';
import { EntryTail } from './entry-tail.ts';
import { PersistTracker } from './persist-tracker.ts';
import { TermRuns } from './term-runs.ts';
import type {
  Entry,
  LogIndex,
  Metadata,
  PersistRequest,
  PersistToken,
  RecoveredState,
  SnapshotMeta,
  Term,
} from './types.ts';

const NO_ENTRIES: readonly Entry[] = [];

function recoveredRuns(recovered: RecoveredState): TermRuns {
  const { snapshot, termRuns, lastIndex } = recovered;
  const start = { first: snapshot?.index ?? NO_INDEX, term: snapshot?.term ?? NO_TERM };
  const oldest = termRuns[0];
  // Entries kept before the snapshot extend what is known of the past.
  const base = oldest !== undefined && oldest.first < start.first ? oldest : start;
  const runs = new TermRuns(base, termRuns, lastIndex);
  invariant(
    runs.termAt(start.first) === start.term,
    'the log disagrees with the snapshot',
    recovered,
  );
  return runs;
}

export class RaftLog {
  readonly #runs: TermRuns;
  readonly #tail: EntryTail;
  readonly #tracker: PersistTracker;
  #firstIndex: LogIndex;
  #lastTime: number;

  constructor(recovered: RecoveredState) {
    this.#runs = recoveredRuns(recovered);
    this.#tail = new EntryTail(logIndex(recovered.lastIndex + 1));
    this.#tracker = new PersistTracker(recovered.lastIndex);
    this.#firstIndex = recovered.firstIndex;
    this.#lastTime = recovered.lastTime;
  }

  /** First index the log still holds, in memory or in the store. */
  get firstIndex(): LogIndex {
    return this.#firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#runs.lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.lastTerm;
  }

  /** Cluster time of the last entry; after a truncation possibly later, never earlier. */
  get lastTime(): number {
    return this.#lastTime;
  }

  get persistedIndex(): LogIndex {
    return this.#tracker.persistedIndex;
  }

  /** First index held in memory; one past the end when none is. */
  get memoryFirst(): LogIndex {
    return this.#tail.first;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#runs.termAt(index);
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.#runs.termAt(index) === term;
  }

  lastAtMost(index: LogIndex, term: Term): LogIndex {
    return this.#runs.lastAtMost(index, term);
  }

  /** Whether an append from `next` on can be made: entries and the term before them are known. */
  canSendFrom(next: LogIndex): boolean {
    return next >= this.#firstIndex && this.#runs.termAt(logIndex(next - 1)) !== undefined;
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, 'appended entries are consecutive', {
      index: entry.index,
      lastIndex: this.lastIndex,
    });
    this.#runs.append(entry.index, entry.term);
    this.#tail.push(entry);
    if (entry.time > this.#lastTime) this.#lastTime = entry.time;
  }

  truncateFrom(index: LogIndex): void {
    this.#runs.truncateFrom(index);
    this.#tail.truncateFrom(index);
    this.#tracker.truncateFrom(index);
    this.#lastTime = this.#tail.at(this.lastIndex)?.time ?? this.#lastTime;
  }

  /** Drops entries through `index`, which a durable snapshot covers. */
  compact(index: LogIndex): void {
    if (index < this.#firstIndex) return;
    this.#runs.compactTo(index);
    this.#tail.dropThrough(index);
    this.#tracker.compactThrough(index);
    this.#firstIndex = logIndex(index + 1);
  }

  /**
   * Lets a durable snapshot take the place of everything up to it. What follows stays only when the
   * log holds the snapshot's last entry (section 7).
   */
  install(snapshot: SnapshotMeta): void {
    const { index, term, time } = snapshot;
    const keepsSuffix = this.matches(index, term);
    // A log that holds the snapshot's end may have grown: this node led for a moment meanwhile.
    invariant(
      this.persistedIndex >= (keepsSuffix ? index : this.lastIndex),
      'no entries are written while a snapshot is',
      {
        index,
        persistedIndex: this.persistedIndex,
        lastIndex: this.lastIndex,
      },
    );
    this.#tracker.coverBySnapshot(index, this.#firstIndex, keepsSuffix);
    if (keepsSuffix) {
      this.#runs.compactTo(index);
      this.#tail.dropThrough(index);
    } else {
      this.#runs.reset(index, term);
      this.#tail.reset(logIndex(index + 1));
      this.#lastTime = time;
    }
    this.#firstIndex = logIndex(index + 1);
  }

  entryInMemory(index: LogIndex): Entry | undefined {
    return this.#tail.at(index);
  }

  /** From memory only: `from` is at least `memoryFirst`. */
  slice(from: LogIndex, through: LogIndex, maxBytes: number): EntryBatch {
    return this.#tail.slice(from, through, maxBytes);
  }

  /** Entries through `index` are durable and applied: keep `maxBytes` of them at most. */
  evict(index: LogIndex, maxBytes: number): void {
    this.#tail.evict(index, maxBytes);
  }

  /** Whether anything waits to be written besides metadata. */
  get writePending(): boolean {
    return this.#tracker.cutPending || this.#tracker.issuedIndex < this.lastIndex;
  }

  /** Whether all of the log is durable and nothing is being written. */
  get idle(): boolean {
    return this.#tracker.idle && !this.writePending;
  }

  /** The next durable write, with `metadata` when it changed. */
  issueWrite(metadata: Metadata | undefined): PersistRequest {
    const from = logIndex(this.#tracker.issuedIndex + 1);
    const entries =
      from <= this.lastIndex
        ? this.#tail.slice(from, this.lastIndex, Infinity).entries
        : NO_ENTRIES;
    const { token, truncateFrom, compactThrough } = this.#tracker.issue(metadata, this.lastIndex);
    return { token, metadata, truncateFrom, entries, compactThrough };
  }

  /** Returns the newest metadata that has become durable. */
  completeWrite(token: PersistToken): Metadata | undefined {
    return this.#tracker.complete(token);
  }
}
