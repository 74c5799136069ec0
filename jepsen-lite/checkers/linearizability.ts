/**
 * Whether a history could have come from an object that does one operation after another, each at
 * some moment between its call and its return (Herlihy and Wing, 1990).
 *
 * Witness first: where the operations tell of an order, that order is replayed, which takes hardly
 * longer than reading them. Only a part of the history whose order does not hold is searched, as
 * Wing and Gong did and Lowe made fast: place some call that nothing still open must precede, go
 * on, and go back when no call can be placed; states met before are not entered again.
 */
import type { Operation } from '../history/operation.ts';
import { searchOrder } from './linearizability-search.ts';
import type { Model } from './model.ts';
import {
  knownCheckOptions,
  provesNothing,
  type CheckOptions,
  type Checker,
  type PartOrder,
  type Verdict,
} from './verdict.ts';
import { byCall } from './values.ts';
import { orderOfWitness } from './witness.ts';

const DEFAULT_TIME_LIMIT_MS = 60_000;

/** One object's operations. */
type Part = readonly Operation[];

/** The checker of a model; see above. */
export function linearizability<State>(model: Model<State>, promise: string): Checker {
  return {
    name: model.name,
    promise,
    check: (history, options) => checkLinearizable(model, history, options),
    orders: (history, options) => linearizationOrders(model, history, options),
  };
}

/** Checks each part of the history that shares no state with the others. */
export function checkLinearizable<State>(
  model: Model<State>,
  history: readonly Operation[],
  options: CheckOptions = {},
): Verdict {
  knownCheckOptions(options);
  const now = options.now ?? (() => performance.now());
  const deadlineMs = now() + (options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS);
  const parts = partsOf(model, history);
  const checked = { operations: 0, parts: parts.size, witnessed: 0, searched: 0 };
  let unknown: string | undefined;
  for (const [name, part] of parts) {
    checked.operations += part.length;
    if (orderOfWitness(model, part) !== undefined) {
      checked.witnessed++;
      continue;
    }
    checked.searched++;
    const found = searchOrder(model, byCall(part), () => now() > deadlineMs);
    if (found.type === 'none') {
      const message = name === '' ? found.message : `${name}: ${found.message}`;
      return { type: 'illegal', message, operations: found.operations };
    }
    if (found.type === 'gaveUp') {
      const where = name === '' ? 'the history' : name;
      unknown ??= `${where}: no order was found, nor a proof of none, within time and memory`;
    }
  }
  if (unknown !== undefined) return { type: 'unknown', why: unknown };
  if (!history.some((one) => model.part(one) !== undefined)) {
    return { type: 'unknown', why: `the history has no operations of the model ${model.name}` };
  }
  if (!couldFail(model, parts)) {
    return provesNothing(model.takes ?? 'an answer');
  }
  return { type: 'ok', how: checked.searched === 0 ? 'witness' : 'search', checked };
}

function couldFail<State>(model: Model<State>, parts: ReadonlyMap<string, Part>): boolean {
  const isAnswer = (one: Operation): boolean => one.type === 'ok' && (model.tells?.(one) ?? true);
  return [...parts.values()].some((part) => part.some(isAnswer));
}

/** The orders that `checkLinearizable` finds, to be looked at; of a bad part the longest. */
export function linearizationOrders<State>(
  model: Model<State>,
  history: readonly Operation[],
  options: CheckOptions = {},
): PartOrder[] {
  const now = options.now ?? (() => performance.now());
  const deadlineMs = now() + (options.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS);
  const orders: PartOrder[] = [];
  for (const [name, part] of partsOf(model, history)) {
    const witness = orderOfWitness(model, part);
    if (witness !== undefined) {
      orders.push({ part: name, order: witness, end: 'whole' });
      continue;
    }
    const inOrder = byCall(part);
    const found = searchOrder(model, inOrder, () => now() > deadlineMs);
    const order = found.order.map((i) => inOrder[i]!);
    if (found.type === 'order') orders.push({ part: name, order, end: 'whole' });
    else if (found.type === 'gaveUp') orders.push({ part: name, order, end: 'gaveUp' });
    else orders.push({ part: name, order, end: 'stuck', stuck: inOrder[found.stuck]! });
  }
  return orders;
}

/** What certainly had no effect, and reads nobody got an answer of, say nothing. */
function partsOf<State>(
  model: Model<State>,
  history: readonly Operation[],
): ReadonlyMap<string, Part> {
  const parts = new Map<string, Operation[]>();
  for (const operation of history) {
    if (operation.type === 'fail') continue;
    if (operation.type === 'info' && model.readsOnly(operation)) continue;
    const name = model.part(operation);
    if (name === undefined) continue;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  return parts;
}
