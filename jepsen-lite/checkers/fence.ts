/**
 * What a lock guards. `guarded-read` and `guarded-write` say with which token the resource was
 * asked (`value: { token, from, to }`) and whether it took it (`output`, or its field `accepted`).
 * They happen in the order in which they are recorded: the resource is the harness's own.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { inEach, ruleChecker, type Rule } from './rules.ts';
import { byCall, byKey, fieldOf, numberOf } from './values.ts';
import type { Checker } from './verdict.ts';

/** What one resource accepted, in order. */
type Accesses = readonly Operation[];

function isAccepted({ type, output }: Operation): boolean {
  return type === 'ok' && (output === true || fieldOf(output, 'accepted') === true);
}

function isWrite({ f }: Operation): boolean {
  return f === 'guarded-write';
}

const neverOlder: Rule<Accesses> = (accesses) => {
  let newest: Operation | undefined;
  for (const access of accesses) {
    const token = numberOf(access.value, 'token') ?? 0;
    const highest = newest === undefined ? 0 : (numberOf(newest.value, 'token') ?? 0);
    if (token < highest) {
      const message =
        `${describeOperation(access)} was accepted with token ${token}, ` +
        `after token ${highest} in ${describeOperation(newest!)}`;
      return { message, operations: [newest!, access] };
    }
    newest = access;
  }
  return undefined;
};

/** Whoever writes has read what is there. */
const noUpdateLost: Rule<Accesses> = (accesses) => {
  let last: Operation | undefined;
  for (const access of accesses) {
    if (!isWrite(access)) continue;
    if (last !== undefined) {
      const [there, read] = [numberOf(last.value, 'to'), numberOf(access.value, 'from')];
      if (there !== read) {
        const message =
          `${describeOperation(access)} wrote over ${there}, having read ${read}: ` +
          `the update of ${describeOperation(last)} is lost`;
        return { message, operations: [last, access] };
      }
    }
    last = access;
  }
  return undefined;
};

function partsOf(history: readonly Operation[]): { parts: ReadonlyMap<string, Accesses> } {
  const guarded = history.filter(({ f }) => f === 'guarded-read' || f === 'guarded-write');
  return { parts: byKey(byCall(guarded.filter(isAccepted))) };
}

function counts({ parts }: { parts: ReadonlyMap<string, Accesses> }): Record<string, number> {
  return { accesses: [...parts.values()].reduce((sum, part) => sum + part.length, 0) };
}

export const fence: Checker = ruleChecker({
  name: 'fence',
  promise: 'a guarded resource never accepts an older token than it has seen',
  view: partsOf,
  takes: 'two accesses that one resource took',
  couldFail: ({ parts }) => [...parts.values()].some((accesses) => accesses.length > 1),
  rules: [inEach(neverOlder)],
  counts,
});

export const guardedCounter: Checker = ruleChecker({
  name: 'guarded-counter',
  promise: 'a counter that is read and written under a lock loses no update',
  view: partsOf,
  takes: 'two writes that one counter took',
  couldFail: ({ parts }) =>
    [...parts.values()].some((accesses) => accesses.filter(isWrite).length > 1),
  rules: [inEach(noUpdateLost)],
  counts,
});
