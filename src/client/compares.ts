import { HoldfastError } from '../base/index.ts';
import type { CompareOperator, KeyRange, TxnCompare } from '../registry/index.ts';
import { wholeNumber } from './checks.ts';
import { encodeKey, encodeValue, prefixRange } from './edge.ts';
import type { SessionRef, Value } from './registry.ts';
import type { Comparable, Comparison, Keys } from './transaction-types.ts';

const KEYS_RULE = 'give a key, { prefix }, or { from, to }';

function keyRange(keys: Keys): KeyRange {
  if (typeof keys === 'string' || keys instanceof Uint8Array) {
    const start = encodeKey(keys);
    return { start, end: `${start}\0` };
  }
  if (typeof keys !== 'object' || keys === null) {
    throw new HoldfastError('invalid-key', `${String(keys)} names no keys: ${KEYS_RULE}`);
  }
  if ('prefix' in keys) return prefixRange(keys.prefix);
  const end = keys.to === undefined ? undefined : encodeKey(keys.to, 'to');
  return { start: encodeKey(keys.from, 'from'), end };
}

function comparable<Operand>(
  make: (operator: CompareOperator, operand: Operand) => TxnCompare,
): Comparable<Operand> {
  const by =
    (operator: CompareOperator) =>
    (operand: Operand): Comparison => ({
      encoded: make(operator, operand),
    });
  return {
    equals: by('equal'),
    notEquals: by('notEqual'),
    lessThan: by('less'),
    greaterThan: by('greater'),
  };
}

function ofNumber(
  target: 'version' | 'createRevision' | 'modRevision',
  keys: Keys,
): Comparable<number> {
  const range = keyRange(keys);
  return comparable((operator, operand) => {
    return { ...range, target, operator, operand: wholeNumber(operand, target) };
  });
}

/**
 * Conditions of a transaction. A key that is absent counts as 0 in every number; no value compares
 * with it, not even by `notEquals`. Bad input throws `invalid-key` or `invalid-argument` at once.
 * @example
 * compare.version('config/rate').equals(3)
 * compare.value({ prefix: 'flags/' }).notEquals('off')
 */
export const compare = {
  /** Changes since the key was created. */
  version: (keys: Keys): Comparable<number> => ofNumber('version', keys),
  createRevision: (keys: Keys): Comparable<number> => ofNumber('createRevision', keys),
  modRevision: (keys: Keys): Comparable<number> => ofNumber('modRevision', keys),
  /** In the order of bytes. */
  value: (keys: Keys): Comparable<Value> => {
    const range = keyRange(keys);
    return comparable((operator, operand) => {
      return { ...range, target: 'value', operator, operand: encodeValue(operand) };
    });
  },
  /** The session the key lives and dies with; 0 for none. */
  session: (keys: Keys): Comparable<SessionRef> => {
    const range = keyRange(keys);
    return comparable((operator, operand) => {
      const id = typeof operand === 'number' ? operand : operand.id;
      return { ...range, target: 'session', operator, operand: wholeNumber(id, 'session') };
    });
  },
  exists: (keys: Keys): Comparison => ofNumber('version', keys).greaterThan(0),
  absent: (keys: Keys): Comparison => ofNumber('version', keys).equals(0),
};
