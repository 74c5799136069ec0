import type { TxnCommand, TxnCompare, TxnOp, TxnOpResult } from '../registry/index.ts';
import type {
  Duration,
  Key,
  ListOptions,
  RegistryRecord,
  Value,
  WriteOptions,
} from './registry.ts';

/** One key, all keys with a prefix, or those from one key to before another (or to the last). */
export type Keys = Key | { readonly prefix: Key } | { readonly from: Key; readonly to?: Key };

/** A condition of a transaction; made with `compare`. */
export interface Comparison {
  readonly encoded: TxnCompare;
}

/** Of several keys: holds when it holds for each of them. */
export interface Comparable<Operand> {
  equals(operand: Operand): Comparison;
  notEquals(operand: Operand): Comparison;
  lessThan(operand: Operand): Comparison;
  greaterThan(operand: Operand): Comparison;
}

/** A step of a transaction; made with `op`. `Result` is what the outcome has in its place. */
export interface Operation<Result> {
  /** A key of it lives with the acting session. */
  readonly needsSession: boolean;
  encode(defaultTtlMs: number): TxnOp;
  read(result: TxnOpResult): Result;
}

export interface OperationPutOptions {
  /** The key expires this long after the write, in cluster time. */
  readonly ttl?: Duration;
  /** The key never expires by itself, whatever the registry's default TTL. */
  readonly persist?: boolean;
  /** Tie the key to the acting session. */
  readonly ephemeral?: boolean;
}
/** As of `list`. */
export type OperationListOptions = Omit<
  ListOptions,
  'after' | 'consistency' | 'timeout' | 'signal'
>;

export type Operations = readonly Operation<unknown>[];
export type ResultsOf<Ops extends Operations> = {
  readonly [Place in keyof Ops]: Ops[Place] extends Operation<infer Result> ? Result : never;
};
/** Which branch ran, and the results of its operations in their order. */
export type BranchOutcome<Then extends Operations, Else extends Operations> =
  | { readonly succeeded: true; readonly results: ResultsOf<Then> }
  | { readonly succeeded: false; readonly results: ResultsOf<Else> };
export type TransactionOutcome<Then extends Operations, Else extends Operations> = BranchOutcome<
  Then,
  Else
> & { readonly revision: number };

/** Conditions and two branches; each call gives a new one and leaves this as it is. */
export interface Branches<Then extends Operations, Else extends Operations> {
  /** All conditions must hold; without any the `then` branch runs. */
  if(...comparisons: readonly Comparison[]): Branches<Then, Else>;
  then<More extends Operations>(...operations: More): Branches<[...Then, ...More], Else>;
  else<More extends Operations>(...operations: More): Branches<Then, [...Else, ...More]>;
  readonly needsSession: boolean;
  encode(defaultTtlMs: number): TxnCommand;
  read(branch: { succeeded: boolean; results: readonly TxnOpResult[] }): BranchOutcome<Then, Else>;
}

/**
 * A transaction to be sent by `commit`. It has a method `then` but is no promise: to `await` it
 * without `commit` is an error.
 */
export interface Transaction<Then extends Operations, Else extends Operations> {
  /** All conditions must hold; without any the `then` branch runs. */
  if(...comparisons: readonly Comparison[]): Transaction<Then, Else>;
  then<More extends Operations>(...operations: More): Transaction<[...Then, ...More], Else>;
  else<More extends Operations>(...operations: More): Transaction<Then, [...Else, ...More]>;
  /**
   * Carries out one branch in one revision, or nothing. Rejects with `locked` when it would change
   * a key whose lock another session holds, with `too-large` over a limit, and with
   * `invalid-argument` when a key is changed twice.
   */
  commit(options?: WriteOptions): Promise<TransactionOutcome<Then, Else>>;
}

/** What `compareAndSwap` expects: a value, a record as it was read, or undefined for no key. */
export type Expected =
  string | Uint8Array | { readonly modRevision: number } | { readonly value: Value } | undefined;
/** `record` is the key after the swap, or as it is instead of what was expected. */
export interface SwapOutcome {
  readonly swapped: boolean;
  readonly revision: number;
  readonly record: RegistryRecord | undefined;
}
export type SwapOptions = WriteOptions & OperationPutOptions;
