/** What can be said against a transaction before looking at the state. */
import { unreachable } from '../base/index.ts';
import type { Act } from './act.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { checkKeyRange } from './range-read.ts';
import { checkKey, checkTtl, checkValue, refuse, show } from './refusal.ts';
import type { ByteString, KeyRange, TxnCommand, TxnOp } from './types.ts';

/** All branches are checked, whichever will run: what is refused is refused in every state. */
export function checkTxn(act: Act, txn: TxnCommand): RegistryRefusal | undefined {
  return checkSize(act, txn) ?? checkParts(act, txn) ?? checkRepeats(txn);
}

function checkSize({ state }: Act, txn: TxnCommand): RegistryRefusal | undefined {
  const { maxTxnOps, maxTxnDepth } = state.limits;
  const { parts, depth } = sizeOf(txn);
  if (depth > maxTxnDepth) {
    return refuse(
      'too-large',
      `transactions nested ${depth} deep: the limit is ${maxTxnDepth} (maxTxnDepth)`,
    );
  }
  if (parts <= maxTxnOps) return undefined;
  return refuse(
    'too-large',
    `transaction of ${parts} compares and operations: the limit is ${maxTxnOps} (maxTxnOps)`,
  );
}

function sizeOf(txn: TxnCommand): { readonly parts: number; readonly depth: number } {
  let parts = txn.compares.length + txn.success.length + txn.failure.length;
  let below = 0;
  for (const op of [...txn.success, ...txn.failure]) {
    if (op.type !== 'txn') continue;
    const inner = sizeOf(op);
    parts += inner.parts;
    below = Math.max(below, inner.depth);
  }
  return { parts, depth: below + 1 };
}

function checkParts(act: Act, txn: TxnCommand): RegistryRefusal | undefined {
  for (const compare of txn.compares) {
    const refusal = checkKeyRange(compare);
    if (refusal !== undefined) return refusal;
  }
  for (const op of [...txn.success, ...txn.failure]) {
    const refusal = checkOp(act, op);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkOp(act: Act, op: TxnOp): RegistryRefusal | undefined {
  const { limits } = act.state;
  switch (op.type) {
    case 'put':
      return (
        checkKey(op.key, limits) ??
        checkValue(op.value, limits) ??
        checkTtl(op.ttlMs, limits) ??
        (op.ephemeral && act.session === 0
          ? refuse('invalid-argument', 'put with "ephemeral" needs a session to act for')
          : undefined)
      );
    case 'increment':
      return checkKey(op.key, limits) ?? checkStep(op.by);
    case 'delete':
      return checkKey(op.key, limits);
    case 'get':
      return op.key.length === 0 ? refuse('invalid-key', 'a key must not be empty') : undefined;
    case 'deleteRange':
    case 'range':
      return checkKeyRange(op);
    case 'txn':
      return checkParts(act, op);
    default:
      return unreachable(op);
  }
}

function checkStep(by: number): RegistryRefusal | undefined {
  return Number.isSafeInteger(by)
    ? undefined
    : refuse('invalid-argument', `increment by ${by}: it must be a whole number below 2^53`);
}

/** What a branch may change, whichever way its nested transactions go. */
interface Changes {
  readonly puts: Set<ByteString>;
  readonly deletes: KeyRange[];
}

/** Two changes of one key in one revision would leave their order to chance, or hide one. */
function checkRepeats(txn: TxnCommand): RegistryRefusal | undefined {
  const changes = changesOf(txn);
  if (typeof changes !== 'string') return undefined;
  return refuse('invalid-argument', `key ${show(changes)} is changed twice in one transaction`);
}

/** Of a transaction: both branches', which may change the same keys. Or the key in the way. */
function changesOf(txn: TxnCommand): Changes | ByteString {
  const then = changesOfBranch(txn.success);
  if (typeof then === 'string') return then;
  const otherwise = changesOfBranch(txn.failure);
  if (typeof otherwise === 'string') return otherwise;
  addTo(then, otherwise);
  return then;
}

function changesOfBranch(ops: readonly TxnOp[]): Changes | ByteString {
  const all: Changes = { puts: new Set(), deletes: [] };
  for (const op of ops) {
    const more = changesOfOp(op);
    if (more === undefined) continue;
    if (typeof more === 'string') return more;
    const twice = repeated(all, more);
    if (twice !== undefined) return twice;
    addTo(all, more);
  }
  return all;
}

function changesOfOp(op: TxnOp): Changes | ByteString | undefined {
  switch (op.type) {
    case 'put':
    case 'increment':
      return { puts: new Set([op.key]), deletes: [] };
    case 'delete':
      return { puts: new Set(), deletes: [{ start: op.key, end: `${op.key}\0` }] };
    case 'deleteRange':
      return { puts: new Set(), deletes: [op] };
    case 'txn':
      return changesOf(op);
    case 'get':
    case 'range':
      return undefined;
    default:
      return unreachable(op);
  }
}

function addTo(all: Changes, more: Changes): void {
  for (const key of more.puts) all.puts.add(key);
  all.deletes.push(...more.deletes);
}

/** A key that one puts and the other puts or deletes; what both delete is harmless. */
function repeated(one: Changes, other: Changes): ByteString | undefined {
  for (const key of other.puts) if (one.puts.has(key) || covers(one.deletes, key)) return key;
  for (const key of one.puts) if (covers(other.deletes, key)) return key;
  return undefined;
}

function covers(ranges: readonly KeyRange[], key: ByteString): boolean {
  return ranges.some(({ start, end }) => key >= start && (end === undefined || key < end));
}
