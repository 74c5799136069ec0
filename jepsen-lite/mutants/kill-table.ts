/** What came of planted bugs, for people. */
import { unreachable } from '../../src/base/index.ts';
import type { Kill, MutantResult, Outcome } from './outcome.ts';

const MS_PER_S = 1_000;

export interface KillSummary {
  readonly killed: number;
  readonly survived: number;
  readonly skipped: number;
  /** Of those that runs have killed: the median of the time of one core. Null without any. */
  readonly medianCpuMs: number | null;
}

export function summaryOf(results: readonly MutantResult[]): KillSummary {
  const ofType = (type: Outcome['type']): number =>
    results.filter(({ outcome }) => outcome.type === type).length;
  const byRuns = results.flatMap(({ outcome }) =>
    outcome.type === 'killed' && outcome.seeds > 0 ? [outcome.cpuMs] : [],
  );
  const ordered = byRuns.toSorted((a, b) => a - b);
  return {
    killed: ofType('killed'),
    survived: ofType('survived'),
    skipped: ofType('skipped'),
    medianCpuMs: ordered[ordered.length >>> 1] ?? null,
  };
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
  return `after ${seeds} seeds, ${seconds(simulatedMs)} s simulated, ${tests} of one core`;
}

function sizeText({ run }: Kill): string {
  if (run?.small === undefined) return '';
  const { faults, operations, nodes } = run.small;
  return `; ${faults} faults, ${operations} operations, ${nodes} nodes are enough`;
}

function seconds(ms: number): string {
  return (ms / MS_PER_S).toFixed(1);
}

export function summaryLine({ killed, survived, skipped, medianCpuMs }: KillSummary): string {
  const median =
    medianCpuMs === null ? '' : `; median ${seconds(medianCpuMs)} s of one core to the kill`;
  return `${killed} killed, ${survived} survived, ${skipped} skipped${median}`;
}

const COLUMNS = [
  'mutant',
  'what it breaks',
  'found by',
  'seeds',
  'simulated s',
  'core s',
  'wall s',
  'faults',
  'operations',
];

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A table in Markdown; faults and operations are those of the shrunk run. */
export function markdownTable(results: readonly MutantResult[]): string {
  const rule = COLUMNS.map((_, at) => (at < 3 ? '---' : '--:'));
  return [row(COLUMNS), row(rule), ...results.map((result) => row(cellsOf(result)))].join('\n');
}

function cellsOf({ id, breaks, outcome }: MutantResult): readonly string[] {
  const name = `\`${id}\``;
  if (outcome.type === 'skipped') return [name, breaks, 'skipped', '', '', '', '', '', ''];
  const { seeds, simulatedMs, cpuMs, wallMs } = outcome;
  const runs = seeds === 0 ? ['', ''] : [String(seeds), seconds(simulatedMs)];
  const cost = [...runs, seconds(cpuMs), seconds(wallMs)];
  if (outcome.type === 'survived') return [name, breaks, '**survived**', ...cost, '', ''];
  const { small } = outcome.run ?? {};
  const size = small === undefined ? ['', ''] : [String(small.faults), String(small.operations)];
  return [name, breaks, outcome.check, ...cost, ...size];
}
