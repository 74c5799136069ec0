/** Locks' options and descriptions between the user's words and the registry's. */
import { byteStringToBytes, HoldfastError } from '../base/index.ts';
import type { LockInfo, LockQueueEntry, LockTerms } from '../registry/index.ts';
import { wholeNumber } from './checks.ts';
import { parseDuration } from './duration.ts';
import { lockRef, textOf } from './edge.ts';
import type { LockDetails, LockOptions, LockPlace } from './registry.ts';

/** @throws HoldfastError `invalid-argument` for options that do not go together. */
export function termsOf(options: LockOptions): LockTerms {
  const { mode, limit, permits, lockDelay } = options;
  const delayMs = lockDelay === undefined ? 0 : parseDuration(lockDelay, 'lockDelay');
  if (limit === undefined) {
    if (permits !== undefined) throw invalid('permits need a limit: how many there are');
    const named = mode ?? 'exclusive';
    if (named !== 'exclusive' && named !== 'shared') {
      throw invalid(`mode is '${String(mode)}': exclusive or shared; a semaphore has a limit`);
    }
    return { mode: named, permits: 0, limit: 0, delayMs };
  }
  if (mode !== undefined) throw invalid('a lock takes mode or limit, not both');
  const wanted = wholeNumber(permits ?? 1, 'permits');
  return { mode: 'semaphore', permits: wanted, limit: wholeNumber(limit, 'limit'), delayMs };
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid-argument', message);
}

/** `time` is the answer's cluster time. */
export function lockPlace(entry: LockQueueEntry, time: number): LockPlace {
  const { terms, held, delayed, metadata, since, remainingMs } = entry;
  return {
    ...lockRef(entry),
    mode: terms.mode,
    permits: terms.permits,
    held,
    delayed,
    // A copy: what was decoded is a view of everything that arrived with it.
    metadata: new Uint8Array(metadata),
    ageMs: Math.max(0, time - since),
    remainingMs,
  };
}

export function lockDetails(info: LockInfo, time: number): LockDetails {
  const { name, holders, held, permits, waiting } = info;
  const { mode, limit } = holders[0]?.terms ?? { mode: 'exclusive', limit: 0 };
  return {
    name: textOf(name),
    nameBytes: byteStringToBytes(name),
    mode,
    limit,
    permits,
    holders: holders.map((holder) => lockPlace(holder, time)),
    held,
    waiting,
  };
}
