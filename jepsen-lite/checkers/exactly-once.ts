/** A write that was sent again because its answer was lost happens once all the same. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { inEach, ruleChecker, type Rule } from './rules.ts';
import { byKey, endOf } from './values.ts';
import type { Checker } from './verdict.ts';

/** Of one key: if it is only ever incremented, sums tell how often. */
interface KeyHistory {
  /** None when anything else changes the key. */
  readonly increments: readonly Operation[];
  /** Answered reads, when there are increments. */
  readonly reads: readonly Operation[];
  readonly events: readonly Operation[];
  /** How many calls put a value, by its JSON text. */
  readonly puts: ReadonlyMap<string, number>;
}

const CHANGES: ReadonlySet<string> = new Set(['put', 'write', 'cas', 'delete', 'append', 'remove']);
const PUTS: ReadonlySet<string> = new Set(['put', 'write', 'cas', 'increment']);

function viewOf(operations: readonly Operation[]): KeyHistory {
  const isCounter = !operations.some(({ f, type }) => CHANGES.has(f) && type !== 'fail');
  const increments = operations.filter(({ f, type }) => f === 'increment' && type !== 'fail');
  const counted = isCounter && increments.every((one) => byOf(one) > 0) ? increments : [];
  const isRead = ({ f, type }: Operation): boolean =>
    type === 'ok' && (f === 'get' || f === 'read') && counted.length > 0;
  const puts = new Map<string, number>();
  for (const { f, type, value } of operations) {
    if (!PUTS.has(f) || type === 'fail') continue;
    const put: unknown = f === 'cas' && Array.isArray(value) ? value[1] : value;
    const text = JSON.stringify(put ?? null);
    puts.set(text, (puts.get(text) ?? 0) + 1);
  }
  return {
    increments: counted,
    reads: operations.filter(isRead),
    events: operations.filter(({ f, revision }) => f === 'event' && revision !== undefined),
    puts,
  };
}

function isSeen({ increments, reads, events }: KeyHistory): boolean {
  const isAnswered = increments.some(({ output }) => typeof output === 'number');
  return isAnswered || reads.length + events.length > 0;
}

function byOf({ value }: Operation): number {
  return Number(value ?? 1);
}

/** Each increment leaves another sum. */
const sumsDiffer: Rule<KeyHistory> = ({ increments }) => {
  const seen = new Map<number, Operation>();
  for (const increment of increments) {
    if (increment.type !== 'ok' || typeof increment.output !== 'number') continue;
    const other = seen.get(increment.output);
    if (other !== undefined) {
      const [a, b] = [describeOperation(other), describeOperation(increment)];
      return { message: `${a} and ${b} left the same sum`, operations: [other, increment] };
    }
    seen.set(increment.output, increment);
  }
  return undefined;
};

/** Read or left: not less than was acknowledged before, not more than was called by then. */
const sumsAddUp: Rule<KeyHistory> = ({ increments, reads }) => {
  const byEnd = increments
    .filter(({ type }) => type === 'ok')
    .toSorted((a, b) => endOf(a) - endOf(b));
  const called = increments.toSorted((a, b) => a.call - b.call);
  const least = prefixSums(byEnd);
  const most = prefixSums(called);
  for (const read of [...reads, ...byEnd.filter(({ output }) => typeof output === 'number')]) {
    const sum = Number(read.output ?? 0);
    const acknowledged = countWhile(byEnd, (one) => endOf(one) < read.call);
    const begun = countWhile(called, (one) => one.call <= read.return!);
    const [low, high] = [least[acknowledged]!, most[begun]!];
    if (sum >= low && sum <= high) continue;
    const what =
      sum < low
        ? `less than the ${low} acknowledged before it`
        : `more than the ${high} of all increments called by then, so one was applied twice`;
    return { message: `${describeOperation(read)} is ${what}`, operations: [read] };
  }
  return undefined;
};

/** `sums[i]`: of the first `i`. */
function prefixSums(operations: readonly Operation[]): number[] {
  const sums = [0];
  for (const operation of operations) sums.push(sums.at(-1)! + byOf(operation));
  return sums;
}

/** How many at the beginning fulfil it; none after them does. */
function countWhile(
  operations: readonly Operation[],
  holds: (operation: Operation) => boolean,
): number {
  let [low, high] = [0, operations.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(operations[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A value that one call put is put at one revision. */
const eventsOnce: Rule<KeyHistory> = ({ events, puts }) => {
  const seen = new Map<string, Operation>();
  for (const event of events) {
    const put = putOf(event);
    if (put === undefined || puts.get(put) !== 1) continue;
    const other = seen.get(put);
    if (other !== undefined && other.revision !== event.revision) {
      const message =
        `${put} was put once, and watches show it at the revisions ` +
        `${other.revision} and ${event.revision}: it was applied twice`;
      return { message, operations: [other, event] };
    }
    seen.set(put, event);
  }
  return undefined;
};

/** The JSON text of what an event says was put. */
function putOf({ output }: Operation): string | undefined {
  if (typeof output !== 'object' || output === null) return undefined;
  const { type, value } = output as { readonly type?: unknown; readonly value?: unknown };
  return type === 'put' ? JSON.stringify(value ?? null) : undefined;
}

export const exactlyOnce: Checker = ruleChecker({
  name: 'exactly-once',
  promise: 'what was called once happens at most once, however often it was sent',
  view: (history) => {
    const relevant = history.filter(({ key }) => key !== undefined);
    const parts = [...byKey(relevant)].map(([key, part]) => [key, viewOf(part)] as const);
    return { parts: new Map(parts) };
  },
  takes: 'the sum that an increment left, a read of it, or an event of what was put',
  couldFail: ({ parts }) => [...parts.values()].some(isSeen),
  rules: [inEach(sumsDiffer), inEach(sumsAddUp), inEach(eventsOnce)],
  counts: ({ parts }) => {
    const all = [...parts.values()];
    const increments = all.reduce((sum, part) => sum + part.increments.length, 0);
    return { increments, events: all.reduce((sum, part) => sum + part.events.length, 0) };
  },
});
