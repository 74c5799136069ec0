/** The newest entries, in memory: always without a gap up to the end of the log. */
import { invariant } from '../base/index.ts';
import type { EntryBatch } from './entry.ts';
import { logIndex } from './entry.ts';
import type { Entry, LogIndex } from './types.ts';

/** Dropped entries are let go of once so many have gathered. */
const TRIM_AT = 1024;

export class EntryTail {
  #entries: (Entry | undefined)[] = [];
  /** Where in `#entries` the oldest one held stands. */
  #head = 0;
  #first: LogIndex;
  /** Entries through here may be dropped whenever memory is short. */
  #evictableThrough: LogIndex;
  #evictableBytes = 0;

  /** Empty; the next entry to come is `first`. */
  constructor(first: LogIndex) {
    this.#first = first;
    this.#evictableThrough = logIndex(first - 1);
  }

  /** Oldest index held; one past the end when empty. */
  get first(): LogIndex {
    return this.#first;
  }

  /** One past the newest. */
  get end(): LogIndex {
    return logIndex(this.#first + this.#entries.length - this.#head);
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  at(index: LogIndex): Entry | undefined {
    return index < this.#first ? undefined : this.#entries[this.#head + index - this.#first];
  }

  /** Entries `from` to `through`, cut when their data passes `maxBytes`, but at least one. */
  slice(from: LogIndex, through: LogIndex, maxBytes: number): EntryBatch {
    invariant(from >= this.#first && through < this.end, 'not in memory', { from, through });
    const start = this.#head + from - this.#first;
    const limit = this.#head + through - this.#first;
    let bytes = 0;
    let end = start;
    while (end <= limit) {
      const grown = bytes + this.#entries[end]!.data.length;
      if (grown > maxBytes && end > start) break;
      bytes = grown;
      end++;
    }
    // Only what stands before the head has been let go of.
    return { entries: this.#entries.slice(start, end) as Entry[], bytes };
  }

  truncateFrom(index: LogIndex): void {
    if (index <= this.#first) {
      this.reset(index);
      return;
    }
    invariant(index > this.#evictableThrough, 'truncation of applied entries', { index });
    if (index < this.end) this.#entries.length = this.#head + index - this.#first;
  }

  reset(first: LogIndex): void {
    this.#entries = [];
    this.#head = 0;
    this.#first = first;
    this.#evictableThrough = logIndex(first - 1);
    this.#evictableBytes = 0;
  }

  #dropOldest(): void {
    const entry = this.#entries[this.#head]!;
    this.#entries[this.#head++] = undefined;
    if (this.#first <= this.#evictableThrough) this.#evictableBytes -= entry.data.length;
    else this.#evictableThrough = this.#first;
    this.#first = logIndex(this.#first + 1);
    if (this.#head >= TRIM_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  dropThrough(index: LogIndex): void {
    while (this.#first <= index && this.#first < this.end) this.#dropOldest();
    if (this.#first <= index) this.reset(logIndex(index + 1));
  }

  /** Entries through `index` are needed only by followers: keep at most `maxBytes` of them. */
  evict(index: LogIndex, maxBytes: number): void {
    for (let i = this.#evictableThrough + 1; i <= index; i++) {
      this.#evictableBytes += this.#entries[this.#head + i - this.#first]!.data.length;
    }
    if (index > this.#evictableThrough) this.#evictableThrough = index;
    while (this.#evictableBytes > maxBytes) this.#dropOldest();
  }
}
