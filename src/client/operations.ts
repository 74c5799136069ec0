import { knownOptions } from './call-options.ts';
import { HoldfastError } from '../base/index.ts';
import type { KeyView, TxnOp, TxnOpResult } from '../registry/index.ts';
import { edgeView, encodeKey, encodeValue, prefixEnd, writtenView } from './edge.ts';
import { countQuery, listQuery } from './list-query.ts';
import { ttlOf } from './options.ts';
import type { CountOptions, Key, RegistryRecord, Value } from './registry.ts';
import type {
  BranchOutcome,
  Branches,
  Operation,
  OperationListOptions,
  OperationPutOptions,
  Operations,
} from './transaction-types.ts';

function operation<Result>(
  encoded: TxnOp,
  read: (result: TxnOpResult) => Result,
): Operation<Result> {
  return { needsSession: false, encode: () => encoded, read };
}

function resultAs<Type extends TxnOpResult['type']>(
  result: TxnOpResult,
  type: Type,
): Extract<TxnOpResult, { readonly type: Type }> {
  if (isOfType(result, type)) return result;
  throw new HoldfastError('internal', `an operation's result is ${result.type}, not ${type}`);
}

function isOfType<Type extends TxnOpResult['type']>(
  result: TxnOpResult,
  type: Type,
): result is Extract<TxnOpResult, { readonly type: Type }> {
  return result.type === type;
}

function viewIn(result: TxnOpResult): KeyView {
  if ('view' in result) return result.view;
  throw new HoldfastError('internal', `an operation's result is ${result.type}, without a key`);
}

function readPut(result: TxnOpResult): RegistryRecord {
  return writtenView(viewIn(result));
}

function deleteRange(start: string, end: string | undefined): Operation<number> {
  return operation(
    { type: 'deleteRange', start, end },
    (result) => resultAs(result, 'deleteRange').deleted,
  );
}

/** Of options that may say more than a put is to know. */
export function putOperation(
  key: Key,
  value: Value,
  options: OperationPutOptions,
): Operation<RegistryRecord> {
  const ephemeral = options.ephemeral === true;
  const fixed = { key: encodeKey(key), value: encodeValue(value), ephemeral };
  const ttl = ttlOf(options);
  return {
    needsSession: ephemeral,
    encode: (defaultTtlMs) => ({ type: 'put', ...fixed, ttlMs: ttl ?? defaultTtlMs }),
    read: readPut,
  };
}

/**
 * Steps of a transaction. Bad input throws `invalid-key` or `invalid-argument` at once.
 * @example
 * op.put('config/rate', '200', { ttl: '10m' })
 * op.deletePrefix('jobs/done/')
 */
export const op = {
  /** Results in the record as it is then. */
  put: (key: Key, value: Value, options: OperationPutOptions = {}): Operation<RegistryRecord> => {
    knownOptions('op.put', options);
    return putOperation(key, value, options);
  },
  /** Adds to a whole number kept as decimal text, an absent one being 0; results in the record. */
  increment: (key: Key, by = 1): Operation<RegistryRecord> => {
    if (!Number.isSafeInteger(by)) {
      const message = `increment by ${String(by)}: it must be a whole number below 2^53`;
      throw new HoldfastError('invalid-argument', message);
    }
    return operation({ type: 'increment', key: encodeKey(key), by }, readPut);
  },
  /** Results in what was removed. */
  delete: (key: Key): Operation<RegistryRecord | undefined> =>
    operation({ type: 'delete', key: encodeKey(key) }, (result) => edgeView(viewIn(result))),
  /** Results in how many keys were removed. The keys of lock queues stay. */
  deletePrefix: (prefix: Key): Operation<number> => {
    const start = encodeKey(prefix, 'prefix');
    return deleteRange(start, prefixEnd(start));
  },
  /** From one key to before another; results in how many were removed. */
  deleteRange: (from: Key, to: Key): Operation<number> =>
    deleteRange(encodeKey(from, 'from'), encodeKey(to, 'to')),
  /** Results in the record as the operations before have left it. */
  get: (key: Key): Operation<RegistryRecord | undefined> =>
    operation({ type: 'get', key: encodeKey(key) }, (result) => edgeView(viewIn(result))),
  /** Results in records, and whether limit or size have cut them. */
  list: (
    options: OperationListOptions = {},
  ): Operation<{ readonly records: readonly RegistryRecord[]; readonly more: boolean }> =>
    operation(listQuery(options), (result) => {
      const { views, more } = resultAs(result, 'range');
      const records = views.map((view) => edgeView(view)).filter((record) => record !== undefined);
      return { records, more };
    }),
  count: (options: CountOptions = {}): Operation<number> =>
    operation(countQuery(options), (result) => resultAs(result, 'count').count),
  /** A transaction within; its conditions too look at what was before the outermost. */
  txn: <Then extends Operations, Else extends Operations>(
    branches: Branches<Then, Else>,
  ): Operation<BranchOutcome<Then, Else>> => ({
    needsSession: branches.needsSession,
    encode: (defaultTtlMs) => branches.encode(defaultTtlMs),
    read: (result) => branches.read(resultAs(result, 'txn')),
  }),
};
