/**
 * The registry's vocabulary: what is stored, what may be asked, what is answered. All keys, names
 * and labels are byte strings (one char, one byte; see `base/bytes.ts`): hashable, ordered as
 * bytes.
 */
import type { Brand } from '../base/index.ts';
import type { RegistryLimits } from './limit-types.ts';
import type { MapCommand, MapResult } from './map-types.ts';
import type { TableCommand, TableResult } from './table-types.ts';
import type { TreeAnswer, TreeCommand, TreeQuery, TreeResult } from './tree-types.ts';

export type { RegistryLimits };

export type ByteString = string;
/** Global counter of changes; +1 per command that changes anything. 0: before the first. */
export type Revision = Brand<number, 'Revision'>;
/** Log index of the command that opened the session; 0 stands for "none". */
export type SessionId = Brand<number, 'SessionId'>;
/**
 * The `createRevision` of the holder's queue key: strictly grows from grant to grant, whatever the
 * mode. A resource that refuses smaller tokens than it has seen is safe under exclusive locks.
 * Where readers share it, only writers' tokens count: a reader's token is above those of all
 * writers before it and below those of all after.
 */
export type FencingToken = Brand<number, 'FencingToken'>;

/** Who holds the lock of a name. */
export interface LockHolder {
  readonly session: SessionId;
  readonly token: FencingToken;
}

/**
 * How a lock is held: `exclusive` by one; `shared` by any number of readers together; `semaphore`
 * by as many as its permits last for. Exclusive and shared places stand in one queue; a name is a
 * semaphore, of one limit, as long as anyone is in its queue.
 *
 * While a name is held, who may write the key of that name: exclusively held, its holder; as a
 * semaphore, whoever holds permits; shared, nobody, so that readers see one value as long as they
 * hold.
 */
export type LockMode = 'exclusive' | 'shared' | 'semaphore';

/** What a place in a lock's queue is asked for on. */
export interface LockTerms {
  readonly mode: LockMode;
  /** Of a semaphore: how many this place takes, from 1 to `limit`. Else 0. */
  readonly permits: number;
  /** Of a semaphore: how many there are; all in the queue agree. Else 0. */
  readonly limit: number;
  /**
   * When the session expires while it holds, its place stays, and so keeps others out, for this
   * much cluster time. A clean release leaves at once.
   */
  readonly delayMs: number;
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
      /** Of a session that is in the queue already they must agree; its first delay stays. */
      readonly terms: LockTerms;
    }
  /** Leaves the queue, whether holding or waiting. `token` must be the one the session got. */
  | {
      readonly type: 'unlock';
      readonly name: ByteString;
      readonly session: SessionId;
      readonly token: FencingToken;
    }
  /** An operator's forced release of a present holder, when `token` is (still) theirs. */
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
      /** Exit notices are kept for it; without this, the first one closes it. */
      readonly trapExits: boolean;
    }
  | { readonly type: 'closeSession'; readonly session: SessionId }
  /** Proposed by the leader: these sessions were not kept alive. */
  | { readonly type: 'expireSessions'; readonly sessions: readonly SessionId[] }
  /** Proposed by the leader so that what is due expires though nothing else flows. */
  | { readonly type: 'tick' }
  /** Proposed by a leader that is configured with other limits than those in force. */
  | { readonly type: 'setLimits'; readonly limits: RegistryLimits }
  | { readonly type: 'compact'; readonly revision: Revision }
  | TxnCommand
  | TableCommand
  | MapCommand
  | TreeCommand;

/** Keys from `start` to before `end`; undefined: to the last. */
export interface KeyRange {
  readonly start: ByteString;
  readonly end: ByteString | undefined;
}

/**
 * When all compares hold the `success` operations are carried out, otherwise the `failure` ones:
 * all of them in one revision, or none. Compares, nested ones too, look at the registry as it was
 * before the transaction; reads see the operations before them. No key may be put twice, or both
 * put and deleted, on any way through the branches.
 */
export interface TxnCommand {
  readonly type: 'txn';
  readonly compares: readonly TxnCompare[];
  readonly success: readonly TxnOp[];
  readonly failure: readonly TxnOp[];
}

export type CompareOperator = 'equal' | 'notEqual' | 'less' | 'greater';

/**
 * Holds when every key of the range does (`start` and `start + '\0'` for one key). A range without
 * keys is compared as one key of which all numbers are 0 and whose value nothing compares with.
 */
export type TxnCompare = KeyRange & { readonly operator: CompareOperator } & (
    | {
        readonly target: 'version' | 'createRevision' | 'modRevision' | 'session';
        readonly operand: number;
      }
    /** In the order of bytes. */
    | { readonly target: 'value'; readonly operand: Uint8Array }
  );

export type TxnOp =
  | {
      readonly type: 'put';
      readonly key: ByteString;
      readonly value: Uint8Array;
      /** 0: the key does not expire by itself. */
      readonly ttlMs: number;
      /** Tie the key to the acting session. */
      readonly ephemeral: boolean;
    }
  /**
   * Adds to a whole number kept as decimal text; an absent key counts as 0. TTL and session of the
   * key stay. Anything else there, or a sum beyond 2^53 - 1, refuses the transaction.
   */
  | { readonly type: 'increment'; readonly key: ByteString; readonly by: number }
  | { readonly type: 'delete'; readonly key: ByteString }
  /** Passes over the keys of lock queues, and those that are reserved. */
  | ({ readonly type: 'deleteRange' } & KeyRange)
  | { readonly type: 'get'; readonly key: ByteString }
  | RangeQuery
  | TxnCommand;

export type RegistryErrorCode =
  | 'invalid-command'
  | 'invalid-key'
  | 'invalid-argument'
  | 'too-large'
  | 'locked'
  | 'lock-conflict'
  | 'not-held'
  | 'not-found'
  | 'session-expired'
  | 'sequence-too-old'
  | 'compacted'
  | 'overloaded'
  | 'no-such-table'
  | 'no-such-map'
  | 'map-conflict';

/** Deterministic: every replica gives the same answer to the same command. */
export type RegistryResult =
  | { readonly type: 'error'; readonly code: RegistryErrorCode; readonly message: ByteString }
  /** `view`: the key after a put or persist, or as it was before a delete. */
  | { readonly type: 'key'; readonly revision: Revision; readonly view: KeyView }
  | {
      readonly type: 'lock';
      readonly revision: Revision;
      readonly token: FencingToken;
      /** Otherwise its place waits. */
      readonly held: boolean;
    }
  | {
      readonly type: 'session';
      readonly revision: Revision;
      readonly session: SessionId;
      readonly ttlMs: number;
    }
  | { readonly type: 'done'; readonly revision: Revision }
  | ({ readonly type: 'txn'; readonly revision: Revision } & TxnBranchResult)
  | TableResult
  | MapResult
  | TreeResult;

/** Which branch ran, and the result of each of its operations. */
export interface TxnBranchResult {
  readonly succeeded: boolean;
  readonly results: readonly TxnOpResult[];
}

export type TxnOpResult =
  /** The key after a put or increment, as it was before a delete, or as it was read. */
  | { readonly type: 'put' | 'delete' | 'get'; readonly view: KeyView }
  | { readonly type: 'deleteRange'; readonly deleted: number }
  /** Cut, to nothing even, where the transaction's reads grow over `maxTxnReadBytes`. */
  | { readonly type: 'range'; readonly views: readonly KeyView[]; readonly more: boolean }
  | { readonly type: 'count'; readonly count: number }
  | ({ readonly type: 'txn' } & TxnBranchResult);

/** A session as it can be looked at. */
export interface SessionInfo {
  readonly id: SessionId;
  readonly ttlMs: number;
  readonly label: ByteString;
  readonly metadata: Uint8Array;
  /** Cluster time in ms. */
  readonly openedAt: number;
  readonly trapExits: boolean;
  readonly keys: number;
}

export interface RangeQuery extends KeyRange {
  readonly type: 'range';
  /** 0: no limit of this kind. The answer is also cut at a size limit, with `more` set. */
  readonly limit: number;
  readonly keysOnly: boolean;
  /** 0: the latest. */
  readonly revision: Revision;
  /** Undefined: every key, in key order. */
  readonly select?: RangeSelection;
}

export type SortTarget = 'key' | 'version' | 'createRevision' | 'modRevision' | 'value';

/** Which keys of a range, and in which order. */
export interface RangeSelection {
  /** Answer with how many there are, whatever the limit. */
  readonly countOnly: boolean;
  /** The limit cuts what is sorted already. Equal ones are in key order. */
  readonly sortBy: SortTarget;
  readonly descending: boolean;
  /** Only keys with revisions from min to max, both included; 0: no bound. */
  readonly minModRevision: Revision;
  readonly maxModRevision: Revision;
  readonly minCreateRevision: Revision;
  readonly maxCreateRevision: Revision;
}

export type RegistryQuery =
  | { readonly type: 'get'; readonly key: ByteString }
  | RangeQuery
  /** The lock's queue in the order of its tokens, which is holders first. */
  | {
      readonly type: 'lockQueue';
      readonly name: ByteString;
      /** Only places with a higher token; 0 for all. */
      readonly after: number;
      /** 0: no limit of this kind. The answer is also cut at a size limit, with `more` set. */
      readonly limit: number;
    }
  /** How one place in a lock's queue stands. */
  | ({ readonly type: 'lockPlace' } & LockPlaceRef)
  /** The locks that are held, by name from `start` to before `end` (undefined: to the last). */
  | {
      readonly type: 'locks';
      readonly start: ByteString;
      readonly end: ByteString | undefined;
      /** 0: no limit of this kind. The answer is also cut at a size limit, with `more` set. */
      readonly limit: number;
    }
  /** Open sessions by id, limited as above. */
  | {
      readonly type: 'sessions';
      /** Only sessions with a higher id; 0 for all. */
      readonly after: number;
      readonly limit: number;
    }
  | { readonly type: 'stats' }
  | TreeQuery;

/** A place in a lock's queue; no two ever have the same token. */
export interface LockPlaceRef extends LockHolder {
  readonly name: ByteString;
}

/** `waits` for what is ahead of it, `held`, or not in the queue (any more). */
export type LockStanding = 'waits' | 'held' | 'gone';

export interface LockQueueEntry extends LockHolder {
  readonly metadata: Uint8Array;
  /** Cluster time in ms at which it joined the queue, or, if `delayed`, its session ended. */
  readonly since: number;
  readonly terms: LockTerms;
  readonly held: boolean;
  /** Its session has expired: it only keeps its place, for its lock-delay. */
  readonly delayed: boolean;
  /**
   * Ms until it goes unless its session is renewed; of a delayed one, until its delay is over.
   * Undefined where leases are not known: anywhere but on the leader.
   */
  readonly remainingMs: number | undefined;
}

/** A lock that is held, as a list of locks shows it. */
export interface LockInfo {
  readonly name: ByteString;
  /** The first 16 holders, longest there first. */
  readonly holders: readonly LockQueueEntry[];
  /** All holders. */
  readonly held: number;
  /** Of a semaphore: permits given. */
  readonly permits: number;
  readonly waiting: number;
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
  | {
      readonly type: 'get';
      readonly revision: Revision;
      /** Cluster time in ms, of the answer. */
      readonly time: number;
      readonly view: KeyView;
    }
  | {
      readonly type: 'range';
      readonly revision: Revision;
      /** Cluster time in ms, of the answer. */
      readonly time: number;
      readonly views: readonly KeyView[];
      readonly more: boolean;
      /** Looking further was too much for one answer: go on from this key, at one revision. */
      readonly next: ByteString | undefined;
    }
  /** To a range query that wants the count only. */
  | {
      readonly type: 'count';
      readonly revision: Revision;
      readonly count: number;
      /** Counted up to here: go on from this key, at one revision. */
      readonly next: ByteString | undefined;
    }
  | {
      readonly type: 'lockQueue';
      readonly revision: Revision;
      /** Cluster time in ms, of the answer. */
      readonly time: number;
      readonly queue: readonly LockQueueEntry[];
      readonly more: boolean;
    }
  /**
   * Of a place in the queue. Of one that is not, `not-held`; once its session is over,
   * `session-expired`. Neither ever changes again, nor does `held` until it leaves.
   */
  | { readonly type: 'lockPlace'; readonly revision: Revision; readonly held: boolean }
  | {
      readonly type: 'locks';
      readonly revision: Revision;
      readonly time: number;
      readonly locks: readonly LockInfo[];
      readonly more: boolean;
    }
  | {
      readonly type: 'sessions';
      readonly revision: Revision;
      readonly sessions: readonly SessionInfo[];
      readonly more: boolean;
    }
  | { readonly type: 'stats'; readonly stats: RegistryStats }
  | TreeAnswer;

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
