/** Measuring in turns: one after the other and again, so that no drift favours anybody. */
import type { Figures, Row } from './figures.ts';

export interface Point {
  readonly label: string;
  /** The point as a number, where it is drawn. */
  readonly x?: number;
}

/** Somebody to be measured; started before the first turn and stopped after the last. */
export interface Contestant<P extends Point> {
  readonly name: string;
  measure(point: P, run: number): Promise<Figures>;
  stop(): Promise<void>;
}

export interface Turns<P extends Point> {
  readonly family: string;
  readonly points: readonly P[];
  readonly contestants: readonly Contestant<P>[];
  readonly runs: number;
  /** Called for every row once its last run is over. */
  readonly onRow: (row: Row) => void;
  /** A contestant that failed at a point is not asked for it again. */
  readonly onFailure: (what: string, error: unknown) => void;
}

export async function inTurns<P extends Point>(turns: Turns<P>): Promise<void> {
  const { family, points, contestants, runs } = turns;
  for (const point of points) {
    const results = contestants.map((contestant) => ({
      contestant,
      figures: [] as Figures[],
      failed: false,
    }));
    for (let run = 0; run < runs; run++) {
      for (const result of results.filter((one) => !one.failed)) {
        try {
          result.figures.push(await result.contestant.measure(point, run));
        } catch (error) {
          result.failed = true;
          turns.onFailure(`${family}, ${point.label}, ${result.contestant.name}`, error);
        }
      }
    }
    for (const { contestant, figures, failed } of results) {
      if (failed) continue;
      const { label, x } = point;
      turns.onRow({ family, point: label, x, contestant: contestant.name, runs: figures });
    }
  }
}
