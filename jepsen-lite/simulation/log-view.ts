/** What is in one node's log, as its writes tell: the terms of its entries, and its vote. */
import { crc32 } from 'node:zlib';
import { encodeRecord } from '../../src/log-store/index.ts';
import type { RecoveredLog, WriteBatch } from '../../src/log-store/index.ts';
import type { Entry, Metadata } from '../../src/raft/index.ts';

/** Of an entry, what tells it from every other of the same index and term. */
export function digestOf(entry: Entry): number {
  return crc32(encodeRecord(entry));
}

export class LogView {
  readonly #terms = new Map<number, number>();
  first = 1;
  /** Last index of the log, or of the snapshot before an empty one. */
  last = 0;
  term = 0;
  votedFor: string | undefined = undefined;
  #snapshotIndex = 0;

  /** The term of an entry held; undefined of all others. */
  termAt(index: number): number | undefined {
    return this.#terms.get(index);
  }

  /** Holds this entry, or a snapshot in its place. */
  holds(index: number, term: number): boolean {
    return index < this.first || this.#terms.get(index) === term;
  }

  /** Holds an entry of this term or a later one, at the index or behind it, or a snapshot. */
  reaches(index: number, term: number): boolean {
    if (index < this.first) return true;
    const lastTerm = this.#terms.get(this.last);
    return this.last >= index && (lastTerm === undefined || lastTerm >= term);
  }

  /** The first entry through this index that the other log does not hold. */
  firstNotIn(other: LogView, through: number): number | undefined {
    for (let index = this.first; index <= through; index++) {
      if (!other.holds(index, this.#terms.get(index)!)) return index;
    }
    return undefined;
  }

  /** As it was found on the disk. */
  recover({ metadata, firstIndex, lastIndex, termRuns, snapshot }: RecoveredLog): void {
    this.#terms.clear();
    this.#snapshotIndex = snapshot?.index ?? 0;
    this.first = firstIndex;
    this.last = lastIndex;
    this.#noteMetadata(metadata);
    termRuns.forEach(({ first: from, term }, i) => {
      const end = termRuns[i + 1]?.first ?? lastIndex + 1;
      for (let index: number = from; index < end; index++) this.#terms.set(index, term);
    });
  }

  #noteMetadata({ term, votedFor }: Metadata): void {
    this.term = term;
    this.votedFor = votedFor;
  }

  apply({ metadata, truncateFrom, entries, compactThrough }: WriteBatch): void {
    if (metadata !== undefined) this.#noteMetadata(metadata);
    if (truncateFrom !== undefined) this.#truncate(truncateFrom);
    for (const { index, term } of entries ?? []) this.#terms.set(index, term);
    this.last = entries?.at(-1)?.index ?? this.last;
    if (compactThrough !== undefined) this.#compact(compactThrough);
  }

  #truncate(from: number): void {
    for (let index = Math.max(from, this.first); index <= this.last; index++) {
      this.#terms.delete(index);
    }
    if (from <= this.last) this.last = Math.max(from, this.first) - 1;
    this.#settleIfEmpty();
  }

  #compact(through: number): void {
    const end = Math.min(through, this.last);
    for (let index = this.first; index <= end; index++) this.#terms.delete(index);
    this.first = Math.max(this.first, end + 1);
    this.#settleIfEmpty();
  }

  /** A snapshot is current; an empty log goes on from it. */
  snapshotAt(index: number): void {
    this.#snapshotIndex = index;
    this.#settleIfEmpty();
  }

  #settleIfEmpty(): void {
    if (this.first <= this.last) return;
    this.first = this.#snapshotIndex + 1;
    this.last = this.#snapshotIndex;
  }
}
