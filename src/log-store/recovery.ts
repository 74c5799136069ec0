/** What an opened log amounts to, and whether it agrees with its snapshot. */
import type { Entry, SnapshotMeta, Term, TermRun } from '../raft/index.ts';
import { corruptData } from './errors.ts';

/** Gathers, entry by entry, what recovery reports of a log. */
export class LogSummary {
  first: number | undefined;
  last = 0;
  lastTime = 0;
  readonly termRuns: TermRun[] = [];
  readonly membershipEntries: Entry[] = [];
  #lastTerm = -1;

  /** Throws `corrupt-data` when `entry` does not follow the one before. */
  add(entry: Entry): void {
    if (this.first === undefined) {
      this.first = entry.index;
    } else if (entry.index !== this.last + 1) {
      throw corruptData('entry', `found ${entry.index} after ${this.last}`, this.last + 1);
    }
    this.last = entry.index;
    this.lastTime = entry.time;
    if (entry.term !== this.#lastTerm) {
      this.termRuns.push({ first: entry.index, term: entry.term });
      this.#lastTerm = entry.term;
    }
    // A copy: the entry is likely a view into a block of many that must not be kept alive.
    if (entry.type === 'membership') {
      this.membershipEntries.push({ ...entry, data: entry.data.slice(), recorded: undefined });
    }
  }

  /** The term of an entry held. */
  termAt(index: number): Term | undefined {
    if (this.first === undefined || index < this.first || index > this.last) return undefined;
    return this.termRuns.findLast((run) => run.first <= index)?.term;
  }
}

/**
 * Why the log must give way to its snapshot, or undefined when the two agree.
 *
 * They agree when the log holds the snapshot's index with the snapshot's term, or begins right
 * after it. Else the snapshot came from a leader whose log went on without ours: a crash fell
 * between saving it and cutting the log (paper section 7). A log that begins further on has lost
 * entries.
 */
export function conflictWithSnapshot(
  log: LogSummary,
  snapshot: SnapshotMeta | undefined,
): string | undefined {
  if (log.first === undefined) return undefined;
  const covered = snapshot?.index ?? 0;
  if (log.first > covered + 1) {
    throw corruptData(
      'entry',
      `the log begins at ${log.first}, covered is ${covered}`,
      covered + 1,
    );
  }
  if (snapshot === undefined || log.first === covered + 1) return undefined;
  const range = `log ${log.first} to ${log.last} discarded`;
  if (log.last < covered) return `${range}: it ends before the snapshot at ${covered}`;
  const term = log.termAt(covered);
  if (term === snapshot.term) return undefined;
  return `${range}: entry ${covered} has term ${term}, the snapshot there ${snapshot.term}`;
}
