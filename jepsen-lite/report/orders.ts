/** The orders a report draws through the operations. */
import { checkers } from '../checkers/index.ts';
import type { Operation } from '../history/operation.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import type { DrawnOrder } from './encoding.ts';

/** A picture is not worth more: the verdict is known already. */
const TIME_LIMIT_MS = 5_000;

/** Of every checker that judged the run and whose promise is an order. */
export function drawnOrders({ results, history }: RunRecord): DrawnOrder[] {
  const places = new Map<Operation, number>(history.map((operation, i) => [operation, i]));
  const drawn: DrawnOrder[] = [];
  for (const { checker } of results) {
    const finder = Object.hasOwn(checkers, checker) ? checkers[checker] : undefined;
    const orders = finder?.orders?.(history, { timeLimitMs: TIME_LIMIT_MS }) ?? [];
    for (const { part, order, end, stuck } of orders) {
      drawn.push({
        checker,
        part,
        operations: order.map((operation) => places.get(operation)!),
        end,
        stuck: stuck === undefined ? -1 : places.get(stuck)!,
      });
    }
  }
  return drawn;
}
