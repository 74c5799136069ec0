/** Keys, values, and how they are read and written. */
import type { Consistency } from '../protocol/index.ts';
import type { Codec } from './codecs.ts';
import type { Session } from './session-types.ts';

/**
 * Text keys are UTF-8; a key is never empty and, by default, at most 1 KiB. Keys that end in
 * `/` and 16 lowercase hex digits are reserved for the queues of locks.
 */
export type Key = string | Uint8Array;
/**
 * Bytes are stored as they are and strings as UTF-8. Everything else (numbers, booleans, null,
 * arrays, plain objects) is stored as its JSON text.
 */
export type Value = Uint8Array | JsonValue;
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Milliseconds as a number, or `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = number | string;

export interface CallOptions {
  /** How long to wait for an answer; the default is the client's `requestTimeout`. */
  readonly timeout?: Duration;
  /** Ends the waiting, not the write. */
  readonly signal?: AbortSignal;
}
export interface ReadOptions extends CallOptions {
  /**
   * `linearizable` by default: sees everything acknowledged before the call, on any node. `lease`
   * saves the leader's question to the others while its lease holds, and trusts that clocks run at
   * about the same pace. `local` is what the asked node has applied: it needs no quorum, and may be
   * old.
   */
  readonly consistency?: Consistency;
}
export interface PutOptions extends CallOptions {
  /** The key expires this long after the write, in cluster time. */
  readonly ttl?: Duration;
  /** The key never expires by itself, whatever the registry's default TTL. */
  readonly persist?: boolean;
  /** Tie the key to the acting session: it goes when the session ends. */
  readonly ephemeral?: boolean;
  /** Take the lock of this name in the same step, or refuse the whole put. */
  readonly lock?: boolean;
  /** Act for this session instead of the registry's own. */
  readonly session?: SessionRef;
}
export interface WriteOptions extends CallOptions {
  /** Act for this session instead of the registry's own. */
  readonly session?: SessionRef;
}
export interface GetOptions extends ReadOptions {
  /** Read as of this revision; `compacted` when history no longer reaches it. */
  readonly revision?: number;
}
/** The bounds of revisions are inclusive. */
export interface CountOptions extends GetOptions {
  /** Keys that begin with it; every key when absent. */
  readonly prefix?: Key;
  /** Only keys last changed at this revision or later ... */
  readonly minModRevision?: number;
  /** ... or at this revision or earlier. */
  readonly maxModRevision?: number;
  /** Only keys created at this revision or later ... */
  readonly minCreateRevision?: number;
  /** ... or at this revision or earlier. */
  readonly maxCreateRevision?: number;
}
export interface ListOptions extends CountOptions {
  /** At most so many records in the page. */
  readonly limit?: number;
  /** Leave the values empty. */
  readonly keysOnly?: boolean;
  /** Start after this key: pass the last key of the page before. In key order only. */
  readonly after?: Key;
  /** The limit cuts what is sorted already; equal ones are in key order. `key` by default. */
  readonly sortBy?: 'key' | 'version' | 'createRevision' | 'modRevision' | 'value';
  readonly descending?: boolean;
}
/** A session, or its id. */
export type SessionRef = number | Session;

/** Who holds a lock: the session, and the fencing token it was given. */
export interface LockRef {
  readonly session: number;
  readonly token: number;
}

/** One key as it is at some revision. */
export interface RegistryRecord {
  /** As text; bytes that are not UTF-8 show as U+FFFD, see `keyBytes`. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly value: Uint8Array;
  /** The revision that made the key. */
  readonly createRevision: number;
  /** The revision of its last change. */
  readonly modRevision: number;
  /** Changes since it was made; 1 for a new key. */
  readonly version: number;
  /** The session the key lives with; undefined for none. */
  readonly session: number | undefined;
  /** Cluster time in ms since the cluster was founded; undefined: never. */
  readonly expiresAt: number | undefined;
  /**
   * Ms it had left when the cluster answered, by the cluster's clock: counted from the last log
   * entry that the answering node knows of, which on a follower of a quiet cluster may be a while
   * ago. Undefined when it never expires, and where the time is not told: in what transactions read
   * or remove, and in watches.
   */
  readonly ttlMs: number | undefined;
  /** Who holds the lock of this name; undefined for nobody, and in what a watch shows. */
  readonly lock: LockRef | undefined;
  /** Id of the node through which it was last written. */
  readonly node: string;
  /** Cluster time in ms of its last change. */
  readonly time: number;
  /** The value as UTF-8 text. */
  text(): string;
  /** The value parsed as JSON. Throws a `SyntaxError` when it is not JSON. */
  json(): unknown;
  /**
   * The value as a codec reads it. Throws `invalid-value` when it refuses.
   * @example
   * const user = record.as(codecs.zod(userSchema));
   */
  as<T>(codec: Codec<T>): T;
}

export interface ListPage {
  readonly records: readonly RegistryRecord[];
  /** As of which all of them are. */
  readonly revision: number;
  /** There are more: ask again with `after` and this `revision`. */
  readonly more: boolean;
}
