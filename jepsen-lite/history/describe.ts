import type { Operation } from './operation.ts';

const NS_PER_MS = 1e6;
/** Calls that return what is there: to return nothing tells as much as a value does. */
const LOOKS: ReadonlySet<string> = new Set(['get', 'read', 'leader', 'ephemeral']);
/** Of a value or an output that is longer, this much is shown. */
const MOST_CHARACTERS = 120;

/** An operation in words: who called what, when, and what came back. */
export function describeOperation(operation: Operation): string {
  const { process, f, key, value, call } = operation;
  const on = key === undefined ? '' : ` ${key}`;
  const what = value === undefined || value === null ? '' : ` ${short(value)}`;
  const when = whenText(call, operation.return);
  return `${f}${on}${what} by process ${process} (${when}: ${outcomeOf(operation)})`;
}

/** What took no time was seen at that moment, not called. */
function whenText(call: number, end: number | null): string {
  if (end === call) return `at ${milliseconds(call)}`;
  return `${milliseconds(call)} to ${end === null ? 'never' : milliseconds(end)}`;
}

function outcomeOf({ f, type, output, error }: Operation): string {
  if (type !== 'ok') return error ?? type;
  if (output !== undefined && output !== null) return short(output);
  return LOOKS.has(f) ? 'nothing' : 'ok';
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)} ...`;
}

function milliseconds(ns: number): string {
  return `${(ns / NS_PER_MS).toFixed(3)} ms`;
}
