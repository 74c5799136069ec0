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
  if (order === undefined) return undefined;
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

function witnessOrder<State>(
  model: Model<State>,
  operations: readonly Operation[],
): Operation[] | undefined {
  const dated: { readonly operation: Operation; readonly revision: number }[] = [];
  const reads = (operation: Operation): number => (model.readsOnly(operation) ? 1 : 0);
  const undated: Operation[] = [];
  for (const operation of operations) {
    if (operation.revision !== undefined) dated.push({ operation, revision: operation.revision });
    else if (operation.type === 'ok') undated.push(operation);
  }
  if (dated.length === 0 && undated.length > 0) return byReturn(undated);
  dated.sort(
    (a, b) =>
      a.revision - b.revision ||
      reads(a.operation) - reads(b.operation) ||
      a.operation.call - b.operation.call,
  );
  return merge(
    dated.map(({ operation }) => operation),
    undated.toSorted((a, b) => a.call - b.call),
  );
}

/** Right when nothing overlaps, and often when little does. */
function byReturn(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((a, b) => a.return! - b.return!);
}

/** Puts those without a revision where they were called at the latest they may. */
function merge(dated: readonly Operation[], undated: readonly Operation[]): Operation[] {
  const order: Operation[] = [];
  let at = 0;
  for (const operation of dated) {
    while (at < undated.length && undated[at]!.return! < operation.call) order.push(undated[at++]!);
    order.push(operation);
  }
  return [...order, ...undated.slice(at)];
}
