import type { Response } from '../protocol/index.ts';
import type { KeyRange } from './range-index.ts';

/** Where a watch's events go. */
export interface WatchTarget {
  /** False while the client does not read what it was sent. */
  readonly writable: boolean;
  send(response: Response): void;
}

/**
 * One watch of one client. The hub's own; others hold it only to hand it back.
 * - `live`: told of every batch as it is applied.
 * - `queued`: behind, and in turn to be sent a slice of history.
 * - `blocked`: behind, and waiting for credit or for the client to read.
 */
export interface Watcher extends KeyRange {
  readonly id: number;
  readonly target: WatchTarget;
  state: 'live' | 'queued' | 'blocked' | 'ended';
  /** First revision to send. While live: nothing before it, but usually long passed. */
  next: number;
  /** Bytes it may be sent; the last message may overdraw it. */
  credit: number;
}

export function mayBeSent(watcher: Watcher): boolean {
  return watcher.credit > 0 && watcher.target.writable;
}
