/**
 * The registry's vocabulary: what is stored, what may be asked, what is answered. All keys, names
 * and labels are byte strings (one char, one byte; see `base/bytes.ts`): hashable, ordered as
 * bytes.
 */
import type { Brand } from '../base/index.ts';

export type ByteString = string;
/** Global counter of changes; +1 per command that changes anything. 0: before the first. */
export type Revision = Brand<number, 'Revision'>;
/** Log index of the command that opened the session; 0 stands for "none". */
export type SessionId = Brand<number, 'SessionId'>;
/** The `createRevision` of the holder's queue key: strictly grows from holder to holder. */
export type FencingToken = Brand<number, 'FencingToken'>;

/** Who holds the lock of a name. */
export interface LockHolder {
  readonly session: SessionId;
  readonly token: FencingToken;
}

/** One key as it is at some revision. */
export interface KeyRecord {
  readonly key: ByteString;
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Changes since creation; 1 for a new key. */
  readonly version: number;
  /** The session the key lives and dies with; 0 for none. */
  readonly session: SessionId;
  /** Cluster time in ms at which it expires; undefined for never. */
  readonly expiresAt: number | undefined;
  /** The node through which it was last written. */
  readonly node: ByteString;
  /** Cluster time in ms of the last write. */
  readonly time: number;
}

/**
 * A key's record and who holds the lock of that name; `record` is undefined for a locked but absent
 * key.
 */
export interface KeyView {
  readonly record: KeyRecord | undefined;
  readonly lock: LockHolder | undefined;
}

/**
 * Put before every command. `session` acts: it owns what is created, and counts as lock holder.
 * With a `sequence` above 0 a retry of the same (session, sequence) gets the first answer again;
 * answers up to `acknowledged` are no longer needed.
 */
export interface CommandHeader {
  readonly session: SessionId;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly node: ByteString;
}

export type RegistryCommand =
  | {
      readonly type: 'put';
      readonly key: ByteString;
      readonly value: Uint8Array;
      /** 0: the key does not expire by itself. */
      readonly ttlMs: number;
      /** Tie the key to the acting session. */
      readonly ephemeral: boolean;
      /** Also take the lock of this name for the acting session, or refuse the whole put. */
      readonly lock: boolean;
    }
  | { readonly type: 'delete'; readonly key: ByteString }
  | { readonly type: 'persist'; readonly key: ByteString }
  /**
   * Takes the lock, or with `wait` joins its queue. Again by a session in the queue: the same
   * token.
   */
  | {
      readonly type: 'lock';
      readonly name: ByteString;
      readonly wait: boolean;
      /** Shown to whoever looks at the lock. */
      readonly metadata: Uint8Array;
    }
  /** Leaves the queue, whether holding or waiting. `token` must be the one the session got. */
  | {
      readonly type: 'unlock';
      readonly name: ByteString;
      readonly session: SessionId;
      readonly token: FencingToken;
    }
  /** An operator's forced release of the present holder, when `token` is (still) theirs. */
  | {
      readonly type: 'breakLock';
      readonly name: ByteString;
      readonly token: FencingToken;
      readonly reason: ByteString;
    }
  | {
      readonly type: 'openSession';
      readonly ttlMs: number;
      readonly label: ByteString;
      readonly metadata: Uint8Array;
    }
  | { readonly type: 'closeSession'; readonly session: SessionId }
  /** Proposed by the leader: these sessions were not kept alive. */
  | { readonly type: 'expireSessions'; readonly sessions: readonly SessionId[] }
  /** Proposed by the leader so that what is due expires though nothing else flows. */
  | { readonly type: 'tick' }
  | { readonly type: 'compact'; readonly revision: Revision };

export type RegistryErrorCode =
  | 'invalid-command'
  | 'invalid-key'
  | 'invalid-argument'
  | 'too-large'
  | 'locked'
  | 'not-held'
  | 'not-found'
  | 'session-expired'
  | 'sequence-too-old'
  | 'compacted'
  | 'overloaded';

/** Deterministic: every replica gives the same answer to the same command. */
export type RegistryResult =
  | { readonly type: 'error'; readonly code: RegistryErrorCode; readonly message: ByteString }
  /** `view`: the key after a put or persist, or as it was before a delete. */
  | { readonly type: 'key'; readonly revision: Revision; readonly view: KeyView }
  | {
      readonly type: 'lock';
      readonly revision: Revision;
      readonly token: FencingToken;
      readonly held: boolean;
      /**
       * Sessions ahead in the queue, the holder first; empty when held. Of more than 16 only the
       * holder and the one directly ahead: answers are kept for retries, one for each who waits.
       */
      readonly ahead: readonly LockHolder[];
    }
  | {
      readonly type: 'session';
      readonly revision: Revision;
      readonly session: SessionId;
      readonly ttlMs: number;
    }
  | { readonly type: 'done'; readonly revision: Revision };

/** A session as it can be looked at. */
export interface SessionInfo {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly label: ByteString;
  readonly metadata: Uint8Array;
  /** Cluster time in ms. */
  readonly openedAt: number;
  readonly keys: number;
}

export type RegistryQuery =
  | { readonly type: 'get'; readonly key: ByteString }
  | {
      readonly type: 'range';
      readonly start: ByteString;
      /** Exclusive; undefined: to the last key. */
      readonly end: ByteString | undefined;
      /** 0: no limit of this kind. The answer is also cut at a size limit, with `more` set. */
      readonly limit: number;
      readonly keysOnly: boolean;
      /** 0: the latest. */
      readonly revision: Revision;
    }
  /** The lock's queue, the holder first. */
  | { readonly type: 'lockQueue'; readonly name: ByteString }
  | { readonly type: 'sessions' }
  | { readonly type: 'stats' };

export interface LockQueueEntry extends LockHolder {
  readonly metadata: Uint8Array;
  /** Cluster time in ms at which it joined the queue. */
  readonly since: number;
}

export interface RegistryStats {
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly keys: number;
  readonly sessions: number;
  readonly time: number;
}

export type RegistryAnswer =
  | { readonly type: 'error'; readonly code: RegistryErrorCode; readonly message: ByteString }
  | { readonly type: 'get'; readonly revision: Revision; readonly view: KeyView }
  | {
      readonly type: 'range';
      readonly revision: Revision;
      readonly views: readonly KeyView[];
      readonly more: boolean;
    }
  | {
      readonly type: 'lockQueue';
      readonly revision: Revision;
      readonly queue: readonly LockQueueEntry[];
    }
  | {
      readonly type: 'sessions';
      readonly revision: Revision;
      readonly sessions: readonly SessionInfo[];
    }
  | { readonly type: 'stats'; readonly stats: RegistryStats };

/** Asked of the leader only. */
export type LeaseQuery = { readonly type: 'keepAlive'; readonly sessions: readonly SessionId[] };
export type LeaseAnswer = {
  readonly type: 'keepAlive';
  /** One per session asked for: its TTL in ms, or 0 when there is no such session (any more). */
  readonly ttlMs: readonly number[];
};

/** One change of one key. All changes of one revision belong together. */
export interface KeyEvent {
  readonly type: 'put' | 'delete';
  /**
   * For a delete: key and the revision, time and node of the deletion, with an empty value (the
   * operator's reason, when the cause is `broken`).
   */
  readonly record: KeyRecord;
  /** The key before, when history still has it. */
  readonly previous: KeyRecord | undefined;
  /** Why a key went: asked for, its TTL, its session's end, or an operator's break. */
  readonly cause: 'request' | 'expired' | 'sessionEnded' | 'broken';
}

/** Every change one revision made, in the order it made them. */
export interface RevisionEvents {
  readonly revision: Revision;
  readonly events: readonly KeyEvent[];
}

/** Limits that every replica must agree on, since `apply` enforces them. */
export interface RegistryLimits {
  /** Also of a lock's name; the queue keys made from it are longer by `/` and 16 digits. */
  readonly maxKeyBytes: number;
  /** Of one key's value. */
  readonly maxValueBytes: number;
  /** Of a label, a reason, a node's name, and the metadata of a session or a lock. */
  readonly maxLabelBytes: number;
  /** Open at once; one more is refused as `overloaded`. */
  readonly maxSessions: number;
  readonly minSessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  /** Of a key. */
  readonly maxTtlMs: number;
  /** Answers kept per session for retries; a client may have this many commands unacknowledged. */
  readonly maxWindow: number;
  /** A session whose kept answers together exceed this is refused until it acknowledges some. */
  readonly maxWindowBytes: number;
  /** History is compacted to the newest so many revisions ... */
  readonly historyRevisions: number;
  /** ... and to those younger than this, in cluster time ... */
  readonly historyMs: number;
  /** ... and to the newest whose keys and values are together no more than this. */
  readonly historyBytes: number;
}
