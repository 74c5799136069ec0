import type { Operation } from './operation.ts';

const NS_PER_MS = 1e6;
/** Of a value or an output that is longer, this much is shown. */
const MOST_CHARACTERS = 120;

/** An operation in words: who called what, when, and what came back. */
export function describeOperation(operation: Operation): string {
  const { process, f, key, value, call, type, output } = operation;
  const on = key === undefined ? '' : ` ${key}`;
  const what = value === undefined || value === null ? '' : ` ${short(value)}`;
  const end = operation.return === null ? 'never' : milliseconds(operation.return);
  const outcome =
    type === 'ok'
      ? output === undefined || output === null
        ? 'ok'
        : short(output)
      : (operation.error ?? type);
  return `${f}${on}${what} by process ${process} (${milliseconds(call)} to ${end}: ${outcome})`;
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)} ...`;
}

function milliseconds(ns: number): string {
  return `${(ns / NS_PER_MS).toFixed(3)} ms`;
}
