import { bytesToByteString, unreachable } from '../base/index.ts';
import type { KeyVersion } from './key-version.ts';
import { comparable } from './range-read.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, TxnCompare } from './types.ts';

/** Whether a compare holds in the state as it is; see `TxnCompare` for absent keys and ranges. */
export function holds({ store }: RegistryState, compare: TxnCompare): boolean {
  const { start, end } = compare;
  const judge = judgeOf(compare);
  if (end === `${start}\0`) return judge(store.find(start)?.live);
  let empty = true;
  let all = true;
  store.scan(start, (entry) => {
    if (end !== undefined && entry.key >= end) return false;
    const record = entry.live;
    if (record === undefined) return true;
    empty = false;
    all = judge(record);
    return all;
  });
  return empty ? judge(undefined) : all;
}

/** Undefined stands for a key that is not there. */
function judgeOf(compare: TxnCompare): (record: KeyVersion | undefined) => boolean {
  if (compare.target === 'value') {
    const operand = bytesToByteString(compare.operand);
    return (record) => record !== undefined && stands(comparable(record.stored), compare, operand);
  }
  const { target, operand } = compare;
  return (record) => stands(record === undefined ? 0 : record[target], compare, operand);
}

function stands<T extends ByteString | number>(
  found: T,
  { operator }: TxnCompare,
  operand: T,
): boolean {
  switch (operator) {
    case 'equal':
      return found === operand;
    case 'notEqual':
      return found !== operand;
    case 'less':
      return found < operand;
    case 'greater':
      return found > operand;
    default:
      return unreachable(operator);
  }
}
