/** How a run's history is judged, on simulated clusters and on real processes alike. */
import type { CheckOptions, Verdict } from '../checkers/verdict.ts';
import { DECLARED_DRIFT } from '../faults/draw-faults.ts';
import type { Operation } from '../history/operation.ts';
import type { CheckResult } from '../simulation/run-record.ts';
import type { Workload } from './workload.ts';

/** A promise that the history breaks. */
export interface BrokenPromise {
  readonly checker: string;
  readonly message: string;
  /** Places in the history. */
  readonly operations: readonly number[];
}

export interface Judgement {
  readonly results: readonly CheckResult[];
  /** The first; of a positive control, what had to be broken is none. */
  readonly broken?: BrokenPromise;
}

/** Clients that were never heard have shown nothing. */
const NOTHING_TO_JUDGE: CheckResult = {
  checker: 'history',
  promise: 'there is something to judge',
  verdict: { type: 'unknown', why: 'no client called anything, so nothing was shown' },
};

const OPTIONS: CheckOptions = { driftShare: DECLARED_DRIFT };

export function judge(workload: Workload, history: readonly Operation[]): Judgement {
  const results: CheckResult[] = [];
  let broken: BrokenPromise | undefined;
  for (const checker of workload.checkers) {
    const { name, promise } = checker;
    const found = checker.check(history, OPTIONS);
    // What stands beside a workload's own promise may have had nothing to look at in a short run.
    const isAside = checker !== workload.checkers[0] && name !== workload.mustFail;
    if (isAside && found.type === 'unknown' && found.provesNothing === true) continue;
    const verdict = name === workload.mustFail ? ofControl(found) : found;
    results.push({ checker: name, promise, verdict });
    if (verdict.type !== 'illegal' || broken !== undefined) continue;
    const operations = verdict.operations.map((operation) => history.indexOf(operation));
    broken = { checker: name, message: verdict.message, operations };
  }
  if (history.length === 0) results.push(NOTHING_TO_JUDGE);
  return { results, ...(broken !== undefined && { broken }) };
}

/** Of a checker that must find something: to have found it is what is asked. */
function ofControl(verdict: Verdict): Verdict {
  if (verdict.type === 'illegal') {
    return { type: 'ok', how: `control shown: ${verdict.message}`, checked: {} };
  }
  const why = verdict.type === 'unknown' ? verdict.why : 'what must go wrong did not, in this run';
  return { type: 'unknown', why: `control not shown: ${why}` };
}
