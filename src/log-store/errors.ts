/** The refusals and failures every store words the same way. */
import { HoldfastError } from '../base/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { CorruptionDetails } from './contract.ts';

/** Damage found; the details stand in `cause`, what was found in the message. */
export function corruptData(
  record: CorruptionDetails['record'],
  found: string,
  index?: number,
): HoldfastError {
  const details: CorruptionDetails =
    index === undefined ? { record } : { record, index: index as LogIndex };
  const place = index === undefined ? record : `${record} ${index}`;
  return new HoldfastError(
    'corrupt-data',
    `the stored ${place} is damaged (${found}); let this node rejoin with an empty store`,
    { cause: details },
  );
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** A write that failed, as callers are told; what the system threw becomes `cause`. */
export function writeFailure(kind: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const isFull = error instanceof Error && 'code' in error && FULL.has(error.code);
  return new HoldfastError(
    isFull ? 'disk-full' : 'disk-failed',
    `writing to the ${kind} store failed: ${messageOf(error)}`,
    { outcome: 'unknown', cause: error },
  );
}

/** Runs `read`; whatever it throws becomes `corrupt-data` about this record. */
export function readingRecord<T>(
  record: CorruptionDetails['record'],
  read: () => T,
  index?: number,
): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw corruptData(record, messageOf(error), index);
  }
}

export function invalidArgument(message: string): HoldfastError {
  return new HoldfastError('invalid-argument', message);
}

export function closedStore(): HoldfastError {
  return new HoldfastError('closed', 'the log store is not open; call open() first');
}
