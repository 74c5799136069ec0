/** A leader's side of forwarding: takes each request at most once and gathers its answers. */
import type { Outcome } from '../base/index.ts';
import type { RaftCore, Term } from '../raft/index.ts';
import type { ForwardRequest, ForwardResponse } from '../transport/index.ts';
import type { Answer } from './contract.ts';
import { decodeChange, decodeTarget, decodeWork, encodeAnswers, lifeOf } from './forward-codec.ts';
import type { ForwardedWork, SlotAnswer } from './forward-codec.ts';
import { messageOf } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { AnswerBatch } from './waiter.ts';

/** Ids remembered of each sender; one that is older than all of them is never taken. */
const REMEMBERED_IDS = 4096;
/** Lives of senders remembered. */
const REMEMBERED_LIVES = 1024;

export interface ForwardReceiverOptions {
  readonly send: (response: ForwardResponse) => void;
  readonly take: (request: ForwardRequest, work: ForwardedWork, batch: AnswerBatch) => void;
  /** The term on disk when this node started. */
  readonly startTerm: Term;
}

/** The ids of one life of a sender that were taken. */
interface TakenIds {
  readonly ids: Set<number>;
  /** Ids up to here count as taken. */
  through: number;
}

/** Collects the answers given in one turn, so that they leave in one message. */
class ForwardedBatch implements AnswerBatch {
  readonly request: ForwardRequest;
  readonly #answered: (batch: ForwardedBatch) => void;
  answers: SlotAnswer[] = [];

  constructor(request: ForwardRequest, answered: (batch: ForwardedBatch) => void) {
    this.request = request;
    this.#answered = answered;
  }

  answer(slot: number, answer: Answer): void {
    this.answers.push({ slot, answer });
    if (this.answers.length === 1) this.#answered(this);
  }
}

/**
 * The network may repeat a request, also long after it was sent. It is taken only by the leader of
 * the term it names, which remembers what it took. A refusal as not applied lets the sender try
 * elsewhere, so it is given only when this node knows that it never took the request: not when that
 * may have been in an earlier life (a term it had on disk when it started). About a request that it
 * did take it stays silent.
 */
export class ForwardReceiver {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #options: ForwardReceiverOptions;
  readonly #taken = new Map<string, TakenIds>();
  #answered: ForwardedBatch[] = [];

  constructor(runtime: Runtime, raft: RaftCore, options: ForwardReceiverOptions) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#options = options;
  }

  received(request: ForwardRequest): void {
    const work = this.#decode(request);
    if (work === undefined) return;
    if (work.term <= this.#options.startTerm) {
      this.#refuse(request, 'unknown');
      return;
    }
    if (!this.#takeOnce(request)) return;
    if (this.#raft.role !== 'leader' || this.#raft.term !== work.term) {
      this.#refuse(request, 'not-applied');
      return;
    }
    const batch = new ForwardedBatch(request, (one) => this.#answered.push(one));
    this.#options.take(request, work, batch);
  }

  /** Sends what was answered since the last call; once or more a turn. */
  flush(): void {
    if (this.#answered.length === 0) return;
    const batches = this.#answered;
    this.#answered = [];
    for (const batch of batches) {
      const payload = encodeAnswers(batch.answers);
      batch.answers = [];
      this.#respond(batch.request, { type: 'ok', payload });
    }
  }

  #decode(request: ForwardRequest): ForwardedWork | undefined {
    try {
      const work = decodeWork(request.payload);
      // Whoever carries these out may rely on them.
      if (request.kind === 'membership') for (const one of work.commands) decodeChange(one);
      if (request.kind === 'transfer') for (const one of work.commands) decodeTarget(one);
      return work;
    } catch (error) {
      const text = `a forwarded request from ${request.from} is damaged: ${messageOf(error)}`;
      this.#runtime.environment.log('warn', text);
      return undefined;
    }
  }

  /** Whether this id is new. Refused ids are remembered too: the sender uses another to retry. */
  #takeOnce({ from, requestId }: ForwardRequest): boolean {
    const life = lifeOf(from, requestId);
    let taken = this.#taken.get(life);
    if (taken === undefined) {
      taken = { ids: new Set(), through: -1 };
      this.#taken.set(life, taken);
      if (this.#taken.size > REMEMBERED_LIVES) {
        const [oldest] = this.#taken.keys();
        this.#taken.delete(oldest!);
      }
    }
    if (requestId <= taken.through || taken.ids.has(requestId)) return false;
    taken.ids.add(requestId);
    if (taken.ids.size > 2 * REMEMBERED_IDS) this.#forgetOldest(taken);
    return true;
  }

  #forgetOldest(taken: TakenIds): void {
    const ids = [...taken.ids].toSorted((a, b) => a - b);
    const forgotten = ids.slice(0, ids.length - REMEMBERED_IDS);
    for (const id of forgotten) taken.ids.delete(id);
    taken.through = forgotten.at(-1)!;
  }

  #refuse(request: ForwardRequest, outcome: Outcome): void {
    const { leader } = this.#raft;
    this.#respond(request, {
      type: 'error',
      code: 'not-leader',
      message: `${this.#runtime.id} does not lead in the term of the request`,
      outcome,
      leader,
    });
  }

  #respond(request: ForwardRequest, result: ForwardResponse['result']): void {
    const { from, to, requestId } = request;
    this.#options.send({ type: 'forwardResponse', from: to, to: from, requestId, result });
  }
}
