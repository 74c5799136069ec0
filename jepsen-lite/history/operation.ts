/**
 * What clients did and saw: one operation a line of JSON, so that any program can write a history
 * and have it checked.
 */

/**
 * - `ok`: it returned, and `output` is what it returned.
 * - `fail`: it certainly had no effect, now or later.
 * - `info`: nobody knows whether it had, has or will have an effect.
 */
export type OperationType = 'ok' | 'fail' | 'info';

/** One call of one client. A process calls one operation after another. */
export interface Operation {
  /** A client that got no answer goes on under another number: its last call may still happen. */
  readonly process: number;
  /** What was called: `get`, `put`, `cas`, `delete`, `lock`, `unlock`, ... */
  readonly f: string;
  /** What it was called on; absent where it is about everything. */
  readonly key?: string;
  /** What it was called with; of a `cas` `[from, to]`. */
  readonly value?: unknown;
  /** Nanoseconds on one monotonic clock for the whole history. */
  readonly call: number;
  /** Null of an `info`: it may happen at any time after the call. */
  readonly return: number | null;
  readonly type: OperationType;
  readonly output: unknown;
  /** Of the registry, after a write or as it was read: a hint for an order, never believed. */
  readonly revision?: number;
  /** Code of the error, of anything but `ok`. */
  readonly error?: string;
  /** The node that was asked. */
  readonly node?: string;
}
