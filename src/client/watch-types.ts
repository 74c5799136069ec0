import type { Key, ReadOptions, RegistryRecord } from './key-types.ts';

/** Why: asked for, its TTL ran out, its session ended, or an operator broke the lock. */
export type WatchCause = 'request' | 'expired' | 'sessionEnded' | 'broken';

/** Which keys: `key`, `prefix`, or `start` and `end`; all of them when none is given. */
export interface WatchOptions {
  readonly key?: Key;
  readonly prefix?: Key;
  /** This key and all after it ... */
  readonly start?: Key;
  /** ... up to this one, which is not watched itself; it must be after `start`. */
  readonly end?: Key;
  /** First revision wanted; the default is the next one. */
  readonly from?: number;
  /** Only puts, or only deletes. The server sends nothing else. */
  readonly events?: 'put' | 'delete';
  /** Only changes of these causes. */
  readonly causes?: readonly WatchCause[];
  /**
   * Whether events carry what the key was before: true by default. `false` spares the server and
   * the network about half the bytes of keys that are changed often.
   */
  readonly previous?: boolean;
  /** Whether marks are yielded, too: see `WatchProgressOptions`. */
  readonly progress?: false;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}
export interface WatchProgressOptions extends Omit<WatchOptions, 'progress'> {
  /**
   * Also yields marks, `{ type: 'progress', revision }`: nothing up to that revision is missing, so
   * resuming after it needs no older history. One comes every 10,000 revisions without an event,
   * sooner when history is about to be compacted, and when `Watch.progress` asks and it is not an
   * event that tells.
   */
  readonly progress: true;
}
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  readonly key: string;
  /** As it is now; for a delete with an empty value, and the revision and time of the deletion. */
  readonly record: RegistryRecord;
  /**
   * As it was before; undefined for a new key, when history no longer has it, in a revision too
   * large to send with it, and with the option `previous: false`.
   */
  readonly previous: RegistryRecord | undefined;
  readonly cause: WatchCause;
  /** No more events of this revision follow: resuming at `revision + 1` misses nothing. */
  readonly last: boolean;
}
/** Every change up to this revision was told; resuming at `revision + 1` misses nothing. */
export interface WatchProgress {
  readonly type: 'progress';
  readonly revision: number;
}
/**
 * Events in order, without gap or repeat, across reconnects and changes of leader. Throws
 * `compacted` when history no longer reaches back, and `overrun` when one revision is too large to
 * send, both with the revision to begin again at as `resumeFrom`; `closed` when the registry is.
 */
export interface Watch<Item = WatchEvent> extends AsyncIterable<Item>, AsyncDisposable {
  /** Resolves once the server has it: what is committed afterwards will be seen. */
  readonly started: Promise<{ readonly revision: number }>;
  /**
   * Asks how far the registry is, and resolves to a revision that is not below, once the iteration
   * was given every change up to there and has asked for the next. So it waits for a consumer.
   * Sees everything acknowledged before the call, unless `consistency` says otherwise. Rejects with
   * `timeout`, and with what ended the watch.
   * @example
   * const revision = await watch.progress();
   */
  progress(options?: ReadOptions): Promise<number>;
  close(): Promise<void>;
}
