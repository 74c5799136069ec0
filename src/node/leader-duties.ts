/** Drives the state machine's leader-only side. */
import type { Entry, RaftCore, Role, Term } from '../raft/index.ts';
import type { Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';
import type { LeaderSide } from './state-machine.ts';
import { answerAll, answerWaiter, failure } from './waiter.ts';
import type { Waiter } from './waiter.ts';

export interface LeaderDutiesOptions {
  readonly side: LeaderSide | undefined;
  readonly stamp: () => number;
  readonly proposals: Proposals;
  readonly reads: Reads;
  /** Asks again, wherever the leader is by then. */
  readonly retry: (waiters: readonly Waiter[]) => void;
  readonly deadline: () => number;
}

export class LeaderDuties {
  readonly #raft: RaftCore;
  readonly #options: LeaderDutiesOptions;
  /** The term for which the side was told of its election. */
  #term: Term | undefined;
  /** The term whose opening was asked for. */
  #opened: Term | undefined;
  #duePending = false;
  #asking = 0;

  constructor(raft: RaftCore, options: LeaderDutiesOptions) {
    this.#raft = raft;
    this.#options = options;
  }

  /** Queries that wait for leadership to be confirmed. */
  get length(): number {
    return this.#asking;
  }

  /** The first entry of this leader's own term comes after everything committed before it. */
  applied(entry: Entry): void {
    const { side, stamp } = this.#options;
    if (side === undefined || this.#term === this.#raft.term) return;
    if (this.#raft.role !== 'leader' || entry.term !== this.#raft.term) return;
    this.#depose();
    this.#term = this.#raft.term;
    side.elected(stamp());
  }

  roleChanged(role: Role): void {
    if (role !== 'leader') this.#depose();
  }

  #depose(): void {
    if (this.#term === undefined) return;
    this.#term = undefined;
    this.#options.side?.deposed();
  }

  /** Whether the side speaks for the leader of the present term. */
  get #active(): boolean {
    return this.#raft.role === 'leader' && this.#term === this.#raft.term;
  }

  /** Proposes the side's opening, once a leadership: before any other command is. */
  open(): void {
    const { side } = this.#options;
    if (side?.opening === undefined || this.#raft.role !== 'leader') return;
    if (this.#opened === this.#raft.term) return;
    this.#opened = this.#raft.term;
    const command = side.opening();
    if (command !== undefined) this.#propose(command);
  }

  /** Proposes what has come due: at each tick and after each batch of applied entries. */
  poll(): void {
    this.open();
    const { side, stamp } = this.#options;
    if (side === undefined || this.#duePending || !this.#active) return;
    const command = side.due(stamp());
    if (command !== undefined) this.#propose(command);
  }

  #propose(command: Uint8Array): void {
    const { proposals, deadline } = this.#options;
    this.#duePending = true;
    const done = (): void => {
      this.#duePending = false;
    };
    const waiter = { command, done, batch: undefined, slot: 0, deadline: deadline() };
    // Not taken now (a transfer, no room): it will be asked for again.
    if (proposals.lead([waiter]).length > 0) this.#duePending = false;
  }

  /** Confirms leadership once for all of them, then asks the side. */
  lead(waiters: Waiter[]): Waiter[] {
    const { side, reads } = this.#options;
    if (side === undefined) {
      const text = 'this state machine has no leader-only side';
      answerAll(waiters, failure('invalid-argument', text));
      return [];
    }
    let deadline = 0;
    for (const waiter of waiters) deadline = Math.max(deadline, waiter.deadline);
    this.#asking += waiters.length;
    reads.add(
      'linearizable',
      (error) => {
        this.#asking -= waiters.length;
        if (error === undefined) this.#answer(side, waiters);
        else answerAll(waiters, { type: 'error', error });
      },
      deadline,
    );
    return [];
  }

  #answer(side: LeaderSide, waiters: readonly Waiter[]): void {
    if (this.#active) {
      const time = this.#options.stamp();
      for (const waiter of waiters) {
        answerWaiter(waiter, { type: 'ok', payload: side.query(waiter.command, time) });
      }
      return;
    }
    this.#options.retry(waiters.filter(({ batch }) => batch === undefined));
    answerAll(
      waiters.filter(({ batch }) => batch !== undefined),
      failure('not-leader', 'this node no longer leads'),
    );
  }
}
