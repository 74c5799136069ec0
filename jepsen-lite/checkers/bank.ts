/**
 * Accounts that money is moved between: `transfer` of `{ from, to, amount }`, whose output says
 * whether there was enough, and `read` of every balance as of one revision.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { linearizability } from './linearizability.ts';
import type { Model } from './model.ts';
import { allOf, ruleChecker, type Rule } from './rules.ts';
import { calledWith, numberOf, textFieldOf } from './values.ts';
import type { Checker } from './verdict.ts';

type Balances = Readonly<Record<string, number>>;

interface BankHistory {
  readonly transfers: readonly Operation[];
  readonly reads: readonly BankRead[];
  /** Said by `accounts`, else by the first read. */
  readonly total: number;
}
interface BankRead {
  readonly operation: Operation;
  readonly balances: Balances;
}

/** Transfers of unknown outcome that a difference is explained by: all subsets of so many. */
const MOST_EXPLAINED_BY = 12;

function viewOf(history: readonly Operation[]): BankHistory {
  const transfers: Operation[] = [];
  const reads: BankRead[] = [];
  let total: number | undefined;
  for (const operation of history) {
    const { f, type, output, value } = operation;
    if (f === 'transfer' && type !== 'fail' && output !== false) transfers.push(operation);
    if (f === 'accounts' && type !== 'fail') total = sumOf(balancesOf(value));
    if (f === 'read' && type === 'ok') reads.push({ operation, balances: balancesOf(output) });
  }
  reads.sort((a, b) => a.operation.call - b.operation.call);
  return { transfers, reads, total: total ?? sumOf(reads[0]?.balances ?? {}) };
}

function balancesOf(value: unknown): Balances {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, sum]) => [name, Number(sum)]));
}

function sumOf(balances: Balances): number {
  return Object.values(balances).reduce((sum, one) => sum + one, 0);
}

const totalStays: Rule<BankHistory> = ({ reads, total }) => {
  for (const { operation, balances } of reads) {
    const sum = sumOf(balances);
    if (sum === total) continue;
    const message = `${describeOperation(operation)} adds up to ${sum}, not to ${total}`;
    return { message, operations: [operation] };
  }
  return undefined;
};

const noDebt: Rule<BankHistory> = ({ reads }) => {
  for (const { operation, balances } of reads) {
    const [account, sum] = Object.entries(balances).find(([, one]) => one < 0) ?? [];
    if (account === undefined) continue;
    const message = `${describeOperation(operation)} shows ${account} with ${sum}, below zero`;
    return { message, operations: [operation] };
  }
  return undefined;
};

/** One revision is one state. */
const oneStatePerRevision: Rule<BankHistory> = ({ reads }) => {
  const byRevision = new Map<number, BankRead>();
  for (const read of reads) {
    const { revision } = read.operation;
    if (revision === undefined) continue;
    const before = byRevision.get(revision);
    if (before === undefined) {
      byRevision.set(revision, read);
      continue;
    }
    if (textOf(before.balances) === textOf(read.balances)) continue;
    const [a, b] = [before.operation, read.operation];
    const message =
      `${describeOperation(a)} and ${describeOperation(b)} differ, ` +
      `though both are as of revision ${revision}`;
    return { message, operations: [a, b] };
  }
  return undefined;
};

/** Between two reads lie exactly the transfers of the revisions between theirs. */
const revisionsAddUp: Rule<BankHistory> = ({ transfers, reads }) => {
  const dated = reads.filter(({ operation }) => operation.revision !== undefined);
  dated.sort((a, b) => a.operation.revision! - b.operation.revision!);
  const known = transfers.filter(isDated).toSorted((a, b) => a.revision! - b.revision!);
  const open = transfers.filter((one) => !isDated(one));
  let next = 0;
  for (let i = 0; i < dated.length; i++) {
    const read = dated[i]!;
    const expected = { ...dated[i - 1]?.balances };
    const between: Operation[] = [];
    while (next < known.length && known[next]!.revision! <= read.operation.revision!) {
      const transfer = known[next++]!;
      between.push(transfer);
      if (i > 0) move(expected, transfer);
    }
    if (i === 0) continue;
    const possible = open.filter(({ call }) => call <= read.operation.return!);
    if (isExplained(expected, read.balances, possible)) continue;
    const before = dated[i - 1]!.operation;
    const message =
      `${describeOperation(read.operation)} does not follow from ${describeOperation(before)}: ` +
      `with the transfers acknowledged between their revisions (${between.length}), it would be ` +
      JSON.stringify(expected);
    return { message, operations: [before, ...between.slice(-8), read.operation] };
  }
  return undefined;
};

function isDated({ type, revision }: Operation): boolean {
  return type === 'ok' && revision !== undefined;
}

function move(balances: Record<string, number>, { value }: Operation): void {
  const [from, to] = [textFieldOf(value, 'from') ?? '', textFieldOf(value, 'to') ?? ''];
  const amount = numberOf(value, 'amount') ?? 0;
  balances[from] = (balances[from] ?? 0) - amount;
  balances[to] = (balances[to] ?? 0) + amount;
}

/** By itself, or by some of the transfers that may have happened. True when that takes too long. */
function isExplained(expected: Balances, seen: Balances, open: readonly Operation[]): boolean {
  if (textOf(expected) === textOf(seen)) return true;
  if (open.length > MOST_EXPLAINED_BY) return true;
  const [first, ...rest] = open;
  if (first === undefined) return false;
  const moved = { ...expected };
  move(moved, first);
  return isExplained(moved, seen, rest) || isExplained(expected, seen, rest);
}

function textOf(balances: Balances): string {
  return JSON.stringify(Object.entries(balances).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** All accounts are one object. '' until `accounts` or a read has said what is on them. */
const bankModel: Model<string> = {
  name: 'bank',
  initial: '',
  part: ({ f }) => (['accounts', 'transfer', 'read'].includes(f) ? '' : undefined),
  step: stepBank,
  textOf: (state) => (state === '' ? 'not known yet' : state),
  kindOf: calledWith,
  readsOnly: ({ f, output }) => f === 'read' || (f === 'transfer' && output === false),
};

function stepBank(state: string, { f, type, value, output }: Operation): string | undefined {
  if (f === 'accounts') return textOf(balancesOf(value));
  if (f === 'read') {
    const seen = textOf(balancesOf(output));
    return state === '' || state === seen ? seen : undefined;
  }
  if (state === '') return state;
  const balances = Object.fromEntries(JSON.parse(state) as [string, number][]);
  const from = textFieldOf(value, 'from') ?? '';
  const isEnough = (balances[from] ?? 0) >= (numberOf(value, 'amount') ?? 0);
  if (type === 'ok' && isEnough !== (output !== false)) return undefined;
  if (!isEnough) return state;
  const moved = { ...balances };
  move(moved, { value } as Operation);
  return textOf(moved);
}

const rules = ruleChecker({
  name: 'bank',
  promise: 'money is neither made nor lost, in any read',
  view: viewOf,
  takes: 'an answered read',
  couldFail: ({ reads }) => reads.length > 0,
  rules: [totalStays, noDebt, oneStatePerRevision, revisionsAddUp],
  counts: ({ transfers, reads }) => ({ transfers: transfers.length, reads: reads.length }),
});

export const bank: Checker = allOf(
  'bank',
  'every read adds up, and all transfers and reads happen as if one after another',
  [rules, linearizability(bankModel, rules.promise)],
);
