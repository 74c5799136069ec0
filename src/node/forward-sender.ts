/** A follower's side of forwarding: hands work to the leader and matches the answers. */
import type { NodeId, Term } from '../raft/index.ts';
import type { ForwardRequest, ForwardResponse } from '../transport/index.ts';
import { decodeAnswers, encodeWork, firstIdOfLife } from './forward-codec.ts';
import type { SlotAnswer } from './forward-codec.ts';
import type { Excuse } from './leader-work.ts';
import { messageOf } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { answerAll, answerWaiter, failure } from './waiter.ts';
import type { Waiter } from './waiter.ts';

export type ForwardKind = ForwardRequest['kind'];

interface Outstanding {
  readonly to: NodeId;
  readonly kind: ForwardKind;
  readonly request: ForwardRequest;
  readonly term: Term;
  readonly waiters: (Waiter | undefined)[];
  remaining: number;
  sentAt: number;
}

/** One message carries at most so many commands, so that no frame limit is met. */
const MAX_COMMANDS = 4096;

/** These say: certainly not done, and not for a reason that lies in the request. */
const RETRIED: ReadonlySet<string> = new Set(['not-leader', 'transferring', 'stopped']);

export interface ForwardSenderOptions {
  readonly send: (request: ForwardRequest) => void;
  readonly term: () => Term;
  readonly leader: () => NodeId | undefined;
  readonly excuse: Excuse;
  readonly retry: (kind: ForwardKind, waiters: readonly Waiter[]) => void;
}

/**
 * A request is taken at most once. To a leader that stays silent it is repeated under the same id,
 * by which the leader knows what it has taken. Under a new id it is sent only after the leader said
 * it certainly did not take it. When no answer comes, the callers hear that the outcome is unknown.
 */
export class ForwardSender {
  readonly #runtime: Runtime;
  readonly #options: ForwardSenderOptions;
  readonly #outstanding = new Map<number, Outstanding>();
  #nextId: number;
  #count = 0;
  #queries = 0;
  #bytes = 0;
  #earliestDeadline = Infinity;

  constructor(runtime: Runtime, options: ForwardSenderOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#nextId = firstIdOfLife(runtime.environment.random());
  }

  /** Callers whose work is with a leader now, and the bytes of it. */
  get length(): number {
    return this.#count;
  }

  /** How many of them ask the leader's state machine. */
  get queries(): number {
    return this.#queries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  send(kind: ForwardKind, leader: NodeId, waiters: readonly Waiter[]): void {
    let from = 0;
    let bytes = 0;
    for (let i = 0; i < waiters.length; i++) {
      bytes += waiters[i]!.command.length;
      const next = waiters[i + 1];
      const full =
        i + 1 - from >= MAX_COMMANDS ||
        (next !== undefined && bytes + next.command.length > this.#runtime.settings.maxAppendBytes);
      if (next !== undefined && !full) continue;
      this.#sendOne(kind, leader, waiters.slice(from, i + 1));
      from = i + 1;
      bytes = 0;
    }
  }

  #sendOne(kind: ForwardKind, leader: NodeId, waiters: Waiter[]): void {
    let latest = 0;
    for (const { deadline } of waiters) {
      latest = Math.max(latest, deadline);
      this.#earliestDeadline = Math.min(this.#earliestDeadline, deadline);
    }
    const requestId = this.#nextId++;
    this.#count += waiters.length;
    if (kind === 'leaderQuery') this.#queries += waiters.length;
    for (const { command } of waiters) this.#bytes += command.length;
    const sentAt = this.#runtime.environment.now();
    const timeoutMs = latest - sentAt;
    const commands = waiters.map(({ command }) => command);
    const term = this.#options.term();
    const payload = encodeWork({ term, timeoutMs, commands });
    const from = this.#runtime.id;
    const type = 'forwardRequest';
    const request: ForwardRequest = { type, from, to: leader, requestId, kind, payload };
    const remaining = waiters.length;
    this.#outstanding.set(requestId, {
      to: leader,
      kind,
      request,
      term,
      waiters,
      remaining,
      sentAt,
    });
    this.#options.send(request);
  }

  /** A request can be lost before a connection is up, and nobody would say so. */
  repeat(now: number): void {
    const before = now - this.#runtime.settings.electionTimeoutMs;
    for (const outstanding of this.#outstanding.values()) {
      const { sentAt, remaining, waiters, to, term, request } = outstanding;
      if (sentAt > before) continue;
      const silent = remaining === waiters.length;
      if (!silent || this.#options.leader() !== to || this.#options.term() !== term) continue;
      outstanding.sentAt = now;
      this.#options.send(request);
    }
  }

  received(response: ForwardResponse): void {
    const { requestId, result } = response;
    const outstanding = this.#outstanding.get(requestId);
    if (outstanding === undefined || outstanding.to !== response.from) return;
    if (result.type === 'error') {
      this.#remove(requestId, outstanding);
      this.#refused(outstanding, result);
      return;
    }
    const retried: Waiter[] = [];
    for (const { slot, answer } of this.#decode(response.from, result.payload)) {
      const waiter = outstanding.waiters[slot];
      if (waiter === undefined) continue;
      this.#release(outstanding, slot, waiter);
      const { type } = answer;
      const notTaken = type === 'error' && answer.error.outcome === 'not-applied';
      if (notTaken && RETRIED.has(answer.error.code)) retried.push(waiter);
      else answerWaiter(waiter, answer);
    }
    if (outstanding.remaining === 0) this.#outstanding.delete(requestId);
    if (retried.length > 0) this.#options.retry(outstanding.kind, retried);
  }

  /** Of a request refused as a whole nothing was taken, or it cannot be known. */
  #refused(
    { kind, to, waiters }: Outstanding,
    { outcome }: Extract<ForwardResponse['result'], { type: 'error' }>,
  ): void {
    if (outcome === 'not-applied') {
      this.#options.retry(
        kind,
        waiters.filter((waiter) => waiter !== undefined),
      );
    } else {
      const text = `the leader ${to} was restarted before its answer came`;
      answerAll(waiters, failure('connection-lost', text, { outcome }));
    }
  }

  /** A damaged message answers nobody: who waits for it hears in time that nothing is known. */
  #decode(from: NodeId, payload: Uint8Array): readonly SlotAnswer[] {
    try {
      return decodeAnswers(payload);
    } catch (error) {
      const text = `an answer to forwarded work from ${from} is damaged: ${messageOf(error)}`;
      this.#runtime.environment.log('warn', text);
      return [];
    }
  }

  /** What was on its way to this peer, or coming back, may be lost. */
  lost(peer: NodeId): void {
    const message = `the connection to the leader ${peer} broke before its answer came`;
    const answer = failure('connection-lost', message, { outcome: 'unknown' });
    for (const [requestId, outstanding] of this.#outstanding) {
      if (outstanding.to !== peer) continue;
      this.#remove(requestId, outstanding);
      answerAll(outstanding.waiters, answer);
    }
  }

  expire(now: number): void {
    if (now < this.#earliestDeadline) return;
    this.#earliestDeadline = Infinity;
    const excuse = this.#options.excuse('unknown');
    for (const [requestId, outstanding] of this.#outstanding) {
      outstanding.waiters.forEach((waiter, slot) => {
        if (waiter === undefined) return;
        if (waiter.deadline > now) {
          this.#earliestDeadline = Math.min(this.#earliestDeadline, waiter.deadline);
          return;
        }
        this.#release(outstanding, slot, waiter);
        answerWaiter(waiter, excuse);
      });
      if (outstanding.remaining === 0) this.#outstanding.delete(requestId);
    }
  }

  failAll(message: string): void {
    const answer = failure('stopped', message, { outcome: 'unknown' });
    for (const [requestId, outstanding] of this.#outstanding) {
      this.#remove(requestId, outstanding);
      answerAll(outstanding.waiters, answer);
    }
  }

  #remove(requestId: number, outstanding: Outstanding): void {
    this.#outstanding.delete(requestId);
    this.#count -= outstanding.remaining;
    if (outstanding.kind === 'leaderQuery') this.#queries -= outstanding.remaining;
    for (const waiter of outstanding.waiters) this.#bytes -= waiter?.command.length ?? 0;
  }

  #release(outstanding: Outstanding, slot: number, waiter: Waiter): void {
    outstanding.waiters[slot] = undefined;
    outstanding.remaining -= 1;
    this.#count -= 1;
    if (outstanding.kind === 'leaderQuery') this.#queries -= 1;
    this.#bytes -= waiter.command.length;
  }
}
