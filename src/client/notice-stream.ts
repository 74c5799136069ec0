import { HoldfastError } from '../base/index.ts';
import type { ConnectionId, SessionId, TableNotice } from '../registry/index.ts';
import { backoffMs } from './backoff.ts';
import { ClientSession } from './client-session.ts';
import { mayPass } from './lock-waiting.ts';
import { NoticeAcknowledger } from './notice-acknowledger.ts';
import type { NoticeBoard } from './notice-board.ts';
import {
  checkSession,
  FIRST_NOTICE,
  noticeRange,
  readNotices,
  sessionOver,
  type NoticeCursor,
  type NoticePage,
  type PendingNotice,
} from './notice-page.ts';
import type { Notice, NoticeOptions, Notices } from './notice-types.ts';
import type { Actor, Patience } from './proposals.ts';
import type { TableHost } from './table-host.ts';
import { noticeOf } from './table-edge.ts';
import { pause, WaitEnd, type StopSignal } from './waiting.ts';
import { watchUntil } from './watch-until.ts';

/** At most so many wait here to be consumed. */
const MAX_QUEUED = 256;
/** From so many on, more are fetched. */
const ENOUGH_QUEUED = MAX_QUEUED / 2;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
const DONE: IteratorResult<Notice, undefined> = { done: true, value: undefined };

/** Ends the iteration, without an error. */
class NoMoreWanted extends HoldfastError {}

/**
 * The notices of one session, read from its records on the cluster by a cursor that only goes
 * forward; when there are no more a watch says when to look again. So neither a lost connection nor
 * a compacted history takes more than looking again, and nothing is read twice.
 */
export class NoticeStream implements Notices {
  /** Resolves when it has ended and acknowledged what it handed out. */
  readonly left: Promise<void>;
  readonly #host: TableHost;
  readonly #board: NoticeBoard;
  readonly #end = new WaitEnd();
  readonly #acknowledger: NoticeAcknowledger;
  /** Stops what goes on after the end, for want of a cluster that answers. */
  readonly #giveUp = new AbortController();
  #session: SessionId | undefined = undefined;
  #queue: PendingNotice[] = [];
  /** Handed out, and perhaps at work on. */
  readonly #inHand: ConnectionId[] = [];
  /** While a page is on its way: what it must not bring any more. */
  #unwanted: Set<ConnectionId> | undefined = undefined;
  #cursor: NoticeCursor = FIRST_NOTICE;
  #roomMade: (() => void) | undefined = undefined;
  /** Settles with the last call of `next`: they are answered in order. */
  #answered: Promise<void> = Promise.resolve();
  /** Of the call whose turn it is: something came, or it is all over. */
  #wake: (() => void) | undefined = undefined;
  #told = false;

  constructor(host: TableHost, board: NoticeBoard, options: NoticeOptions) {
    this.#host = host;
    this.#board = board;
    this.#acknowledger = new NoticeAcknowledger(
      (connections) => this.#acknowledge(connections),
      (error) => this.end(asHoldfast(error)),
    );
    this.#end.onAbortOf(options.signal, noMoreWanted);
    board.joined(this);
    this.left = this.#run(options).then((error) => this.#leave(error));
  }

  get ended(): boolean {
    return this.#end.error !== undefined;
  }

  end(error: HoldfastError): void {
    this.#end.end(error);
  }

  /** See `NoticeBoard.drop`. */
  drop(isIt: (notice: TableNotice) => boolean): number {
    const dropped = this.#remove(isIt);
    this.#acknowledger.add(dropped);
    return dropped.length;
  }

  /** See `NoticeBoard.forget`. */
  forget(connection: ConnectionId): void {
    this.#unwanted?.add(connection);
    this.#remove((notice) => notice.connection === connection);
  }

  async close(): Promise<void> {
    this.end(noMoreWanted());
    await this.left;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Notice, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.close();
        return DONE;
      },
    };
  }

  async #next(): Promise<IteratorResult<Notice, undefined>> {
    this.#acknowledger.add(this.#inHand.splice(0));
    const before = this.#answered;
    let answered: (() => void) | undefined;
    this.#answered = new Promise((resolve) => {
      answered = resolve;
    });
    try {
      await before;
      while (!this.ended && this.#queue.length === 0) await this.#somethingNew();
      // Nothing is awaited from here on: what is disconnected or dropped later was consumed before.
      const pending = this.ended ? undefined : this.#queue.shift();
      if (pending !== undefined) return { done: false, value: this.#handOut(pending) };
      await this.left;
      return this.#lastWord();
    } finally {
      answered?.();
    }
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #handOut(pending: PendingNotice): Notice {
    this.#inHand.push(pending.notice.connection);
    this.#checkRoom();
    return noticeOf(pending.notice, pending.revision);
  }

  #remove(isIt: (notice: TableNotice) => boolean): ConnectionId[] {
    const removed = this.#queue.filter(({ notice }) => isIt(notice));
    this.#queue = this.#queue.filter(({ notice }) => !isIt(notice));
    this.#checkRoom();
    return removed.map(({ notice }) => notice.connection);
  }

  #checkRoom(): void {
    if (this.#queue.length <= ENOUGH_QUEUED) this.#roomMade?.();
  }

  /** Why it ended is told once. */
  #lastWord(): IteratorResult<Notice, undefined> {
    const { error } = this.#end;
    if (this.#told || error === undefined || error instanceof NoMoreWanted) return DONE;
    this.#told = true;
    throw error;
  }

  /** Until it ends; resolves to why. */
  async #run(options: NoticeOptions): Promise<HoldfastError> {
    try {
      const actor = await this.#begin(options);
      for (;;) {
        await this.#untilRoom();
        const { next, more } = await this.#insistently(() => this.#fetch(actor), this.#end.signal);
        if (!more) await this.#untilNewer(actor.session, next.revision);
      }
    } catch (error) {
      this.end(asHoldfast(error));
      return this.#end.error ?? asHoldfast(error);
    }
  }

  async #begin({ session }: NoticeOptions): Promise<Actor> {
    const acting = this.#host.actorFor(session, this.#patience(this.#end.signal), true);
    const actor = await this.#end.race(Promise.resolve(acting));
    const unsettled = await this.#board.claim(actor.session, this, this.#end);
    this.#session = actor.session;
    // Before anything is read, which so does not bring them again.
    this.#acknowledger.add(unsettled);
    if (actor instanceof ClientSession) {
      this.#end.onAbortOf(actor.signal, () => sessionOver(actor.session, actor.signal.reason));
    }
    return actor;
  }

  /** Reads on, and wakes whoever waits for what came. */
  async #fetch(actor: Actor): Promise<NoticePage> {
    const { proposals } = this.#host;
    const { session } = actor;
    const patience = this.#patience(this.#end.signal);
    // Of a session that is renewed elsewhere nothing here tells the end.
    if (!(actor instanceof ClientSession)) await checkSession(proposals, session, patience);
    // What cannot be acknowledged must not gather without bound.
    await this.#end.race(this.#acknowledger.settled());
    const unwanted = new Set<ConnectionId>();
    this.#unwanted = unwanted;
    const limit = MAX_QUEUED - this.#queue.length;
    const page = await readNotices(proposals, session, this.#cursor, limit, patience);
    this.#unwanted = undefined;
    this.#end.throwIfEnded();
    this.#cursor = page.next;
    this.#queue.push(...page.pending.filter(({ notice }) => !unwanted.has(notice.connection)));
    this.#wake?.();
    return page;
  }

  async #untilRoom(): Promise<void> {
    if (this.#queue.length <= ENOUGH_QUEUED) return;
    const made = new Promise<void>((resolve) => {
      this.#roomMade = resolve;
    });
    await this.#end.race(made);
    this.#roomMade = undefined;
  }

  async #untilNewer(session: SessionId, revision: number): Promise<void> {
    const range = noticeRange(session);
    await watchUntil(this.#host, range, revision, this.#end, ({ type }) => type === 'put');
  }

  async #acknowledge(connections: readonly ConnectionId[]): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const { signal } = this.#giveUp;
    await this.#insistently(
      () => this.#board.acknowledge(session, connections, this.#patience(signal)),
      signal,
    );
  }

  /** Again and again while another attempt may succeed and is wanted. */
  async #insistently<T>(work: () => Promise<T>, signal: StopSignal): Promise<T> {
    const { environment } = this.#host.proposals;
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || !mayPass(error)) throw error;
      }
      const delayMs = backoffMs(failures, FIRST_PAUSE_MS, MAX_PAUSE_MS, environment);
      await pause(delayMs, environment, signal);
    }
  }

  /** The last acknowledgements, unless there is nobody to tell; then whoever waits is told. */
  async #leave(error: HoldfastError): Promise<void> {
    this.#queue = [];
    this.#acknowledger.add(this.#inHand.splice(0));
    if (error instanceof NoMoreWanted) await this.#settledInTime();
    this.#giveUp.abort();
    this.#end.dispose();
    const isOver = error.code === 'session-expired';
    this.#board.left(this.#session, this, isOver ? [] : this.#acknowledger.unsettled());
    this.#wake?.();
  }

  /** No longer than a call may take. */
  async #settledInTime(): Promise<void> {
    const { environment } = this.#host.proposals;
    const leftMs = this.#host.patience(undefined).deadlineMs - environment.now();
    const settled = new AbortController();
    const late = pause(leftMs, environment, settled.signal);
    await Promise.race([this.#acknowledger.settled(), late]);
    settled.abort();
  }

  #patience(signal: StopSignal): Patience {
    return { ...this.#host.patience(undefined), signal };
  }
}

function noMoreWanted(): HoldfastError {
  return new NoMoreWanted('aborted', 'no more notices are wanted');
}

function asHoldfast(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HoldfastError('internal', `notices: ${message}`, { cause: error });
}
