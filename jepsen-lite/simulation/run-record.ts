/**
 * All that is kept of a run, on simulated clusters or on real processes: a `RunRecord` is plain
 * JSON, and its report is made from it alone.
 *
 * Every time is in milliseconds since the run began, on the clock of the history (whose calls and
 * returns are nanoseconds on it); virtual time in simulation.
 */
import type { Verdict } from '../checkers/verdict.ts';
import type { Fault } from '../faults/fault.ts';
import type { Operation } from '../history/operation.ts';

export const RUN_RECORD_VERSION = 1;

/** What something was, from each of these moments to the next; by time, values differ. */
export type Changes<T> = readonly (readonly [atMs: number, value: T])[];

/**
 * - `safety`: faults come and go, nothing wrong may be answered.
 * - `liveness`: a core is healed, the other failures are permanent, progress is demanded.
 * - `convergence`: all is healed, and every replica has to come to the same state.
 */
export interface Phase {
  readonly name: 'setup' | 'safety' | 'liveness' | 'convergence' | 'finish';
  readonly fromMs: number;
  readonly toMs: number;
}

/** A fault as it took place. */
export interface InjectedFault {
  /** As it was decided; its `atMs` counts from the beginning of the faults, not of the run. */
  readonly fault: Fault;
  /** The nodes it hit, `leader` resolved; of a client `client-0`. None: it was not carried out. */
  readonly targets: readonly string[];
  readonly fromMs: number;
  /** When it was undone; as `fromMs` for what happens at once. */
  readonly toMs: number;
  /** What came of it where that is not plain, such as `not carried out: no leader`. */
  readonly note?: string;
}

export type NodeLife = 'up' | 'down' | 'paused';
/** `outside`: it is no member, since it was removed or has yet to be let in. */
export type NodeRole = 'follower' | 'preCandidate' | 'candidate' | 'leader' | 'learner' | 'outside';
/** `damaged`: it found out that its store is not whole. */
export type NodeDisk = 'ok' | 'slow' | 'stuck' | 'failing' | 'full' | 'damaged' | 'wiped';

/**
 * One node's run. The counters may be thinned (the last change within some milliseconds stands for
 * all of them), the others are whole. While the node is down, its values are those it had.
 */
export interface NodeTimeline {
  readonly node: string;
  readonly life: Changes<NodeLife>;
  readonly role: Changes<NodeRole>;
  readonly disk: Changes<NodeDisk>;
  readonly term: Changes<number>;
  readonly commit: Changes<number>;
  readonly applied: Changes<number>;
  /** Last index in its log. */
  readonly lastIndex?: Changes<number>;
  /** Index of its snapshot. */
  readonly snapshot?: Changes<number>;
}

/** A message between nodes. */
export interface Message {
  readonly from: string;
  readonly to: string;
  /** As the transport names it: `append`, `vote`, ... */
  readonly type: string;
  readonly sentMs: number;
  /** Null: it never arrived. */
  readonly receivedMs: number | null;
  /** What it says, short: `term 3, 41..44 after 40`. */
  readonly text?: string;
}

/** A bounded part of the messages. */
export interface MessageSample {
  /** How many were sent in the whole run. */
  readonly sent: number;
  /** By time of sending. */
  readonly kept: readonly Message[];
  /** Which ones were kept, in a few words: `all from 12.0 s to 14.5 s, every 20th elsewhere`. */
  readonly choice: string;
}

/** What one checker said. */
export interface CheckResult {
  readonly checker: string;
  readonly promise: string;
  readonly verdict: Verdict;
}

/** Why a run failed; the first that was found. */
export interface Violation {
  /**
   * Which kind: the name of a checker, or of what is checked at every event (`election-safety`,
   * `log-matching`, ...), `liveness`, `convergence` or `determinism`. Shrinking keeps it.
   */
  readonly check: string;
  /** The contradiction, in one sentence. */
  readonly message: string;
  readonly atMs: number;
  /** Nodes that take part in the contradiction. */
  readonly nodes: readonly string[];
  /** Operations that do, as places in the history. */
  readonly operations: readonly number[];
}

/** A run, whole. Every list is bounded by the harness that fills it. */
export interface RunRecord {
  readonly version: typeof RUN_RECORD_VERSION;
  readonly harness: 'simulation' | 'real';
  /** A simulation's seed; that of the schedule with real processes. */
  readonly seed: number;
  readonly workload: { readonly name: string; readonly promise: string };
  /** What the seed drew or the caller asked for, by name: sizes, timeouts, probabilities, store. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The command that gives this run again, or one like it with real processes. */
  readonly replay: string;
  readonly phases: readonly Phase[];
  /** By `fromMs`. */
  readonly faults: readonly InjectedFault[];
  /** By time of the calls. */
  readonly history: readonly Operation[];
  readonly nodes: readonly NodeTimeline[];
  readonly messages: MessageSample;
  /** How often what should sometimes happen did; one at zero says what was not tested. */
  readonly sometimes: Readonly<Record<string, number>>;
  readonly results: readonly CheckResult[];
  /** Absent of a run that passed, or that nobody could judge (see `results`). */
  readonly violation?: Violation;
  /** What this harness or configuration leaves out, a sentence each. */
  readonly notTested: readonly string[];
  /** Of every delivery, write and apply; null with real processes. */
  readonly traceHash: string | null;
  /** Length of the run on its own clock. */
  readonly durationMs: number;
  /** What it took on the platform's. */
  readonly wallMs: number;
}

export type Outcome = 'passed' | 'violation' | 'unknown';

/**
 * Whether the run stands: a violation is one, even where no checker could say more. Where the
 * harness itself could not go on with real processes, nothing was shown but what the history shows.
 */
export function outcomeOf(record: RunRecord): Outcome {
  const { harness, violation } = record;
  const verdicts = record.results.map(({ verdict }) => verdict.type);
  if (verdicts.includes('illegal')) return 'violation';
  if (harness === 'real' && violation?.check === 'harness') return 'unknown';
  if (violation !== undefined) return 'violation';
  return verdicts.includes('unknown') ? 'unknown' : 'passed';
}
