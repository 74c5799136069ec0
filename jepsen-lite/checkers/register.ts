/** A register per key: put, get, compare-and-swap, delete, increment. */
import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';
import { linearizability } from './linearizability.ts';
import { calledWith } from './values.ts';
import type { Checker } from './verdict.ts';

/** A key's value as JSON text; '' while there is none. */
type RegisterState = string;

const ABSENT: RegisterState = '';
const READS: ReadonlySet<string> = new Set(['get', 'read']);

export const registerModel: Model<RegisterState> = {
  name: 'register',
  initial: ABSENT,
  part: ({ f, key }) => (Object.hasOwn(STEPS, f) ? (key ?? '') : undefined),
  step: (state, operation) => STEPS[operation.f]!(state, operation),
  textOf: (state) => (state === ABSENT ? 'absent' : state),
  kindOf: calledWith,
  readsOnly: ({ f }) => READS.has(f),
  takes: 'an answered get, cas or increment, or a delete that tells what was there',
  tells: ({ f, output }) =>
    READS.has(f) || f === 'cas' || ((f === 'increment' || f === 'delete') && !tellsNothing(output)),
};

type Step = (state: RegisterState, operation: Operation) => RegisterState | undefined;

const get: Step = (state, { output }) => (textOf(output) === state ? state : undefined);
const put: Step = (_state, { value }) => textOf(value);
const remove: Step = (state, { type, output }) => {
  // Null may say "nothing was there" or "I do not tell"; a value says what was there.
  if (type === 'ok' && !tellsNothing(output) && textOf(output) !== state) return undefined;
  return ABSENT;
};

/** `true` or no output: it swapped; `false`: something else was there. */
const compareAndSwap: Step = (state, { type, value, output }) => {
  const [from, to] = Array.isArray(value) ? (value as unknown[]) : [];
  const swaps = textOf(from) === state;
  if (type === 'ok' && swaps !== (output !== false)) return undefined;
  return swaps ? textOf(to) : state;
};

/** An absent key counts as 0; the output is the sum. */
const increment: Step = (state, { type, value, output }) => {
  const before: unknown = state === ABSENT ? 0 : JSON.parse(state);
  const sum = Number(before) + Number(value ?? 1);
  if (type === 'ok' && !tellsNothing(output) && Number(output) !== sum) return undefined;
  return textOf(typeof before === 'string' ? String(sum) : sum);
};

const STEPS: Readonly<Record<string, Step>> = {
  get,
  read: get,
  put,
  write: put,
  delete: remove,
  cas: compareAndSwap,
  increment,
};

function tellsNothing(output: unknown): boolean {
  return output === undefined || output === null || typeof output === 'boolean';
}

function textOf(value: unknown): RegisterState {
  return value === undefined || value === null ? ABSENT : JSON.stringify(value);
}

export const register: Checker = linearizability(
  registerModel,
  'each key behaves as if one operation happened after another, each between its call and return',
);
