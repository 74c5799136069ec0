import { unknownOptions } from '../base/index.ts';
import { MAX_TXN_DEPTH } from './codec/txn.ts';
import { LONGEST_KEY_BYTES } from './reserved-keys.ts';
import type { RegistryLimits } from './types.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * What the log begins under, before any `setLimits`: part of the format. With another number here
 * this software would replay old logs to other states than the one that wrote them.
 */
export const INITIAL_LIMITS: RegistryLimits = {
  maxKeyBytes: KIB,
  maxValueBytes: MIB,
  maxLabelBytes: 4 * KIB,
  maxSessions: 100_000,
  maxSessionEdges: 10_000,
  maxTableRecords: 100_000,
  maxMapEntries: 100_000,
  minSessionTtlMs: SECOND_MS,
  maxSessionTtlMs: DAY_MS,
  maxTtlMs: 10 * 366 * DAY_MS,
  maxTxnOps: 256,
  maxTxnDepth: 8,
  maxTxnDeletes: 100_000,
  maxTxnScanned: 200_000,
  maxTxnReadBytes: 2 * MIB,
  maxLockDelayMs: 5 * MINUTE_MS,
  maxTreeLockMs: 5 * MINUTE_MS,
  maxWindow: 8192,
  maxWindowBytes: 16 * MIB,
  historyRevisions: 100_000,
  historyMs: 10 * MINUTE_MS,
  historyBytes: 256 * MIB,
};

/**
 * What a node is configured with unless its options differ. A later version may put other values
 * over the initial ones: its first leader then has the log say so.
 */
export const defaultLimits: RegistryLimits = { ...INITIAL_LIMITS };

/** The limits as text, one a line: nodes with different texts refuse each other. */
export function limitsText(limits: RegistryLimits): string {
  return Object.entries(limits)
    .map(([name, value]) => `limits.${name}=${value}`)
    .toSorted()
    .join('\n');
}

/**
 * The defaults with `overrides` put over them. Every replica of a cluster must be given the same.
 * Throws a `RangeError` that names the limit when one is not a whole number of at least 1.
 */
export function resolveLimits(overrides: Partial<RegistryLimits> = {}): RegistryLimits {
  const names = Object.keys(defaultLimits);
  const unknown = Object.keys(overrides).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new RangeError(`limits: ${unknownOptions(unknown, names)}`);
  const limits = { ...defaultLimits, ...overrides };
  const fault = limitsFault(limits);
  if (fault !== undefined) throw new RangeError(fault);
  return limits;
}

/** The rule that the limits break, if any: the same for options, commands and snapshots. */
export function limitsFault(limits: RegistryLimits): string | undefined {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      return `limits.${name} must be a whole number of at least 1, not ${value}`;
    }
  }
  if (limits.minSessionTtlMs > limits.maxSessionTtlMs) {
    return 'limits.minSessionTtlMs must not be above limits.maxSessionTtlMs';
  }
  if (limits.maxKeyBytes > LONGEST_KEY_BYTES) {
    return `limits.maxKeyBytes must not be above ${LONGEST_KEY_BYTES}`;
  }
  if (limits.maxTxnDepth > MAX_TXN_DEPTH) {
    return `limits.maxTxnDepth must not be above ${MAX_TXN_DEPTH}`;
  }
  return undefined;
}
