/** What came of planted bugs, in lines and numbers; as a page: `kill-page.ts`. */
import { unreachable } from '../../src/base/index.ts';
import { counted } from '../report/numbers.ts';
import type { Kill, MutantResult, Outcome } from './outcome.ts';

const MS_PER_S = 1_000;

export interface KillSummary {
  readonly killed: number;
  readonly survived: number;
  readonly skipped: number;
  /** Of those that runs have killed, medians; null without any. Of one core. */
  readonly medianCpuMs: number | null;
  readonly medianWallMs: number | null;
  /** Of what is left of those runs that were made small. */
  readonly medianFaults: number | null;
  readonly medianOperations: number | null;
}

export function summaryOf(results: readonly MutantResult[]): KillSummary {
  const ofType = (type: Outcome['type']): number =>
    results.filter(({ outcome }) => outcome.type === type).length;
  const byRuns = results.flatMap(({ outcome }) =>
    outcome.type === 'killed' && outcome.seeds > 0 ? [outcome] : [],
  );
  const small = byRuns.flatMap(({ run }) => run?.small ?? []);
  return {
    killed: ofType('killed'),
    survived: ofType('survived'),
    skipped: ofType('skipped'),
    medianCpuMs: medianOf(byRuns.map(({ cpuMs }) => cpuMs)),
    medianWallMs: medianOf(byRuns.map(({ wallMs }) => wallMs)),
    medianFaults: medianOf(small.map(({ faults }) => faults)),
    medianOperations: medianOf(small.map(({ operations }) => operations)),
  };
}

/** Of an even number the greater one in the middle. */
function medianOf(numbers: readonly number[]): number | null {
  return numbers.toSorted((a, b) => a - b)[numbers.length >>> 1] ?? null;
}

/** One line, as soon as it is known. */
export function resultLine({ id, breaks, outcome }: MutantResult): string {
  return `${id}: ${breaks}: ${outcomeText(outcome)}`;
}

function outcomeText(outcome: Outcome): string {
  switch (outcome.type) {
    case 'killed':
      return `killed by ${outcome.check} ${costText(outcome)}${sizeText(outcome)}`;
    case 'survived':
      return `SURVIVED ${costText(outcome)}`;
    case 'skipped':
      return `skipped: ${outcome.why}`;
    default:
      return unreachable(outcome);
  }
}

function costText({ seeds, simulatedMs, cpuMs }: Omit<Kill, 'type' | 'check' | 'message'>): string {
  const tests = `in ${seconds(cpuMs)} s`;
  if (seeds === 0) return tests;
  const runs = counted(seeds, 'seed');
  return `after ${runs}, ${seconds(simulatedMs)} s simulated, ${tests} of one core`;
}

function sizeText({ run }: Kill): string {
  if (run?.small === undefined) return '';
  const { faults, operations, nodes } = run.small;
  const things = `${counted(faults, 'fault')}, ${counted(operations, 'operation')}`;
  return `; enough: ${things}, ${counted(nodes, 'node')}`;
}

export function seconds(ms: number): string {
  return (ms / MS_PER_S).toFixed(1);
}

export function summaryLine(summary: KillSummary): string {
  const { killed, survived, skipped, medianCpuMs, medianWallMs } = summary;
  const counts = `${killed} killed, ${survived} survived, ${skipped} skipped`;
  if (medianCpuMs === null || medianWallMs === null) return counts;
  const times = `${seconds(medianCpuMs)} s of one core, ${seconds(medianWallMs)} s on the clock`;
  return `${counts}; median ${times} to the kill${smallText(summary)}`;
}

function smallText({ medianFaults, medianOperations }: KillSummary): string {
  if (medianFaults === null || medianOperations === null) return '';
  const faults = counted(medianFaults, 'fault');
  return `; enough in the median: ${faults}, ${counted(medianOperations, 'operation')}`;
}
