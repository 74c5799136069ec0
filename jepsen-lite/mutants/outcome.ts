/** What came of a planted bug. */
import type { Notice } from './mutant.ts';

/** How a bug was found, and what it took. */
export interface Kill {
  readonly type: 'killed';
  /** The check that found it: that of a violation, `process` (it died), a situation, or `tests`. */
  readonly check: string;
  readonly message: string;
  /** Runs until then, the last one included. */
  readonly seeds: number;
  readonly simulatedMs: number;
  /** Of one core. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** The run that found it. */
  readonly run?: FoundBy;
}

export interface FoundBy {
  readonly seed: number;
  readonly workload: string;
  readonly faults: number;
  readonly operations: number;
  /** What was left of it when it was made small. */
  readonly small?: { readonly faults: number; readonly operations: number; readonly nodes: number };
}

/** It was not found within the budget. */
export interface Survival {
  readonly type: 'survived';
  readonly seeds: number;
  readonly simulatedMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** It could not be tried, such as where the tests are not there. */
export interface Skipped {
  readonly type: 'skipped';
  readonly why: string;
}

export type Outcome = Kill | Survival | Skipped;

export interface MutantResult {
  readonly id: string;
  readonly breaks: string;
  readonly file: string;
  /** How it was to be noticed. */
  readonly noticedBy: 'violation' | Notice['type'];
  readonly outcome: Outcome;
}
