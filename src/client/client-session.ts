import { HoldfastError } from '../base/index.ts';
import {
  decodeLeaseAnswer,
  encodeLeaseQuery,
  type RegistryCommand,
  type SessionId,
} from '../registry/index.ts';
import type { Link } from './link.ts';
import { NOBODY, type Actor, type Patience, type Proposals } from './proposals.ts';
import type { CallOptions, Session } from './registry.ts';
import { Sequencer } from './sequencer.ts';
import type { Lease, SessionClock } from './session-clock.ts';
import { sharedController } from './waiting.ts';

/** What sessions share with the registry they belong to. */
export interface SessionHost {
  readonly link: Link;
  readonly proposals: Proposals;
  readonly clock: SessionClock;
  patience(options: CallOptions | undefined): Patience;
}

export interface OpenedSession {
  readonly id: SessionId;
  readonly ttlMs: number;
  /** When the request that opened it was sent. */
  readonly sentAtMs: number;
  readonly keepAlive: boolean;
  readonly trapExits: boolean;
}

/** Unanswered writes at once; the registry keeps answers to twice as many. */
const WINDOW = 4_096;
/** Share of the TTL given away for clocks that do not run equally fast. */
const DRIFT_SHARE = 1 / 64;
const RENEWALS_PER_TTL = 3;
/** After a renewal that failed, the next comes this much sooner. */
const RETRIES_PER_TTL = 12;

/**
 * A session opened from here. Its deadline counts from the moment the last confirmed renewal was
 * *sent*: the cluster counts from when it arrived, which is later, so we stop believing first.
 */
export class ClientSession implements Session, Actor, Lease {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly sequencer: Sequencer = new Sequencer(WINDOW);
  deadlineMs: number;
  readonly #host: SessionHost;
  readonly #keepsAlive: boolean;
  readonly #trapsExits: boolean;
  readonly #controller = sharedController();
  #renewedAtMs: number;
  #cancelRenewal: (() => void) | undefined = undefined;
  #cancelDeadline: (() => void) | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(host: SessionHost, opened: OpenedSession) {
    this.#host = host;
    this.id = opened.id;
    this.ttlMs = opened.ttlMs;
    this.#keepsAlive = opened.keepAlive;
    this.#trapsExits = opened.trapExits;
    this.#renewedAtMs = opened.sentAtMs;
    this.deadlineMs = opened.sentAtMs;
    this.#confirmed(opened.sentAtMs);
  }

  get session(): SessionId {
    return this.id;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it is certain, as of now, that the cluster has not ended it. */
  get isLive(): boolean {
    this.check();
    return !this.signal.aborted;
  }

  /** Notices a deadline that has passed without its timer having had a chance to run. */
  check(): void {
    this.#host.clock.check();
  }

  async keepAlive(options?: CallOptions): Promise<void> {
    if (!this.isLive) throw this.#goneError();
    await this.#renew(this.#host.patience(options));
    if (!this.isLive) throw this.#goneError();
  }

  close(options?: CallOptions): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** The session's end releases everything anyway, so a cluster out of reach is no failure here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => undefined);
  }

  expire(): void {
    const message = `session ${this.id} was not renewed within its TTL of ${this.ttlMs} ms`;
    this.#lose(new HoldfastError('session-expired', message));
  }

  /** It was not left to expire: our own deadline, which comes first, has not passed. */
  gone(): void {
    const why = this.#trapsExits ? '' : ', or ended by an exit notice, which it does not trap';
    const message = `session ${this.id} was closed on the cluster${why}`;
    this.#lose(new HoldfastError('session-expired', message));
  }

  /** Stops renewing without telling the cluster: it ends with its TTL. */
  abandon(): void {
    const message = `session ${this.id} was closed here`;
    this.#lose(new HoldfastError('session-expired', message));
  }

  async #close(options: CallOptions | undefined): Promise<void> {
    this.abandon();
    const command: RegistryCommand = { type: 'closeSession', session: this.id };
    try {
      await this.#host.proposals.propose(command, NOBODY, this.#host.patience(options), true);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #goneError(): HoldfastError {
    const reason: unknown = this.signal.reason;
    const message = reason instanceof Error ? reason.message : `session ${this.id} is over`;
    return new HoldfastError('session-expired', message);
  }

  #confirmed(sentAtMs: number): void {
    this.#renewedAtMs = Math.max(this.#renewedAtMs, sentAtMs);
    this.deadlineMs = this.#renewedAtMs + this.ttlMs * (1 - DRIFT_SHARE);
    this.#host.clock.note(this);
    const { environment } = this.#host.clock;
    const now = environment.now();
    this.#cancelDeadline?.();
    this.#cancelDeadline = environment.setTimer(Math.max(0, this.deadlineMs - now), () => {
      this.#host.clock.check();
    });
    if (this.#keepsAlive) this.#renewAt(this.#renewedAtMs + this.ttlMs / RENEWALS_PER_TTL);
  }

  #renewAt(atMs: number): void {
    const { environment } = this.#host.clock;
    this.#cancelRenewal?.();
    this.#cancelRenewal = environment.setTimer(Math.max(0, atMs - environment.now()), () => {
      this.#renewInBackground();
    });
  }

  #renewInBackground(): void {
    if (!this.isLive) return;
    this.#renew({ deadlineMs: this.deadlineMs, signal: this.signal }).catch(() => {
      if (!this.isLive) return;
      const { environment } = this.#host.clock;
      this.#renewAt(environment.now() + this.ttlMs / RETRIES_PER_TTL);
    });
  }

  async #renew(patience: Patience): Promise<void> {
    const { link, clock } = this.#host;
    const answer = await link.call({
      request: {
        type: 'leaderQuery',
        query: encodeLeaseQuery({ type: 'keepAlive', sessions: [this.id] }),
      },
      repeatable: true,
      timeoutMs: Math.max(1, patience.deadlineMs - clock.environment.now()),
      signal: patience.signal,
    });
    if (!this.isLive || answer.response.type !== 'ok') return;
    const [ttlMs] = decodeLeaseAnswer(answer.response.payload).ttlMs;
    if (ttlMs === undefined || ttlMs === 0) this.gone();
    else this.#confirmed(answer.sentAtMs);
  }

  #lose(error: HoldfastError): void {
    if (this.signal.aborted) return;
    this.#host.clock.forget(this);
    this.#cancelRenewal?.();
    this.#cancelDeadline?.();
    this.#controller.abort(error);
  }
}

/** Whether an error says that what was to be ended has ended already. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof HoldfastError)) return false;
  return error.code === 'not-found' || error.code === 'session-expired';
}
