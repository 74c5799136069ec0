/** Decides what a transaction will do, and whether it may, before anything is changed. */
import { unreachable } from '../base/index.ts';
import { refuseIfLocked, type Act } from './act.ts';
import type { RegistryRefusal } from './codec/error.ts';
import type { KeyEntry, KeyVersion } from './key-version.ts';
import { isQueueKey } from './locks.ts';
import { bytesOfRead, checkRange, comparable, spendOnRange } from './range-read.ts';
import { refuse, show } from './refusal.ts';
import { FIRST_CLIENT_KEY } from './reserved-keys.ts';
import { ScanBudget, scanRange } from './scan.ts';
import { holds } from './txn-compare.ts';
import type { ByteString, KeyRange, Revision, TxnCommand, TxnOp } from './types.ts';

/** The branch that will run, and its nested ones. */
export interface Plan {
  readonly type: 'plan';
  readonly succeeded: boolean;
  readonly steps: readonly Step[];
}

export type Step =
  | Exclude<TxnOp, TxnCommand | { type: 'deleteRange' | 'increment' }>
  | { readonly type: 'increment'; readonly key: ByteString; readonly sum: number }
  | { readonly type: 'deleteEntries'; readonly entries: readonly KeyEntry[] }
  | Plan;

const WHOLE_NUMBER = /^-?[0-9]+$/;

export class Planner {
  readonly #act: Act;
  #deletes = 0;
  readonly #budget: ScanBudget;
  /** Bytes that gets and deletes will answer with, at most. */
  readBytes = 0;
  readonly #putBytes = new Map<ByteString, number>();
  refusal: RegistryRefusal | undefined;

  constructor(act: Act) {
    this.#act = act;
    this.#budget = new ScanBudget(act.state.limits.maxTxnScanned, true);
  }

  /** The plan; worth something only while there is no `refusal`. */
  plan(txn: TxnCommand): Plan {
    const { state } = this.#act;
    const succeeded = txn.compares.every((compare) => holds(state, compare, this.#budget));
    this.#refuseIfSpent();
    const steps: Step[] = [];
    for (const op of succeeded ? txn.success : txn.failure) {
      if (this.refusal !== undefined) break;
      steps.push(this.#step(op));
    }
    return { type: 'plan', succeeded, steps };
  }

  #step(op: TxnOp): Step {
    switch (op.type) {
      case 'txn':
        return this.plan(op);
      case 'deleteRange':
        return { type: 'deleteEntries', entries: this.#deletable(op) };
      case 'increment':
        this.refusal ??= refuseIfLocked(this.#act, op.key);
        return { type: 'increment', key: op.key, sum: this.#sum(op) };
      case 'put':
        this.refusal ??= refuseIfLocked(this.#act, op.key);
        this.#putBytes.set(op.key, op.value.length);
        return op;
      case 'delete':
        this.refusal ??= refuseIfLocked(this.#act, op.key);
        this.#willRead(op.key);
        return op;
      case 'get':
        this.#willRead(op.key);
        return op;
      case 'range':
        this.refusal ??= checkRange(this.#act.state, op);
        if (this.refusal === undefined) spendOnRange(this.#act.state, op, this.#budget);
        this.#refuseIfSpent();
        return op;
      default:
        return unreachable(op);
    }
  }

  #refuseIfSpent(): void {
    if (!this.#budget.spent) return;
    this.refusal ??= refuse(
      'too-large',
      `transaction whose ranges visit more than ${this.#act.state.limits.maxTxnScanned} keys ` +
        '(maxTxnScanned)',
    );
  }

  /** Live keys of a range but for lock queues, left to locking, and the registry's own. */
  #deletable({ start, end }: KeyRange): KeyEntry[] {
    const { state } = this.#act;
    const { maxTxnDeletes } = state.limits;
    const entries: KeyEntry[] = [];
    const range = { start: start < FIRST_CLIENT_KEY ? FIRST_CLIENT_KEY : start, end };
    scanRange(state, range, 0 as Revision, this.#budget, ({ key }) => {
      if (isQueueKey(key)) return true;
      entries.push(state.store.find(key)!);
      if (++this.#deletes > maxTxnDeletes) {
        this.refusal ??= refuse(
          'too-large',
          `transaction that deletes more than ${maxTxnDeletes} keys by ranges (maxTxnDeletes)`,
        );
      }
      this.refusal ??= refuseIfLocked(this.#act, key);
      return this.refusal === undefined;
    });
    this.#refuseIfSpent();
    return entries;
  }

  /** No key is changed twice, so what is there now is what the increment will find. */
  #sum({ key, by }: Extract<TxnOp, { type: 'increment' }>): number {
    const record = this.#act.state.store.find(key)?.live;
    const text = record === undefined ? '0' : comparable(record.stored);
    const value = WHOLE_NUMBER.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value)) {
      this.refusal ??= refuse(
        'invalid-argument',
        `key ${show(key)} holds ${show(text)}, which is no whole number below 2^53 to increment`,
      );
    } else if (!Number.isSafeInteger(value + by)) {
      this.refusal ??= refuse(
        'invalid-argument',
        `key ${show(key)} holds ${value}: incremented by ${by} it would be beyond 2^53 - 1`,
      );
    }
    return value + by;
  }

  #willRead(key: ByteString): void {
    const { store, limits } = this.#act.state;
    const record: KeyVersion | undefined = store.find(key)?.live;
    const present = record === undefined ? 0 : bytesOfRead(record);
    this.readBytes += Math.max(present, this.#putBytes.get(key) ?? 0);
    if (this.readBytes <= limits.maxTxnReadBytes) return;
    this.refusal ??= refuse(
      'too-large',
      `transaction that reads ${this.readBytes} bytes: the limit is ${limits.maxTxnReadBytes} ` +
        '(maxTxnReadBytes)',
    );
  }
}
