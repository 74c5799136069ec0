/** Reports stay small enough to open: of a very long history they carry a part, and say so. */
import type { RunRecord } from '../simulation/run-record.ts';
import type { DrawnOrder, PageData } from './encoding.ts';

const MOST_OPERATIONS = 100_000;

/** A page with at most `most` operations: those around the violation, or the first ones. */
export function excerptOf(page: PageData, most: number = MOST_OPERATIONS): PageData {
  const { record, orders } = page;
  const { history, violation } = record;
  if (history.length <= most) return page;
  const middle = violation === undefined ? 0 : middleOf(record, violation.operations);
  const first = Math.min(Math.max(0, middle - Math.floor(most / 2)), history.length - most);
  const isKept = (place: number): boolean => place >= first && place < first + most;
  const moved = (places: readonly number[]): number[] =>
    places.filter(isKept).map((place) => place - first);
  const excerpt: RunRecord = {
    ...record,
    history: history.slice(first, first + most),
    ...(violation !== undefined && {
      violation: { ...violation, operations: moved(violation.operations) },
    }),
  };
  return {
    record: excerpt,
    orders: orders.map((order): DrawnOrder => {
      const stuck = isKept(order.stuck) ? order.stuck - first : -1;
      return { ...order, operations: moved(order.operations), stuck };
    }),
  };
}

/** Around which operation: the last one that the violation names, or the last called before it. */
function middleOf({ history, violation }: RunRecord, operations: readonly number[]): number {
  if (operations.length > 0) return Math.max(...operations);
  const atNs = violation!.atMs * 1e6;
  const next = history.findIndex(({ call }) => call > atNs);
  return next === -1 ? history.length - 1 : next;
}
