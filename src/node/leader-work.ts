/** What only a leader can do, waiting for one: here when this node leads, else on another node. */
import type { ErrorCode, Outcome } from '../base/index.ts';
import type { NodeId, RaftCore } from '../raft/index.ts';
import type { CommitDelay } from './commit-delay.ts';
import type { Answer } from './contract.ts';
import type { Runtime } from './runtime.ts';
import { answerAll, answerWaiter, failure } from './waiter.ts';
import type { AnswerBatch, Waiter } from './waiter.ts';

/** Explains why somebody waited in vain, from whom this node can reach. */
export type Excuse = (outcome: Outcome) => Answer;

export interface LeaderWorkOptions {
  /** Does the work on this leader; returns those that must wait for a later turn. */
  readonly lead: (waiters: Waiter[]) => Waiter[];
  /** Sends the work to the leader; false when it cannot be reached now. */
  readonly forward: (leader: NodeId, waiters: Waiter[]) => boolean;
  readonly excuse: Excuse;
  /** Of a leader: whether what waits should gather first. */
  readonly delay: CommitDelay | undefined;
}

/** A queue of one kind of work, emptied once a turn. */
export class LeaderWork {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #options: LeaderWorkOptions;
  #queue: Waiter[] = [];
  #queuedBytes = 0;
  #earliestDeadline = Infinity;
  /** After a refusal there is no use in trying again before the next tick. */
  #notBefore = 0;
  /** Answers that must not be given before the call that earned them returned. */
  #refused: { readonly waiter: Waiter; readonly answer: Answer }[] = [];

  constructor(runtime: Runtime, raft: RaftCore, options: LeaderWorkOptions) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#options = options;
  }

  get length(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    return this.#queuedBytes;
  }

  add(command: Uint8Array, done: (answer: Answer) => void, deadline: number): void {
    this.#push({ command, done, batch: undefined, slot: 0, deadline });
    this.#runtime.schedule();
  }

  addForwarded(commands: readonly Uint8Array[], batch: AnswerBatch, deadline: number): void {
    for (let slot = 0; slot < commands.length; slot++) {
      this.#push({ command: commands[slot]!, done: undefined, batch, slot, deadline });
    }
  }

  /** Answers in the next turn without doing anything. */
  refuse(done: (answer: Answer) => void, answer: Answer): void {
    const command = new Uint8Array(0);
    const waiter = { command, done, batch: undefined, slot: 0, deadline: 0 };
    this.#refused.push({ waiter, answer });
    this.#runtime.schedule();
  }

  /** Takes back what another node certainly did not do, to try again from the next tick on. */
  retry(waiters: readonly Waiter[]): void {
    const { environment, settings } = this.#runtime;
    for (const waiter of waiters) this.#push(waiter);
    this.#notBefore = environment.now() + settings.tickMs;
  }

  submit(now: number): void {
    if (this.#refused.length > 0) this.#answerRefused();
    if (this.#queue.length === 0 || now < this.#notBefore) return;
    if (this.#raft.role === 'leader') {
      const { delay } = this.#options;
      if (delay?.waits(this.#queue.length, now) === true) return;
      delay?.taken();
      const rest = this.#options.lead(this.#takeAll());
      for (const waiter of rest) this.#push(waiter);
      return;
    }
    this.#returnForwarded();
    const { leader } = this.#raft;
    if (leader === undefined || this.#queue.length === 0) return;
    const waiters = this.#takeAll();
    if (!this.#options.forward(leader, waiters)) for (const waiter of waiters) this.#push(waiter);
  }

  expire(now: number): void {
    if (now < this.#earliestDeadline) return;
    const waiters = this.#takeAll();
    const excuse = this.#options.excuse('not-applied');
    for (const waiter of waiters) {
      if (waiter.deadline > now) this.#push(waiter);
      else answerWaiter(waiter, excuse);
    }
  }

  /** Nothing of this was handed to anyone, so it certainly is not applied. */
  failAll(code: ErrorCode, message: string): void {
    this.#answerRefused();
    answerAll(this.#takeAll(), failure(code, message));
  }

  /** What was forwarded here goes back: its node knows, or will learn, where the leader is. */
  #returnForwarded(): void {
    if (!this.#queue.some(({ batch }) => batch !== undefined)) return;
    const { leader } = this.#raft;
    const answer = failure(
      'not-leader',
      'this node no longer leads',
      leader === undefined ? {} : { leader },
    );
    for (const waiter of this.#takeAll()) {
      if (waiter.batch === undefined) this.#push(waiter);
      else answerWaiter(waiter, answer);
    }
  }

  #answerRefused(): void {
    const refused = this.#refused;
    this.#refused = [];
    for (const { waiter, answer } of refused) answerWaiter(waiter, answer);
  }

  #push(waiter: Waiter): void {
    this.#queue.push(waiter);
    this.#queuedBytes += waiter.command.length;
    if (waiter.deadline < this.#earliestDeadline) this.#earliestDeadline = waiter.deadline;
  }

  #takeAll(): Waiter[] {
    const waiters = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#earliestDeadline = Infinity;
    return waiters;
  }
}
