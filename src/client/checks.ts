import { HoldfastError } from '../base/index.ts';
import type { Consistency } from '../protocol/index.ts';
import type { ReadOptions } from './registry.ts';

/** @throws HoldfastError `invalid-argument` unless it is a whole number from 0 to 2^53 - 1. */
export function wholeNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  const message = `${what} is ${String(value)}: it must be a whole number, 0 or above`;
  throw new HoldfastError('invalid-argument', message);
}

/** @throws HoldfastError `invalid-argument` for a level that there is not. */
export function consistencyOf(options: ReadOptions): Consistency {
  const { consistency } = options;
  if (consistency === undefined) return 'linearizable';
  if (consistency === 'linearizable' || consistency === 'lease' || consistency === 'local') {
    return consistency;
  }
  const message = `consistency is '${String(consistency)}': linearizable, lease or local`;
  throw new HoldfastError('invalid-argument', message);
}
