/** Whether a batch fits the log it is meant for. */
import type { LogChange } from './backend.ts';
import type { WriteBatch } from './contract.ts';
import { invalidArgument } from './errors.ts';
import type { Entry } from '../raft/index.ts';

const NO_ENTRIES: readonly Entry[] = [];

/** Where a log stands. An empty one ends right before it begins. */
export interface LogPosition {
  readonly first: number;
  readonly last: number;
  /** Index of the current snapshot; where an empty log goes on from. 0 without one. */
  readonly snapshotIndex: number;
}

/** The position of a log none of whose entries is left. */
export function emptyLog(snapshotIndex: number): LogPosition {
  return { first: snapshotIndex + 1, last: snapshotIndex, snapshotIndex };
}

function afterTruncation(log: LogPosition, from: number): LogPosition {
  return from <= log.first ? emptyLog(log.snapshotIndex) : { ...log, last: from - 1 };
}

function afterAppend(log: LogPosition, count: number): LogPosition {
  return { ...log, last: log.last + count };
}

function afterCompaction(log: LogPosition, through: number): LogPosition {
  return through >= log.last ? emptyLog(log.snapshotIndex) : { ...log, first: through + 1 };
}

/** A checked batch, and where the log stands after it. */
export interface CheckedWrite {
  readonly change: LogChange;
  readonly log: LogPosition;
}

function checkIndex(name: string, index: number): void {
  if (!Number.isSafeInteger(index)) throw invalidArgument(`${name} ${index} is not an index`);
}

function checkEntries(log: LogPosition, entries: readonly Entry[]): void {
  let expected = log.last + 1;
  for (const entry of entries) {
    if (entry.index !== expected) {
      throw invalidArgument(
        `entry ${entry.index} where ${expected} must follow: a log has no gaps and no repeats`,
      );
    }
    expected++;
  }
}

/**
 * The batch as a change of `log`, without the parts that have nothing to do; undefined when none is
 * left. Throws `invalid-argument` when it does not fit.
 */
export function checkWrite(log: LogPosition, batch: WriteBatch): CheckedWrite | undefined {
  const entries = batch.entries ?? NO_ENTRIES;
  let after = log;
  let truncateFrom: number | undefined;
  if (batch.truncateFrom !== undefined) {
    checkIndex('truncateFrom', batch.truncateFrom);
    if (batch.truncateFrom <= after.last && after.first <= after.last) {
      truncateFrom = Math.max(batch.truncateFrom, after.first);
      after = afterTruncation(after, truncateFrom);
    }
  }
  if (entries.length > 0) {
    checkEntries(after, entries);
    after = afterAppend(after, entries.length);
  }
  let compactThrough: number | undefined;
  if (batch.compactThrough !== undefined) {
    checkIndex('compactThrough', batch.compactThrough);
    if (batch.compactThrough > log.snapshotIndex) {
      throw invalidArgument(
        `compaction through ${batch.compactThrough} without a snapshot beyond ${log.snapshotIndex}`,
      );
    }
    if (batch.compactThrough >= after.first && after.first <= after.last) {
      compactThrough = Math.min(batch.compactThrough, after.last);
      after = afterCompaction(after, compactThrough);
    }
  }
  const { metadata } = batch;
  if (
    metadata === undefined &&
    truncateFrom === undefined &&
    entries.length === 0 &&
    compactThrough === undefined
  ) {
    return undefined;
  }
  return { change: { metadata, truncateFrom, entries, compactThrough }, log: after };
}

/**
 * A range to delete as the write that does it. Throws `invalid-argument` for one from the middle of
 * the log, which would leave a gap.
 */
export function checkDeleteRange(log: LogPosition, from: number, through: number): WriteBatch {
  checkIndex('from', from);
  checkIndex('through', through);
  if (through < from) throw invalidArgument(`range ${from} to ${through} ends before it begins`);
  const compacts = from <= log.first && through <= log.snapshotIndex;
  if (compacts) return { compactThrough: through as NonNullable<WriteBatch['compactThrough']> };
  if (through >= log.last) return { truncateFrom: from as NonNullable<WriteBatch['truncateFrom']> };
  throw invalidArgument(
    `range ${from} to ${through} of log ${log.first} to ${log.last} is neither a suffix nor ` +
      `a prefix that the snapshot at ${log.snapshotIndex} covers`,
  );
}
