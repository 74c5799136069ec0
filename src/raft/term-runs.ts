/**
 * The term of every index from a base on, as runs: a log of millions of entries has few terms, so
 * this stays in memory when the entries do not.
 */
import { invariant } from '../base/index.ts';
import { logIndex } from './entry.ts';
import type { LogIndex, Term, TermRun } from './types.ts';

export class TermRuns {
  /** Ascending in both fields; the first run begins at the base. Never empty. */
  #runs: TermRun[];
  #lastIndex: LogIndex;

  /** `base` is the oldest index whose term is known; `runs` tell of those after it. */
  constructor(base: TermRun, runs: readonly TermRun[], lastIndex: LogIndex) {
    this.#runs = [base];
    this.#lastIndex = base.first;
    for (const run of runs) {
      if (run.first > base.first) this.append(run.first, run.term);
    }
    invariant(lastIndex >= this.#lastIndex, 'term runs reach beyond the log', { lastIndex, runs });
    this.#lastIndex = lastIndex;
  }

  get baseIndex(): LogIndex {
    return this.#runs[0]!.first;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs[this.#runs.length - 1]!.term;
  }

  /** Position of the run that holds `index`, which is at or after the base. */
  #runOf(index: LogIndex): number {
    let low = 0;
    let high = this.#runs.length - 1;
    // Most questions are about the end of the log.
    if (this.#runs[high]!.first <= index) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Undefined outside the known part of the log. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.baseIndex || index > this.#lastIndex) return undefined;
    return this.#runs[this.#runOf(index)]!.term;
  }

  /** The log now reaches to `index`, in `term`. */
  append(index: LogIndex, term: Term): void {
    invariant(index > this.#lastIndex && term >= this.lastTerm, 'terms never fall along the log', {
      index,
      term,
      lastIndex: this.#lastIndex,
      lastTerm: this.lastTerm,
    });
    if (term > this.lastTerm) this.#runs.push({ first: index, term });
    this.#lastIndex = index;
  }

  /** Drops `index` and all after it; the base stays. */
  truncateFrom(index: LogIndex): void {
    invariant(index > this.baseIndex, 'the base cannot be truncated', { index });
    while (this.#runs[this.#runs.length - 1]!.first >= index) this.#runs.pop();
    this.#lastIndex = logIndex(Math.min(this.#lastIndex, index - 1));
  }

  /** Forgets everything before `index`, which becomes the base. */
  compactTo(index: LogIndex): void {
    if (index <= this.baseIndex) return;
    const term = this.termAt(index);
    invariant(term !== undefined, 'compaction beyond the log', { index, last: this.#lastIndex });
    const kept = this.#runs.slice(this.#runOf(index) + 1);
    this.#runs = [{ first: index, term }, ...kept];
  }

  reset(index: LogIndex, term: Term): void {
    this.#runs = [{ first: index, term }];
    this.#lastIndex = index;
  }

  /**
   * The last index at or before `index` whose term is at most `term`: where two logs may still
   * agree when one has `term` there (section 5.3). Never before the base.
   */
  lastAtMost(index: LogIndex, term: Term): LogIndex {
    if (index <= this.baseIndex) return this.baseIndex;
    let at = this.#runOf(index);
    if (this.#runs[at]!.term <= term) return logIndex(Math.min(index, this.#lastIndex));
    while (at > 0 && this.#runs[at]!.term > term) at--;
    return at === 0 && this.#runs[0]!.term > term
      ? this.baseIndex
      : logIndex(this.#runs[at + 1]!.first - 1);
  }
}
