import type { Response } from '../protocol/index.ts';
import type { EventFilter } from './event-filter.ts';
import type { KeyRange } from './range-index.ts';

/** Where a watch's events go. */
export interface WatchTarget {
  /** False while the client does not read what it was sent. */
  readonly writable: boolean;
  send(response: Response): void;
}

/** What a watch is sent of all that happens. */
export interface WatchSelection extends KeyRange {
  readonly filter: EventFilter;
}

/**
 * One watch of one client. The hub's own; others hold it only to hand it back.
 * - `live`: told of every batch as it is applied.
 * - `queued`: behind, and in turn to be sent a slice of history.
 * - `blocked`: behind, and waiting for credit or for the client to read.
 */
export interface Watcher extends WatchSelection {
  readonly id: number;
  readonly target: WatchTarget;
  state: 'live' | 'queued' | 'blocked' | 'ended';
  /** First revision to send. While live: nothing before it, but usually long passed. */
  next: number;
  /** Bytes it may be sent; the last message may overdraw it. */
  credit: number;
  /** It asked for a mark once it was sent everything up to here; 0: it did not. */
  markWanted: number;
}

export function mayBeSent(watcher: Watcher): boolean {
  return watcher.credit > 0 && watcher.target.writable;
}
