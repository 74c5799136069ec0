/** The registry as users see it: the same for an embedded node and for a network client. */
import type { Codec } from './codecs.ts';
import type { Election } from './election-types.ts';
import type { HashTree } from './hash-tree-types.ts';
import type {
  CallOptions,
  CountOptions,
  GetOptions,
  Key,
  ListOptions,
  ListPage,
  LockRef,
  PutOptions,
  ReadOptions,
  RegistryRecord,
  Value,
  WriteOptions,
} from './key-types.ts';
import type {
  HeldLock,
  Lock,
  LockOptions,
  LockPlace,
  LocksOptions,
  LocksPage,
  WithLockOptions,
} from './lock-types.ts';
import type { NoticeOptions, Notices } from './notice-types.ts';
import type { RegistryMaps } from './map-types.ts';
import type { Session, SessionDetails, SessionOptions } from './session-types.ts';
import type { Table, TableDetails, TableOptions } from './table-types.ts';
import type { Expected, SwapOptions, SwapOutcome, Transaction } from './transaction-types.ts';
import type { TypedRegistry } from './typed-registry.ts';
import type {
  Watch,
  WatchEvent,
  WatchOptions,
  WatchProgress,
  WatchProgressOptions,
} from './watch-types.ts';

export type * from './key-types.ts';
export type * from './hash-tree-types.ts';
export type * from './lock-types.ts';
export type * from './map-types.ts';
export type * from './notice-types.ts';
export type * from './session-types.ts';
export type * from './table-types.ts';
export type * from './watch-types.ts';

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
 * that one whose answer was lost is sent again and still happens once. Should it end while this
 * client cannot reach the cluster, writes go on with a new one; but if it was ever asked for a lock
 * or an ephemeral key, the first write fails with `session-expired`, since those are gone.
 */
export interface Registry extends RegistryMaps, AsyncDisposable {
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
  /** Hash trees, by which replicas are compared; `verify` of a client or a node does it all. */
  readonly hashTree: HashTree;
  /** For operators: releases the holder with this token, and says so in the history. */
  breakLock(name: Key, token: number, reason: string, options?: CallOptions): Promise<void>;

  /**
   * Opens a table, or finds it as somebody else opened it. Its entries are put where none is, and
   * edges tie them to the life of sessions: see `EdgeType`, and `notices` for what is told.
   * @example
   * const workers = await registry.table('workers');
   * await workers.storeConnect('link', session, 'worker/7', '10.0.0.7:80');
   * await workers.connect('monitor', 'self', 'worker/7');
   */
  table(name: Key, options?: TableOptions): Promise<Table>;
  /** Every table that is open, by name. */
  tables(options?: ReadOptions): Promise<readonly TableDetails[]>;
  /**
   * What a session is told of the ends of its edges, each once. Without `session` it is the
   * registry's own, which traps exits. One consumer a session at a time.
   * @example
   * for await (const { connection, reason } of registry.notices()) {
   *   console.log(`${connection.key} is gone: ${reason.type}`);
   * }
   */
  notices(options?: NoticeOptions): Notices;

  /**
   * Opens a session: a lease that owns locks and ephemeral keys, and takes them along when it ends.
   * @example
   * await using session = await registry.openSession({ ttl: '10s', label: 'worker 7' });
   * await registry.put('workers/7', 'up', { session, ephemeral: true });
   */
  openSession(options?: SessionOptions): Promise<Session>;
  /**
   * Ends a session wherever it was opened, with everything it owns. `session-expired` when it is
   * gone.
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
   * @example
   * for await (const item of registry.watch({ prefix: 'jobs/', from, progress: true })) {
   *   if (item.type !== 'progress') await handle(item);
   *   if (item.type === 'progress' || item.last) await remember(item.revision + 1);
   * }
   */
  watch(options: WatchProgressOptions): Watch<WatchEvent | WatchProgress>;
  watch(options?: WatchOptions): Watch;
  /**
   * The calls that carry values, for values of one type: checked and encoded before they are sent,
   * decoded when they are looked at.
   * @example
   * const users = registry.as(codecs.zod(z.object({ name: z.string() })));
   * await users.put('users/7', { name: 'Ada' });
   * const name = (await users.get('users/7'))?.data.name;
   */
  as<T>(codec: Codec<T>): TypedRegistry<T>;
  /** The latest revision. */
  revision(options?: ReadOptions): Promise<number>;
  /**
   * Ends the registry's own session and everything that waits. Sessions opened from it are renewed
   * no more and end with their TTL. An embedded registry is closed by its node's `stop`.
   */
  close(): Promise<void>;
}
