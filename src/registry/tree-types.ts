/** Hash trees over the registry: how replicas are compared, and what differs is named. */
import type { ByteString, Revision, SessionId } from './types.ts';

/** 64 bits as 16 hex digits. */
export type TreeHash = string;

/**
 * A node of the tree: `[]` the root, whose children are prefixes; `[prefix]`, whose children are
 * sub-prefixes; `[prefix, subPrefix]`, whose children are segments of keys. A key's prefix is what
 * stands before its first `/`, its sub-prefix what stands between that and the next; '' where there
 * is none.
 */
export type TreePath = readonly ByteString[];

/** The trees of all replicas are locked, moved on and released by the log, at one index. */
export type TreeCommand =
  /** The acting session locks every replica's tree as of this command. */
  | { readonly type: 'lockTree' }
  /** The lock's session moves every replica's tree on to this command. */
  | { readonly type: 'updateTree' }
  | { readonly type: 'releaseTree' };

/** To `lockTree` and `updateTree`: what the trees now stand for, once they are rehashed. */
export type TreeResult =
  | { readonly type: 'treeLocked'; readonly revision: Revision; readonly index: number }
  | {
      readonly type: 'treeRefused';
      readonly revision: Revision;
      readonly why: 'locked' | 'not_locked' | 'not_allowed';
      /** Who has it locked; 0 for nobody. */
      readonly holder: SessionId;
    };

/** Answered by one replica of its own tree, never forwarded. */
export type TreeQuery =
  | { readonly type: 'treeHash'; readonly path: TreePath }
  /** `bucket` counts within `level`; level 0 is the node itself. Unknown: no children. */
  | {
      readonly type: 'treeBucket';
      readonly path: TreePath;
      readonly level: number;
      readonly bucket: number;
    }
  | { readonly type: 'treeKeys'; readonly path: TreePath; readonly segment: number }
  /** Destroys this replica's tree and builds it anew by scanning; later, while it is locked. */
  | { readonly type: 'resetTree' };

export type TreeState =
  /** Stands for `index` and `revision`. */
  | { readonly type: 'ready'; readonly index: number; readonly revision: Revision }
  | { readonly type: 'not_built' }
  | { readonly type: 'ongoing_update' };

export type TreeAnswer = {
  readonly type: 'tree';
  readonly revision: Revision;
  readonly state: TreeState;
  /** Children with their hashes, or keys with theirs; empty where nothing is known. */
  readonly hashes: readonly { readonly name: ByteString; readonly hash: TreeHash }[];
  /** There were more than fit: ask again for less. */
  readonly more: boolean;
};
