import { HoldfastError, utf8ToByteString } from '../base/index.ts';
import type { FencingToken, RangeQuery, Revision, SessionId } from '../registry/index.ts';
import { Actors } from './actors.ts';
import { knownOptions, type KindOfCall } from './call-options.ts';
import { consistencyOf, wholeNumber } from './checks.ts';
import { parseDuration } from './duration.ts';
import { edgeView, encodeKey, encodeValue, pageRange, textOf } from './edge.ts';
import { UNFILTERED } from '../protocol/index.ts';
import type { Codec } from './codecs.ts';
import { RegistryElection, type ElectionHost } from './election.ts';
import type { Election } from './election-types.ts';
import type { ClientEnvironment } from './environment.ts';
import { ClientHashTree } from './hash-tree.ts';
import type { Link } from './link.ts';
import { lockDetails, lockPlace } from './lock-edge.ts';
import type { LockHost } from './lock-waiting.ts';
import type { MemberCalls } from './member-calls.ts';
import { Locks } from './locks.ts';
import type { MapDetails, RawMap } from './map-types.ts';
import { Maps, type AnyMapOptions } from './maps.ts';
import type { NoticeOptions, Notices } from './notice-types.ts';
import { ttlOf, type RegistrySettings } from './options.ts';
import { countQuery, listQuery } from './list-query.ts';
import { compareAndSwap, deletePrefix, increment } from './conveniences.ts';
import { transaction, type Commit } from './transaction.ts';
import type { Expected, SwapOptions, SwapOutcome, Transaction } from './transaction-types.ts';
import { allSessions, wholeQueue } from './pages.ts';
import {
  answerOf,
  NOBODY,
  Proposals,
  resultOf,
  type Patience,
  type QueryAnswer,
} from './proposals.ts';
import { foundRecord, getQuery, putRecord } from './found-records.ts';
import { countAll, readPage } from './range-pages.ts';
import type {
  CallOptions,
  CountOptions,
  GetOptions,
  HeldLock,
  Key,
  ListOptions,
  ListPage,
  Lock,
  LockOptions,
  LockPlace,
  LockRef,
  LocksOptions,
  LocksPage,
  PutOptions,
  ReadOptions,
  Registry,
  RegistryRecord,
  Session,
  SessionDetails,
  SessionOptions,
  SessionRef,
  Value,
  Watch,
  WatchEvent,
  WatchOptions,
  WatchProgress,
  WatchProgressOptions,
  WithLockOptions,
  WriteOptions,
} from './registry.ts';
import { SessionClock } from './session-clock.ts';
import type { Table, TableDetails, TableOptions } from './table-types.ts';
import { Tables } from './tables.ts';
import { CodecRegistry, type TypedRegistry } from './typed-registry.ts';
import type { StopSignal } from './waiting.ts';
import { EVENTS, EVENTS_AND_PROGRESS, type WatchItems } from './watch-items.ts';
import { watchSubject, type WatchSubject } from './watch-request.ts';
import { WatchStream, type WatchStreamHost } from './watch-stream.ts';
import { runHolding } from './with-lock.ts';

/** Of the session a `withLock` opens; names of locks may be longer. */
const MAX_LABEL_LENGTH = 256;

/** The registry over a link: the same for an embedded node and for a network client. */
export class RegistryClient implements Registry {
  readonly hashTree: ClientHashTree;
  readonly #link: Link;
  readonly #settings: RegistrySettings;
  readonly #proposals: Proposals;
  readonly #actors: Actors;
  readonly #locks: Locks;
  readonly #members: MemberCalls;
  readonly #tables: Tables;
  readonly #maps: Maps;
  readonly #environment: ClientEnvironment;
  readonly #watchHost: WatchStreamHost;
  #closing: Promise<void> | undefined = undefined;

  constructor(
    link: Link,
    environment: ClientEnvironment,
    settings: RegistrySettings,
    members: MemberCalls,
  ) {
    this.#link = link;
    this.#environment = environment;
    this.#settings = settings;
    this.#proposals = new Proposals(link, environment);
    this.#watchHost = {
      link,
      environment,
      latest: (options) => this.revision(options),
      patience: (options) => this.#patience(options),
    };
    const clock = new SessionClock(environment);
    link.onArrival(clock.check);
    const patience = (options: CallOptions | undefined): Patience => this.#patience(options);
    const host = { link, proposals: this.#proposals, clock, patience };
    this.#actors = new Actors(host, settings);
    const waiting: LockHost = {
      proposals: this.#proposals,
      link,
      patience,
      watchKeys: (start, end, from, signal) => {
        const filter = { ...UNFILTERED, previous: false };
        return this.#watch({ start, end, filter }, from, signal, EVENTS);
      },
    };
    this.#locks = new Locks(waiting);
    this.#members = members;
    this.hashTree = new ClientHashTree({
      proposals: this.#proposals,
      members,
      patience,
      actorFor: (ref, until) => this.#actors.actorFor(ref, until, true),
    });
    const acting = {
      ...waiting,
      actorFor: (ref: SessionRef | undefined, until: Patience, needed: boolean) =>
        this.#actors.actorFor(ref, until, needed),
      ownSession: () => this.#actors.own,
    };
    this.#tables = new Tables({
      ...acting,
      propose: (command, ref, until, needed) => this.#actors.propose(command, ref, until, needed),
    });
    this.#maps = new Maps(acting);
  }

  get(key: Key, options: GetOptions = {}): Promise<RegistryRecord | undefined> {
    try {
      const query = getQuery(encodeKey(key), wholeNumber(options.revision ?? 0, 'revision'));
      const patience = this.#patience(options, 'get');
      return this.#proposals.queryFor(query, consistencyOf(options), patience, foundRecord);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  put(key: Key, value: Value, options: PutOptions = {}): Promise<RegistryRecord> {
    try {
      const command = {
        type: 'put',
        key: encodeKey(key),
        value: encodeValue(value),
        ttlMs: ttlOf(options) ?? this.#settings.defaultTtlMs,
        ephemeral: options.ephemeral === true,
        lock: options.lock === true,
      } as const;
      const patience = this.#patience(options, 'put');
      const needsSession = command.ephemeral || command.lock;
      const { session } = options;
      return this.#actors.proposeFor(command, session, patience, needsSession, putRecord);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(key: Key, options: WriteOptions = {}): Promise<RegistryRecord | undefined> {
    return this.#changeKey('delete', key, options);
  }

  persist(key: Key, options: WriteOptions = {}): Promise<RegistryRecord | undefined> {
    return this.#changeKey('persist', key, options);
  }

  async list(options: ListOptions = {}): Promise<ListPage> {
    const query = listQuery(options);
    const patience = this.#patience(options, 'list');
    const ask = (part: RangeQuery): Promise<QueryAnswer> =>
      this.#proposals.query(part, consistencyOf(options), patience);
    const { views, revision, time, more } = await readPage(query, ask);
    const records = views
      .map((view) => edgeView(view, time))
      .filter((record) => record !== undefined);
    return { records, revision, more };
  }

  async *records(options: Omit<ListOptions, 'after'> = {}): AsyncGenerator<RegistryRecord> {
    if ((options.sortBy ?? 'key') !== 'key' || options.descending === true) {
      const rule = 'records() gives key order: list() sorts one page';
      throw new HoldfastError('invalid-argument', rule);
    }
    let left = options.limit ?? Infinity;
    let page = await this.list(options);
    // Answers to later pages tell of newer revisions, at which they were not read.
    const asked = options.revision ?? 0;
    const revision = asked === 0 ? page.revision : asked;
    while (left > 0) {
      for (const record of page.records) {
        if (left-- <= 0) return;
        yield record;
      }
      const last = page.records.at(-1);
      if (!page.more || last === undefined) return;
      const limit = left === Infinity ? {} : { limit: left };
      page = await this.list({ ...options, ...limit, revision, after: last.keyBytes });
    }
  }

  async count(options: CountOptions = {}): Promise<number> {
    const query = countQuery(options);
    const patience = this.#patience(options, 'count');
    return countAll(query, (part) => this.#proposals.query(part, consistencyOf(options), patience));
  }

  txn(): Transaction<[], []> {
    return transaction(this.#commit);
  }

  compareAndSwap(
    key: Key,
    expected: Expected,
    value: Value,
    options: SwapOptions = {},
  ): Promise<SwapOutcome> {
    return compareAndSwap(this.#commit, key, expected, value, options);
  }

  putIfAbsent(key: Key, value: Value, options: SwapOptions = {}): Promise<SwapOutcome> {
    return compareAndSwap(this.#commit, key, undefined, value, options);
  }

  increment(key: Key, by = 1, options: WriteOptions = {}): Promise<number> {
    return increment(this.#commit, key, by, options);
  }

  deletePrefix(prefix: Key, options: WriteOptions = {}): Promise<number> {
    return deletePrefix(this.#commit, prefix, options);
  }

  async compact(revision: number, options?: CallOptions): Promise<void> {
    const whole = wholeNumber(revision, 'revision') as Revision;
    const patience = this.#patience(options, 'call');
    const command = { type: 'compact', revision: whole } as const;
    await this.#actors.propose(command, undefined, patience, false);
  }

  async lock(name: Key, options: LockOptions = {}): Promise<Lock> {
    const key = encodeKey(name, 'name');
    const waitMs = waitOf(options);
    const actor = await this.#actors.actorFor(
      options.session,
      this.#patience(options, 'lock'),
      true,
    );
    return this.#locks.lock(key, actor, options, waitMs);
  }

  async unlock(name: Key, lock: LockRef, options?: CallOptions): Promise<void> {
    const key = encodeKey(name, 'name');
    const session = wholeNumber(lock.session, 'session') as SessionId;
    const token = wholeNumber(lock.token, 'token') as FencingToken;
    const actor = await this.#actors.actorFor(undefined, this.#patience(options, 'call'), false);
    await this.#locks.unlock({ name: key, session, token }, actor, options);
  }

  async withLock<T>(
    name: Key,
    options: WithLockOptions,
    body: (lock: HeldLock) => Promise<T>,
  ): Promise<T> {
    knownOptions('withLock', options);
    const key = encodeKey(name, 'name');
    const waitMs = waitOf(options);
    if (options.session !== undefined) {
      const actor = await this.#actors.actorFor(options.session, this.#patience(options), true);
      await using lock = await this.#locks.lock(key, actor, options, waitMs);
      return await runHolding(this.#locks, lock, actor, body);
    }
    const label = `lock ${textOf(key)}`.slice(0, MAX_LABEL_LENGTH);
    const { ttl, timeout, signal } = options;
    await using session = await this.#actors.open({
      label,
      ...(ttl === undefined ? {} : { ttl }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(signal === undefined ? {} : { signal }),
    });
    const lock = await this.#locks.lock(key, session, options, waitMs);
    try {
      return await runHolding(this.#locks, lock, session, body);
    } finally {
      lock.forget();
    }
  }

  async lockQueue(name: Key, options: ReadOptions = {}): Promise<readonly LockPlace[]> {
    const key = encodeKey(name, 'name');
    const patience = this.#patience(options, 'read');
    const consistency = consistencyOf(options);
    const { queue, time } = await wholeQueue(this.#proposals, key, consistency, patience);
    return queue.map((entry) => lockPlace(entry, time));
  }

  async locks(options: LocksOptions = {}): Promise<LocksPage> {
    const limit = wholeNumber(options.limit ?? 0, 'limit');
    const query = { type: 'locks', ...pageRange(options), limit } as const;
    const patience = this.#patience(options, 'locks');
    const answer = await this.#proposals.query(query, consistencyOf(options), patience);
    const { locks, revision, more, time } = answerOf(answer, 'locks');
    return { locks: locks.map((info) => lockDetails(info, time)), revision, more };
  }

  election(name: Key): Election {
    encodeKey(name, 'name');
    const openSession = (options: SessionOptions): Promise<Session> => this.openSession(options);
    const host = { registry: this, openSession, lock: this.#lockForElection };
    return new RegistryElection(host, name);
  }

  readonly #lockForElection: ElectionHost['lock'] = async (name, own, options) => {
    const session = own ?? options.session;
    const actor = await this.#actors.actorFor(session, this.#patience(options, 'campaign'), true);
    const key = encodeKey(name, 'name');
    const lock = await this.#locks.lock(key, actor, options, waitOf(options));
    const watchOver = (lost: (error: HoldfastError) => void): (() => void) => {
      const watching = this.#locks.watchOver(lock, actor, lost);
      return () => {
        watching.end(new HoldfastError('aborted', 'the leader resigns'));
        watching.dispose();
      };
    };
    return { lock, watchOver };
  };

  async breakLock(name: Key, token: number, reason: string, options?: CallOptions): Promise<void> {
    const command = {
      type: 'breakLock',
      name: encodeKey(name, 'name'),
      token: wholeNumber(token, 'token') as FencingToken,
      reason: utf8ToByteString(reason),
    } as const;
    const patience = this.#patience(options, 'call');
    await this.#actors.propose(command, undefined, patience, false);
  }

  readonly map: Registry['map'] = <Out, In>(name: string, options?: AnyMapOptions) =>
    this.#maps.open<Out, In>(name, options ?? {});

  rawMap(name: string): RawMap {
    return this.#maps.raw(name);
  }

  maps(options: ReadOptions = {}): Promise<readonly MapDetails[]> {
    return this.#maps.list(options);
  }

  table(name: Key, options: TableOptions = {}): Promise<Table> {
    return this.#tables.open(name, options);
  }

  tables(options: ReadOptions = {}): Promise<readonly TableDetails[]> {
    return this.#tables.list(options);
  }

  notices(options: NoticeOptions = {}): Notices {
    return this.#tables.notices(options);
  }

  openSession(options: SessionOptions = {}): Promise<Session> {
    return this.#actors.open(options);
  }

  async closeSession(id: number, options?: CallOptions): Promise<void> {
    const session = wholeNumber(id, 'session') as SessionId;
    const command = { type: 'closeSession', session } as const;
    await this.#proposals.propose(command, NOBODY, this.#patience(options, 'call'), true);
  }

  async sessions(options: ReadOptions = {}): Promise<readonly SessionDetails[]> {
    const patience = this.#patience(options, 'read');
    const all = await allSessions(this.#proposals, consistencyOf(options), patience);
    return all.map((session) => {
      const { id, ttlMs, label, openedAt, trapExits, keys } = session;
      return { id, ttlMs, label: textOf(label), openedAt, trapExits, keys };
    });
  }

  watch(options: WatchProgressOptions): Watch<WatchEvent | WatchProgress>;
  watch(options?: WatchOptions): Watch;
  watch(
    options: WatchOptions | WatchProgressOptions = {},
  ): Watch | Watch<WatchEvent | WatchProgress> {
    const { from, ...subject } = watchSubject(options);
    return options.progress === true
      ? this.#watch(subject, from, options.signal, EVENTS_AND_PROGRESS)
      : this.#watch(subject, from, options.signal, EVENTS);
  }

  as<T>(codec: Codec<T>): TypedRegistry<T> {
    return new CodecRegistry(this, codec);
  }

  async revision(options: ReadOptions = {}): Promise<number> {
    const patience = this.#patience(options, 'read');
    const asked = { type: 'stats' } as const;
    const answer = await this.#proposals.query(asked, consistencyOf(options), patience);
    return answerOf(answer, 'stats').stats.revision;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#locks.close();
    this.#maps.close();
    this.#tables.close();
    await this.#actors.close();
    this.#members.close();
    this.#link.close();
  }

  readonly #commit: Commit = async (encode, needsSession, options) => {
    const command = encode(this.#settings.defaultTtlMs);
    const patience = this.#patience(options);
    const { session } = options;
    const { result } = await this.#actors.propose(command, session, patience, needsSession);
    return resultOf(result, 'txn');
  };

  async #changeKey(
    type: 'delete' | 'persist',
    key: Key,
    options: WriteOptions,
  ): Promise<RegistryRecord | undefined> {
    const command = { type, key: encodeKey(key) } as const;
    const patience = this.#patience(options, 'write');
    try {
      const { result } = await this.#actors.propose(command, options.session, patience, false);
      return edgeView(resultOf(result, 'key').view);
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  #watch<Item>(
    subject: WatchSubject,
    from: number,
    signal: StopSignal | undefined,
    items: WatchItems<Item>,
  ): WatchStream<Item> {
    const { seenRevision } = this.#proposals;
    const host = this.#watchHost;
    return new WatchStream({ host, subject, items, from, seenRevision, signal });
  }

  #patience(options: CallOptions | undefined, kind?: KindOfCall): Patience {
    knownOptions(kind, options);
    const { requestTimeoutMs } = this.#settings;
    const timeoutMs =
      options?.timeout === undefined ? requestTimeoutMs : parseDuration(options.timeout, 'timeout');
    return { deadlineMs: this.#environment.now() + timeoutMs, signal: options?.signal };
  }
}

/** Undefined waits without end. */
function waitOf(options: LockOptions): number | undefined {
  if (options.wait === undefined) return undefined;
  if (options.try === true) {
    throw new HoldfastError('invalid-argument', 'a lock takes try or wait, not both');
  }
  return parseDuration(options.wait, 'wait');
}
