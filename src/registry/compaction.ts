import { invariant } from '../base/index.ts';
import { changeAt, changeCount, type Changes } from './history.ts';
import { valueBytes, type KeyVersion } from './key-version.ts';
import type { MvccStore } from './mvcc-store.ts';
import type { RegistryLimits, Revision } from './types.ts';

/** Changes cleaned up per applied command, beside twice those it made: so cleaning keeps up. */
const EVENTS_PER_STEP = 64;
/** What a change takes in memory beside its key and value, about. */
const CHANGE_OVERHEAD_BYTES = 256;

/** Somebody who still reads at an old revision; cleaning waits for them. */
export interface HistoryPin {
  readonly compactRevision: Revision;
}

/**
 * Decides what history may be forgotten, and forgets it bit by bit. The decision is part of the
 * replicated state: `compactRevision` is the oldest revision that can be read, the changes after it
 * can be watched. The cleaning is not: how far it got shows nowhere.
 */
export class Compaction {
  readonly #store: MvccStore;
  readonly #pins: Set<HistoryPin> = new Set();
  #compactRevision: Revision;
  /** See `historyBytes`. */
  #bytes = 0;
  #changedBytes = 0;
  /** All changes up to here are cleaned ... */
  #cleaned: number;
  /** ... and so many of the revision after it. */
  #cleanedOfNext = 0;
  #addedSinceClean = 0;

  constructor(store: MvccStore) {
    this.#store = store;
    this.#compactRevision = store.revision;
    this.#cleaned = store.revision;
  }

  get compactRevision(): Revision {
    return this.#compactRevision;
  }

  /** Keys and values of the changes after `compactRevision`, in bytes: follows from the state. */
  get historyBytes(): number {
    return this.#bytes;
  }

  /** What all changes so far weigh in memory, about; only grows. */
  get changedBytes(): number {
    return this.#changedBytes;
  }

  /** To be called for every revision, in order. */
  added(changes: Changes): void {
    const bytes = bytesOf(changes);
    const count = changeCount(changes);
    this.#bytes += bytes;
    this.#changedBytes += bytes + CHANGE_OVERHEAD_BYTES * count;
    this.#addedSinceClean += count;
  }

  /** Moves `compactRevision` up to `revision`, which must not be above the latest. */
  compactTo(revision: Revision): void {
    while (this.#compactRevision < revision) this.#compactNext();
  }

  /** Moves `compactRevision` as far as the limits on history demand. */
  enforceLimits({ historyRevisions, historyMs, historyBytes }: RegistryLimits): void {
    const { history, time } = this.#store;
    while (this.#compactRevision < history.last) {
      const oldest = history.at(this.#compactRevision + 1)!;
      const excess =
        history.last - this.#compactRevision > historyRevisions ||
        changeAt(oldest, 0).record.time <= time - historyMs ||
        this.#bytes > historyBytes;
      if (!excess) return;
      this.#compactNext();
    }
  }

  pin(pin: HistoryPin): void {
    this.#pins.add(pin);
  }

  unpin(pin: HistoryPin): void {
    this.#pins.delete(pin);
  }

  /** Cleans up a little of what is compacted and not pinned. */
  clean(): void {
    let budget = EVENTS_PER_STEP + 2 * this.#addedSinceClean;
    this.#addedSinceClean = 0;
    let target: number = this.#compactRevision;
    for (const pin of this.#pins) target = Math.min(target, pin.compactRevision);
    while (budget > 0 && this.#cleaned < target) {
      const changes = this.#store.history.at(this.#cleaned + 1)!;
      const count = changeCount(changes);
      const stop = Math.min(count, this.#cleanedOfNext + budget);
      budget -= stop - this.#cleanedOfNext;
      for (; this.#cleanedOfNext < stop; this.#cleanedOfNext++) {
        this.#cleanVersion(changeAt(changes, this.#cleanedOfNext).record as KeyVersion);
      }
      if (stop < count) return;
      this.#store.history.dropFirst();
      this.#cleaned++;
      this.#cleanedOfNext = 0;
    }
  }

  /** The oldest readable revision has this version or a newer one: what is older goes. */
  #cleanVersion(version: KeyVersion): void {
    version.previous = undefined;
    if (!version.deleted) return;
    const entry = this.#store.find(version.key);
    if (entry?.latest === version) this.#store.forget(entry);
  }

  #compactNext(): void {
    const next = (this.#compactRevision + 1) as Revision;
    const changes = this.#store.history.at(next);
    invariant(changes !== undefined, 'compaction stays within history', next);
    this.#bytes -= bytesOf(changes);
    this.#compactRevision = next;
  }
}

function bytesOf(changes: Changes): number {
  let bytes = 0;
  for (let i = changeCount(changes) - 1; i >= 0; i--) {
    const { record } = changeAt(changes, i);
    bytes += record.key.length + valueBytes(record);
  }
  return bytes;
}
