import type {
  CallOptions,
  Duration,
  Key,
  LockRef,
  ReadOptions,
  SessionRef,
  Value,
} from './key-types.ts';

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
   * Who is in the queue already with a shorter one is refused with `lock-conflict`.
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
