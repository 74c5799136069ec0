/** What was asked for on the command line, checked. */
import { usageError } from '../src/cli/exit.ts';
import type { StoreKind } from './clusters/bench-cluster.ts';

export type DurableStore = Exclude<StoreKind, 'memory'>;

export interface BenchOptions {
  /** Names of families. */
  readonly rows: readonly string[];
  readonly runs: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly stores: readonly DurableStore[];
  /** Calls in flight to measure, where a family has them to choose from; undefined: its own. */
  readonly inFlight: readonly number[] | undefined;
  /** Measure etcd in the same turns. */
  readonly etcd: boolean;
  /** Fewer points, less of everything: to see that it runs. */
  readonly quick: boolean;
  readonly profileDirectory: string | undefined;
  readonly jsonFile: string | undefined;
  readonly htmlFile: string | undefined;
  readonly dataDirectory: string | undefined;
}

/** As commander hands them over. */
export interface RawOptions {
  readonly rows?: string;
  readonly runs?: string;
  readonly time?: string;
  readonly store?: string;
  readonly inFlight?: string;
  readonly compare?: string;
  readonly quick?: boolean;
  readonly profile?: string;
  readonly json?: string;
  readonly html?: string;
  readonly data?: string;
}

const STORES: readonly DurableStore[] = ['sqlite', 'level'];
const MAX_RUNS = 100;
/** A client has no more under way at once. */
const MAX_IN_FLIGHT = 10_000;
const MIN_TIME_MS = 100;
const MAX_TIME_MS = 600_000;
const USUAL = { runs: '5', time: '3s' };
const QUICK = { runs: '1', time: '600ms' };
/** Of the measured time, before it; at least enough to compile what is hot. */
const WARM_UP_SHARE = 2 / 3;
const MIN_WARM_UP_MS = 300;

/** @throws ExitError that names flag, value and rule */
export function parseOptions(raw: RawOptions, families: readonly string[]): BenchOptions {
  const quick = raw.quick === true;
  const usual = quick ? QUICK : USUAL;
  const measureMs = time(raw.time ?? usual.time);
  if (raw.compare !== undefined && raw.compare !== 'etcd') {
    throw usageError(`--compare ${raw.compare}: etcd is the only peer there is`);
  }
  return {
    rows: listOf('--rows', raw.rows, families),
    runs: runs(raw.runs ?? usual.runs),
    warmUpMs: Math.max(MIN_WARM_UP_MS, Math.round(measureMs * WARM_UP_SHARE)),
    measureMs,
    stores: listOf('--store', raw.store, STORES),
    inFlight: raw.inFlight === undefined ? undefined : inFlight(raw.inFlight),
    etcd: raw.compare === 'etcd',
    quick,
    profileDirectory: raw.profile,
    jsonFile: raw.json,
    htmlFile: raw.html,
    dataDirectory: raw.data,
  };
}

function listOf<T extends string>(flag: string, text: string | undefined, all: readonly T[]): T[] {
  if (text === undefined) return [...all];
  const wanted = text.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) {
    throw usageError(`${flag}: there is no '${unknown}'; choose from ${all.join(', ')}`);
  }
  return all.filter((name) => wanted.includes(name));
}

function inFlight(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.every((one) => Number.isInteger(one) && one >= 1 && one <= MAX_IN_FLIGHT)) {
    return numbers;
  }
  throw usageError(`--in-flight ${text}: whole numbers from 1 to ${MAX_IN_FLIGHT}, like 1,100`);
}

function runs(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_RUNS) return number;
  throw usageError(`--runs ${text}: a whole number from 1 to ${MAX_RUNS}`);
}

function time(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? 'ms'] ?? 1;
  const ms = Number(match?.[1]) * unit;
  if (ms >= MIN_TIME_MS && ms <= MAX_TIME_MS) return ms;
  throw usageError(`--time ${text}: from 100ms to 10m, like 500ms, 3s or 1m`);
}
