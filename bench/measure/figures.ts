/** What measurements give: figures by name, and rows of several runs. */
import { median, type Percentiles } from './statistics.ts';

/**
 * Numbers by a name that says the unit: `perSecond`, `p50Ms`, `serverMicros` (processor time of all
 * servers for one operation), `clientMicros`.
 */
export type Figures = Readonly<Record<string, number>>;

/** One contestant at one point, measured several times. */
export interface Row {
  /** Which table it belongs to: the name of a family of rows. */
  readonly family: string;
  /** What was asked, in words: `100 in flight`. */
  readonly point: string;
  /** The same as a number, where the family is drawn against it. */
  readonly x: number | undefined;
  /** Who was asked: `sqlite`, `etcd`, `limit sqlite`. */
  readonly contestant: string;
  readonly runs: readonly Figures[];
}

/** Figure by figure, over the runs that have it. */
export function medians(runs: readonly Figures[]): Figures {
  const names = new Set(runs.flatMap((run) => Object.keys(run)));
  const result: Record<string, number> = {};
  for (const name of names) {
    const values = runs.map((run) => run[name]).filter((value) => value !== undefined);
    result[name] = median(values);
  }
  return result;
}

/**
 * How many times as much of `figure` one row has as another. Runs of the same turn are compared
 * with each other, so that what changes on the machine in between cancels; then the median.
 */
export function ratio(row: Row, other: Row, figure: string): number | undefined {
  const ratios: number[] = [];
  row.runs.forEach((run, i) => {
    const [mine, theirs] = [run[figure], other.runs[i]?.[figure]];
    if (mine !== undefined && theirs !== undefined && theirs > 0) ratios.push(mine / theirs);
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

export function latencyFigures(latency: Percentiles): Figures {
  return {
    p50Ms: latency.p50,
    p90Ms: latency.p90,
    p99Ms: latency.p99,
    p999Ms: latency.p999,
    maxMs: latency.max,
  };
}
