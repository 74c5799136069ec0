/** Objects written twice: as they work, and as what their answers tell. Neither knows a checker. */
import type { Operation } from '../../../jepsen-lite/history/operation.ts';
import type { SlowObject } from './all-orders.ts';
import { oneOf, type Plan, type Random, type SmallHistoryOptions } from './small-histories.ts';

export interface SmallObject extends SmallHistoryOptions {
  readonly slow: SlowObject<string>;
}

type Cells = Record<string, number | undefined>;

function numberIn(value: unknown): number {
  return Number(value);
}

function planRegister(random: Random): Plan {
  const key = oneOf(random, ['a', 'a', 'b']);
  const value = oneOf(random, [1, 2]);
  const f = oneOf(random, ['get', 'get', 'put', 'put', 'cas', 'delete', 'increment']);
  if (f === 'cas') return { f, key, value: [oneOf(random, [1, 2, null]), value] };
  return f === 'put' || f === 'increment' ? { f, key, value } : { f, key };
}

/** What a register answers; `cells` is changed. */
function answerOf(cells: Cells, { f, key = '', value }: Plan): unknown {
  const before = cells[key];
  if (f === 'get') return before;
  if (f === 'put') cells[key] = numberIn(value);
  if (f === 'increment') cells[key] = (before ?? 0) + numberIn(value);
  if (f === 'increment') return cells[key];
  if (f === 'delete') delete cells[key];
  if (f === 'delete') return before;
  if (f !== 'cas') return null;
  const [from, to] = value as readonly (number | null)[];
  if ((before ?? null) !== from) return false;
  cells[key] = to!;
  return true;
}

/** Registers: all keys are one state here, so what the checker keeps apart is put to the test. */
export const registers: SmallObject = {
  most: 7,
  plan: planRegister,
  object: () => {
    const cells: Cells = {};
    return (plan) => answerOf(cells, plan);
  },
  wrong: (random, { f }) =>
    f === 'cas' ? random() < 0.5 : oneOf(random, f === 'put' ? [null] : [null, 1, 2, 3]),
  isWrite: ({ f }, answer) => f !== 'get' && answer !== false,
  slow: {
    initial: '{}',
    step(state, operation) {
      const cells = JSON.parse(state) as Cells;
      const answer = answerOf(cells, operation) ?? null;
      const { f, type, output } = operation;
      // Null of a delete or an increment tells nothing.
      const isTold = f === 'get' || f === 'cas' || output !== null;
      const isWrong = f !== 'put' && isTold && output !== answer;
      if (type === 'ok' && isWrong) return undefined;
      const sorted = Object.entries(cells).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify(Object.fromEntries(sorted));
    },
  },
};

/** One register, mostly counted up by one, by calls that are mostly alike and never answered. */
export const tallies: SmallObject = {
  ...registers,
  types: ['ok', 'ok', 'ok', 'info', 'info', 'info'],
  plan: (random) => {
    const f = oneOf(random, ['get', 'increment', 'increment', 'increment', 'put']);
    return { f, key: 'a', ...(f !== 'get' && { value: oneOf(random, [1, 1, 1, 2]) }) };
  },
  wrong: (random, { f }) => (f === 'put' ? null : oneOf(random, [1, 2, 5])),
};

const OPENING = { x: 2, y: 2 };

function stepBank(balances: Record<string, number>, { f, value }: Plan): unknown {
  if (f === 'read') return { ...balances };
  const { from, to, amount } = value as { from: string; to: string; amount: number };
  if (balances[from]! < amount) return false;
  balances[from]! -= amount;
  balances[to]! += amount;
  return true;
}

/** Accounts, opened before anything else is called. */
export const accounts: SmallObject = {
  most: 6,
  plan: (random) => {
    if (random() < 0.4) return { f: 'read' };
    const [from, to] = random() < 0.5 ? ['x', 'y'] : ['y', 'x'];
    return { f: 'transfer', value: { from, to, amount: oneOf(random, [1, 2, 3]) } };
  },
  object: () => {
    const balances = { ...OPENING };
    return (plan) => stepBank(balances, plan);
  },
  wrong: (random, { f }) =>
    f === 'read'
      ? oneOf(random, [OPENING, { x: 1, y: 3 }, { x: 0, y: 4 }, { x: 3, y: 1 }, { x: 1, y: 2 }])
      : random() < 0.5,
  isWrite: ({ f }, answer) => f === 'transfer' && answer !== false,
  slow: {
    initial: JSON.stringify(OPENING),
    step(state, operation) {
      const balances = JSON.parse(state) as Record<string, number>;
      const answer = stepBank(balances, operation);
      const isWrong = JSON.stringify(answer) !== JSON.stringify(operation.output);
      return operation.type === 'ok' && isWrong ? undefined : JSON.stringify(balances);
    },
  },
};

/** Comes before all else. */
export const openingOfAccounts: Operation = {
  process: 99,
  f: 'accounts',
  value: OPENING,
  call: -2,
  return: -1,
  type: 'ok',
  output: null,
};
