import type { CallOutcome, LinkAnswer } from './link.ts';
import type { Actor, Prepared, Proposal, Proposals } from './proposals.ts';

/** One command under way: from its preparation to what is made of its result. */
export class ProposalCall<T> implements CallOutcome {
  readonly #proposals: Proposals;
  readonly #proposal: Proposal<T>;
  readonly #resolve: (value: T | Promise<T>) => void;
  readonly #reject: (error: unknown) => void;
  #prepared: Prepared | undefined = undefined;

  constructor(
    proposals: Proposals,
    proposal: Proposal<T>,
    resolve: (value: T | Promise<T>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#proposals = proposals;
    this.#proposal = proposal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { command, actor, patience } = this.#proposal;
    const prepared = this.#proposals.tryPrepare(command, actor);
    if (prepared !== undefined) {
      this.#send(prepared);
      return;
    }
    this.#proposals
      .prepare(command, actor, patience)
      .then((waited) => this.#send(waited))
      .catch(this.#reject);
  }

  #send(prepared: Prepared): void {
    const { patience, repeatable } = this.#proposal;
    this.#prepared = prepared;
    try {
      this.#proposals.begin(prepared, patience, repeatable, this);
    } catch (error) {
      // A number nobody settles would fill the session's window for good.
      this.#proposals.settle(prepared);
      this.#reject(error);
    }
  }

  answered(answer: LinkAnswer): void {
    const prepared = this.#prepared!;
    let value: T;
    try {
      value = this.#proposal.read(this.#proposals.appliedBy(prepared, answer));
    } catch (error) {
      this.failed(error);
      return;
    }
    this.#proposals.settle(prepared);
    this.#resolve(value);
  }

  failed(reason: unknown): void {
    const { actor, patience, elsewhere } = this.#proposal;
    this.#proposals.settle(this.#prepared!);
    if (this.#proposals.mayTakeAnotherNumber(reason, patience)) {
      this.#proposals
        .windowPause(patience)
        .then(() => this.begin())
        .catch(this.#reject);
      return;
    }
    const another = elsewhere?.anotherActor(reason, actor, patience);
    if (another === undefined) this.#reject(reason);
    else this.#resolve(another.then((found) => this.#goAsWith(found)));
  }

  /** Once more, and for the last time, for another actor. */
  #goAsWith(actor: Actor): Promise<T> {
    return this.#proposals.proposeFor({ ...this.#proposal, actor, elsewhere: undefined });
  }
}
