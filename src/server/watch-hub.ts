/**
 * Watches: every change of a range, in order, once, whole revisions at a time.
 *
 * A watcher is *live* (told at once what each applied batch changed) or *behind* (read from the
 * registry's history, slice by slice). Nothing is buffered for one: a live watcher that may not be
 * sent anything now simply falls behind, and is live again once history has brought it to the
 * latest revision. So a slow watcher costs no memory, and learns `compacted` when history was
 * shortened past it. `next`, the first revision still to be sent, is all there is to remember.
 */
import { encodeEvents, type RevisionEvents } from '../registry/index.ts';
import { selectEvents, wantsPrevious } from './event-filter.ts';
import { cutPieces, encodePiece, type EventPiece } from './event-pieces.ts';
import { HistoryReader, type WatchSource } from './history-reader.ts';
import { LiveWatches, type WatchGroup } from './live-watches.ts';
import { mayBeSent, type Watcher, type WatchSelection, type WatchTarget } from './watcher.ts';

export interface WatchHubOptions {
  /** Runs a callback later, with room for other work before it. */
  readonly defer: (callback: () => void) => void;
  /** Bytes a watch is sent before it must grant credit. */
  readonly windowBytes: number;
  /** Bytes of one message, about, and of one step through history. */
  readonly sliceBytes: number;
  /** No message is longer. */
  readonly maxPayloadBytes: number;
  /** Watches that see no events are told this often how far they are. */
  readonly markEveryRevisions: number;
}

/** Slices of history per turn, before other work gets its turn. */
const SLICES_PER_TURN = 4;
/** What a step through history costs, in bytes: at least, and for each revision looked at. */
const MIN_STEP_BYTES = 4096;
const SCAN_COST_BYTES = 16;
/** Bytes of history kept for watchers that are behind, in slices. */
const KEPT_SLICES = 32;

export class WatchHub {
  readonly #source: WatchSource;
  readonly #history: HistoryReader;
  readonly #options: WatchHubOptions;
  readonly #live = new LiveWatches();
  readonly #watchers = new Set<Watcher>();
  /** Behind, and may be sent something now. In turn. */
  readonly #queue = new Set<Watcher>();
  /** Everything up to here was dispatched to live watchers. */
  #revision: number;
  /** Up to here watches without events were told their progress ... */
  #marked: number;
  /** ... when history began after this. */
  #compactedAtMark: number;
  /** Those that asked for a mark and were not sent one yet. */
  readonly #owedMarks = new Set<Watcher>();
  #catchUpScheduled = false;

  constructor(source: WatchSource, options: WatchHubOptions) {
    this.#source = source;
    this.#history = new HistoryReader(source, options.sliceBytes, KEPT_SLICES * options.sliceBytes);
    this.#options = options;
    this.#revision = source.revision;
    this.#marked = source.revision;
    this.#compactedAtMark = source.compactRevision;
  }

  /**
   * Starts a watch at `from`; 0 for the next revision. It is answered with `watchStarted`, or ended
   * at once when history no longer reaches `from`.
   */
  open(id: number, selection: WatchSelection, from: number, target: WatchTarget): Watcher {
    const watcher = this.#newWatcher(id, selection, from, target);
    const { next } = watcher;
    const firstRevision =
      next > this.#source.revision ? undefined : this.#history.compactedBeyond(next);
    if (firstRevision !== undefined) {
      this.#endCompacted(watcher, firstRevision);
      return watcher;
    }
    target.send({ type: 'watchStarted', id, revision: next - 1 });
    if (watcher.state === 'blocked') this.#proceed(watcher);
    return watcher;
  }

  #newWatcher(id: number, selection: WatchSelection, from: number, target: WatchTarget): Watcher {
    const { start, end, filter } = selection;
    const watcher: Watcher = {
      id,
      start,
      end,
      filter,
      target,
      next: from === 0 ? this.#source.revision + 1 : from,
      credit: this.#options.windowBytes,
      state: 'blocked',
      markWanted: 0,
    };
    this.#watchers.add(watcher);
    return watcher;
  }

  /** The client wants to be told once it was sent everything up to `revision`. */
  markAt(watcher: Watcher, revision: number): void {
    if (watcher.state === 'ended') return;
    watcher.markWanted = Math.max(watcher.markWanted, revision, 1);
    this.#owedMarks.add(watcher);
    this.#sendOwedMark(watcher);
  }

  /** The client consumed so many bytes. */
  credit(watcher: Watcher, bytes: number): void {
    watcher.credit = Math.min(watcher.credit + bytes, this.#options.windowBytes);
    this.wake(watcher);
  }

  /** Its target may be writable again. */
  wake(watcher: Watcher): void {
    if (watcher.state === 'blocked' && mayBeSent(watcher)) this.#enqueue(watcher);
    else if (watcher.markWanted > 0) this.#sendOwedMark(watcher);
  }

  /** The client no longer wants it. Answers `watchEnded` unless it had ended. */
  close(watcher: Watcher): void {
    if (watcher.state === 'ended') return;
    this.#end(watcher, 'stopped', 'the watch was cancelled');
  }

  /** The client is gone: nothing is sent any more. */
  drop(watcher: Watcher): void {
    this.#detach(watcher);
    watcher.state = 'ended';
    this.#watchers.delete(watcher);
    this.#owedMarks.delete(watcher);
  }

  /** The node serves no more: every watch ends with where to resume it. */
  stop(why = 'the node stops'): void {
    for (const watcher of this.#watchers) {
      this.#end(watcher, 'stopped', `${why}; resume the watch at another one`);
    }
  }

  /**
   * Tells live watchers what was applied since the last call, and returns it: undefined when the
   * state was replaced by a snapshot's.
   */
  dispatch(): readonly RevisionEvents[] | undefined {
    const applied = this.#source.takeEvents();
    const first = this.#revision + 1;
    const last = this.#source.revision;
    const whole =
      applied.length === last - first + 1 && (last < first || applied[0]?.revision === first);
    if (last >= first && !this.#live.isEmpty) {
      if (whole) this.#dispatchBatch(applied, first, last);
      else this.#jumped(first, last);
    }
    // Not earlier: a watch that its client ends in the middle of this has not seen all of it.
    this.#revision = last;
    for (const watcher of this.#owedMarks) this.#sendOwedMark(watcher);
    return whole ? applied : undefined;
  }

  /** The state was replaced by a snapshot: what happened in between is in history or nowhere. */
  #jumped(first: number, last: number): void {
    for (const group of this.#live.groups()) {
      for (const watcher of group.watchers) {
        if (watcher.next <= last) this.#fallBehind(watcher, first);
      }
    }
  }

  #dispatchBatch(applied: readonly RevisionEvents[], first: number, last: number): void {
    const told = new Set<WatchGroup>();
    for (const { groups, revisions } of this.#live.collect(applied)) {
      for (const group of groups) {
        const selected = selectEvents(revisions, group.filter);
        if (selected.length === 0) continue;
        told.add(group);
        this.#deliver(group, selected, first, last);
      }
    }
    this.#markProgress(first, last, told);
  }

  /** What revisions `first` to `last` hold for it to everyone live in the group. */
  #deliver(
    group: WatchGroup,
    revisions: readonly RevisionEvents[],
    first: number,
    last: number,
  ): void {
    const pieces = cutPieces(revisions, wantsPrevious(group.filter), this.#options.sliceBytes);
    for (const watcher of group.watchers) {
      if (watcher.next > last) continue;
      if (watcher.next > first) this.#fallBehind(watcher, watcher.next);
      else this.#sendPieces(watcher, pieces, first);
    }
  }

  #sendPieces(watcher: Watcher, pieces: readonly EventPiece[], first: number): void {
    let next = first;
    for (const piece of pieces) {
      if (!mayBeSent(watcher)) {
        this.#fallBehind(watcher, next);
        return;
      }
      if (!this.#sendPiece(watcher, piece)) return;
      next = piece.through + 1;
      watcher.next = next;
    }
  }

  /** False when the watch ended, by this or while its client was called. */
  #sendPiece(watcher: Watcher, piece: EventPiece): boolean {
    const payload = encodePiece(piece, this.#options.maxPayloadBytes);
    if (payload === undefined) {
      watcher.next = piece.through + 1;
      const limit = this.#options.maxPayloadBytes;
      const message = `revision ${piece.through} changed more than fits in ${limit} bytes`;
      this.#end(watcher, 'overrun', `${message}; read the range anew and watch from there`);
      return false;
    }
    this.#send(watcher, payload);
    return watcher.state !== 'ended';
  }

  /** False when the watch ended while its client was called. */
  #sendMark(watcher: Watcher, revision: number): boolean {
    this.#send(watcher, markOf(revision));
    return watcher.state !== 'ended';
  }

  #send(watcher: Watcher, payload: Uint8Array): void {
    watcher.credit -= payload.length;
    watcher.target.send({ type: 'watchEvents', id: watcher.id, payload });
  }

  #markProgress(first: number, last: number, told: ReadonlySet<WatchGroup>): void {
    if (!this.#markIsDue(first, last)) return;
    this.#marked = last;
    this.#compactedAtMark = this.#source.compactRevision;
    const mark = markOf(last);
    for (const group of this.#live.groups()) {
      if (told.has(group)) continue;
      for (const watcher of group.watchers) {
        if (watcher.next <= first && mayBeSent(watcher)) this.#send(watcher, mark);
      }
    }
  }

  /**
   * Every so many revisions, and when half the history that the last mark left to resume from is
   * gone: it is also shortened by age and size, however few revisions that are.
   */
  #markIsDue(first: number, last: number): boolean {
    const every = this.#options.markEveryRevisions;
    if (Math.floor(last / every) !== Math.floor((first - 1) / every)) return true;
    return 2 * this.#source.compactRevision > this.#compactedAtMark + this.#marked;
  }

  /** From live to history, beginning at `next`. */
  #fallBehind(watcher: Watcher, next: number): void {
    this.#detach(watcher);
    watcher.next = Math.max(watcher.next, next);
    watcher.state = 'blocked';
    this.#proceed(watcher);
  }

  /** Whatever comes next for a watcher that is neither live nor queued. */
  #proceed(watcher: Watcher): void {
    if (watcher.next > this.#source.revision) this.#goLive(watcher);
    else if (mayBeSent(watcher)) this.#enqueue(watcher);
  }

  #goLive(watcher: Watcher): void {
    watcher.state = 'live';
    this.#live.add(watcher);
    if (watcher.markWanted > 0) this.#sendOwedMark(watcher);
  }

  /** Only a live watch has been sent everything there is. */
  #sendOwedMark(watcher: Watcher): void {
    const reached = Math.max(this.#revision, watcher.next - 1);
    if (watcher.state !== 'live' || reached < watcher.markWanted || !mayBeSent(watcher)) return;
    watcher.markWanted = 0;
    this.#owedMarks.delete(watcher);
    this.#sendMark(watcher, reached);
  }

  #enqueue(watcher: Watcher): void {
    watcher.state = 'queued';
    this.#queue.add(watcher);
    if (this.#catchUpScheduled) return;
    this.#catchUpScheduled = true;
    this.#options.defer(() => this.#catchUp());
  }

  /** One turn's worth of history, one slice per watcher in turn. */
  #catchUp(): void {
    this.#catchUpScheduled = false;
    let budget = this.#options.sliceBytes * SLICES_PER_TURN;
    for (const watcher of this.#queue) {
      if (budget <= 0) break;
      this.#queue.delete(watcher);
      watcher.state = 'blocked';
      if (!mayBeSent(watcher)) continue;
      budget -= Math.max(this.#step(watcher), MIN_STEP_BYTES);
    }
    if (this.#queue.size === 0) this.#history.forget();
    if (this.#queue.size === 0 || this.#catchUpScheduled) return;
    this.#catchUpScheduled = true;
    this.#options.defer(() => this.#catchUp());
  }

  /** Sends the next slice of history; returns what that cost. */
  #step(watcher: Watcher): number {
    const from = watcher.next;
    const slice = this.#history.read(watcher, from);
    if (slice.type === 'compacted') {
      this.#endCompacted(watcher, slice.firstRevision);
      return 0;
    }
    if (slice.piece !== undefined && !this.#sendPiece(watcher, slice.piece)) return 0;
    if (slice.piece === undefined && !this.#sendMark(watcher, slice.next - 1)) return 0;
    watcher.next = slice.next;
    this.#proceed(watcher);
    const bytes = slice.piece?.payload?.length ?? 0;
    return bytes + (slice.next - from) * SCAN_COST_BYTES;
  }

  #endCompacted(watcher: Watcher, firstRevision: number): void {
    const wanted = watcher.next;
    watcher.next = firstRevision;
    const message = `revision ${wanted} is compacted; the oldest kept is ${firstRevision}`;
    this.#end(watcher, 'compacted', `${message}; read the range anew and watch from there`);
  }

  #end(watcher: Watcher, code: 'compacted' | 'overrun' | 'stopped', message: string): void {
    const wasLive = watcher.state === 'live';
    this.drop(watcher);
    const resumeFrom = wasLive ? Math.max(watcher.next, this.#revision + 1) : watcher.next;
    watcher.target.send({ type: 'watchEnded', id: watcher.id, code, resumeFrom, message });
  }

  #detach(watcher: Watcher): void {
    this.#queue.delete(watcher);
    if (watcher.state === 'live') this.#live.remove(watcher);
  }
}

/** A revision without events says: up to here you missed nothing. */
function markOf(revision: number): Uint8Array {
  return encodeEvents([{ revision: revision as RevisionEvents['revision'], events: [] }]);
}
