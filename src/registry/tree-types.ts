/**
 * Hash trees over the registry: how replicas are compared, and what differs is named.
 *
 * The tree: root -> prefixes -> sub-prefixes -> keys. A key's prefix is what stands before its
 * first `/`, its sub-prefix what stands between that and the next; '' where there is none. Of a
 * reserved key the prefix is the kind and the sub-prefix the table's or map's name; sessions stand
 * as keys of a reserved kind too. Hashes add up, so a node's is the sum of its keys'.
 */
import type { ByteString, Revision, SessionId } from './types.ts';

/** 64 bits as 16 hex digits. */
export type TreeHash = string;

/** A node of the tree: `[]` the root, `[prefix]`, or `[prefix, subPrefix]`, which holds keys. */
export type TreePath = readonly ByteString[];

/** What stands right under a node is spread, by the hash of its name, over so many buckets. */
export const TREE_BUCKETS = 1024;

/** The trees of all replicas are locked, moved on and released by the log, at one index. */
export type TreeCommand =
  /**
   * The acting session locks every replica's tree as of this command; of the session that has it
   * locked already: answered as before. The lock goes with the session, and by itself after
   * `maxTreeLockMs` without an update, since history is kept for it.
   */
  | { readonly type: 'lockTree' }
  /** The lock's session moves every replica's tree on to this command. */
  | { readonly type: 'updateTree' }
  | { readonly type: 'releaseTree' };

/** To tree commands; a release is answered `done`. */
export type TreeResult =
  /** What the trees stand for, once every replica has rehashed its own. */
  | { readonly type: 'treeLocked'; readonly revision: Revision; readonly index: number }
  /**
   * `locked` and `not_allowed`: another session has the lock. `not_locked`: nobody has it, or not
   * any more.
   */
  | {
      readonly type: 'treeRefused';
      readonly revision: Revision;
      readonly why: 'locked' | 'not_locked' | 'not_allowed';
      /** Who has it locked; 0 for nobody. */
      readonly holder: SessionId;
    };

/** Answered by one replica of its own tree, never forwarded. */
export type TreeQuery =
  /** The hash of one node, named as the last of `path` (the root ''); none when unknown. */
  | { readonly type: 'treeHash'; readonly path: TreePath }
  /**
   * Level 0 (`bucket` 0): the node's buckets that are not empty, named by their decimal numbers.
   * Level 1: the prefixes or sub-prefixes in one bucket. Unknown: no children. Needs the lock.
   */
  | {
      readonly type: 'treeBucket';
      readonly path: TreePath;
      readonly level: number;
      readonly bucket: number;
      /** Only children whose name is above this, at level 1; undefined: from the first on. */
      readonly after: ByteString | undefined;
    }
  /** The keys in one bucket (segment) of a sub-prefix. Needs the lock. */
  | {
      readonly type: 'treeKeys';
      readonly path: TreePath;
      readonly segment: number;
      readonly after: ByteString | undefined;
    }
  /** Destroys this replica's tree and builds it anew by scanning; later, while it is locked. */
  | { readonly type: 'resetTree' };

export type TreeState =
  /**
   * Stands for `index` (0: not known, since nothing was applied after a restore) and `revision`.
   * `keys` counts sessions too.
   */
  | {
      readonly type: 'ready';
      readonly index: number;
      readonly revision: Revision;
      readonly keys: number;
      readonly locked: boolean;
    }
  /**
   * There is none: nobody asked yet, the state was restored, or history could not be kept for it.
   * The next lock or update builds it.
   */
  | { readonly type: 'not_built' }
  /** It is being built or rehashed: ask again. */
  | { readonly type: 'ongoing_update' }
  /** It is ready, but only a locked tree can tell this. */
  | { readonly type: 'not_locked' };

/** `hashes` is empty unless `state` is `ready`; after a reset it always is. */
export interface TreeAnswer {
  readonly type: 'tree';
  readonly revision: Revision;
  readonly state: TreeState;
  /** Children or keys, in the order of their names. */
  readonly hashes: readonly NamedHash[];
  /** There were more than fit: ask again for those `after` the last. */
  readonly more: boolean;
}

export interface NamedHash {
  readonly name: ByteString;
  readonly hash: TreeHash;
}
