import { HoldfastError, unreachable } from '../base/index.ts';
import { WATCH_WINDOW_BYTES, type Request, type Response } from '../protocol/index.ts';
import {
  decodeEvents,
  type ByteString,
  type KeyEvent,
  type RevisionEvents,
} from '../registry/index.ts';
import { backoffMs } from './backoff.ts';
import { edgeRecord } from './edge.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire, PASSING } from './error-response.ts';
import type { Link, WatchAttachment, WatchSubscriber } from './link.ts';
import type { Watch, WatchEvent } from './registry.ts';

export interface WatchStreamOptions {
  readonly link: Link;
  readonly environment: ClientEnvironment;
  readonly start: ByteString;
  readonly end: ByteString | undefined;
  /** First revision wanted; 0 for the next one. */
  readonly from: number;
  /** With `from` 0: the caller has seen this revision, so older ones are not "next". */
  readonly seenRevision: number;
  readonly signal: AbortSignal | undefined;
}

/** What arrived in one message and is not consumed yet. */
interface Batch {
  readonly events: readonly WatchEvent[];
  at: number;
  readonly bytes: number;
  /** Which placement it came by; credit belongs to that one only. */
  readonly placement: number;
}

type Waiter = {
  readonly resolve: (result: IteratorResult<WatchEvent, undefined>) => void;
  readonly reject: (error: unknown) => void;
};

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
/** A node that has not begun a watch by then has lost it, though the connection lives. */
const START_PATIENCE_MS = 10_000;
const DONE: IteratorResult<WatchEvent, undefined> = { done: true, value: undefined };

/**
 * One watch, as a stream of events. Messages hold whole revisions, so `#next` (one more than the
 * newest revision received) is all that is needed to go on at any other node: what comes again is
 * older than it and dropped.
 */
export class WatchStream implements Watch, WatchSubscriber {
  readonly started: Promise<{ readonly revision: number }>;
  readonly #options: WatchStreamOptions;
  readonly #attachment: WatchAttachment;
  #resolveStarted: (start: { readonly revision: number }) => void = () => {};
  #rejectStarted: (error: HoldfastError) => void = () => {};
  #next: number;
  #placement = 0;
  #failures = 0;
  #cancelPause: (() => void) | undefined = undefined;
  #cancelStartTimer: (() => void) | undefined = undefined;
  readonly #batches: Batch[] = [];
  #bufferedBytes = 0;
  readonly #waiters: Waiter[] = [];
  #end: { readonly error: HoldfastError | undefined } | undefined = undefined;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    this.#next = options.from;
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    // Whoever iterates learns of a failure there; `started` need not be looked at.
    this.started.catch(() => undefined);
    this.#attachment = options.link.watch(this);
    options.signal?.addEventListener('abort', this.#abort);
    if (options.signal?.aborted === true) this.#abort();
  }

  get wanted(): boolean {
    if (this.#end !== undefined || this.#cancelPause !== undefined) return false;
    return this.#bufferedBytes < WATCH_WINDOW_BYTES;
  }

  request(id: number): Request {
    const { start, end } = this.#options;
    this.#placement++;
    this.#expectStart();
    return { type: 'watch', id, start, end, from: this.#next };
  }

  /** Whatever comes in answer ends the waiting for a start. */
  #expectStart(): void {
    this.#cancelStartTimer?.();
    this.#cancelStartTimer = this.#options.environment.setTimer(START_PATIENCE_MS, () => {
      this.#attachment.renew();
    });
  }

  response(response: Response): void {
    this.#cancelStartTimer?.();
    switch (response.type) {
      case 'watchStarted':
        this.#started(response.revision);
        return;
      case 'watchEvents':
        this.#received(response.payload);
        return;
      case 'watchEnded':
        this.#ended(response);
        return;
      case 'error': {
        const { code, message, outcome, leader } = response;
        const error = errorFromWire(code, message, outcome, leader);
        if (PASSING.has(error.code)) this.#resumeLater();
        else this.#finish(error);
        return;
      }
      case 'ok':
      case 'status':
      case 'leader':
      case 'backupStarted':
      case 'backupChunk':
        this.#finish(new HoldfastError('internal', `a watch was answered with ${response.type}`));
        return;
      default:
        unreachable(response);
    }
  }

  /** It is placed anew by the link. */
  detached(): void {
    this.#cancelStartTimer?.();
    this.#failures++;
  }

  ended(error: HoldfastError): void {
    this.#finish(error);
  }

  close(): Promise<void> {
    this.#batches.length = 0;
    this.#finish(undefined);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent, undefined> {
    return {
      next: () => this.#nextEvent(),
      return: async () => {
        await this.close();
        return DONE;
      },
    };
  }

  #started(revision: number): void {
    this.#failures = 0;
    if (this.#next === 0) this.#next = Math.max(revision, this.#options.seenRevision) + 1;
    this.#resolveStarted({ revision: this.#next - 1 });
  }

  #received(payload: Uint8Array): void {
    if (this.#end !== undefined) return;
    const events: WatchEvent[] = [];
    for (const revision of decodeEvents(payload)) {
      if (revision.revision < this.#next) continue;
      this.#next = revision.revision + 1;
      appendEvents(events, revision);
    }
    const bytes = payload.length;
    this.#bufferedBytes += bytes;
    this.#batches.push({ events, at: 0, bytes, placement: this.#placement });
    this.#dropConsumed();
    while (this.#waiters.length > 0) {
      const event = this.#shift();
      if (event === undefined) return;
      this.#waiters.shift()?.resolve({ done: false, value: event });
    }
  }

  #ended(response: Extract<Response, { type: 'watchEnded' }>): void {
    const { code, resumeFrom } = response;
    if (code === 'stopped') {
      this.#resumeLater();
      return;
    }
    const message = `${response.message} (a new watch may start at revision ${resumeFrom})`;
    this.#finish(new HoldfastError(code, message, { resumeFrom }));
  }

  #resumeLater(): void {
    if (this.#end !== undefined) return;
    const { environment } = this.#options;
    const delayMs = backoffMs(this.#failures++, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
    this.#cancelPause = environment.setTimer(delayMs, () => {
      this.#cancelPause = undefined;
      this.#attachment.resume();
    });
  }

  readonly #abort = (): void => {
    this.#finish(undefined);
  };

  /** What is buffered can still be consumed, unless it was `close` that ended it. */
  #finish(error: HoldfastError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#cancelPause?.();
    this.#cancelStartTimer?.();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#attachment?.close();
    this.#rejectStarted(error ?? new HoldfastError('closed', 'the watch was closed'));
    const waiters = this.#waiters.splice(0);
    if (error === undefined) for (const waiter of waiters) waiter.resolve(DONE);
    else for (const waiter of waiters) waiter.reject(error);
    // An error is told once; then the iteration is over.
    if (waiters.length > 0) this.#end = { error: undefined };
  }

  #nextEvent(): Promise<IteratorResult<WatchEvent, undefined>> {
    const event = this.#shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    }
    const { error } = this.#end;
    this.#end = { error: undefined };
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  #shift(): WatchEvent | undefined {
    const batch = this.#batches[0];
    const event = batch?.events[batch.at];
    if (batch === undefined || event === undefined) return undefined;
    batch.at++;
    this.#dropConsumed();
    return event;
  }

  /** Lets the server send as much again as was consumed. */
  #dropConsumed(): void {
    for (;;) {
      const batch = this.#batches[0];
      if (batch === undefined || batch.at < batch.events.length) break;
      this.#batches.shift();
      this.#bufferedBytes -= batch.bytes;
      if (batch.placement === this.#placement) this.#attachment.credit(batch.bytes);
    }
    if (this.wanted) this.#attachment.resume();
  }
}

function appendEvents(events: WatchEvent[], revision: RevisionEvents): void {
  const lastIndex = revision.events.length - 1;
  revision.events.forEach((event, i) => {
    events.push(watchEvent(event, revision.revision, i === lastIndex));
  });
}

function watchEvent(event: KeyEvent, revision: number, last: boolean): WatchEvent {
  const record = edgeRecord(event.record, undefined);
  const previous = event.previous === undefined ? undefined : edgeRecord(event.previous, undefined);
  return {
    type: event.type,
    revision,
    key: record.key,
    record,
    previous,
    cause: event.cause,
    last,
  };
}
