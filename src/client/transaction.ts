import { HoldfastError } from '../base/index.ts';
import type { TxnBranchResult, TxnCommand } from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import type { WriteOptions } from './registry.ts';
import type {
  BranchOutcome,
  Branches,
  Comparison,
  Operations,
  ResultsOf,
  Transaction,
  TransactionOutcome,
} from './transaction-types.ts';

class BranchBuilder<Then extends Operations, Else extends Operations> implements Branches<
  Then,
  Else
> {
  readonly #comparisons: readonly Comparison[];
  readonly #then: Then;
  readonly #else: Else;

  constructor(comparisons: readonly Comparison[], then: Then, otherwise: Else) {
    this.#comparisons = comparisons;
    this.#then = then;
    this.#else = otherwise;
  }

  get needsSession(): boolean {
    return [...this.#then, ...this.#else].some((operation) => operation.needsSession);
  }

  if(...comparisons: readonly Comparison[]): BranchBuilder<Then, Else> {
    return new BranchBuilder([...this.#comparisons, ...comparisons], this.#then, this.#else);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- the word of the field; awaiting is refused
  then<More extends Operations>(...operations: More): BranchBuilder<[...Then, ...More], Else> {
    refuseAwait(operations);
    return new BranchBuilder(this.#comparisons, [...this.#then, ...operations], this.#else);
  }

  else<More extends Operations>(...operations: More): BranchBuilder<Then, [...Else, ...More]> {
    return new BranchBuilder(this.#comparisons, this.#then, [...this.#else, ...operations]);
  }

  encode(defaultTtlMs: number): TxnCommand {
    return {
      type: 'txn',
      compares: this.#comparisons.map(({ encoded }) => encoded),
      success: this.#then.map((operation) => operation.encode(defaultTtlMs)),
      failure: this.#else.map((operation) => operation.encode(defaultTtlMs)),
    };
  }

  read({ succeeded, results }: TxnBranchResult): BranchOutcome<Then, Else> {
    const operations: Operations = succeeded ? this.#then : this.#else;
    const read = results.map((result, place) => operations[place]?.read(result));
    return succeeded
      ? { succeeded, results: read as ResultsOf<Then> }
      : { succeeded, results: read as ResultsOf<Else> };
  }
}

/** An `await` calls `then` with two functions, and waits until one of them is called. */
function refuseAwait(operations: readonly unknown[]): void {
  const [resolve, reject] = operations;
  if (typeof resolve !== 'function') return;
  const error = new HoldfastError(
    'invalid-argument',
    'a transaction is no promise: send it with commit(), and await that',
  );
  if (typeof reject !== 'function') throw error;
  reject(error);
}

/** Sends an encoded transaction for whoever the options name. */
export type Commit = (
  encode: (defaultTtlMs: number) => TxnCommand,
  needsSession: boolean,
  options: WriteOptions,
) => Promise<TxnBranchResult & { readonly revision: number }>;

class SentByCommit<Then extends Operations, Else extends Operations> implements Transaction<
  Then,
  Else
> {
  readonly #branches: BranchBuilder<Then, Else>;
  readonly #commit: Commit;

  constructor(builder: BranchBuilder<Then, Else>, commit: Commit) {
    this.#branches = builder;
    this.#commit = commit;
  }

  if(...comparisons: readonly Comparison[]): SentByCommit<Then, Else> {
    return new SentByCommit(this.#branches.if(...comparisons), this.#commit);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- the word of the field; awaiting is refused
  then<More extends Operations>(...operations: More): SentByCommit<[...Then, ...More], Else> {
    return new SentByCommit(this.#branches.then(...operations), this.#commit);
  }

  else<More extends Operations>(...operations: More): SentByCommit<Then, [...Else, ...More]> {
    return new SentByCommit(this.#branches.else(...operations), this.#commit);
  }

  async commit(options: WriteOptions = {}): Promise<TransactionOutcome<Then, Else>> {
    knownOptions('write', options);
    const builder = this.#branches;
    const encode = (defaultTtlMs: number): TxnCommand => builder.encode(defaultTtlMs);
    const result = await this.#commit(encode, builder.needsSession, options);
    return { ...builder.read(result), revision: result.revision };
  }
}

/**
 * Branches to be nested in a transaction by `op.txn`.
 * @example
 * op.txn(branches().if(compare.absent('b')).then(op.put('b', '1')))
 */
export function branches(): Branches<[], []> {
  return new BranchBuilder<[], []>([], [], []);
}

export function transaction(commit: Commit): Transaction<[], []> {
  return new SentByCommit(new BranchBuilder<[], []>([], [], []), commit);
}
