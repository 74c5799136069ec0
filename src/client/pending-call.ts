import { HoldfastError, type Outcome } from '../base/index.ts';
import type { Request, Response } from '../protocol/index.ts';
import type { Connection, Exchange } from './connection.ts';
import type { Expiring } from './deadlines.ts';
import { errorFromWire, PASSING } from './error-response.ts';
import { attemptOf, type CallOutcome, type LinkCall } from './link.ts';
import type { StopSignal } from './waiting.ts';

/** What a call asks of the link that carries it. */
export interface CallHost {
  now(): number;
  /** How long the node may work on one attempt at this call. */
  attemptTimeoutMs(call: PendingCall): number;
  /** Send it again, after a pause when `pause`, over whatever connection there is then. */
  again(call: PendingCall, pause: boolean): void;
  /** A response said that the node behind the connection cannot serve, and perhaps who can. */
  refused(connection: Connection, error: HoldfastError): void;
  /** The node behind the connection has had the call for so long without an answer. */
  unanswered(connection: Connection, forMs: number): void;
  expired(call: PendingCall): void;
  settled(call: PendingCall): void;
}

const HAS_EFFECT: Readonly<Record<LinkCall['request']['type'], boolean>> = {
  propose: true,
  query: false,
  leaderQuery: false,
  status: false,
  member: true,
  transfer: true,
  maintain: true,
};

/** One call under way: sent, or waiting to be sent. It ends exactly once. */
export class PendingCall implements Exchange, Expiring {
  readonly call: LinkCall;
  readonly deadlineMs: number;
  slot = -1;
  readonly #host: CallHost;
  readonly #outcome: CallOutcome;
  readonly #abort: (() => void) | undefined;
  #connection: Connection | undefined = undefined;
  #id = 0;
  #sentAtMs = 0;
  /** Attempts that ended in a refusal or were lost. */
  failures = 0;
  /** Some attempt may have been carried out. */
  #doubted = false;
  /** The refusal that made it wait, for the error it may end with. */
  lastRefusal: HoldfastError | undefined = undefined;
  #cancelPause: (() => void) | undefined = undefined;
  #done = false;

  constructor(call: LinkCall, deadlineMs: number, host: CallHost, outcome: CallOutcome) {
    this.call = call;
    this.deadlineMs = deadlineMs;
    this.#host = host;
    this.#outcome = outcome;
    this.#abort = call.signal === undefined ? undefined : this.#abortBy(call.signal);
  }

  /** Whether the call, given up now, may still have (had) an effect. */
  get inDoubt(): boolean {
    return HAS_EFFECT[this.call.request.type] && (this.#doubted || this.#connection !== undefined);
  }

  request(connection: Connection, id: number): Request {
    this.#connection = connection;
    this.#id = id;
    this.#sentAtMs = this.#host.now();
    return attemptOf(this.call.request, id, this.#host.attemptTimeoutMs(this));
  }

  pausing(cancel: () => void): void {
    this.#cancelPause = cancel;
  }

  pauseEnded(): void {
    this.#cancelPause = undefined;
  }

  response(response: Response): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (response.type === 'ok' || response.type === 'status') {
      this.#end();
      this.#outcome.answered({ response, sentAtMs: this.#sentAtMs, doubted: this.#doubted });
      return;
    }
    if (response.type !== 'error') {
      this.fail(new HoldfastError('internal', `unexpected ${response.type} response`));
      return;
    }
    const { code, message, outcome, leader } = response;
    const error = errorFromWire(code, message, outcome, leader);
    if (connection !== undefined) this.#host.refused(connection, error);
    this.#refused(error);
  }

  lost(reason: string): void {
    this.#connection = undefined;
    const message = `the connection was lost: ${reason}`;
    this.#refused(new HoldfastError('connection-lost', message, { outcome: 'unknown' }));
  }

  expire(): void {
    const connection = this.#connection;
    if (connection !== undefined) {
      this.#host.unanswered(connection, this.#host.now() - this.#sentAtMs);
    }
    this.#host.expired(this);
  }

  /** Rejects; the outcome is unknown once one attempt's is, and never for a mere question. */
  fail(error: HoldfastError): void {
    if (this.#done) return;
    const outcome: Outcome = this.inDoubt ? 'unknown' : 'not-applied';
    this.#end();
    const { code, message, leader, cause } = error;
    const known = leader === undefined ? { outcome, cause } : { outcome, cause, leader };
    this.#outcome.failed(new HoldfastError(code, message, known));
  }

  #refused(error: HoldfastError): void {
    if (this.#done) return;
    this.failures++;
    this.lastRefusal = error;
    if (error.outcome === 'unknown') this.#doubted = true;
    const again =
      PASSING.has(error.code) && (error.outcome === 'not-applied' || this.call.repeatable);
    if (!again) {
      this.fail(error);
      return;
    }
    const moved = error.code === 'connection-lost' || error.leader !== undefined;
    this.#host.again(this, !(moved && this.failures < 3));
  }

  #abortBy(signal: StopSignal): () => void {
    const abort = (): void => {
      const cause: unknown = signal.reason;
      this.fail(new HoldfastError('aborted', 'the wait was aborted by its signal', { cause }));
    };
    signal.addEventListener('abort', abort);
    return abort;
  }

  #end(): void {
    this.#done = true;
    if (this.#abort !== undefined) this.call.signal?.removeEventListener('abort', this.#abort);
    this.#cancelPause?.();
    this.#connection?.forget(this.#id);
    this.#connection = undefined;
    this.#host.settled(this);
  }
}
