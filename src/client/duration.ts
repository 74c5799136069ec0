import { HoldfastError } from '../base/index.ts';
import type { Duration } from './registry.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A year: longer waits and TTLs are mistakes in a unit, not wishes. */
const MAX_DURATION_MS = 365 * 86_400_000;

const RULE =
  "a duration is a number of milliseconds above 0, or text like '250ms', '10s', '5m', '2h', '1d'";

/**
 * Reads a duration as whole milliseconds, rounded up. `what` names the option in the error.
 * @throws HoldfastError `invalid-argument` for zero, negatives, other types and unreadable text.
 * @example parseDuration('10s', 'ttl') // 10000
 */
export function parseDuration(value: Duration, what = 'duration'): number {
  const ms = toMilliseconds(value);
  if (ms === undefined || !(ms > 0)) {
    throw new HoldfastError('invalid-argument', `${what} is ${show(value)}: ${RULE}`);
  }
  if (ms > MAX_DURATION_MS) {
    throw new HoldfastError(
      'invalid-argument',
      `${what} is ${show(value)}: a duration is at most 365 days`,
    );
  }
  return Math.ceil(ms);
}

function toMilliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return match === null || unitMs === undefined ? undefined : Number(match[1]) * unitMs;
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
