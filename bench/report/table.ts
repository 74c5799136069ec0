/** Rows as text, one table a family, and the table of goals. */
import { medians, ratio, type Row } from '../measure/figures.ts';
import type { Family } from '../rows/family.ts';
import { GOALS, verdictOf, type Goal } from './goals.ts';

/** Beside the figures: how many times the headline of peer and limit. */
const COMPARISONS = ['x peer', 'x limit'] as const;
const NOTHING = '-';
const MIN_WIDTH = 8;

export function number(value: number | undefined, digits: number): string {
  if (value === undefined || Number.isNaN(value)) return NOTHING;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString('en', options);
}

/** How a row does against the row of another contestant at the same point; undefined: no such. */
export function against(
  family: Family,
  rows: readonly Row[],
  row: Row,
  other: string | undefined,
): number | undefined {
  const found = rows.find(
    (one) => one.family === family.name && one.point === row.point && one.contestant === other,
  );
  return found === undefined ? undefined : ratio(row, found, family.headline);
}

/** Title and cells, as the page shows them too. */
export function cellsOf(family: Family, rows: readonly Row[], row: Row): string[] {
  const figures = medians(row.runs);
  const peer = against(family, rows, row, family.peerOf?.(row.contestant));
  const limit = against(family, rows, row, family.limitOf?.(row.contestant));
  return [
    row.point,
    row.contestant,
    ...family.columns.map(({ figure, digits }) => number(figures[figure], digits)),
    number(peer, 2),
    number(limit, 2),
  ];
}

export function titlesOf(family: Family): string[] {
  return ['', '', ...family.columns.map(({ title }) => title), ...COMPARISONS];
}

export function familyTable(family: Family, rows: readonly Row[]): string {
  const own = rows.filter((row) => row.family === family.name);
  const lines = [titlesOf(family), ...own.map((row) => cellsOf(family, rows, row))];
  return `${family.name}: ${family.about}\n${aligned(lines, 2)}`;
}

export function goalCells(goal: Goal, rows: readonly Row[]): string[] {
  const measured = goal.measured(rows);
  const digits = goal.unit === 'x' ? 2 : 0;
  const unit = goal.unit === 'ms' ? ' ms' : goal.unit;
  const show = (value: number | undefined): string =>
    value === undefined ? NOTHING : `${number(value, digits)}${unit}`;
  return [goal.text, show(measured), show(goal.must), show(goal.goal), verdictOf(goal, measured)];
}

/** Only goals for which there are rows; empty when there are none. */
export function goalTable(rows: readonly Row[]): string {
  const known = GOALS.filter((goal) => goal.measured(rows) !== undefined);
  if (known.length === 0) return '';
  const lines = known.map((goal) => goalCells(goal, rows));
  return aligned([['', 'measured', 'must', 'goal', 'reached'], ...lines], 1);
}

/** Columns as wide as their widest cell; the first `left` of them begin at the left. */
function aligned(lines: readonly (readonly string[])[], left: number): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(i < left ? 0 : MIN_WIDTH, ...lines.map((line) => line[i]?.length ?? 0)),
  );
  const rendered = lines.map((line) =>
    line
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${rendered.join('\n')}\n`;
}
