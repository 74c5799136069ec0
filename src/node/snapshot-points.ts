/** Where in the log snapshots are taken. */
import type { Entry } from '../raft/index.ts';

/** What an entry weighs besides its data, so that many empty ones count too. */
const ENTRY_OVERHEAD_BYTES = 32;

/**
 * Counts entries and bytes since the last point. A point follows from the log and the state alone,
 * and every snapshot is taken at one, so all replicas (with equal settings) agree on the points,
 * also after a restart or a received snapshot, and whether or not a snapshot was really taken at
 * each. A large state moves points apart: as many bytes of log lie between them as it has itself,
 * so writing snapshots costs at most about what writing the log does, and a restart applies about
 * as much as it restores.
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
    if (this.#bytes < stateBytes) return false;
    this.restart();
    return true;
  }

  /** A snapshot was restored: the count begins at its index. */
  restart(): void {
    this.#entries = 0;
    this.#bytes = 0;
  }
}
