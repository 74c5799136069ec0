import { HoldfastError, unreachable } from '../base/index.ts';
import { WATCH_WINDOW_BYTES, type Request, type Response } from '../protocol/index.ts';
import { decodeEvents } from '../registry/index.ts';
import { backoffMs } from './backoff.ts';
import type { ClientEnvironment } from './environment.ts';
import { errorFromWire, PASSING } from './error-response.ts';
import type { ReadOptions } from './key-types.ts';
import type { Link, WatchAttachment, WatchSubscriber } from './link.ts';
import type { Patience } from './proposals.ts';
import { WaitEnd, type StopSignal } from './waiting.ts';
import { appendItems, type WatchItems } from './watch-items.ts';
import type { WatchSubject } from './watch-request.ts';
import type { Watch } from './watch-types.ts';

/** What a watch needs of the registry it belongs to. */
export interface WatchStreamHost {
  readonly link: Link;
  readonly environment: ClientEnvironment;
  /** The latest revision. */
  latest(options: ReadOptions): Promise<number>;
  patience(options: ReadOptions): Patience;
}

export interface WatchStreamOptions<Item> {
  readonly host: WatchStreamHost;
  readonly subject: WatchSubject;
  readonly items: WatchItems<Item>;
  /** First revision wanted; 0 for the next one. */
  readonly from: number;
  /** With `from` 0: the caller has seen this revision, so older ones are not "next". */
  readonly seenRevision: number;
  readonly signal: StopSignal | undefined;
}

/** What arrived in one message and is not consumed yet. */
interface Batch<Item> {
  readonly items: readonly Item[];
  at: number;
  /** The revision before its first. */
  readonly after: number;
  readonly bytes: number;
  /** Which placement it came by; credit belongs to that one only. */
  readonly placement: number;
}

interface Waiter<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** Waits until everything up to a revision was handed out. */
interface ProgressWaiter {
  readonly revision: number;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
/** A node that has not begun a watch by then has lost it, though the connection lives. */
const START_PATIENCE_MS = 10_000;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * One watch, as a stream of events. Messages hold whole revisions, so `#next` (one more than the
 * newest revision received) is all that is needed to go on at any other node: what comes again is
 * older than it and dropped.
 */
export class WatchStream<Item> implements Watch<Item>, WatchSubscriber {
  readonly started: Promise<{ readonly revision: number }>;
  readonly #options: WatchStreamOptions<Item>;
  readonly #attachment: WatchAttachment;
  #resolveStarted: (start: { readonly revision: number }) => void = () => {};
  #rejectStarted: (error: HoldfastError) => void = () => {};
  #next: number;
  #placement = 0;
  #failures = 0;
  #cancelPause: (() => void) | undefined = undefined;
  #cancelStartTimer: (() => void) | undefined = undefined;
  readonly #batches: Batch<Item>[] = [];
  #bufferedBytes = 0;
  /** The revision before the message of the item that the consumer is at; undefined: at none. */
  #atWorkAfter: number | undefined = undefined;
  readonly #waiters: Waiter<Item>[] = [];
  readonly #progressWaiters = new Set<ProgressWaiter>();
  #end: { readonly error: HoldfastError | undefined } | undefined = undefined;

  constructor(options: WatchStreamOptions<Item>) {
    this.#options = options;
    this.#next = options.from;
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    // Whoever iterates learns of a failure there; `started` need not be looked at.
    this.started.catch(() => undefined);
    this.#attachment = options.host.link.watch(this);
    options.signal?.addEventListener('abort', this.#abort);
    if (options.signal?.aborted === true) this.#abort();
  }

  get wanted(): boolean {
    if (this.#end !== undefined || this.#cancelPause !== undefined) return false;
    return this.#bufferedBytes < WATCH_WINDOW_BYTES;
  }

  request(id: number): Request {
    this.#placement++;
    this.#expectStart();
    return { type: 'watch', id, ...this.#options.subject, from: this.#next };
  }

  /** Whatever comes in answer ends the waiting for a start. */
  #expectStart(): void {
    this.#cancelStartTimer?.();
    this.#cancelStartTimer = this.#options.host.environment.setTimer(START_PATIENCE_MS, () => {
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

  async progress(options: ReadOptions = {}): Promise<number> {
    const patience = this.#options.host.patience(options);
    const revision = await this.#options.host.latest(options);
    const { environment } = this.#options.host;
    const late = `revision ${revision} was not reached, or its events not consumed, in time`;
    const end = new WaitEnd()
      .onAbortOf(options.signal, () => new HoldfastError('aborted', 'aborted by its signal'))
      .after(
        Math.max(0, patience.deadlineMs - environment.now()),
        environment,
        () => new HoldfastError('timeout', late),
      );
    const waiting = new Promise<number>((resolve, reject) => {
      this.#awaitProgress({ revision, resolve, reject }, end.signal);
    });
    try {
      return await end.race(waiting);
    } finally {
      end.dispose();
    }
  }

  #awaitProgress(waiter: ProgressWaiter, given: StopSignal): void {
    if (this.#end !== undefined) {
      waiter.reject(this.#end.error ?? closedError());
      return;
    }
    this.#progressWaiters.add(waiter);
    given.addEventListener('abort', () => this.#progressWaiters.delete(waiter));
    if (waiter.revision >= this.#next) this.#attachment.progress(waiter.revision);
    this.#tellProgress();
  }

  close(): Promise<void> {
    this.#batches.length = 0;
    this.#finish(undefined);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return {
      next: () => this.#nextItem(),
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
    let wanted = -1;
    for (const waiter of this.#progressWaiters) wanted = Math.max(wanted, waiter.revision);
    if (wanted >= this.#next) this.#attachment.progress(wanted);
    this.#tellProgress();
  }

  #received(payload: Uint8Array): void {
    if (this.#end !== undefined) return;
    // Whoever is at a mark has dealt with everything up to it.
    let after: number | undefined;
    const items: Item[] = [];
    for (const revision of decodeEvents(payload)) {
      if (revision.revision < this.#next) continue;
      if (revision.events.length > 0) after ??= this.#next - 1;
      this.#next = revision.revision + 1;
      appendItems(items, revision, this.#options.items);
    }
    const bytes = payload.length;
    this.#bufferedBytes += bytes;
    after ??= this.#next - 1;
    this.#batches.push({ items, at: 0, after, bytes, placement: this.#placement });
    this.#dropConsumed();
    while (this.#waiters.length > 0) {
      const next = this.#shift();
      if (next === undefined) break;
      this.#waiters.shift()?.resolve(next);
    }
    this.#tellProgress();
  }

  /** Whoever asks for the next item is done with the one before. */
  #tellProgress(): void {
    const revision = this.#atWorkAfter ?? this.#batches[0]?.after ?? this.#next - 1;
    for (const waiter of this.#progressWaiters) {
      if (waiter.revision > revision) continue;
      this.#progressWaiters.delete(waiter);
      waiter.resolve(revision);
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
    const { environment } = this.#options.host;
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
    this.#rejectStarted(error ?? closedError());
    for (const waiter of this.#progressWaiters) waiter.reject(error ?? closedError());
    this.#progressWaiters.clear();
    const waiters = this.#waiters.splice(0);
    if (error === undefined) for (const waiter of waiters) waiter.resolve(DONE);
    else for (const waiter of waiters) waiter.reject(error);
    // An error is told once; then the iteration is over.
    if (waiters.length > 0) this.#end = { error: undefined };
  }

  #nextItem(): Promise<IteratorResult<Item, undefined>> {
    this.#atWorkAfter = undefined;
    this.#tellProgress();
    const next = this.#shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    }
    const { error } = this.#end;
    this.#end = { error: undefined };
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  #shift(): IteratorYieldResult<Item> | undefined {
    const batch = this.#batches[0];
    if (batch === undefined) return undefined;
    // Batches that are consumed, or empty, are never the first.
    const value = batch.items[batch.at++] as Item;
    this.#atWorkAfter = batch.after;
    this.#dropConsumed();
    return { done: false, value };
  }

  /** Lets the server send as much again as was consumed. */
  #dropConsumed(): void {
    for (;;) {
      const batch = this.#batches[0];
      if (batch === undefined || batch.at < batch.items.length) break;
      this.#batches.shift();
      this.#bufferedBytes -= batch.bytes;
      if (batch.placement === this.#placement) this.#attachment.credit(batch.bytes);
    }
    if (this.wanted) this.#attachment.resume();
  }
}

function closedError(): HoldfastError {
  return new HoldfastError('closed', 'the watch was closed');
}
