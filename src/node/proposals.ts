/** Commands appended to this node's log, waiting for the entry at their index to be applied. */
import type { HoldfastError } from '../base/index.ts';
import type { LogIndex, RaftCore, Term } from '../raft/index.ts';
import type { Answer } from './contract.ts';
import type { Excuse } from './leader-work.ts';
import type { Runtime } from './runtime.ts';
import { answerWaiter, failure } from './waiter.ts';
import type { Waiter } from './waiter.ts';

/** Commands appended together: consecutive indexes, one term. Resolved from the front. */
interface Run {
  readonly firstIndex: number;
  readonly term: Term;
  readonly waiters: (Waiter | undefined)[];
  /** How many from the front were resolved. */
  resolved: number;
}

/**
 * The outcome rule. A waiter at (index, term) is answered with the result when that very entry is
 * applied. When another entry is applied at its index, its own can never be committed: not applied,
 * safe to retry. Whoever gives up before either has happened does not know.
 */
export class Proposals {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #stamp: () => number;
  readonly #excuse: Excuse;
  #runs: Run[] = [];
  /** Each run begins after the one before it, so only the first can match the next entry. */
  #inOrder = true;
  #count = 0;
  #bytes = 0;
  #earliestDeadline = Infinity;
  #answered = 0;

  constructor(runtime: Runtime, raft: RaftCore, stamp: () => number, excuse: Excuse) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#stamp = stamp;
    this.#excuse = excuse;
  }

  /** Commands not answered yet, and their bytes. */
  get length(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many were answered since this was last asked. */
  takeAnswered(): number {
    const answered = this.#answered;
    this.#answered = 0;
    return answered;
  }

  /** Appends all it may; returns those that have to wait for room or for a transfer to end. */
  lead(waiters: Waiter[]): Waiter[] {
    const commands = waiters.map(({ command }) => command);
    const result = this.#raft.propose(commands, this.#stamp());
    if (result.type === 'refused') return waiters;
    if (result.count === 0) return waiters;
    this.#addRun(result.firstIndex, result.term, waiters.slice(0, result.count));
    return waiters.slice(result.count);
  }

  #addRun(firstIndex: LogIndex, term: Term, waiters: Waiter[]): void {
    const previous = this.#runs.at(-1);
    if (previous !== undefined && firstIndex < previous.firstIndex + previous.waiters.length) {
      this.#inOrder = false;
    }
    this.#runs.push({ firstIndex, term, waiters, resolved: 0 });
    this.#count += waiters.length;
    for (const { command, deadline } of waiters) {
      this.#bytes += command.length;
      if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
    }
  }

  /** The entry at `index` was applied. Called for every entry, in order. */
  applied(index: LogIndex, term: Term, result: Uint8Array | HoldfastError): void {
    const first = this.#runs[0];
    if (first === undefined) return;
    if (this.#inOrder) {
      if (first.firstIndex + first.resolved === index) this.#resolve(first, term, result);
    } else {
      for (const run of this.#runs) {
        if (run.firstIndex + run.resolved === index) this.#resolve(run, term, result);
      }
    }
  }

  /** Drops the runs that are done; after each batch of applied entries. */
  tidy(): void {
    if (this.#runs.length === 0) return;
    if (this.#runs[0]!.resolved === this.#runs[0]!.waiters.length || !this.#inOrder) {
      this.#runs = this.#runs.filter((run) => run.resolved < run.waiters.length);
    }
    if (this.#runs.length === 0) {
      this.#inOrder = true;
      this.#earliestDeadline = Infinity;
    }
  }

  /** A snapshot took the place of everything up to `index`: what became of it cannot be seen. */
  skippedThrough(index: LogIndex): void {
    const answer = failure('not-leader', 'a snapshot overtook the command', { outcome: 'unknown' });
    for (const run of this.#runs) {
      while (run.resolved < run.waiters.length && run.firstIndex + run.resolved <= index) {
        this.#answer(run, run.resolved, answer);
        run.resolved += 1;
      }
    }
    this.tidy();
  }

  expire(now: number): void {
    if (now < this.#earliestDeadline) return;
    this.#earliestDeadline = Infinity;
    const excuse = this.#excuse('unknown');
    for (const run of this.#runs) {
      for (let i = run.resolved; i < run.waiters.length; i++) {
        const waiter = run.waiters[i];
        if (waiter === undefined) continue;
        if (waiter.deadline <= now) this.#answer(run, i, excuse);
        else if (waiter.deadline < this.#earliestDeadline) {
          this.#earliestDeadline = waiter.deadline;
        }
      }
    }
  }

  /** They may still be applied, by whoever leads next; nobody here will see it. */
  failAll(answer: Answer): void {
    for (const run of this.#runs) {
      for (let i = run.resolved; i < run.waiters.length; i++) this.#answer(run, i, answer);
    }
    this.#runs = [];
    this.#inOrder = true;
    this.#earliestDeadline = Infinity;
  }

  #resolve(run: Run, term: Term, result: Uint8Array | HoldfastError): void {
    const slot = run.resolved;
    // The loop in `applied` also stands on runs whose last waiter was resolved.
    if (slot >= run.waiters.length) return;
    run.resolved += 1;
    if (slot + 1 === run.waiters.length && this.#inOrder && this.#runs[0] === run) {
      this.#runs.shift();
    }
    if (run.term !== term) this.#answer(run, slot, this.#superseded());
    else if (result instanceof Uint8Array) this.#answer(run, slot, { type: 'ok', payload: result });
    else this.#answer(run, slot, { type: 'error', error: result });
  }

  #superseded(): Answer {
    const { leader } = this.#raft;
    const message = `${this.#runtime.id} lost leadership; another entry took the command's place`;
    return failure('not-leader', message, leader === undefined ? {} : { leader });
  }

  #answer(run: Run, slot: number, answer: Answer): void {
    const waiter = run.waiters[slot];
    if (waiter === undefined) return;
    run.waiters[slot] = undefined;
    this.#count -= 1;
    this.#answered += 1;
    this.#bytes -= waiter.command.length;
    answerWaiter(waiter, answer);
  }
}
