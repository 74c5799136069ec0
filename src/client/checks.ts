import { HoldfastError } from '../base/index.ts';

/** @throws HoldfastError `invalid-argument` unless it is a whole number from 0 to 2^53 - 1. */
export function wholeNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  const message = `${what} is ${String(value)}: it must be a whole number, 0 or above`;
  throw new HoldfastError('invalid-argument', message);
}
