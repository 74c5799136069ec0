/** Where in the log snapshots are taken. */
import type { Entry } from '../raft/index.ts';

/** What an entry weighs besides its data, so that many empty ones count too. */
const ENTRY_OVERHEAD_BYTES = 32;
/** A state up to this large is written so quickly that points need not be spaced for it. */
const SMALL_STATE_BYTES = 1024 * 1024;
/** Between two points lies so many times as much log as there is state ... */
const LOG_PER_STATE = 4;
/** ... but, as long as that is more than the state, no more than so many times `everyBytes`. */
const MAX_INTERVALS = 4;

/**
 * Counts entries and bytes since the last point. A point follows from the log and the state alone,
 * and every snapshot is taken at one, so all replicas (with equal settings) agree on the points,
 * also after a restart or a received snapshot, and whether or not a snapshot was really taken at
 * each. A state that is not small moves points apart, lest writing it over and over costs as much
 * as everything else; yet not so far that a restart would take much longer to apply the log than to
 * restore the state.
 */
export class SnapshotPoints {
  readonly #everyEntries: number;
  readonly #everyBytes: number;
  #entries = 0;
  #bytes = 0;

  constructor(everyEntries: number, everyBytes: number) {
    this.#everyEntries = everyEntries;
    this.#everyBytes = everyBytes;
  }

  /** Counts an entry, which left a state of `stateBytes`; true when it is a point. */
  passed(entry: Entry, stateBytes: number): boolean {
    this.#entries += 1;
    this.#bytes += entry.data.length + ENTRY_OVERHEAD_BYTES;
    if (this.#entries < this.#everyEntries && this.#bytes < this.#everyBytes) return false;
    if (stateBytes > SMALL_STATE_BYTES && this.#bytes < this.#logFor(stateBytes)) return false;
    this.restart();
    return true;
  }

  /** Bytes of log there have to be before a state as large is worth writing. */
  #logFor(stateBytes: number): number {
    const most = Math.max(stateBytes, MAX_INTERVALS * this.#everyBytes);
    return Math.min(LOG_PER_STATE * stateBytes, most);
  }

  /** A snapshot was restored: the count begins at its index. */
  restart(): void {
    this.#entries = 0;
    this.#bytes = 0;
  }
}
