/**
 * Leader election: `campaign` (output: the token) and `resign`, `proclaim`, what `leader` answers
 * (`{ token, value }`, or null for nobody), and what observers note as `observed`.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { grantedInOrder, noOverlap, tokensAreUnique, tokensGrow, type Holds } from './exclusion.ts';
import { holdsOf } from './holds.ts';
import { inEach, ruleChecker, type Rule } from './rules.ts';
import type { Checker } from './verdict.ts';
import { byCall, byKey, endOf, fieldOf, nameOf, numberOf } from './values.ts';

/** What happened around one office. */
interface ElectionHistory {
  readonly holds: Holds;
  /** By JSON text, every value that anybody campaigned with or proclaimed. */
  readonly said: ReadonlySet<string>;
  readonly leaderReads: readonly Operation[];
  /** Of each observer, what it was told, in order. */
  readonly observers: ReadonlyMap<string, readonly Operation[]>;
}

function viewOf(
  operations: readonly Operation[],
  everywhere: readonly Operation[],
): ElectionHistory {
  const said = new Set<string>();
  const observers = new Map<string, Operation[]>();
  for (const { f, type, value } of operations) {
    if ((f === 'campaign' || f === 'proclaim') && type !== 'fail') {
      said.add(JSON.stringify(fieldOf(value, 'value') ?? null));
    }
  }
  for (const operation of byCall(operations.filter(({ f }) => f === 'observed'))) {
    const observer = nameOf(operation.value, 'observer') ?? '';
    const before = observers.get(observer);
    if (before === undefined) observers.set(observer, [operation]);
    else before.push(operation);
  }
  const leaderReads = operations.filter(({ f, type }) => f === 'leader' && type === 'ok');
  return {
    holds: holdsOf([...operations, ...everywhere]),
    said,
    leaderReads: byCall(leaderReads),
    observers,
  };
}

/** Who leads before a look and afterwards is who it shows; who resigned before is not. */
const leaderIsTold: Rule<ElectionHistory> = ({ holds, leaderReads }, { skewNs }) => {
  for (const read of leaderReads) {
    const token = numberOf(read.output, 'token');
    for (const hold of holds) {
      const { grant, end } = hold;
      const operations = [grant, read, ...(end === undefined ? [] : [end])];
      if (read.call >= hold.fromNs && read.return! <= hold.toNs - skewNs && token !== hold.token) {
        const message =
          `${describeOperation(read)} does not show token ${hold.token}, which led ` +
          `before and afterwards since ${describeOperation(grant)}`;
        return { message, operations };
      }
      const isOver = end?.type === 'ok' && end.f === 'resign' && end.return! < read.call;
      if (isOver && token === hold.token) {
        const message = `${describeOperation(read)} shows a leader after ${describeOperation(end)}`;
        return { message, operations };
      }
    }
  }
  return undefined;
};

/** A look never shows an older leader than one before it. */
const leadersGrow: Rule<ElectionHistory> = ({ leaderReads }) => {
  const reads = leaderReads.filter(({ output }) => numberOf(output, 'token') !== undefined);
  const ended = reads.toSorted((a, b) => endOf(a) - endOf(b));
  let highest: Operation | undefined;
  let next = 0;
  for (const read of reads) {
    while (next < ended.length && endOf(ended[next]!) < read.call) {
      const one = ended[next++]!;
      if (highest === undefined || tokenOf(one) > tokenOf(highest)) highest = one;
    }
    if (highest === undefined || tokenOf(read) >= tokenOf(highest)) continue;
    const [a, b] = [describeOperation(highest), describeOperation(read)];
    const message = `${b} shows an older leader than ${a} before it`;
    return { message, operations: [highest, read] };
  }
  return undefined;
};

function tokenOf({ output }: Operation): number {
  return numberOf(output, 'token') ?? 0;
}

/** An observer is told of leaders in their order, and of each once. */
const observedInOrder: Rule<ElectionHistory> = ({ observers }) => {
  for (const told of observers.values()) {
    let before: Operation | undefined;
    for (const one of told) {
      const type = fieldOf(one.output, 'type');
      if (type === 'vacant') continue;
      if (before !== undefined) {
        const isNew = type === 'elected';
        const isWrong = isNew ? tokenOf(one) < tokenOf(before) : tokenOf(one) !== tokenOf(before);
        if (isWrong) {
          const message =
            `${describeOperation(one)} came after ${describeOperation(before)}, ` +
            `which names ${isNew ? 'a later' : 'another'} leader`;
          return { message, operations: [before, one] };
        }
      }
      before = one;
    }
  }
  return undefined;
};

/** What leaders are shown to say somebody said. */
const nothingInvented: Rule<ElectionHistory> = ({ said, observers, leaderReads }) => {
  const shown = [...leaderReads, ...[...observers.values()].flat()];
  for (const one of shown) {
    const value = fieldOf(one.output, 'value');
    if (value === undefined || said.has(JSON.stringify(value))) continue;
    const message = `${describeOperation(one)} shows ${JSON.stringify(value)}, which nobody said`;
    return { message, operations: [one] };
  }
  return undefined;
};

function onHolds(rule: Rule<Holds>): Rule<ElectionHistory> {
  return ({ holds }, bounds) => rule(holds, bounds);
}

const RULES: readonly Rule<ElectionHistory>[] = [
  ...[noOverlap, tokensAreUnique, grantedInOrder, tokensGrow].map(onHolds),
  leaderIsTold,
  leadersGrow,
  observedInOrder,
  nothingInvented,
];

export const election: Checker = ruleChecker({
  name: 'election',
  promise: 'one leads at a time, tokens grow from leader to leader, and observers see it so',
  view: (history) => {
    const everywhere = history.filter(({ f }) => f === 'close-session');
    const parts = [...byKey(history)].filter(([, part]) => part.some(({ f }) => f === 'campaign'));
    return { parts: new Map(parts.map(([key, part]) => [key, viewOf(part, everywhere)])) };
  },
  takes: 'two leaders of one office, a look at who leads, or an observer that was told',
  couldFail: ({ parts }) =>
    [...parts.values()].some(
      ({ holds, leaderReads, observers }) =>
        holds.length > 1 || leaderReads.length + observers.size > 0,
    ),
  rules: RULES.map(inEach),
  counts: ({ parts }) => {
    const all = [...parts.values()];
    const terms = all.reduce((sum, part) => sum + part.holds.length, 0);
    return { terms, looks: all.reduce((sum, part) => sum + part.leaderReads.length, 0) };
  },
});
