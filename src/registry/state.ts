import { Compaction } from './compaction.ts';
import { HashTree } from './hash-tree.ts';
import { MvccStore } from './mvcc-store.ts';
import type { ByteString, RegistryLimits, Revision } from './types.ts';

/** Few nodes write; when more names than this turned up, they are collected anew. */
const MAX_NODE_NAMES = 256;

/** The whole replicated state, the limits it is kept within included. */
export class RegistryState {
  /** In force now; replaced whole by `setLimits`. */
  limits: RegistryLimits;
  readonly store: MvccStore;
  readonly compaction: Compaction;
  /** Beside the replicated state: each replica has its own, or none yet. */
  readonly tree: HashTree;
  readonly #nodeNames = new Map<ByteString, ByteString>();

  /** Empty, with history beginning after `revision`. */
  constructor(limits: RegistryLimits, revision: Revision = 0 as Revision, time: number = 0) {
    this.limits = limits;
    this.store = new MvccStore(revision, time);
    this.compaction = new Compaction(this.store);
    this.tree = new HashTree(this.store, this.compaction, this);
  }

  /** Gives the changes since the last commit their revision; without any it stays as it is. */
  commit(): Revision {
    const before = this.store.revision;
    const revision = this.store.commit();
    if (revision !== before) this.compaction.added(this.store.history.at(revision)!);
    return revision;
  }

  /** One string for each node's name, for all the records it wrote to share. */
  nodeName(name: ByteString): ByteString {
    const known = this.#nodeNames.get(name);
    if (known !== undefined) return known;
    if (this.#nodeNames.size >= MAX_NODE_NAMES) this.#nodeNames.clear();
    this.#nodeNames.set(name, name);
    return name;
  }
}
