import type { Operation } from './operation.ts';

const NS_PER_MS = 1e6;

/** An operation in words: who called what, when, and what came back. */
export function describeOperation(operation: Operation): string {
  const { process, f, key, value, call, type, output } = operation;
  const on = key === undefined ? '' : ` ${key}`;
  const what = value === undefined || value === null ? '' : ` ${JSON.stringify(value)}`;
  const end = operation.return === null ? 'never' : milliseconds(operation.return);
  const outcome =
    type === 'ok'
      ? output === undefined || output === null
        ? 'ok'
        : JSON.stringify(output)
      : (operation.error ?? type);
  return `${f}${on}${what} by process ${process} (${milliseconds(call)} to ${end}: ${outcome})`;
}

function milliseconds(ns: number): string {
  return `${(ns / NS_PER_MS).toFixed(3)} ms`;
}
