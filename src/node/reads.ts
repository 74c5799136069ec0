/** Read barriers: how fresh the local state must be before a read may be served. */
import type { HoldfastError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import type { LogIndex, RaftCore, ReadResult } from '../raft/index.ts';
import type { Consistency } from './contract.ts';
import { firstIdOfLife } from './forward-codec.ts';
import type { Excuse } from './leader-work.ts';
import type { Runtime } from './runtime.ts';
import { failure } from './waiter.ts';

type ReadingCore = Pick<RaftCore, 'leader' | 'read' | 'leaseReadIndex'>;

export type ReadDone = (error: HoldfastError | undefined) => void;

interface Reader {
  readonly consistency: Consistency;
  readonly done: ReadDone;
  readonly deadline: number;
}

/** Readers that share one read index. */
interface Barrier {
  readonly context: number;
  readonly askedAt: number;
  /** Undefined until confirmed. */
  index: LogIndex | undefined;
  readers: Reader[];
}

/**
 * All linearizable reads of one turn share one ReadIndex (thesis 6.4), on the leader and on
 * followers alike. Contexts begin at a number drawn at each start, so that a late confirmation for
 * an earlier life of this node is not taken for one of this.
 */
export class Reads {
  readonly #runtime: Runtime;
  readonly #raft: ReadingCore;
  readonly #excuse: Excuse;
  #queue: Reader[] = [];
  #barriers: Barrier[] = [];
  #nextContext: number;
  #notBefore = 0;
  #count = 0;
  #earliestDeadline = Infinity;
  #refused: { readonly done: ReadDone; readonly error: HoldfastError }[] = [];

  constructor(runtime: Runtime, raft: ReadingCore, excuse: Excuse) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#excuse = excuse;
    this.#nextContext = firstIdOfLife(runtime.environment.random());
  }

  get length(): number {
    return this.#count;
  }

  add(consistency: Consistency, done: ReadDone, deadline: number): void {
    this.#count += 1;
    if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
    this.#queue.push({ consistency, done, deadline });
    this.#runtime.schedule();
  }

  refuse(done: ReadDone, error: HoldfastError): void {
    this.#refused.push({ done, error });
    this.#runtime.schedule();
  }

  /**
   * Begins what was asked since the last turn. `applied`: undefined while a snapshot is restored.
   */
  submit(now: number, applied: LogIndex | undefined): void {
    if (this.#refused.length > 0) this.#answerRefused();
    this.#askAgain(now);
    if (this.#queue.length === 0) return;
    this.#serveCheap(now, applied);
    if (this.#queue.length === 0 || now < this.#notBefore) return;
    if (this.#raft.leader === undefined) return;
    const context = this.#nextContext++;
    this.#barriers.push({ context, askedAt: now, index: undefined, readers: this.#queue });
    this.#queue = [];
    this.#raft.read(context);
  }

  /** Takes `local` and leased reads out of the queue. */
  #serveCheap(now: number, applied: LogIndex | undefined): void {
    if (this.#queue.every(({ consistency }) => consistency === 'linearizable')) return;
    const { environment, settings } = this.#runtime;
    // Ticks were counted at the beginning of this turn: they do not know of a stall within it.
    const isTimely = environment.now() - now < settings.tickMs;
    const leased = isTimely ? this.#raft.leaseReadIndex() : undefined;
    const rest: Reader[] = [];
    const leasing: Reader[] = [];
    const ready: Reader[] = [];
    for (const reader of this.#queue) {
      if (reader.consistency === 'local' && applied !== undefined) ready.push(reader);
      else if (reader.consistency === 'lease' && leased !== undefined) leasing.push(reader);
      else rest.push(reader);
    }
    this.#queue = rest;
    if (leasing.length > 0) {
      this.#barriers.push({ context: -1, askedAt: 0, index: leased, readers: leasing });
    }
    this.#serve(ready);
  }

  /** Requests and answers can be lost, so one that waits too long is made anew. */
  #askAgain(now: number): void {
    const patienceMs = this.#runtime.settings.electionTimeoutMs;
    for (const barrier of this.#barriers) {
      if (barrier.index !== undefined || now - barrier.askedAt < patienceMs) continue;
      this.#queue.push(...barrier.readers);
      barrier.readers = [];
    }
    if (this.#barriers.some(({ readers }) => readers.length === 0)) {
      this.#barriers = this.#barriers.filter(({ readers }) => readers.length > 0);
    }
  }

  answered(result: ReadResult): void {
    const at = this.#barriers.findIndex(({ context }) => context === result.context);
    if (at === -1) return;
    const barrier = this.#barriers[at]!;
    if (result.type === 'ready') {
      barrier.index = result.index;
      return;
    }
    this.#barriers.splice(at, 1);
    this.#queue.push(...barrier.readers);
    const { environment, settings } = this.#runtime;
    this.#notBefore = environment.now() + settings.tickMs;
  }

  /** Serves what was waiting for this index. */
  applied(index: LogIndex): void {
    if (this.#barriers.length === 0) return;
    const ready = this.#barriers.filter((one) => one.index !== undefined && one.index <= index);
    if (ready.length === 0) return;
    this.#barriers = this.#barriers.filter((one) => !ready.includes(one));
    for (const { readers } of ready) this.#serve(readers);
  }

  expire(now: number): void {
    if (now < this.#earliestDeadline) return;
    this.#earliestDeadline = Infinity;
    const late: Reader[] = [];
    const keep = (reader: Reader): boolean => {
      if (reader.deadline <= now) {
        late.push(reader);
        return false;
      }
      if (reader.deadline < this.#earliestDeadline) this.#earliestDeadline = reader.deadline;
      return true;
    };
    this.#queue = this.#queue.filter(keep);
    for (const barrier of this.#barriers) barrier.readers = barrier.readers.filter(keep);
    this.#barriers = this.#barriers.filter(({ readers }) => readers.length > 0);
    if (late.length === 0) return;
    const excuse = this.#excuse('not-applied');
    for (const reader of late) this.#end(reader, errorOf(excuse));
  }

  failAll(code: ErrorCode, message: string): void {
    this.#answerRefused();
    const readers = [...this.#queue, ...this.#barriers.flatMap((barrier) => barrier.readers)];
    this.#queue = [];
    this.#barriers = [];
    const error = errorOf(failure(code, message));
    for (const reader of readers) this.#end(reader, error);
  }

  #answerRefused(): void {
    const refused = this.#refused;
    this.#refused = [];
    for (const { done, error } of refused) done(error);
  }

  #serve(readers: readonly Reader[]): void {
    for (const reader of readers) this.#end(reader, undefined);
  }

  #end(reader: Reader, error: HoldfastError | undefined): void {
    this.#count -= 1;
    reader.done(error);
  }
}

function errorOf(answer: ReturnType<Excuse>): HoldfastError | undefined {
  return answer.type === 'error' ? answer.error : undefined;
}
