/** A run, laid out for drawing: times in ms as typed arrays, clients packed into rows. */
import type { DrawnOrder, PageData } from '../encoding.ts';
import type { Operation } from '../../history/operation.ts';
import type { Message, RunRecord } from '../../simulation/run-record.ts';
import { kindColors } from '../kinds.ts';
import { drawnPoints } from './points.ts';

const NS_PER_MS = 1e6;

/** One row of clients: a process, and those that went on in its place. */
export interface ClientRow {
  /** Places in the history, by time of the calls; they do not overlap. */
  readonly operations: readonly number[];
  readonly processes: readonly number[];
}

/** A found order with a moment for each of its operations. */
export interface OrderPath {
  readonly order: DrawnOrder;
  readonly pointsMs: Float64Array;
}

/** Of calls that returned, and took any time at all. */
interface Latencies {
  readonly meanMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface Run {
  readonly record: RunRecord;
  readonly durationMs: number;
  /** By place in the history. */
  readonly callMs: Float64Array;
  /** Infinity of what never returned. */
  readonly returnMs: Float64Array;
  /** Where its bar ends: before its row's next call if it never returned. */
  readonly endMs: Float64Array;
  readonly row: Int32Array;
  /** The colour of what was called, as a place in the theme's. */
  readonly kind: Uint8Array;
  readonly rows: readonly ClientRow[];
  readonly latencies: Latencies;
  /** How long half of the messages took at most, in ms; 0 where none is known. */
  readonly flightMs: number;
  readonly paths: readonly OrderPath[];
  /** By place in the history: its path (-1: none), and its place there (-1: it has none). */
  readonly pathOf: Int32Array;
  readonly placeInPath: Int32Array;
  /** Operations that the violation names. */
  readonly accused: ReadonlySet<number>;
  /** When it came to a contradiction, which may be long before it was found. */
  readonly violationMs: number | undefined;
  readonly keys: readonly string[];
  readonly processes: readonly number[];
}

export function prepareRun({ record, orders }: PageData): Run {
  const { history } = record;
  const callMs = Float64Array.from(history, (one) => one.call / NS_PER_MS);
  const returnMs = Float64Array.from(history, (one) =>
    one.return === null ? Infinity : one.return / NS_PER_MS,
  );
  const ends = returnMs.filter((ms) => ms !== Infinity);
  const lastMs = ends.reduce((a, b) => Math.max(a, b), 0);
  const durationMs = Math.max(record.durationMs, lastMs, 1);
  const { rows, row, endMs } = packRows(history, callMs, returnMs, durationMs);
  const kinds = [...new Set(history.map(({ f }) => f))];
  const colors = kindColors(kinds);
  const colorOf = new Map(kinds.map((f, i) => [f, colors[i]!]));
  const paths = orders.map((order) => ({
    order,
    pointsMs: drawnPoints(order.operations, callMs, returnMs),
  }));
  const pathOf = new Int32Array(history.length).fill(-1);
  const placeInPath = new Int32Array(history.length).fill(-1);
  paths.forEach(({ order }, path) => {
    order.operations.forEach((operation, place) => {
      pathOf[operation] = path;
      placeInPath[operation] = place;
    });
    if (order.stuck >= 0) pathOf[order.stuck] = path;
  });
  const stuck = orders.map((order) => order.stuck).filter((operation) => operation >= 0);
  const accused = new Set([...(record.violation?.operations ?? []), ...stuck]);
  return {
    record,
    durationMs,
    callMs,
    returnMs,
    endMs,
    row,
    kind: Uint8Array.from(history, ({ f }) => colorOf.get(f)!),
    rows,
    latencies: latenciesOf(callMs, returnMs),
    flightMs: flightOf(record.messages.kept),
    paths,
    pathOf,
    placeInPath,
    accused,
    violationMs: violationMsOf(record, [...accused], callMs, returnMs),
    keys: [...new Set(history.flatMap(({ key }) => (key === undefined ? [] : [key])))].toSorted(),
    processes: [...new Set(history.map(({ process }) => process))].toSorted((a, b) => a - b),
  };
}

/** The last of the operations that contradict each other has just returned. */
function violationMsOf(
  { violation }: RunRecord,
  accused: readonly number[],
  callMs: Float64Array,
  returnMs: Float64Array,
): number | undefined {
  if (accused.length === 0) return violation?.atMs;
  const ends = accused.map((i) => (returnMs[i] === Infinity ? callMs[i]! : returnMs[i]!));
  return Math.max(...ends);
}

function latenciesOf(callMs: Float64Array, returnMs: Float64Array): Latencies {
  let sum = 0;
  let count = 0;
  let leastMs = Infinity;
  let mostMs = 0;
  returnMs.forEach((ms, i) => {
    const tookMs = ms - callMs[i]!;
    if (tookMs === Infinity || tookMs <= 0) return;
    sum += tookMs;
    count++;
    leastMs = Math.min(leastMs, tookMs);
    mostMs = Math.max(mostMs, tookMs);
  });
  if (count === 0) return { meanMs: 0, leastMs: 1, mostMs: 10 };
  return { meanMs: sum / count, leastMs, mostMs };
}

function flightOf(messages: readonly Message[]): number {
  const flights = messages.flatMap(({ sentMs, receivedMs }) =>
    receivedMs === null ? [] : [receivedMs - sentMs],
  );
  return flights.toSorted((a, b) => a - b)[flights.length >> 1] ?? 0;
}

interface Packed {
  readonly rows: readonly ClientRow[];
  readonly row: Int32Array;
  readonly endMs: Float64Array;
}

/** A process ends with a call of unknown outcome; the next one to begin takes its row. */
function packRows(
  history: readonly Operation[],
  callMs: Float64Array,
  returnMs: Float64Array,
  durationMs: number,
): Packed {
  const ofProcess = new Map<number, number[]>();
  history.forEach(({ process }, i) => {
    const list = ofProcess.get(process);
    if (list === undefined) ofProcess.set(process, [i]);
    else list.push(i);
  });
  const rows: { operations: number[]; processes: number[] }[] = [];
  const row = new Int32Array(history.length);
  const lives = [...ofProcess].toSorted((a, b) => callMs[a[1][0]!]! - callMs[b[1][0]!]!);
  for (const [process, operations] of lives) {
    const bornMs = callMs[operations[0]!]!;
    let place = rows.findIndex((one) => isOver(history, one.operations, returnMs, callMs, bornMs));
    if (place === -1) place = rows.push({ operations: [], processes: [] }) - 1;
    rows[place]!.operations.push(...operations);
    rows[place]!.processes.push(process);
    for (const i of operations) row[i] = place;
  }
  const endMs = Float64Array.from(returnMs);
  for (const { operations } of rows) {
    operations.forEach((i, at) => {
      if (endMs[i] !== Infinity) return;
      const next = operations[at + 1];
      endMs[i] = next === undefined ? durationMs : callMs[next]!;
    });
  }
  return { rows, row, endMs };
}

function isOver(
  history: readonly Operation[],
  operations: readonly number[],
  returnMs: Float64Array,
  callMs: Float64Array,
  bornMs: number,
): boolean {
  const last = operations.at(-1)!;
  if (history[last]!.type === 'info') return callMs[last]! < bornMs;
  return returnMs[last]! < bornMs;
}
