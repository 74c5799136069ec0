/** What a family of rows is: one table of one kind of figures. */
import type { Figures, Row } from '../measure/figures.ts';
import { inTurns, type Contestant, type Point } from '../measure/turns.ts';
import type { BenchOptions } from '../options.ts';

/** A figure that the table shows. */
export interface Column {
  readonly figure: string;
  readonly title: string;
  readonly digits: number;
}

export interface Family {
  readonly name: string;
  /** One line for `--list` and above the table. */
  readonly about: string;
  readonly columns: readonly Column[];
  /** The figure that is compared with those of peer and limit. */
  readonly headline: string;
  /** How its rows are drawn on the page, if they are: by what `x` of the points is. */
  readonly drawn?: 'load' | 'size';
  readonly peerOf?: (contestant: string) => string | undefined;
  readonly limitOf?: (contestant: string) => string | undefined;
  run(bench: Bench): Promise<void>;
}

/** What a family needs to run. */
export interface Bench {
  readonly options: BenchOptions;
  readonly onRow: (row: Row) => void;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** Somebody to be measured who is yet to be started. */
export type Entrant<P extends Point> = () => Promise<Contestant<P>>;

export interface ContestOptions<P extends Point> {
  /** As many as were asked for by default. */
  readonly runs?: number;
  /** Measured once by everyone before the turns begin, and forgotten: what is hot is compiled. */
  readonly rehearsal?: P;
}

/**
 * Starts all, measures them in turns, stops all. Who cannot be started is reported and left out.
 */
export async function contest<P extends Point>(
  bench: Bench,
  family: string,
  points: readonly P[],
  entrants: readonly Entrant<P>[],
  { runs = bench.options.runs, rehearsal }: ContestOptions<P> = {},
): Promise<void> {
  const contestants: Contestant<P>[] = [];
  try {
    for (const entrant of entrants) {
      try {
        const contestant = await entrant();
        contestants.push(contestant);
        if (rehearsal !== undefined) await contestant.measure(rehearsal, 0);
      } catch (error) {
        bench.onFailure(`${family}, at its start`, error);
      }
    }
    const { onRow, onFailure } = bench;
    await inTurns({ family, points, contestants, runs, onRow, onFailure });
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
}

/** A contestant that is nothing between two measurements. */
export function stateless<P extends Point>(
  name: string,
  measure: (point: P, run: number) => Promise<Figures>,
): Entrant<P> {
  return async () => ({ name, measure, stop: async () => undefined });
}

export const LOAD_COLUMNS: readonly Column[] = [
  { figure: 'perSecond', title: 'per s', digits: 0 },
  { figure: 'p50Ms', title: 'p50 ms', digits: 2 },
  { figure: 'p99Ms', title: 'p99 ms', digits: 2 },
  { figure: 'serverMicros', title: 'servers us', digits: 1 },
  { figure: 'clientMicros', title: 'client us', digits: 1 },
];
