/** One node's log in memory, rebuilt only from what the node asked to be written. */
import { invariant } from '../../src/base/index.ts';
import type { Entry, LogIndex, PersistRequest, SnapshotMeta, Term } from '../../src/raft/index.ts';

export class MirrorLog {
  /** Entries up to here are known only as a snapshot that ends here. */
  #base: LogIndex = 0 as LogIndex;
  #baseTerm: Term = 0 as Term;
  #entries: Entry[] = [];

  get base(): LogIndex {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return (this.#base + this.#entries.length) as LogIndex;
  }

  entryAt(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.#base - 1];
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.#base ? this.#baseTerm : this.entryAt(index)?.term;
  }

  /** Whether this log has the entry, in itself or beneath its base. */
  holds(index: LogIndex, term: Term): boolean {
    return index <= this.#base || this.entryAt(index)?.term === term;
  }

  reset(base: LogIndex, baseTerm: Term, entries: readonly Entry[]): void {
    this.#base = base;
    this.#baseTerm = baseTerm;
    this.#entries = [...entries];
  }

  /** A snapshot took the place of what it covers; a log that disagrees with it goes (section 7). */
  restored(snapshot: SnapshotMeta): void {
    if (this.entryAt(snapshot.index)?.term === snapshot.term) return;
    this.reset(snapshot.index, snapshot.term, []);
  }

  written(request: PersistRequest): void {
    const { truncateFrom } = request;
    if (truncateFrom !== undefined) {
      this.#entries.length = Math.min(
        this.#entries.length,
        Math.max(0, truncateFrom - this.#base - 1),
      );
    }
    for (const entry of request.entries) {
      invariant(entry.index === this.lastIndex + 1, 'a log grows without gaps', entry.index);
      this.#entries.push(entry);
    }
  }
}
