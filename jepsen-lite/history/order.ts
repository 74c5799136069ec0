/** What holds of a whole history, beyond its single lines. */
import { HistoryError } from './format.ts';
import type { Operation } from './operation.ts';

/**
 * A process calls one operation after another, and none after one whose outcome it never learned:
 * else nothing follows from who called. Notes, which take no time, may come in between.
 * @param lines of each operation, its line in the file
 * @throws HistoryError at the first operation, in order of calls, that breaks it
 */
export function checkProcesses(history: readonly Operation[], lines: readonly number[]): void {
  if (isInOrder(history)) return;
  const order = history.map((_, i) => i).filter((i) => !isNote(history[i]!));
  order.sort(
    (a, b) => history[a]!.call - history[b]!.call || endOf(history[a]!) - endOf(history[b]!),
  );
  const last = new Map<number, number>();
  for (const i of order) {
    const operation = history[i]!;
    const before = last.get(operation.process);
    last.set(operation.process, i);
    if (before === undefined) continue;
    const end = history[before]!.return;
    const who = `process ${operation.process}`;
    if (end === null) {
      const rule = `${who} never learned the outcome of its operation in line ${lines[before]}`;
      throw new HistoryError(lines[i]!, `${rule}: a client goes on under another number`);
    }
    if (end > operation.call) {
      const rule = `${who} calls before its operation in line ${lines[before]} has returned`;
      throw new HistoryError(lines[i]!, rule);
    }
  }
}

/** Whether each process's operations follow each other as they stand, as most files have them. */
function isInOrder(history: readonly Operation[]): boolean {
  const freeFrom = new Map<number, number>();
  for (const operation of history) {
    if (isNote(operation)) continue;
    if (operation.call < (freeFrom.get(operation.process) ?? 0)) return false;
    freeFrom.set(operation.process, endOf(operation));
  }
  return true;
}

function isNote({ call, return: end }: Operation): boolean {
  return call === end;
}

function endOf(operation: Operation): number {
  return operation.return ?? Infinity;
}
