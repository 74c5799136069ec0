/** The registry as users see it: the same for an embedded node and for a network client. */
import type { Election } from './election-types.ts';
import type { Consistency } from '../protocol/index.ts';
import type { Expected, SwapOptions, SwapOutcome, Transaction } from './transaction-types.ts';

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
}

export interface ListPage {
  readonly records: readonly RegistryRecord[];
  /** As of which all of them are. */
  readonly revision: number;
  /** There are more: ask again with `after` and this `revision`. */
  readonly more: boolean;
}

export interface LockOptions extends CallOptions {
  /** Refuse with `locked` at once instead of waiting. */
  readonly try?: boolean;
  /**
   * Wait at most this long for the lock, then fail with `lock-timeout`; the default waits without
   * end.
   */
  readonly wait?: Duration;
  /** The session that is to hold it. */
  readonly session?: SessionRef;
  /** Shown to whoever looks at the lock. */
  readonly metadata?: Value;
  /**
   * `exclusive`, the default, excludes everyone. `shared` is for readers: they hold together,
   * and exclude writers; a writer that waits goes before readers that come later.
   */
  readonly mode?: 'exclusive' | 'shared';
  /** Makes the name a semaphore of so many permits; all who use it at once must agree. */
  readonly limit?: number;
  /** Permits to take, with `limit`; 1 by default. */
  readonly permits?: number;
  /**
   * When the session expires while it holds, nobody else gets its place for so long: time for what
   * the holder had under way to end. A release, or closing the session, passes the lock on at once.
   */
  readonly lockDelay?: Duration;
}
export type LockMode = 'exclusive' | 'shared' | 'semaphore';

/** A place in a lock's queue. */
export interface LockPlace extends LockRef {
  readonly mode: LockMode;
  /** Of a semaphore: permits taken; else 0. */
  readonly permits: number;
  readonly held: boolean;
  /** Its session has expired; it keeps others out for its lock-delay. */
  readonly delayed: boolean;
  readonly metadata: Uint8Array;
  /** Time since it joined the queue; of a delayed one, since its session ended. */
  readonly ageMs: number;
  /**
   * Time until it goes unless its session is renewed; of a delayed one, until its delay is over.
   * Undefined when a node answered that does not lead and so does not know.
   */
  readonly remainingMs: number | undefined;
}
/** A lock that is held. */
export interface LockDetails {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly mode: LockMode;
  /** Of a semaphore: permits there are, and permits given; else 0. */
  readonly limit: number;
  readonly permits: number;
  /** The first 16 that hold. */
  readonly holders: readonly LockPlace[];
  /** How many hold, and how many wait. */
  readonly held: number;
  readonly waiting: number;
}
export interface LocksOptions extends ReadOptions {
  readonly prefix?: Key;
  readonly limit?: number;
  /** Start after this name: pass the last name of the page before. */
  readonly after?: Key;
}
export interface LocksPage {
  readonly locks: readonly LockDetails[];
  readonly revision: number;
  readonly more: boolean;
}
export interface Lock extends AsyncDisposable {
  readonly name: string;
  readonly session: number;
  /**
   * Hand it to the resource you guard: it must refuse smaller ones than it has seen. Tokens grow
   * from grant to grant in every mode; where readers hold together, let writers' tokens count.
   */
  readonly token: number;
  readonly mode: LockMode;
  /** Idempotent. */
  unlock(options?: CallOptions): Promise<void>;
}
export interface WithLockOptions extends LockOptions {
  /** TTL of the session the lock is held with, when it is opened for this call. */
  readonly ttl?: Duration;
}
/** What `withLock` gives its body. */
export interface HeldLock {
  readonly name: string;
  readonly session: number;
  /** Hand it to the resource you guard: it must refuse smaller ones than it has seen. */
  readonly token: number;
  /**
   * Aborts before the session can have expired on the cluster, judged by this process: one that is
   * paused judges nothing, which is what the token is for.
   */
  readonly signal: AbortSignal;
}

export interface SessionOptions extends CallOptions {
  /** How long it outlives its last renewal; the registry's `sessionTtl` by default. */
  readonly ttl?: Duration;
  /** Shown to operators who list sessions. */
  readonly label?: string;
  readonly metadata?: Value;
  /** Renew in the background until closed; true by default. */
  readonly keepAlive?: boolean;
}
/** A lease on everything it owns: keys put as `ephemeral` and locks go when it ends. */
export interface Session extends AsyncDisposable {
  readonly id: number;
  readonly ttlMs: number;
  /**
   * Aborts once the session may have expired, judged by the monotonic clock from the last renewal
   * sent.
   */
  readonly signal: AbortSignal;
  /** Renews now. Rejects with `session-expired` when it is gone. */
  keepAlive(options?: CallOptions): Promise<void>;
  /** Idempotent; releases everything it owns. */
  close(options?: CallOptions): Promise<void>;
}
export interface SessionDetails {
  readonly id: number;
  readonly ttlMs: number;
  readonly label: string;
  /** Cluster time in ms. */
  readonly openedAt: number;
  /** How many keys live with it, its places in the queues of locks included. */
  readonly keys: number;
}

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

/**
 * The locking registry: the same for an embedded node and for a network client.
 *
 * Writes are durable on a majority when their promise resolves. Every call rejects with
 * `HoldfastError`: `code` says what happened, `outcome` what is known of the write. Common to all
 * are `timeout`, `no-quorum`, `connection-lost`, `overloaded`, `aborted`, `closed`, and
 * `invalid-argument` or `invalid-key` for input that breaks a rule.
 *
 * Unless told otherwise a registry acts for a session of its own, opened with the first write and
 * renewed in the background: it holds the locks taken without a session, and it numbers writes, so
 * that one whose answer was lost is sent again and still happens once.
 */
export interface Registry extends AsyncDisposable {
  /**
   * The key's record, or undefined when there is none.
   * @example
   * const rate = (await registry.get('config/rate'))?.text() ?? '100';
   */
  get(key: Key, options?: GetOptions): Promise<RegistryRecord | undefined>;
  /**
   * Creates or replaces a key. Without `ttl` it gets the registry's `defaultTtl`, if any. Refused
   * with `locked` while another session holds the lock of this name; the holder's put keeps the
   * lock.
   * @example
   * await registry.put('config/rate', '100', { ttl: '10m' });
   * await registry.put('users/7', { name: 'Ada', roles: ['admin'] });
   */
  put(key: Key, value: Value, options?: PutOptions): Promise<RegistryRecord>;
  /** Resolves to what was removed. Respects the lock of this name, as `put` does. */
  delete(key: Key, options?: WriteOptions): Promise<RegistryRecord | undefined>;
  /** Takes the key's TTL away; undefined when there is no such key. */
  persist(key: Key, options?: WriteOptions): Promise<RegistryRecord | undefined>;
  /** One page of a prefix, in key order. The server also cuts pages at a size, with `more` set. */
  list(options?: ListOptions): Promise<ListPage>;
  /**
   * Every record, page after page, as of one revision.
   * @example
   * for await (const record of registry.records({ prefix: 'users/' })) console.log(record.key);
   */
  records(options?: Omit<ListOptions, 'after'>): AsyncIterable<RegistryRecord>;
  /** How many keys there are under a prefix, without sending them. */
  count(options?: CountOptions): Promise<number>;

  /**
   * Conditions, and what to do when all hold or when one does not: in one revision, or not at all.
   * Conditions look at the registry as it was before; reads see the operations before them. No key
   * may be put twice, or both put and deleted.
   * @example
   * const { succeeded } = await registry
   *   .txn()
   *   .if(compare.value('accounts/ada').equals('100'), compare.absent('transfers/7'))
   *   .then(op.put('accounts/ada', '60'), op.increment('accounts/bob', 40))
   *   .then(op.put('transfers/7', ''))
   *   .else(op.get('accounts/ada'))
   *   .commit();
   */
  txn(): Transaction<[], []>;
  /**
   * Puts only if the key is as expected: of that value, unchanged since a record was read, or
   * absent. Otherwise it tells what is there instead.
   * @example
   * const before = await registry.get('config/rate');
   * const { swapped } = await registry.compareAndSwap('config/rate', before, '200');
   */
  compareAndSwap(
    key: Key,
    expected: Expected,
    value: Value,
    options?: SwapOptions,
  ): Promise<SwapOutcome>;
  /**
   * Puts only if there is no such key.
   * @example
   * const { swapped } = await registry.putIfAbsent('owners/3', 'node a', { ephemeral: true });
   */
  putIfAbsent(key: Key, value: Value, options?: SwapOptions): Promise<SwapOutcome>;
  /**
   * Adds to a whole number kept as decimal text and resolves to the sum. An absent key is 0; TTL
   * and session of the key stay. Refused with `invalid-argument` for any other value.
   * @example
   * const ticket = await registry.increment('tickets/next');
   */
  increment(key: Key, by?: number, options?: WriteOptions): Promise<number>;
  /**
   * Removes every key with this prefix in one revision, and resolves to how many. The keys of lock
   * queues stay; one key locked by another refuses all. `too-large` beyond the registry's limit.
   */
  deletePrefix(prefix: Key, options?: WriteOptions): Promise<number>;
  /**
   * Forgets what only revisions before this one show: they can no longer be read, nor watched from.
   * Rejects with `compacted` when that was done before. It is done by age and count anyway.
   */
  compact(revision: number, options?: CallOptions): Promise<void>;

  /**
   * Takes the lock of a name, waiting in line unless `try`. It is the session that holds: again by
   * the same session it is the same lock with the same token, and the first `unlock` releases it.
   * So two callers that share a session, which all callers of one registry do unless they name
   * one, do not exclude each other; `withLock`, which opens a session for each call, excludes
   * everyone. Giving up (by `wait` or `signal`) leaves nothing in the queue. Rejects with `locked`
   * (`try`), `lock-timeout` (`wait`), `session-expired`, or `lock-conflict` when the session is in
   * the queue in another mode, or the name is in use as a semaphore of another limit, or as none.
   *
   * While a name is held, its key is written by the exclusive holder or by holders of permits only,
   * and under a shared lock by nobody.
   * @example
   * await using lock = await registry.lock('jobs/nightly', { wait: '5s' });
   * await storage.write(report, { fencingToken: lock.token });
   */
  lock(name: Key, options?: LockOptions): Promise<Lock>;
  /** By the holder's session and token only; `not-held` otherwise. */
  unlock(name: Key, lock: LockRef, options?: CallOptions): Promise<void>;
  /**
   * Runs `body` holding the lock, in a session of its own unless one is given, and releases at the
   * end. `signal` aborts before the session can have expired, and when an operator breaks the lock;
   * then the call rejects with `session-expired` or `not-held` after the body has ended. Otherwise
   * the body's result, or its error, is the call's.
   * @example
   * await registry.withLock('jobs/nightly', { wait: '5s' }, async ({ token, signal }) => {
   *   await runNightlyJob({ fencingToken: token, signal });
   * });
   */
  withLock<T>(
    name: Key,
    options: WithLockOptions,
    body: (lock: HeldLock) => Promise<T>,
  ): Promise<T>;
  /** The queue of a lock, its holders first. */
  lockQueue(name: Key, options?: ReadOptions): Promise<readonly LockPlace[]>;
  /** One page of the locks that are held, by name; the server also cuts pages at a size. */
  locks(options?: LocksOptions): Promise<LocksPage>;
  /**
   * Leader election among whoever campaigns under this name; see `Election`.
   * @example
   * const leadership = await registry.election('jobs/leader').campaign('10.0.0.7:8080');
   * await work({ fencingToken: leadership.token, signal: leadership.signal });
   * await leadership.resign();
   */
  election(name: Key): Election;
  /** For operators: releases the holder with this token, and says so in the history. */
  breakLock(name: Key, token: number, reason: string, options?: CallOptions): Promise<void>;

  /**
   * Opens a session: a lease that owns locks and ephemeral keys, and takes them along when it ends.
   * @example
   * await using session = await registry.openSession({ ttl: '10s', label: 'worker 7' });
   * await registry.put('workers/7', 'up', { session, ephemeral: true });
   */
  openSession(options?: SessionOptions): Promise<Session>;
  /**
   * Ends a session wherever it was opened, with everything it owns. `not-found` when it is gone.
   */
  closeSession(id: number, options?: CallOptions): Promise<void>;
  /** Every open session. */
  sessions(options?: ReadOptions): Promise<readonly SessionDetails[]>;

  /**
   * Changes as they are committed, from now or from a revision on, until it is closed. Throws
   * `invalid-argument` at once for options that break a rule; all else comes with the iteration.
   * @example
   * for await (const event of registry.watch({ prefix: 'config/' })) {
   *   console.log(event.type, event.key, event.record.text());
   * }
   */
  watch(options?: WatchOptions): Watch;
  /** The latest revision. */
  revision(options?: ReadOptions): Promise<number>;
  /**
   * Ends the registry's own session and everything that waits. Sessions opened from it are renewed
   * no more and end with their TTL. An embedded registry is closed by its node's `stop`.
   */
  close(): Promise<void>;
}
