/**
 * How far the leader has brought one follower. A leaf: no messages, no log.
 *
 * - `probe`: the leader does not know where the logs part. One append at a time finds out.
 * - `replicate`: they agree up to `next`. Appends go out ahead of their replies, within limits.
 * - `snapshot`: what the follower needs is no longer in the log. Chunks go one by one.
 */
import { logIndex } from './entry.ts';
import { InflightWindow } from './inflight-window.ts';
import type { FetchRequest, LogIndex, SnapshotMeta } from './types.ts';

export interface ProbeState {
  readonly type: 'probe';
  /** One is under way: wait for its reply, or for a sign of life. */
  waiting: boolean;
}
export interface ReplicateState {
  readonly type: 'replicate';
}
export interface SnapshotState {
  readonly type: 'snapshot';
  readonly snapshot: SnapshotMeta;
  offset: number;
  /** `idle`: the next chunk may go. `reading`: at the node. `waiting`: sent. `resting`: failed. */
  step: 'idle' | 'reading' | 'waiting' | 'resting';
  /** When `step` began. */
  stepTick: number;
}
export type ProgressState = ProbeState | ReplicateState | SnapshotState;

export class Progress {
  state: ProgressState = { type: 'probe', waiting: false };
  /** Everything up to here is durable there and equals the leader's log. Never falls. */
  match: LogIndex = logIndex(0);
  /** Next index to send. */
  next: LogIndex;
  readonly inflight: InflightWindow;
  /** When the last reply of this term came. */
  lastReplyTick: number;
  /** When `match` last grew or something was sent with nothing under way. */
  lastAdvanceTick: number;
  /** Newest round it has replied to, and the tick that round began in. */
  ackedRound = 0;
  ackedRoundTick: number = -Infinity;
  /** Newest commit index told to it. */
  sentCommit: LogIndex = logIndex(0);
  /** Entries asked back from the store for it. */
  fetch: FetchRequest | undefined = undefined;

  constructor(next: LogIndex, maxMessages: number, maxBytes: number, tick: number) {
    this.next = next;
    this.inflight = new InflightWindow(maxMessages, maxBytes);
    this.lastReplyTick = tick;
    this.lastAdvanceTick = tick;
  }

  /** Whether an append may go now. */
  get mayAppend(): boolean {
    if (this.state.type === 'probe') return !this.state.waiting;
    return this.state.type === 'replicate' && !this.inflight.full;
  }

  /** Whatever was under way is forgotten, in messages and in bytes. */
  becomeProbe(next: LogIndex): void {
    this.state = { type: 'probe', waiting: false };
    this.next = logIndex(Math.max(next, this.match + 1));
    this.inflight.reset();
  }

  becomeReplicate(tick: number): void {
    this.state = { type: 'replicate' };
    this.next = logIndex(this.match + 1);
    this.inflight.reset();
    this.lastAdvanceTick = tick;
  }

  becomeSnapshot(snapshot: SnapshotMeta, tick: number): void {
    this.state = { type: 'snapshot', snapshot, offset: 0, step: 'idle', stepTick: tick };
    this.inflight.reset();
  }

  /** An append of everything up to `last` went out (`last` below `next`: it carried no entries). */
  appendSent(last: LogIndex, bytes: number, tick: number): void {
    switch (this.state.type) {
      case 'probe':
        this.state.waiting = true;
        return;
      case 'replicate':
        if (last < this.next) return;
        if (this.inflight.messages === 0) this.lastAdvanceTick = tick;
        this.next = logIndex(last + 1);
        this.inflight.add(last, bytes);
        return;
      case 'snapshot':
        return;
    }
  }

  /** The follower holds everything up to `match`. Returns whether that is news. */
  accepted(match: LogIndex, tick: number): boolean {
    const advanced = match > this.match;
    if (advanced) {
      this.match = match;
      this.lastAdvanceTick = tick;
    }
    switch (this.state.type) {
      case 'probe':
        // Anything below is the reply to an earlier probe.
        if (match >= this.next - 1) this.becomeReplicate(tick);
        break;
      case 'replicate':
        this.inflight.freeThrough(match);
        if (match >= this.next) this.next = logIndex(match + 1);
        break;
      case 'snapshot':
        if (match >= this.state.snapshot.index) this.becomeProbe(logIndex(match + 1));
        else if (match >= this.next) this.next = logIndex(match + 1);
        break;
    }
    return advanced;
  }

  /**
   * The follower does not hold `prev` as the leader does; the logs may agree up to `agreed`.
   * Returns false for what is stale: a reply that earlier or later ones have overtaken.
   */
  rejected(prev: LogIndex, agreed: LogIndex): boolean {
    switch (this.state.type) {
      case 'probe':
        if (prev !== this.next - 1 || prev <= this.match) return false;
        break;
      case 'replicate':
        if (prev <= this.match) return false;
        break;
      case 'snapshot':
        return false;
    }
    this.becomeProbe(logIndex(Math.min(prev, agreed + 1)));
    return true;
  }

  /** Nothing under way has been confirmed for `ticks`: it may be lost. */
  stalled(tick: number, ticks: number): boolean {
    return (
      this.state.type === 'replicate' &&
      this.match < this.next - 1 &&
      tick - this.lastAdvanceTick >= ticks
    );
  }
}
