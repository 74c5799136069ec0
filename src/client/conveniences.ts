/** Common transactions as one call each. */
import { HoldfastError } from '../base/index.ts';
import { knownOptions } from './call-options.ts';
import { compare } from './compares.ts';
import { op, putOperation } from './operations.ts';
import type { Key, Value, WriteOptions } from './registry.ts';
import { transaction, type Commit } from './transaction.ts';
import type { Comparison, Expected, SwapOptions, SwapOutcome } from './transaction-types.ts';

export async function compareAndSwap(
  commit: Commit,
  key: Key,
  expected: Expected,
  value: Value,
  options: SwapOptions,
): Promise<SwapOutcome> {
  knownOptions('swap', options);
  const { ttl: _ttl, persist: _persist, ephemeral: _ephemeral, ...sending } = options;
  const outcome = await transaction(commit)
    .if(comparisonOf(key, expected))
    .then(putOperation(key, value, options))
    .else(op.get(key))
    .commit(sending);
  const { succeeded: swapped, revision, results } = outcome;
  return { swapped, revision, record: results[0] };
}

function comparisonOf(key: Key, expected: Expected): Comparison {
  if (expected === undefined) return compare.absent(key);
  if (typeof expected === 'string' || expected instanceof Uint8Array) {
    return compare.value(key).equals(expected);
  }
  if (typeof expected === 'object' && expected !== null) {
    if ('modRevision' in expected) return compare.modRevision(key).equals(expected.modRevision);
    if ('value' in expected) return compare.value(key).equals(expected.value);
  }
  const rule = 'text or bytes, { value }, { modRevision }, or undefined for no key';
  throw new HoldfastError('invalid-argument', `expected is ${String(expected)}: give ${rule}`);
}

export async function increment(
  commit: Commit,
  key: Key,
  by: number,
  options: WriteOptions,
): Promise<number> {
  const { results } = await transaction(commit).then(op.increment(key, by)).commit(options);
  return Number(results[0]?.text());
}

export async function deletePrefix(
  commit: Commit,
  prefix: Key,
  options: WriteOptions,
): Promise<number> {
  const { results } = await transaction(commit).then(op.deletePrefix(prefix)).commit(options);
  return results[0] ?? 0;
}
