/** Comparing replicas by their hash trees; see `Registry.hashTree`. */
import type { CallOptions, Key, SessionRef } from './key-types.ts';

/** 64 bits as 16 hex digits. Equal for equal keys, values, revisions and all else of a record. */
export type TreeHash = string;

/**
 * A node of the tree: `[]` is the root; `[prefix]` the keys with this before their first `/`;
 * `[prefix, subPrefix]` those of them with this between the first and the second. '' where a key
 * has none.
 */
export type TreePath = readonly [] | readonly [prefix: Key] | readonly [prefix: Key, sub: Key];

export interface TreeLockOptions extends CallOptions {
  /** For whom to lock, with the registry's own session as default; its end releases the lock. */
  readonly session?: SessionRef;
}

export interface TreeNodeOptions extends CallOptions {
  /** Id of the member whose tree is asked. */
  readonly node: string;
}

/** What the trees of all replicas stand for once they are rehashed. */
export interface TreePoint {
  /** Log index. */
  readonly index: number;
  readonly revision: number;
}

/** `holder`: the session that has the trees locked. */
export type TreeLocked =
  ({ readonly type: 'ok' } & TreePoint) | { readonly type: 'locked'; readonly holder: number };
export type TreeUpdated =
  | ({ readonly type: 'ok' } & TreePoint)
  | { readonly type: 'not_locked' }
  | { readonly type: 'not_allowed'; readonly holder: number };
export type TreeReleased =
  | { readonly type: 'ok' }
  | { readonly type: 'not_locked' }
  | { readonly type: 'not_allowed'; readonly holder: number };

/** Why one replica's tree cannot tell what it was asked. */
export type TreeUnready =
  /** It was never asked for, or the replica's state was replaced: the next lock builds it. */
  | { readonly type: 'not_built' }
  /** It is being built or rehashed: ask again. */
  | { readonly type: 'ongoing_update' }
  /** Below the root's and prefixes' hashes it tells only what it stands for while locked. */
  | { readonly type: 'not_locked' };

export type PrefixHash =
  | ({
      readonly type: 'ok';
      /** Undefined: there is nothing under this prefix. */
      readonly hash: TreeHash | undefined;
      /** Of the whole tree: keys, reserved ones and sessions included. */
      readonly keys: number;
      readonly locked: boolean;
    } & TreePoint)
  | TreeUnready;

export interface NamedTreeHash {
  /** As text; bytes that are not UTF-8 show as U+FFFD, see `nameBytes`. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly hash: TreeHash;
}
export type TreeHashes =
  ({ readonly type: 'ok'; readonly hashes: readonly NamedTreeHash[] } & TreePoint) | TreeUnready;

export interface KeyDifference {
  /**
   * `missing`: only the remote replica has it; `remoteMissing`: only the local one; `different`:
   * both have it, with another value, revision, session or the like.
   */
  readonly type: 'missing' | 'remoteMissing' | 'different';
  readonly key: string;
  readonly keyBytes: Uint8Array;
}
export type TreeDifference =
  /**
   * This side has nothing at all under this prefix or sub-prefix. The other side's keys there
   * follow.
   */
  | {
      readonly type: 'missingPrefix';
      readonly side: 'local' | 'remote';
      readonly path: readonly string[];
      readonly pathBytes: readonly Uint8Array[];
    }
  | {
      readonly type: 'keyDiffs';
      readonly path: readonly string[];
      readonly pathBytes: readonly Uint8Array[];
      readonly diffs: readonly KeyDifference[];
    };

export interface TreeCompareOptions extends CallOptions {
  /** Ids of the two members. "Local" is only a name: both are asked. */
  readonly local: string;
  readonly remote: string;
}

/**
 * Every replica can keep a tree of hashes over all it stores. Locked through the log, the trees of
 * all replicas stand for one log index, so two that differ name the keys in which the replicas
 * differ; writes go on meanwhile. `verify` does all of it in one call; this is for those who want
 * the parts.
 *
 * Each question about a tree goes to one member and is answered by itself, quarantined or not. It
 * rejects with `connection-lost` when that cannot be reached, `invalid-argument` for an id of no
 * member.
 * @example
 * const locked = await registry.hashTree.lock();
 * const a = await registry.hashTree.prefixHash(['jobs'], { node: 'a' });
 * const b = await registry.hashTree.prefixHash(['jobs'], { node: 'b' });
 * await registry.hashTree.release();
 */
export interface HashTree {
  /**
   * Makes all trees stand for the moment of this call and keeps them there; those that are not
   * built are built. Again by the same session: what it has locked. It is released by the end of
   * the session, and by itself when it was not updated for `limits.maxTreeLockMs`.
   */
  lock(options?: TreeLockOptions): Promise<TreeLocked>;
  /** Moves all trees on to the moment of this call; only what changed since is hashed again. */
  update(options?: TreeLockOptions): Promise<TreeUpdated>;
  release(options?: TreeLockOptions): Promise<TreeReleased>;
  /** The hash of everything (`[]`), a prefix or a sub-prefix, as of the last lock or update. */
  prefixHash(path: TreePath, options: TreeNodeOptions): Promise<PrefixHash>;
  /**
   * Level 0, bucket 0: the numbers of the node's buckets that are not empty, with their hashes.
   * Level 1: the prefixes or sub-prefixes in one bucket. Nothing for what is unknown.
   */
  bucket(
    path: TreePath,
    level: 0 | 1,
    bucket: number,
    options: TreeNodeOptions,
  ): Promise<TreeHashes>;
  /** The keys in one bucket of a sub-prefix. */
  keyHashes(
    path: readonly [prefix: Key, sub: Key],
    segment: number,
    options: TreeNodeOptions,
  ): Promise<TreeHashes>;
  /**
   * Folds `handler` over the differences of two replicas' trees and resolves to the last result.
   * The trees must be locked and rehashed: `not-built` when one is not (ready) for the same index
   * as the other, `not-held` when one is not locked. Never silence in place of an answer.
   * @example
   * const keys = await registry.hashTree.compare(
   *   { local: 'a', remote: 'b' },
   *   (found, all) => (found.type === 'keyDiffs' ? [...all, ...found.diffs] : all),
   *   [],
   * );
   */
  compare<Result>(
    options: TreeCompareOptions,
    handler: (difference: TreeDifference, result: Result) => Result | Promise<Result>,
    initial: Result,
  ): Promise<Result>;
  /**
   * Destroys one replica's tree and builds it anew by scanning all it stores: what an incremental
   * tree was told but the stored data do not show is found only so. `postponed` while it is locked:
   * done after its release.
   */
  reset(options: TreeNodeOptions): Promise<{ readonly type: 'ok' | 'postponed' }>;
}
