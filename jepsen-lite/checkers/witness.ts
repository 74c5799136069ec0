import type { Operation } from '../history/operation.ts';
import type { Model } from './model.ts';

/**
 * The order that the operations' revisions suggest, if it explains them all. Answered reads stand
 * behind the write whose revision they tell; what tells of none is placed by the time of its call.
 * What has an unknown outcome and no revision is taken not to have happened: it need not have. An
 * order is proof; undefined is not.
 */
export function orderOfWitness<State>(
  model: Model<State>,
  operations: readonly Operation[],
): readonly Operation[] | undefined {
  const order = witnessOrder(model, operations);
  let state = model.initial;
  let latestCall = -Infinity;
  for (const operation of order) {
    if (operation.call > latestCall) latestCall = operation.call;
    // It had returned before one that is to go before it was called.
    if (operation.return !== null && operation.return < latestCall) return undefined;
    const next = model.step(state, operation);
    if (next === undefined) return undefined;
    state = next;
  }
  return order;
}

function witnessOrder<State>(model: Model<State>, operations: readonly Operation[]): Operation[] {
  const writes: Operation[] = [];
  const reads: Operation[] = [];
  const undated: Operation[] = [];
  for (const operation of operations) {
    if (operation.revision !== undefined) {
      // What was refused tells of the revision that it saw.
      const onlySaw = operation.output === false || model.readsOnly(operation);
      (onlySaw ? reads : writes).push(operation);
    } else if (operation.type === 'ok') {
      undated.push(operation);
    }
  }
  if (writes.length + reads.length === 0) return undated.toSorted(byReturn);
  const dated = mergeDated(writes.toSorted(byRevision), reads.toSorted(byRevision));
  return undated.length === 0 ? dated : mergeUndated(dated, undated.toSorted(byCall));
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
