/** Which plots a family of rows gets. */
import { medians, type Row } from '../measure/figures.ts';
import type { Family } from '../rows/family.ts';
import { plot, type Line } from './plot.ts';

const PERCENTILES = [
  ['p50Ms', 'p50'],
  ['p90Ms', 'p90'],
  ['p99Ms', 'p99'],
  ['p999Ms', 'p99.9'],
  ['maxMs', 'max'],
] as const;

export function chartsOf(family: Family, rows: readonly Row[]): string[] {
  const own = rows.filter((row) => row.family === family.name);
  switch (family.drawn) {
    case undefined:
      return [];
    case 'load':
      return [
        overX(family, own, 'perSecond', 'throughput', 'in flight', 'per second'),
        overX(family, own, 'p50Ms', 'latency, p50', 'in flight', 'ms'),
        overX(family, own, 'p99Ms', 'latency, p99', 'in flight', 'ms'),
        percentilesOf(family, own),
        overX(family, own, 'serverMicros', 'processor time of the servers', 'in flight', 'us each'),
      ].filter((svg) => svg !== '');
    case 'size':
      return family.columns
        .map(({ figure, title }) => overX(family, own, figure, title, 'size', title))
        .filter((svg) => svg !== '');
    default:
      return family.drawn satisfies never;
  }
}

/** In the order in which they were measured. */
function contestantsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map(({ contestant }) => contestant))];
}

function isReference(family: Family, contestants: readonly string[], name: string): boolean {
  return (
    contestants.some((one) => family.peerOf?.(one) === name || family.limitOf?.(one) === name) ||
    name.startsWith('limit')
  );
}

function overX(
  family: Family,
  rows: readonly Row[],
  figure: string,
  what: string,
  xTitle: string,
  yTitle: string,
): string {
  const contestants = contestantsOf(rows);
  const lines = contestants.map((name): Line => {
    const points = rows
      .filter(({ contestant, x }) => contestant === name && x !== undefined)
      .map((row) => ({ x: row.x ?? 0, y: medians(row.runs)[figure] ?? 0 }));
    return { name, points, isReference: isReference(family, contestants, name) };
  });
  return plot({ title: `${family.name}: ${what}`, xTitle, yTitle, lines });
}

/** At the point in the middle, where there is some load and no queue yet. */
function percentilesOf(family: Family, rows: readonly Row[]): string {
  const points = [...new Set(rows.map(({ point }) => point))];
  const point = points[Math.floor(points.length / 2)];
  const contestants = contestantsOf(rows);
  const lines = rows
    .filter((row) => row.point === point)
    .map((row): Line => {
      const figures = medians(row.runs);
      const places = PERCENTILES.map(([figure], x) => ({ x, y: figures[figure] ?? 0 }));
      const name = row.contestant;
      return { name, points: places, isReference: isReference(family, contestants, name) };
    });
  return plot({
    title: `${family.name}: latency at ${point}`,
    xTitle: 'percentile',
    yTitle: 'ms',
    names: PERCENTILES.map(([, name]) => name),
    lines,
  });
}
