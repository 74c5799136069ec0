import { HoldfastError, type ErrorCode } from '../base/index.ts';
import type { Request, Response } from '../protocol/index.ts';
import { backoffMs } from './backoff.ts';
import { finishes, type Connection, type Exchange } from './connection.ts';
import { Connector } from './connector.ts';
import { Deadlines } from './deadlines.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire, LEADERLESS, PASSING } from './error-response.ts';
import type {
  CallOutcome,
  Link,
  LinkAnswer,
  LinkCall,
  OpenEndpoint,
  WatchAttachment,
  WatchSubscriber,
} from './link.ts';
import { PendingCall, type CallHost } from './pending-call.ts';

export interface ClusterLinkOptions {
  readonly endpoints: readonly string[];
  readonly open: OpenEndpoint;
  readonly environment: ClientEnvironment;
  /** Off when the one endpoint forwards, as a node within this process does. */
  readonly followLeader: boolean;
  /** Calls under way at once; one more is refused as `overloaded`. */
  readonly maxInFlight: number;
  readonly connectTimeoutMs: number;
  /** 0: a silent connection is never given up. */
  readonly silenceMs: number;
}

const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 500;
/** Part of the time left that the node may use, so that its more telling error comes in time. */
const ATTEMPT_SHARE = 0.9;
/** With other nodes to turn to, one attempt gets at least this long. */
const MIN_ATTEMPT_MS = 1_000;
const REFUSALS_BEFORE_MOVING = 2;
/** A call given up sooner without an answer says nothing of the node. */
const TELLING_MS = 500;

/**
 * Carries calls and watches to a cluster over one main connection that moves as nodes come and go.
 */
export class ClusterLink implements Link {
  readonly #options: ClusterLinkOptions;
  readonly #connector: Connector;
  readonly #deadlines: Deadlines<PendingCall>;
  /** Calls that wait for a connection, in the order they are to be sent. */
  #waiting = new Set<PendingCall>();
  readonly #watches = new Set<PlacedWatch>();
  #check: () => void = () => {};
  #closed = false;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.environment);
    this.#connector = new Connector({
      ...options,
      events: {
        ready: (connection) => this.#ready(connection),
        unreachable: () => this.#unreachable(),
        arrival: () => this.#check(),
      },
    });
  }

  get nodeId(): string {
    return this.#connector.current?.nodeId ?? '';
  }

  onArrival(check: () => void): void {
    this.#check = check;
  }

  call(call: LinkCall): Promise<LinkAnswer> {
    return new Promise((resolve, reject) => {
      this.begin(call, { answered: resolve, failed: reject });
    });
  }

  begin(call: LinkCall, outcome: CallOutcome): void {
    const refusal = this.#refuse(call);
    if (refusal !== undefined) {
      outcome.failed(refusal);
      return;
    }
    const deadlineMs = this.#options.environment.now() + call.timeoutMs;
    const pending = new PendingCall(call, deadlineMs, this.#host, outcome);
    this.#deadlines.add(pending);
    this.#place(pending);
  }

  watch(subscriber: WatchSubscriber): WatchAttachment {
    const watch = new PlacedWatch(subscriber, {
      replace: () => this.#placeWatch(watch),
      refused: (connection, error) => this.#host.refused(connection, error),
    });
    if (this.#closed) {
      subscriber.ended(closedError());
    } else {
      this.#watches.add(watch);
      this.#placeWatch(watch);
    }
    return {
      credit: (bytes) => watch.credit(bytes),
      progress: (revision) => watch.progress(revision),
      resume: () => this.#placeWatch(watch),
      renew: () => {
        watch.remove();
        this.#placeWatch(watch);
      },
      close: () => {
        this.#watches.delete(watch);
        watch.remove();
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = closedError();
    for (const call of this.#deadlines.all()) call.fail(error);
    for (const watch of this.#watches) watch.end(error);
    this.#watches.clear();
    this.#connector.close();
  }

  #refuse(call: LinkCall): HoldfastError | undefined {
    if (this.#closed) return closedError();
    if (call.signal?.aborted === true) {
      const cause: unknown = call.signal.reason;
      return new HoldfastError('aborted', 'the signal was aborted before the call', { cause });
    }
    if (this.#deadlines.size < this.#options.maxInFlight) return undefined;
    // A client that is busy must not lose its sessions over it.
    if (call.request.type === 'leaderQuery') return undefined;
    const limit = `maxInFlight of ${this.#options.maxInFlight} calls`;
    return new HoldfastError('overloaded', `${limit} reached: wait for some to be answered`);
  }

  #place(call: PendingCall): void {
    const main = this.#connector.main();
    if (main === undefined) this.#waiting.add(call);
    else main.send(call);
  }

  #placeWatch(watch: PlacedWatch): void {
    if (this.#closed || watch.isPlaced || !watch.isWanted) return;
    this.#connector.main()?.send(watch);
  }

  #ready(connection: Connection): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const call of waiting) {
      if (connection.isOpen) connection.send(call);
      else this.#waiting.add(call);
    }
    for (const watch of this.#watches) {
      // Those elsewhere come along: the node they are on may be cut off, and would never say so.
      if (watch.isWanted && connection.isOpen) watch.leave(connection);
      this.#placeWatch(watch);
    }
  }

  #unreachable(): void {
    const code = this.#connector.commonRefusal();
    if (code === undefined) return;
    const error = new HoldfastError(code, `no endpoint accepts us: ${this.#connector.describe()}`);
    for (const call of this.#waiting) call.fail(error);
    for (const watch of this.#watches) watch.end(error);
    this.#watches.clear();
  }

  readonly #host: CallHost = {
    now: () => this.#options.environment.now(),
    attemptTimeoutMs: (call) => this.#attemptTimeoutMs(call),
    again: (call, pause) => this.#again(call, pause),
    refused: (connection, error) => {
      if (error.leader !== undefined) this.#connector.leaderAt(error.leader);
      if (PASSING.has(error.code)) this.#notServed(connection);
    },
    unanswered: (connection, forMs) => {
      if (forMs >= TELLING_MS) this.#notServed(connection);
    },
    expired: (call) => call.fail(this.#timeoutError(call)),
    settled: (call) => {
      this.#deadlines.delete(call);
      this.#waiting.delete(call);
    },
  };

  /** The node may be cut off from the others, or its clock so slow that its answers come late. */
  #notServed(connection: Connection): void {
    if (connection.countRefusal() < REFUSALS_BEFORE_MOVING) return;
    this.#connector.passOver(connection);
  }

  #attemptTimeoutMs(call: PendingCall): number {
    const leftMs = call.deadlineMs - this.#options.environment.now();
    const elsewhere = this.#options.endpoints.length > 1 && call.call.repeatable;
    const share = leftMs * ATTEMPT_SHARE;
    const ms = elsewhere ? Math.min(share, Math.max(MIN_ATTEMPT_MS, leftMs / 3)) : share;
    return Math.max(1, Math.floor(ms));
  }

  #again(call: PendingCall, pause: boolean): void {
    if (this.#closed) {
      call.fail(closedError());
      return;
    }
    if (!pause) {
      this.#place(call);
      return;
    }
    const { environment } = this.#options;
    const delayMs = backoffMs(call.failures, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
    call.pausing(
      environment.setTimer(delayMs, () => {
        call.pauseEnded();
        this.#place(call);
      }),
    );
  }

  #timeoutError(call: PendingCall): HoldfastError {
    const within = `within ${Math.ceil(call.call.timeoutMs)} ms`;
    if (this.#waiting.has(call)) {
      const tried = this.#connector.describe();
      return new HoldfastError('connection-lost', `no endpoint reached ${within}: ${tried}`);
    }
    const refusal = call.lastRefusal;
    if (refusal === undefined) {
      return new HoldfastError('timeout', `no answer ${within}`);
    }
    const code = verdictOn(refusal);
    return new HoldfastError(code, `not served ${within}: ${refusal.message}`, { cause: refusal });
  }
}

interface WatchHost {
  /** Place it anew. */
  readonly replace: () => void;
  /** As of a call: a node that serves no watches is passed over as well. */
  readonly refused: CallHost['refused'];
}

/** A watch and the connection it is placed on at the moment. */
class PlacedWatch implements Exchange {
  readonly #subscriber: WatchSubscriber;
  readonly #host: WatchHost;
  #connection: Connection | undefined = undefined;
  #id = 0;

  constructor(subscriber: WatchSubscriber, host: WatchHost) {
    this.#subscriber = subscriber;
    this.#host = host;
  }

  get isPlaced(): boolean {
    return this.#connection !== undefined;
  }

  get isWanted(): boolean {
    return this.#subscriber.wanted;
  }

  request(connection: Connection, id: number): Request {
    this.#connection = connection;
    this.#id = id;
    return this.#subscriber.request(id);
  }

  response(response: Response): void {
    const connection = this.#connection;
    if (finishes(response)) this.#connection = undefined;
    if (response.type === 'error' && connection !== undefined) {
      const { code, message, outcome, leader } = response;
      this.#host.refused(connection, errorFromWire(code, message, outcome, leader));
    }
    this.#subscriber.response(response);
  }

  lost(): void {
    this.#connection = undefined;
    this.#subscriber.detached();
    this.#host.replace();
  }

  credit(bytes: number): void {
    this.#connection?.tell({ type: 'watchCredit', id: this.#id, bytes });
  }

  progress(revision: number): void {
    this.#connection?.tell({ type: 'watchProgress', id: this.#id, revision });
  }

  /** Takes it off every connection but this one. */
  leave(connection: Connection): void {
    if (this.#connection !== connection) this.remove();
  }

  remove(): void {
    this.#connection?.forget(this.#id);
    this.#connection = undefined;
  }

  end(error: HoldfastError): void {
    this.remove();
    this.#subscriber.ended(error);
  }
}

/** What kept a call from being served, as the code it ends with. */
function verdictOn({ code }: HoldfastError): ErrorCode {
  if (code === 'quarantined') return code;
  return LEADERLESS.has(code) ? 'no-quorum' : 'timeout';
}

function closedError(): HoldfastError {
  return new HoldfastError('closed', 'this registry is closed: open a new client or node');
}
