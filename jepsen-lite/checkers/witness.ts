import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';
import { orderWithUnknown, type WitnessParts } from './witness-unknown.ts';

/**
 * The order that the operations' revisions suggest, if it explains them all. Answered reads stand
 * behind the write whose revision they tell; what tells of none is placed by the time of its call.
 * What has an unknown outcome and no revision need not have happened: it is taken to have where
 * something else shows it. An order is proof; undefined is not.
 */
export function orderOfWitness<State>(
  model: Model<State>,
  operations: readonly Operation[],
): readonly Operation[] | undefined {
  const { dated, undated, open } = apart(model, operations);
  const plain = dated.length === 0 ? undated.toSorted(byReturn) : mergeUndated(dated, undated);
  if (explains(model, plain)) return plain;
  if (dated.length === 0) return undefined;
  const filled = orderWithUnknown(model, { dated, undated, open });
  return filled !== undefined && explains(model, filled) ? filled : undefined;
}

/** In this order each finds the state that it tells of, and none goes before what had ended. */
function explains<State>(model: Model<State>, order: readonly Operation[]): boolean {
  let state = model.initial;
  let latestCall = -Infinity;
  for (const operation of order) {
    if (operation.call > latestCall) latestCall = operation.call;
    // It had returned before one that is to go before it was called.
    if (operation.return !== null && operation.return < latestCall) return false;
    const next = model.step(state, operation);
    if (next === undefined) return false;
    state = next;
  }
  return true;
}

function apart<State>(model: Model<State>, operations: readonly Operation[]): WitnessParts {
  const writes: Operation[] = [];
  const reads: Operation[] = [];
  const undated: Operation[] = [];
  const open: Operation[] = [];
  for (const operation of operations) {
    if (operation.revision !== undefined) {
      // What was refused tells of the revision that it saw.
      const onlySaw = operation.output === false || model.readsOnly(operation);
      (onlySaw ? reads : writes).push(operation);
    } else {
      (operation.type === 'ok' ? undated : open).push(operation);
    }
  }
  const dated = mergeDated(writes.toSorted(byRevision), reads.toSorted(byRevision));
  return { dated, undated: undated.toSorted(byCall), open: open.toSorted(byCall) };
}

function byRevision(a: Operation, b: Operation): number {
  return a.revision! - b.revision! || a.call - b.call;
}

function byCall(a: Operation, b: Operation): number {
  return a.call - b.call;
}

/** Right when nothing overlaps, and often when little does. */
function byReturn(a: Operation, b: Operation): number {
  return a.return! - b.return!;
}

/** Reads stand behind the write of their revision. */
function mergeDated(writes: readonly Operation[], reads: readonly Operation[]): Operation[] {
  const order: Operation[] = [];
  let at = 0;
  for (const write of writes) {
    while (at < reads.length && reads[at]!.revision! < write.revision!) order.push(reads[at++]!);
    order.push(write);
  }
  while (at < reads.length) order.push(reads[at++]!);
  return order;
}

/** Puts those without a revision where they were called at the latest they may. */
function mergeUndated(dated: readonly Operation[], undated: readonly Operation[]): Operation[] {
  const order: Operation[] = [];
  let at = 0;
  for (const operation of dated) {
    while (at < undated.length && undated[at]!.return! < operation.call) order.push(undated[at++]!);
    order.push(operation);
  }
  while (at < undated.length) order.push(undated[at++]!);
  return order;
}
