/**
 * Lists that only grow at their end: `append` of an element, `read` of all. Elements are unique.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { inversionOf } from './order-groups.ts';
import { inEach, ruleChecker, type Contradiction, type Rule } from './rules.ts';
import { byKey } from './values.ts';
import type { Checker } from './verdict.ts';

/** The operations of one list. Elements are told apart by their JSON text. */
interface ListHistory {
  readonly appends: ReadonlyMap<string, Operation>;
  /** Shortest first. */
  readonly reads: readonly ListRead[];
}
interface ListRead {
  readonly operation: Operation;
  readonly elements: readonly string[];
}

function viewOf(operations: readonly Operation[]): ListHistory {
  const appends = new Map<string, Operation>();
  const reads: ListRead[] = [];
  for (const operation of operations) {
    const { f, type, value, output } = operation;
    if (f === 'append') {
      if (type !== 'fail') appends.set(JSON.stringify(value ?? null), operation);
    } else if (isRead(operation)) {
      const list = Array.isArray(output) ? (output as unknown[]) : [];
      reads.push({ operation, elements: list.map((one) => JSON.stringify(one ?? null)) });
    }
  }
  reads.sort(
    (a, b) => a.elements.length - b.elements.length || a.operation.call - b.operation.call,
  );
  return { appends, reads };
}

function isRead({ f, type, output }: Operation): boolean {
  return f === 'read' && type === 'ok' && (output === null || Array.isArray(output));
}

/** An append that was sent again after its answer was lost still happens once. */
const once: Rule<ListHistory> = ({ appends, reads }) => {
  for (const { operation, elements } of reads) {
    if (new Set(elements).size === elements.length) continue;
    const twice = elements.find((one, i) => elements.indexOf(one) !== i)!;
    const message = `${describeOperation(operation)} shows ${twice} twice: it was applied twice`;
    return { message, operations: [...present(appends.get(twice)), operation] };
  }
  return undefined;
};

const noPhantom: Rule<ListHistory> = ({ appends, reads }) => {
  for (const { operation, elements } of reads) {
    const phantom = elements.find((one) => !appends.has(one));
    if (phantom === undefined) continue;
    const message = `${describeOperation(operation)} shows ${phantom}, which nobody appended`;
    return { message, operations: [operation] };
  }
  return undefined;
};

/** What one read shows is how every longer one begins. */
const onlyGrows: Rule<ListHistory> = ({ reads }) => {
  for (let i = 1; i < reads.length; i++) {
    const [shorter, longer] = [reads[i - 1]!, reads[i]!];
    const at = shorter.elements.findIndex((one, place) => longer.elements[place] !== one);
    if (at === -1) continue;
    const [a, b] = [shorter.operation, longer.operation];
    const message =
      `${describeOperation(a)} has ${shorter.elements[at]} in place ${at}, where ` +
      `${describeOperation(b)} has ${longer.elements[at]}, so neither list grew into the other`;
    return { message, operations: [a, b] };
  }
  return undefined;
};

/** The longest list is the order of all; time must allow it. */
const inTime: Rule<ListHistory> = ({ appends, reads }) => {
  const longest = reads.at(-1)?.elements ?? [];
  const groups: Operation[][] = [];
  let next = 0;
  for (let length = 0; length <= longest.length; length++) {
    if (length > 0) groups.push([appends.get(longest[length - 1]!)!]);
    const group: Operation[] = [];
    while (next < reads.length && reads[next]!.elements.length === length) {
      group.push(reads[next++]!.operation);
    }
    groups.push(group);
  }
  const shown = new Set(longest);
  const unread = [...appends].filter(([element]) => !shown.has(element));
  groups.push(unread.map(([, operation]) => operation).filter(({ type }) => type === 'ok'));
  const inversion = inversionOf(groups);
  return inversion === undefined ? undefined : explain(inversion.first, inversion.second);
};

function explain(first: Operation, second: Operation): Contradiction {
  const [a, b] = [describeOperation(first), describeOperation(second)];
  const operations = [first, second];
  if (first.f === 'read' && second.f === 'append') {
    return { message: `${a} misses what ${b} had appended before`, operations };
  }
  if (first.f === 'read') return { message: `${a} shows less than ${b} had before`, operations };
  if (second.f === 'read') {
    return { message: `${b} shows what ${a} appended only later`, operations };
  }
  return {
    message: `${a} stands before ${b}, which had returned before it was called`,
    operations,
  };
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

export const append: Checker = ruleChecker({
  name: 'append',
  promise: 'lists only grow, in one order that all reads agree on, each element once',
  view: (history) => {
    const relevant = history.filter((one) => one.f === 'append' || isRead(one));
    const parts = [...byKey(relevant)].map(([key, part]) => [key, viewOf(part)] as const);
    return { parts: new Map(parts) };
  },
  takes: 'an answered read',
  couldFail: ({ parts }) => [...parts.values()].some(({ reads }) => reads.length > 0),
  rules: [inEach(once), inEach(noPhantom), inEach(onlyGrows), inEach(inTime)],
  counts: ({ parts }) => {
    const all = [...parts.values()];
    const appends = all.reduce((sum, part) => sum + part.appends.size, 0);
    return { appends, reads: all.reduce((sum, part) => sum + part.reads.length, 0) };
  },
});
