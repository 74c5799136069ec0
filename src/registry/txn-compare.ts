import { unreachable } from '../base/index.ts';
import { compareStored, type KeyVersion } from './key-version.ts';
import { scanRange, type ScanBudget } from './scan.ts';
import type { RegistryState } from './state.ts';
import type { CompareOperator, Revision, TxnCompare } from './types.ts';

/**
 * Whether a compare holds in the state as it is; see `TxnCompare` for absent keys and ranges. Worth
 * nothing once the budget is spent.
 */
export function holds(state: RegistryState, compare: TxnCompare, budget: ScanBudget): boolean {
  const { start, end } = compare;
  if (end === `${start}\0`) return judge(state.store.find(start)?.live, compare);
  let empty = true;
  let all = true;
  scanRange(state, compare, 0 as Revision, budget, (record) => {
    empty = false;
    if (compare.target === 'value') {
      budget.spendOnValue(Math.min(record.stored.length, compare.operand.length));
    }
    all = judge(record, compare);
    return all && !budget.spent;
  });
  return empty ? judge(undefined, compare) : all;
}

/** Undefined stands for a key that is not there. */
function judge(record: KeyVersion | undefined, compare: TxnCompare): boolean {
  if (compare.target !== 'value') {
    const found: number = record === undefined ? 0 : record[compare.target];
    return stands(found - compare.operand, compare.operator);
  }
  if (record === undefined) return false;
  return stands(compareStored(record.stored, compare.operand), compare.operator);
}

/** `difference` is below, equal to or above 0 as what was found is to the operand. */
function stands(difference: number, operator: CompareOperator): boolean {
  switch (operator) {
    case 'equal':
      return difference === 0;
    case 'notEqual':
      return difference !== 0;
    case 'less':
      return difference < 0;
    case 'greater':
      return difference > 0;
    default:
      return unreachable(operator);
  }
}
