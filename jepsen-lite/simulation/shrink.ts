/**
 * Makes a failing run small: fewer faults, operations, clients and nodes, less time, calmer faults;
 * what is left fails with the same kind of violation. Large pieces go first, and time: each run is
 * cheaper then. What is left out may move all that comes after it, so a smaller schedule is tried
 * with a few seeds before it is given up.
 */
import type { RunRecord, Violation } from './run-record.ts';
import type { Schedule } from './run.ts';
import { shrinkList } from './shrink-list.ts';
import { calmerFaults } from './shrink-faults.ts';
import {
  eagerSnapshots,
  fewerClients,
  fewerNodes,
  gapClosed,
  since,
  upTo,
} from './shrink-schedule.ts';

/** All that decides a run. */
export type WholeSchedule = Required<Schedule>;

/** A run, and the schedule of what was carried out. */
export interface ShrinkRun {
  readonly record: RunRecord;
  readonly schedule: WholeSchedule;
}

/** What is to be run. */
export interface ShrinkTrial extends WholeSchedule {
  /** What happens from then on is of no interest. */
  readonly endsAtMs: number;
}

export interface ShrinkOptions {
  readonly run: (trial: ShrinkTrial) => Promise<ShrinkRun>;
  /** Runs at most; 3,000 unless given. */
  readonly maxRuns?: number;
  /** Asked before each run: false ends it with what was reached. */
  readonly mayGoOn?: () => boolean;
  readonly onProgress?: (reached: ShrinkRun, runs: number) => void;
}

export interface Shrunk extends ShrinkRun {
  readonly violation: Violation;
  readonly runs: number;
  /** Nothing more could be left out; else the runs, or the time, were used up. */
  readonly isSmallest: boolean;
}

const NS_PER_MS = 1e6;
const MAX_RUNS = 3_000;
/**
 * Seeds that a smaller schedule is tried with: the more is left out, the more it is worth, and the
 * more is moved about.
 */
const FEWEST_SEEDS = 2;
const MOST_SEEDS = 12;
/** Gaps in time that it tries to close, the longest first. */
const GAPS_TRIED = 6;
/** Shares of the time before the violation that are tried alone. */
const WINDOWS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2];
/** A violation that comes later than in the run so far by more than this is not waited for. */
const LATER_SHARE = 0.25;
const LATER_TIMEOUTS = 2;

/** How hard it is tried to leave something out. */
interface Stage {
  /** Seeds that are tried at most. */
  readonly seeds: number;
  /** Pieces that faults and operations are divided into at most. */
  readonly pieces: number;
}

/** What leaves out most at the least cost comes first; its own seed fails most likely. */
const COARSE = 8;
const STAGES: readonly Stage[] = [
  { seeds: 1, pieces: COARSE },
  { seeds: MOST_SEEDS, pieces: COARSE },
  { seeds: 1, pieces: Infinity },
  { seeds: MOST_SEEDS, pieces: Infinity },
];

/**
 * @param failing a run with a violation, and its schedule
 * @throws RangeError when it has none
 */
export async function shrink(failing: ShrinkRun, options: ShrinkOptions): Promise<Shrunk> {
  const { violation } = failing.record;
  if (violation === undefined) throw new RangeError('only a run with a violation can be shrunk');
  const shrinking = new Shrinking(failing, violation, options);
  await shrinking.run();
  const { reached, runs, isOver } = shrinking;
  const found = reached.record.violation ?? violation;
  return { ...reached, violation: found, runs, isSmallest: !isOver() };
}

class Shrinking {
  reached: ShrinkRun;
  runs = 0;
  #stage: Stage = STAGES[0]!;
  /** The operations that were called before it ended. */
  #called: WholeSchedule['operations'];
  readonly #check: string;
  readonly #options: ShrinkOptions;

  constructor(failing: ShrinkRun, { check }: Violation, options: ShrinkOptions) {
    this.reached = failing;
    this.#called = failing.schedule.operations;
    this.#check = check;
    this.#options = options;
  }

  readonly isOver = (): boolean => {
    const { maxRuns = MAX_RUNS, mayGoOn } = this.#options;
    return this.runs >= maxRuns || mayGoOn?.() === false;
  };

  get #schedule(): WholeSchedule {
    return this.reached.schedule;
  }

  async run(): Promise<void> {
    for (const stage of STAGES) {
      this.#stage = stage;
      await this.#runThrough();
    }
  }

  /** Everything in turn, until nothing of it makes the run smaller. */
  async #runThrough(): Promise<void> {
    let size = Infinity;
    while (this.#size() < size && !this.isOver()) {
      size = this.#size();
      const eager = eagerSnapshots(this.#schedule);
      if (eager !== undefined) await this.#shows(eager);
      await this.#end();
      await this.#subject();
      await this.#faults();
      await this.#operations();
      await this.#nodes();
      if (this.#stage.pieces === COARSE) continue;
      await this.#calm();
      await this.#time();
    }
  }

  /** What counts, most important first. */
  #size(): number {
    const { faults, operations, configuration } = this.#schedule;
    const { nodes, clients, faultsMs } = configuration;
    const lasting = faults.reduce((sum, { forMs }) => sum + forMs, 0);
    const things = 100 * (faults.length + operations.length) + 10 * (nodes + clients);
    return things + (lasting + faultsMs) / 1_000;
  }

  /** Whether it still fails, in which case it is what was reached. */
  readonly #shows = async (
    schedule: WholeSchedule,
    seeds: number = this.#seedsFor(schedule),
  ): Promise<boolean> => {
    for (let more = 0; more < seeds && !this.isOver(); more++) {
      this.runs += 1;
      const seed = schedule.seed + more;
      const asked = { ...schedule, seed };
      const { endsAtMs } = this;
      const { record, schedule: carriedOut } = await this.#options.run({ ...asked, endsAtMs });
      if (record.violation?.check !== this.#check) continue;
      // What was asked for, not what became of it: another schedule would be another run.
      this.reached = { record, schedule: asked };
      this.#called = carriedOut.operations;
      this.#options.onProgress?.(this.reached, this.runs);
      return true;
    }
    return false;
  };

  #seedsFor({ faults, operations }: WholeSchedule): number {
    const gone = Math.max(
      shareGone(faults.length, this.#schedule.faults.length),
      shareGone(operations.length, this.#schedule.operations.length),
    );
    const seeds = FEWEST_SEEDS + Math.round(gone * (MOST_SEEDS - FEWEST_SEEDS));
    return Math.min(seeds, this.#stage.seeds);
  }

  /** A run that has come so far without a violation is not the one that is looked for. */
  get endsAtMs(): number {
    const { record, schedule } = this.reached;
    const { violation, results } = record;
    // Histories are judged when all is over.
    if (violation === undefined || results.length > 0) return Infinity;
    const { electionTimeoutMs = 0 } = schedule.configuration.settings;
    return violation.atMs * (1 + LATER_SHARE) + LATER_TIMEOUTS * electionTimeoutMs;
  }

  /** Nothing after the violation is needed, nor what never came about. */
  async #end(): Promise<void> {
    const { record, schedule } = this.reached;
    const carriedOut = record.faults.filter(({ note }) => note?.startsWith('not ') !== true);
    const known = new Set(carriedOut.map(({ fault }) => JSON.stringify(fault)));
    const faults = schedule.faults.filter((fault) => known.has(JSON.stringify(fault)));
    if (faults.length < schedule.faults.length) await this.#shows({ ...schedule, faults });
    const operations = this.#called;
    if (operations.length < this.#schedule.operations.length) {
      await this.#shows({ ...this.#schedule, operations });
    }
    for (const endMs of this.#ends()) {
      if (await this.#shows(upTo(this.#schedule, endMs))) break;
    }
    await this.#latest();
  }

  /** What happened last before the violation is most likely what brought it about. */
  async #latest(): Promise<void> {
    const untilMs = this.#foundMs();
    for (const share of WINDOWS) {
      const fromMs = untilMs * (1 - share);
      if (await this.#shows(since(this.#schedule, fromMs, this.#faultsFromMs()))) return;
    }
  }

  /** When the faults might end, in milliseconds since they began: earliest first. */
  #ends(): number[] {
    const { faultsMs } = this.#schedule.configuration;
    const foundMs = this.#foundMs();
    const shares = [1 / 8, 1 / 4, 1 / 2, 3 / 4].map((share) => share * faultsMs);
    const ends = foundMs < faultsMs ? [...shares, foundMs + 1] : shares;
    return ends.filter((endMs) => endMs > 0 && endMs < faultsMs).toSorted((a, b) => a - b);
  }

  /** Only the calls on the keys that the contradiction is about. */
  async #subject(): Promise<void> {
    const { history, violation } = this.reached.record;
    const keys = new Set(violation?.operations.map((place) => history[place]?.key));
    if (keys.size === 0 || keys.has(undefined)) return;
    const calls = new Set(history.filter(({ key }) => keys.has(key)).map(({ call }) => call));
    const operations = this.#schedule.operations.filter(({ atMs }) =>
      calls.has(Math.round(atMs * NS_PER_MS)),
    );
    if (operations.length === this.#schedule.operations.length) return;
    await this.#shows({ ...this.#schedule, operations });
  }

  async #faults(): Promise<void> {
    const shows = (faults: WholeSchedule['faults']): Promise<boolean> =>
      this.#shows({ ...this.#schedule, faults });
    if (this.#schedule.faults.length > COARSE) {
      for (const kind of kindsOf(this.#schedule)) {
        await shows(this.#schedule.faults.filter(({ type }) => type !== kind));
      }
    }
    await shrinkList(this.#schedule.faults, shows, this.#stage.pieces);
  }

  async #operations(): Promise<void> {
    const clients = new Set(this.#schedule.operations.map(({ client }) => client));
    for (const left of clients) {
      const operations = this.#schedule.operations.filter(({ client }) => client !== left);
      await this.#shows({ ...this.#schedule, operations });
    }
    await shrinkList(
      this.#schedule.operations,
      (operations) => this.#shows({ ...this.#schedule, operations }),
      this.#stage.pieces,
    );
    const fewer = fewerClients(this.#schedule);
    if (fewer !== undefined) await this.#shows(fewer);
  }

  async #nodes(): Promise<void> {
    for (let nodes = 1; nodes < this.#schedule.configuration.nodes; nodes++) {
      if (await this.#shows(fewerNodes(this.#schedule, nodes))) return;
    }
  }

  async #calm(): Promise<void> {
    for (let at = 0; at < this.#schedule.faults.length; at++) {
      while (await this.#calmer(at));
    }
  }

  /** Whether one of its calmer forms did as well. */
  async #calmer(at: number): Promise<boolean> {
    for (const calmer of calmerFaults(this.#schedule.faults[at]!)) {
      const faults = this.#schedule.faults.with(at, calmer);
      if (await this.#shows({ ...this.#schedule, faults })) return true;
    }
    return false;
  }

  async #time(): Promise<void> {
    for (let rank = 0; rank < GAPS_TRIED; rank++) {
      const closed = gapClosed(this.#schedule, rank, this.#faultsFromMs());
      if (closed === undefined) return;
      await this.#shows(closed, 1);
    }
  }

  /**
   * When there was a violation, in milliseconds since the faults began. Histories are judged at the
   * end, and then it is the end of the operations that contradict each other.
   */
  #foundMs(): number {
    const { history, violation } = this.reached.record;
    const ends = (violation?.operations ?? []).flatMap((place) => {
      const operation = history[place];
      return operation === undefined ? [] : [operation.return ?? operation.call];
    });
    const atMs = ends.length === 0 ? (violation?.atMs ?? 0) : Math.max(...ends) / NS_PER_MS;
    return atMs - this.#faultsFromMs();
  }

  #faultsFromMs(): number {
    const { phases } = this.reached.record;
    return phases.find(({ name }) => name === 'safety')?.fromMs ?? 0;
  }
}

/** Kinds of faults, the most frequent first. */
function kindsOf({ faults }: WholeSchedule): readonly string[] {
  const counts = new Map<string, number>();
  for (const { type } of faults) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([type]) => type);
}

function shareGone(left: number, all: number): number {
  return all === 0 ? 0 : 1 - left / all;
}
