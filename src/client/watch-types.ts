import type { Key, RegistryRecord } from './key-types.ts';

export interface WatchOptions {
  /** One key; or `prefix`; neither watches everything. */
  readonly key?: Key;
  readonly prefix?: Key;
  /** First revision wanted; the default is the next one. */
  readonly from?: number;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  readonly key: string;
  /** As it is now; for a delete with an empty value, and the revision and time of the deletion. */
  readonly record: RegistryRecord;
  /**
   * As it was before; undefined for a new key, when history no longer has it, and in a revision too
   * large to send with it.
   */
  readonly previous: RegistryRecord | undefined;
  /** Why: asked for, its TTL ran out, its session ended, or an operator broke the lock. */
  readonly cause: 'request' | 'expired' | 'sessionEnded' | 'broken';
  /** No more events of this revision follow: resuming at `revision + 1` misses nothing. */
  readonly last: boolean;
}
/**
 * Events in order, without gap or repeat, across reconnects and changes of leader. Throws
 * `compacted` when history no longer reaches back, and `overrun` when one revision is too large to
 * send, both with the revision to begin again at as `resumeFrom`; `closed` when the registry is.
 */
export interface Watch extends AsyncIterable<WatchEvent>, AsyncDisposable {
  /** Resolves once the server has it: what is committed afterwards will be seen. */
  readonly started: Promise<{ readonly revision: number }>;
  close(): Promise<void>;
}
