/**
 * What a history may come from, the slow way: every order that time allows, of all operations that
 * were answered and of any of those that nobody knows the outcome of.
 */
import type { Operation } from '../../../jepsen-lite/history/operation.ts';

export interface SlowObject<State> {
  readonly initial: State;
  /** State after the operation; undefined when it cannot have been answered so. */
  step(state: State, operation: Operation): State | undefined;
}

/** Whether some order explains all that was answered. */
export function hasOrder<State>(
  object: SlowObject<State>,
  history: readonly Operation[],
  state: State = object.initial,
): boolean {
  const left = history.filter(({ type }) => type !== 'fail');
  if (left.every(({ type }) => type === 'info')) return true;
  return left.some((one) => {
    if (left.some((other) => other.return !== null && other.return < one.call)) return false;
    const next = object.step(state, one);
    const rest = left.filter((other) => other !== one);
    return next !== undefined && hasOrder(object, rest, next);
  });
}

/** Whether this very order explains the history: time, answers, and that nothing is left out. */
export function isOrder<State>(
  object: SlowObject<State>,
  history: readonly Operation[],
  order: readonly Operation[],
): boolean {
  const placed = new Set(order);
  if (placed.size !== order.length) return false;
  if (order.some((one) => one.type === 'fail' || !history.includes(one))) return false;
  if (history.some((one) => one.type === 'ok' && !placed.has(one))) return false;
  let state: State | undefined = object.initial;
  for (const [at, one] of order.entries()) {
    const later = order.slice(at);
    if (later.some((other) => other.return !== null && other.return < one.call)) return false;
    state = object.step(state, one);
    if (state === undefined) return false;
  }
  return true;
}
