/** A simulated run in words. */
import { describeOperation } from '../history/describe.ts';
import { counted } from '../report/numbers.ts';
import { faultDetail, faultName, wasCarriedOut } from '../report/fault-text.ts';
import { outcomeOf, type Phase, type RunRecord } from './run-record.ts';

const MS_PER_S = 1_000;
/** A run of so many things is short enough to be told whole. */
const MOST_TOLD = 100;

/** What came of it, in one line. */
export function outcomeLine(record: RunRecord): string {
  const { violation, results, seed, workload } = record;
  const run = `seed ${seed}, ${workload.name}`;
  if (violation !== undefined && outcomeOf(record) === 'unknown') {
    return `${run}: could not be judged: ${violation.message}`;
  }
  if (violation !== undefined) {
    return `${run}: violation of ${violation.check}: ${violation.message}`;
  }
  const unknown = results.find(({ verdict }) => verdict.type === 'unknown')?.verdict;
  if (unknown?.type === 'unknown') return `${run}: unknown: ${unknown.why}`;
  const { history, faults, durationMs } = record;
  const time = `${seconds(durationMs)}${record.harness === 'simulation' ? ' simulated' : ''}`;
  const done = counted(history.length, 'operation');
  const happened = faults.filter(wasCarriedOut).length;
  return `${run}: passed, ${done} under ${counted(happened, 'fault')} in ${time}`;
}

/** How soon a cluster of real processes was well again, each time that it was healed. */
export function healingLine(record: RunRecord): string {
  const { rounds, longestLivenessMs, longestConvergenceMs } = healingOf(record);
  if (rounds === 0) return 'no round came to its end';
  const took = `at most ${seconds(longestLivenessMs)}`;
  return (
    `rounds: ${rounds}; a healed majority took a write after ${took}, ` +
    `all nodes were equal after at most ${seconds(longestConvergenceMs)} more`
  );
}

interface HealingTimes {
  readonly rounds: number;
  readonly longestLivenessMs: number;
  readonly longestConvergenceMs: number;
}

function healingOf({ phases }: RunRecord): HealingTimes {
  const lengthsOf = (wanted: Phase['name']): number[] =>
    phases.flatMap(({ name, fromMs, toMs }) =>
      name === wanted ? [Math.round(toMs - fromMs)] : [],
    );
  const converged = lengthsOf('convergence');
  return {
    rounds: converged.length,
    longestLivenessMs: Math.max(0, ...lengthsOf('liveness')),
    longestConvergenceMs: Math.max(0, ...converged),
  };
}

function seconds(ms: number): string {
  return `${(ms / MS_PER_S).toFixed(1)} s`;
}

/** How many faults of each kind were carried out. */
function faultCounts({ faults }: RunRecord): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault, targets } of faults) {
    counts[fault.type] = (counts[fault.type] ?? 0) + (targets.length > 0 ? 1 : 0);
  }
  return counts;
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
  const { seed, workload, violation, history, faults, durationMs, wallMs } = record;
  const isReal = record.harness === 'real';
  return {
    seed,
    workload: workload.name,
    outcome: outcomeOf(record),
    violation: violation ?? null,
    operations: history.length,
    faults: faults.filter(wasCarriedOut).length,
    ...(isReal ? realJson(record) : { traceHash: record.traceHash }),
    [isReal ? 'durationMs' : 'simulatedMs']: Math.round(durationMs),
    wallMs: Math.round(wallMs),
  };
}

function realJson(record: RunRecord): Record<string, unknown> {
  const { configuration, sometimes, replay } = record;
  const { store, nodes } = configuration;
  return { store, nodes, carriedOut: faultCounts(record), sometimes, ...healingOf(record), replay };
}
