/** Making entries and moving along the log. */
import type { Entry, EntryType, LogIndex, Term } from './types.ts';

/** Every entry is made here, so that all have the same shape for the engine. */
export function makeEntry(
  index: LogIndex,
  term: Term,
  time: number,
  type: EntryType,
  data: Uint8Array,
): Entry {
  return { index, term, time, type, data, recorded: undefined };
}

/** The result of arithmetic on indexes, as an index. */
export function logIndex(value: number): LogIndex {
  return value as LogIndex;
}

export const NO_INDEX: LogIndex = logIndex(0);
export const NO_TERM: Term = 0 as Term;
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Consecutive entries and the size of their data. */
export interface EntryBatch {
  readonly entries: readonly Entry[];
  readonly bytes: number;
}

export function batchOf(entries: readonly Entry[]): EntryBatch {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return { entries, bytes };
}
