/** What many runs come to, together. */
import { counted } from '../report/numbers.ts';
import { situationText } from '../report/words.ts';
import { wasCarriedOut } from '../report/fault-text.ts';
import { outcomeOf, type RunRecord } from './run-record.ts';
import type { Outcome } from './run-record.ts';

const MS_PER_S = 1_000;

/** Of one run, what is counted. */
export interface RunCounts {
  readonly outcome: Outcome;
  readonly workload: string;
  readonly operations: number;
  /** Those that were carried out. */
  readonly faults: number;
  readonly simulatedMs: number;
  readonly wallMs: number;
  readonly sometimes: Readonly<Record<string, number>>;
}

export function countsOf(record: RunRecord): RunCounts {
  return {
    outcome: outcomeOf(record),
    workload: record.workload.name,
    operations: record.history.length,
    faults: record.faults.filter(wasCarriedOut).length,
    simulatedMs: record.durationMs,
    wallMs: record.wallMs,
    sometimes: record.sometimes,
  };
}

/** Of what never happened, so much is told in words. */
const MOST_NAMED = 6;

function neverLines(names: readonly string[], where: string): readonly string[] {
  if (names.length === 0) return [];
  const told = names.slice(0, MOST_NAMED).map(situationText);
  const more = names.length - told.length;
  if (more > 0) told.push(`and ${more} more, of which more seeds meet more${where}`);
  return [`never happened, so not tested: ${told.join('; ')}`];
}

export class Tally {
  readonly #begunAt = performance.now();
  readonly #outcomes = { passed: 0, violation: 0, unknown: 0 };
  readonly #sometimes = new Map<string, number>();
  readonly #workloads = new Map<string, number>();
  readonly #wallMs: number[] = [];
  /** How many of the runs were made again and compared. */
  reruns = 0;
  #operations = 0;
  #faults = 0;
  #simulatedMs = 0;

  add(run: RunCounts): void {
    const { outcome, workload, sometimes } = run;
    this.#outcomes[outcome] += 1;
    this.#operations += run.operations;
    this.#faults += run.faults;
    this.#simulatedMs += run.simulatedMs;
    this.#wallMs.push(run.wallMs);
    this.#workloads.set(workload, (this.#workloads.get(workload) ?? 0) + 1);
    for (const [what, count] of Object.entries(sometimes)) {
      this.#sometimes.set(what, (this.#sometimes.get(what) ?? 0) + count);
    }
  }

  get outcome(): Outcome {
    if (this.#outcomes.violation > 0) return 'violation';
    return this.#outcomes.unknown > 0 ? 'unknown' : 'passed';
  }

  get runs(): number {
    return this.#wallMs.length;
  }

  get violations(): number {
    return this.#outcomes.violation;
  }

  toJson(): Record<string, unknown> {
    return {
      runs: this.runs,
      ...this.#outcomes,
      reruns: this.reruns,
      operations: this.#operations,
      faults: this.#faults,
      simulatedMs: Math.round(this.#simulatedMs),
      wallMs: Math.round(performance.now() - this.#begunAt),
      workloads: Object.fromEntries(this.#workloads),
      sometimes: Object.fromEntries(this.#sometimes),
    };
  }

  outcomesLine(): string {
    const { passed, violation, unknown } = this.#outcomes;
    const runs = counted(this.runs, 'run');
    return `${runs}: ${passed} passed, ${violation} with a violation, ${unknown} unknown`;
  }

  /** @param where what counts all that may happen, if anything does */
  lines(where = ''): readonly string[] {
    const wallS = (performance.now() - this.#begunAt) / MS_PER_S;
    const simulatedS = this.#simulatedMs / MS_PER_S;
    const pace = simulatedS / Math.max(wallS, 0.001);
    const never = [...this.#sometimes].filter(([, count]) => count === 0).map(([what]) => what);
    return [
      this.outcomesLine(),
      `${counted(this.#operations, 'operation')} under ${counted(this.#faults, 'fault')}; ` +
        `${Math.round(simulatedS)} s of the clusters' time in ${wallS.toFixed(1)} s, ` +
        `${pace.toFixed(pace < 10 ? 1 : 0)} times as fast as real time`,
      ...(this.reruns === 0
        ? []
        : [`${counted(this.reruns, 'run')} made again, to compare each step`]),
      ...neverLines(never, where),
    ];
  }
}
