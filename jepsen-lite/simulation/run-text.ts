/** A simulated run in words. */
import { describeOperation } from '../history/describe.ts';
import { faultDetail, faultName } from '../report/fault-text.ts';
import { outcomeOf, type Phase, type RunRecord } from './run-record.ts';

const MS_PER_S = 1_000;
/** A run of so many things is short enough to be told whole. */
const MOST_TOLD = 100;

/** What came of it, in one line. */
export function outcomeLine(record: RunRecord): string {
  const { violation, results, seed, workload } = record;
  const run = `seed ${seed}, ${workload.name}`;
  if (violation !== undefined) {
    return `${run}: violation of ${violation.check}: ${violation.message}`;
  }
  const unknown = results.find(({ verdict }) => verdict.type === 'unknown')?.verdict;
  if (unknown?.type === 'unknown') return `${run}: unknown: ${unknown.why}`;
  const { history, faults, durationMs } = record;
  const time = `${(durationMs / MS_PER_S).toFixed(1)} s simulated`;
  return `${run}: passed, ${history.length} operations under ${faults.length} faults in ${time}`;
}

const PHASES: Readonly<Record<Phase['name'], string>> = {
  setup: 'the nodes start',
  safety: 'faults begin',
  liveness: 'a majority is healed, and the rest fails for good',
  convergence: 'all is healed',
  finish: 'last calls',
};

/** Its faults and operations by time, when there are few enough to be read. */
export function eventLines(record: RunRecord): readonly string[] {
  const { faults, history, violation } = record;
  if (faults.length + history.length > MOST_TOLD) return [];
  const events = [
    ...faults.map(({ fault, targets, fromMs, note }) => {
      const whom = targets.length === 0 ? '' : ` (${targets.join(', ')})`;
      const detail = [faultDetail(fault), note ?? ''].filter((text) => text !== '').join('; ');
      const more = detail === '' ? '' : `: ${detail}`;
      return { atMs: fromMs, text: `fault: ${faultName(fault)}${whom}${more}` };
    }),
    ...record.phases.map(({ name, fromMs }) => ({ atMs: fromMs, text: PHASES[name] })),
    ...history.map((operation) => ({
      atMs: operation.call / 1e6,
      text: describeOperation(operation),
    })),
    ...(violation === undefined ? [] : [{ atMs: violation.atMs, text: 'the violation is found' }]),
  ];
  return events
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `  ${atMs.toFixed(1).padStart(9)} ms  ${text}`);
}

/** A run as `-w json` prints it. */
export function runJson(record: RunRecord): Record<string, unknown> {
  const { seed, workload, violation, history, faults, traceHash, durationMs, wallMs } = record;
  return {
    seed,
    workload: workload.name,
    outcome: outcomeOf(record),
    violation: violation ?? null,
    operations: history.length,
    faults: faults.length,
    traceHash,
    simulatedMs: Math.round(durationMs),
    wallMs: Math.round(wallMs),
  };
}
