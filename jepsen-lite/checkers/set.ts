/** A set that only grows: `add` of an element, `read` of all of them. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { inversionOf } from './order-groups.ts';
import { inEach, ruleChecker, type Contradiction, type Rule } from './rules.ts';
import { byKey } from './values.ts';
import type { Checker } from './verdict.ts';

/** The operations of one set. Elements are told apart by their JSON text. */
interface SetHistory {
  /** Of each element, who may have added it: all but what certainly had no effect. */
  readonly adds: ReadonlyMap<string, readonly Operation[]>;
  readonly reads: readonly SetRead[];
}
interface SetRead {
  readonly operation: Operation;
  readonly elements: readonly string[];
  readonly set: ReadonlySet<string>;
}

function viewOf(operations: readonly Operation[]): SetHistory {
  const adds = new Map<string, Operation[]>();
  const reads: SetRead[] = [];
  for (const operation of operations) {
    if (operation.f === 'add' && operation.type !== 'fail') {
      const element = JSON.stringify(operation.value ?? null);
      const before = adds.get(element);
      if (before === undefined) adds.set(element, [operation]);
      else before.push(operation);
    } else if (isRead(operation)) {
      const elements = listOf(operation.output).map((one) => JSON.stringify(one ?? null));
      reads.push({ operation, elements, set: new Set(elements) });
    }
  }
  reads.sort((a, b) => a.set.size - b.set.size || a.operation.call - b.operation.call);
  return { adds, reads };
}

function isRead({ f, type, output }: Operation): boolean {
  return f === 'read' && type === 'ok' && (output === null || Array.isArray(output));
}

function listOf(output: unknown): readonly unknown[] {
  return Array.isArray(output) ? (output as unknown[]) : [];
}

/** An element is in a set once. */
const once: Rule<SetHistory> = ({ reads }) => {
  for (const { operation, elements, set } of reads) {
    if (elements.length === set.size) continue;
    const twice = elements.find((one, i) => elements.indexOf(one) !== i);
    return contradiction(`${describeOperation(operation)} shows ${twice} twice`, operation);
  }
  return undefined;
};

/** What is read was added. */
const noPhantom: Rule<SetHistory> = ({ adds, reads }) => {
  for (const { operation, elements } of reads) {
    const phantom = elements.find((one) => !adds.has(one));
    if (phantom === undefined) continue;
    const message = `${describeOperation(operation)} shows ${phantom}, which nobody added`;
    return contradiction(message, operation);
  }
  return undefined;
};

function isRefused({ type, output }: Operation): boolean {
  return type === 'ok' && output === false;
}

/** Who is told that an element is there already was not the only one to add it. */
const refusedForOthers: Rule<SetHistory> = ({ adds }) => {
  for (const [element, all] of adds) {
    for (const refused of all) {
      if (!isRefused(refused)) continue;
      if (all.some((other) => other !== refused && other.call <= refused.return!)) continue;
      const message =
        `${describeOperation(refused)} was told that ${element} is there already, though nobody ` +
        'else had added it: its own add happened before, and was not recognised';
      return contradiction(message, refused);
    }
  }
  return undefined;
};

/** Of two reads one came first, and the other shows all it did. */
const oneOrder: Rule<SetHistory> = ({ reads }) => {
  for (let i = 1; i < reads.length; i++) {
    const [smaller, larger] = [reads[i - 1]!, reads[i]!];
    const missing = smaller.elements.find((one) => !larger.set.has(one));
    if (missing === undefined) continue;
    const other = larger.elements.find((one) => !smaller.set.has(one));
    const [a, b] = [smaller.operation, larger.operation];
    const message =
      `${describeOperation(a)} shows ${missing} without ${other}, ` +
      `and ${describeOperation(b)} shows ${other} without ${missing}, so neither came first`;
    return contradiction(message, a, b);
  }
  return undefined;
};

/**
 * With the rules above, reads stand in one order, each behind the adds of what it shows and before
 * all others. Time must allow that order.
 */
const inTime: Rule<SetHistory> = ({ adds, reads }) => {
  const placed = new Set<string>();
  const groups: Operation[][] = [];
  let reading: Operation[] | undefined;
  let size = -1;
  for (const { operation, elements, set } of reads) {
    if (set.size !== size) {
      const added = elements.filter((one) => !placed.has(one));
      groups.push(added.flatMap((one) => firstAdd(adds.get(one)!)));
      for (const one of added) placed.add(one);
      reading = [];
      groups.push(reading);
      size = set.size;
    }
    reading?.push(operation);
  }
  const unread = [...adds].filter(([element]) => !placed.has(element));
  groups.push(unread.flatMap(([, all]) => all.filter(({ type }) => type === 'ok')));
  const inversion = inversionOf(groups);
  if (inversion === undefined) return undefined;
  return explain(inversion.first, inversion.second);
};

/** Which of several added it does not matter: the element came when the first could have. */
function firstAdd(all: readonly Operation[]): Operation[] {
  if (all.length === 1) return [...all];
  const call = Math.min(...all.map((one) => one.call));
  const first = all.find((one) => one.call === call)!;
  const ends = all.map((one) => one.return ?? Infinity);
  const end = Math.min(...ends);
  return [{ ...first, return: end === Infinity ? null : end }];
}

function explain(first: Operation, second: Operation): Contradiction {
  const [a, b] = [describeOperation(first), describeOperation(second)];
  if (first.f === 'read' && second.f === 'add') {
    return contradiction(`${a} misses what ${b} had added before`, first, second);
  }
  if (first.f === 'read') {
    const missing = listOf(second.output).find(
      (one) => !listOf(first.output).some((other) => JSON.stringify(other) === JSON.stringify(one)),
    );
    const message = `${a} misses ${JSON.stringify(missing)}, which ${b} had shown before`;
    return contradiction(message, first, second);
  }
  if (second.f === 'read') {
    return contradiction(`${b} shows what ${a} added only later`, first, second);
  }
  const message = `a read shows what ${a} added, and misses what ${b} had added before that began`;
  return contradiction(message, first, second);
}

function contradiction(message: string, ...operations: Operation[]): Contradiction {
  return { message, operations };
}

export const set: Checker = ruleChecker({
  name: 'set',
  promise: 'what was added with an acknowledgement is in every later read, and nothing else is',
  view: (history) => {
    const relevant = history.filter((one) => one.f === 'add' || isRead(one));
    const parts = [...byKey(relevant)].map(([key, part]) => [key, viewOf(part)] as const);
    return { parts: new Map(parts) };
  },
  takes: 'an answered read, or an add that was told it is there already',
  couldFail: ({ parts }) =>
    [...parts.values()].some(
      ({ reads, adds }) => reads.length > 0 || [...adds.values()].flat().some(isRefused),
    ),
  rules: [once, noPhantom, refusedForOthers, oneOrder, inTime].map(inEach),
  counts: ({ parts }) => {
    const all = [...parts.values()];
    const adds = all.reduce((sum, part) => sum + part.adds.size, 0);
    return { adds, reads: all.reduce((sum, part) => sum + part.reads.length, 0) };
  },
});
