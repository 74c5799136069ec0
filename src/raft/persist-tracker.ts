/**
 * Which part of the log is durable. Several writes may be under way; each is named by a token and
 * confirms the log up to some index, unless a truncation came between.
 */
import { invariant } from '../base/index.ts';
import { logIndex } from './entry.ts';
import type { LogIndex, Metadata, PersistToken } from './types.ts';

interface WriteUnderWay {
  readonly token: PersistToken;
  readonly metadata: Metadata | undefined;
  /** Last index this write makes durable, as far as the log still holds what it wrote. */
  covers: LogIndex;
}

/** What the next write has to do besides metadata and entries. */
interface LogCut {
  readonly truncateFrom: LogIndex | undefined;
  readonly compactThrough: LogIndex | undefined;
}

export class PersistTracker {
  #lastToken = 0;
  readonly #underWay: WriteUnderWay[] = [];
  /** Last index handed to the disk. */
  #issuedIndex: LogIndex;
  /** Last index known to be durable. */
  #persistedIndex: LogIndex;
  #truncateFrom: LogIndex | undefined;
  #compactThrough: LogIndex | undefined;

  constructor(lastIndex: LogIndex) {
    this.#issuedIndex = lastIndex;
    this.#persistedIndex = lastIndex;
  }

  get issuedIndex(): LogIndex {
    return this.#issuedIndex;
  }

  get persistedIndex(): LogIndex {
    return this.#persistedIndex;
  }

  get cutPending(): boolean {
    return this.#truncateFrom !== undefined || this.#compactThrough !== undefined;
  }

  /** Whether no write is under way. */
  get idle(): boolean {
    return this.#underWay.length === 0;
  }

  /** The log no longer holds `index` and what followed; what comes there later is not the same. */
  truncateFrom(index: LogIndex): void {
    if (index > this.#issuedIndex) return;
    this.#truncateFrom = logIndex(Math.min(this.#truncateFrom ?? index, index));
    this.#cap(logIndex(index - 1));
  }

  #cap(last: LogIndex): void {
    this.#issuedIndex = logIndex(Math.min(this.#issuedIndex, last));
    this.#persistedIndex = logIndex(Math.min(this.#persistedIndex, last));
    // A late completion must not confirm other entries that took these indexes since (ABA).
    for (const write of this.#underWay) write.covers = logIndex(Math.min(write.covers, last));
  }

  compactThrough(index: LogIndex): void {
    this.#compactThrough = logIndex(Math.max(this.#compactThrough ?? index, index));
  }

  /**
   * A durable snapshot now stands for everything through `index`. Unless the log goes on from there
   * (`continues`), what the disk holds of it goes entirely: the next entry follows the snapshot.
   */
  coverBySnapshot(index: LogIndex, firstIndex: LogIndex, continues: boolean): void {
    this.compactThrough(index);
    if (continues) return;
    this.#truncateFrom = firstIndex;
    this.#cap(index);
    this.#issuedIndex = index;
    this.#persistedIndex = index;
  }

  /** Names the write that is now handed out; it makes the log durable through `lastIndex`. */
  issue(metadata: Metadata | undefined, lastIndex: LogIndex): LogCut & { token: PersistToken } {
    const token = ++this.#lastToken as PersistToken;
    this.#underWay.push({ token, metadata, covers: lastIndex });
    this.#issuedIndex = lastIndex;
    const cut = { token, truncateFrom: this.#truncateFrom, compactThrough: this.#compactThrough };
    this.#truncateFrom = undefined;
    this.#compactThrough = undefined;
    return cut;
  }

  /** This write and all before it are durable. Returns the newest metadata among them. */
  complete(token: PersistToken): Metadata | undefined {
    invariant(token <= this.#lastToken, 'completion of a write never issued', { token });
    let metadata: Metadata | undefined;
    while (this.#underWay.length > 0 && this.#underWay[0]!.token <= token) {
      const write = this.#underWay.shift()!;
      this.#persistedIndex = logIndex(Math.max(this.#persistedIndex, write.covers));
      metadata = write.metadata ?? metadata;
    }
    return metadata;
  }
}
