import type { Compaction, HistoryPin } from './compaction.ts';
import { KeyEntry, type KeyVersion } from './key-version.ts';
import type { MvccStore } from './mvcc-store.ts';
import { TREE_LOCK_KEY, TREE_SESSIONS } from './reserved-keys.ts';
import type { Session } from './sessions.ts';
import { Hasher, isHashed, type TreeItem } from './tree-hash.ts';
import { TreeListing, TreeListings } from './tree-listing.ts';
import { TreeNode } from './tree-node.ts';
import { TreeNotes } from './tree-notes.ts';
import { prefixOf, subPrefixOf } from './tree-path.ts';
import { TreeSession, TreeSessions } from './tree-sessions.ts';
import type { TreePath, TreeState } from './tree-types.ts';
import type { ByteString, RegistryLimits, Revision, SessionId } from './types.ts';

/** What rehashing one key counts for beside its bytes. */
const ITEM_BYTES = 128;
/** Keys hashed between two looks at the budget, while scanning. */
const KEYS_PER_BATCH = 64;
/** A tree is given up once history after its point is so many times what `historyBytes` allows. */
const MAX_HISTORY = 2;
/** A query goes on with a listing for so long before it says that it takes time. */
const QUERY_BUDGET = 128 * 1024;

interface Limited {
  readonly limits: RegistryLimits;
}

/**
 * One replica's hash tree: sums of the hashes of all keys and sessions as of one point of the log.
 * It is no part of the replicated state, and until somebody asks there is none.
 *
 * A point is taken between two commands (`moveOn`). From then on history is kept (*pinned*) at its
 * revision, so that `step` can hash `entry.at(revision)` bit by bit while commands go on; changes
 * after the point are noted, once each, for the next one. A first tree scans all keys, a later one
 * rehashes only what was noted. Once that is done history is let go, unless the tree is locked: a
 * locked tree can list its keys too.
 */
export class HashTree implements HistoryPin {
  readonly #store: MvccStore;
  readonly #compaction: Compaction;
  /** Of the state: they change. */
  readonly #within: Limited;
  readonly #hasher = new Hasher();
  readonly #listings = new TreeListings();
  /** Undefined: there is no tree. */
  #root: TreeNode | undefined;
  #notes = new TreeNotes();
  #sessions = new TreeSessions([]);
  /** The point that it stands for, or will once there is no more work. */
  #index = 0;
  #revision = 0 as Revision;
  /** The compaction's `changedBytes` at the point. */
  #changedBytes = 0;
  /** From where the scan under way goes on; undefined: none is. */
  #scanAt: ByteString | undefined;
  /** Where the scan began: what was deleted since must still be met by it. */
  #scanRevision = 0 as Revision;
  #scanChangedBytes = 0;
  #pinned = false;
  #resetWanted = false;
  /** Called when there is work for `step`, perhaps again. */
  onWork: (() => void) | undefined;

  constructor(store: MvccStore, compaction: Compaction, within: Limited) {
    this.#store = store;
    this.#compaction = compaction;
    this.#within = within;
  }

  /** History is needed from here on. */
  get compactRevision(): Revision {
    return this.#scanning ? this.#scanRevision : this.#revision;
  }

  get locked(): boolean {
    return this.#store.find(TREE_LOCK_KEY)?.live !== undefined;
  }

  get state(): TreeState {
    if (this.#rehashing || this.#mayReset) return { type: 'ongoing_update' };
    if (this.#root === undefined) return { type: 'not_built' };
    const { keys } = this.#root;
    const { locked } = this;
    return { type: 'ready', index: this.#index, revision: this.#revision, keys, locked };
  }

  /** Whether `step` has anything to do. */
  get hasWork(): boolean {
    return this.#rehashing || this.#mayReset || this.#listings.anyUnfinished;
  }

  get #scanning(): boolean {
    return this.#scanAt !== undefined;
  }

  get #rehashing(): boolean {
    return this.#scanning || this.#notes.anyDue;
  }

  get #mayReset(): boolean {
    return this.#resetWanted && !this.locked;
  }

  /**
   * The tree is to stand for the state as it is now, between two commands. Takes no time, but for
   * the list of sessions that a tree begins with.
   */
  moveOn(): void {
    if (this.#root === undefined || this.#notes.overflown || this.#resetWanted) this.#begin();
    this.#notes.freeze();
    this.#index = this.#store.index;
    this.#revision = this.#store.revision;
    this.#changedBytes = this.#compaction.changedBytes;
    this.#listings.clear();
    this.#pinned = true;
    this.#compaction.pin(this);
    this.onWork?.();
  }

  /** Begins a tree from nothing. */
  #begin(): void {
    const { sessions, revision } = this.#store;
    this.#forget();
    this.#resetWanted = false;
    this.#root = new TreeNode('');
    this.#scanAt = '';
    this.#scanRevision = revision;
    this.#scanChangedBytes = this.#compaction.changedBytes;
    this.#sessions = new TreeSessions(sessions.values());
    this.#notes = new TreeNotes(this.#sessions.items());
    this.#store.listener = this;
    sessions.listener = this;
  }

  /** There is no tree any more, and nothing is kept for it. */
  #forget(): void {
    this.#root = undefined;
    this.#scanAt = undefined;
    this.#notes = new TreeNotes();
    this.#sessions = new TreeSessions([]);
    this.#listings.clear();
    this.#unpin();
    this.#store.listener = undefined;
    this.#store.sessions.listener = undefined;
  }

  #unpin(): void {
    this.#pinned = false;
    this.#compaction.unpin(this);
  }

  /**
   * Destroys the tree, to build it anew by scanning. Of a locked tree this waits for the end of the
   * lock, or for its holder to move on.
   */
  reset(): void {
    this.#resetWanted = true;
    if (!this.locked) this.#forget();
    this.onWork?.();
  }

  /**
   * Notes that a key is to be hashed again; nothing is hashed before the next update. With
   * `ifMissing` only a key of which the tree holds nothing.
   */
  insert(item: TreeItem, ifMissing: boolean = false): void {
    if (ifMissing && isHashed(item)) return;
    this.#notes.add(item, this.#store.liveKeys);
    if (this.#notes.overflown && !this.#pinned) this.#forget();
  }

  /** A key got a version, in the revision under way. */
  changed(entry: KeyEntry, version: KeyVersion): void {
    const { previous } = version;
    // What has changed after the point before is noted already.
    if (previous === undefined || previous.modRevision <= this.#revision) this.insert(entry);
    if (this.#pinned && this.#holdsTooMuch()) this.#forget();
    if (version.deleted && entry.key === TREE_LOCK_KEY) this.#unlocked();
  }

  opened(session: Session): void {
    // Until it is begun anew this tree is never asked for what came later.
    if (!this.#notes.overflown) this.insert(this.#sessions.add(session));
  }

  ended(id: SessionId): void {
    const item = this.#sessions.get(id);
    if (item === undefined) return;
    item.endedAt = this.#store.index;
    this.insert(item);
  }

  #holdsTooMuch(): boolean {
    const since = this.#scanning ? this.#scanChangedBytes : this.#changedBytes;
    return this.#compaction.changedBytes - since > MAX_HISTORY * this.#within.limits.historyBytes;
  }

  #unlocked(): void {
    this.#listings.clear();
    if (this.#resetWanted) this.#forget();
    this.#settle();
    if (this.hasWork) this.onWork?.();
  }

  /** Lets go of what is needed no more. */
  #settle(): void {
    if (!this.#pinned || this.#rehashing || this.locked) return;
    this.#unpin();
    if (this.#notes.overflown) this.#forget();
  }

  /**
   * Goes on with what is to be done, for about as long as hashing `budget` bytes takes; to be
   * called between commands. False when nothing is left.
   */
  step(budget: number): boolean {
    if (this.#mayReset) this.moveOn();
    let left = budget;
    while (left > 0 && this.#scanAt !== undefined) left = this.#scan(this.#scanAt, left);
    while (left > 0 && this.#notes.anyDue) left -= this.#rehash(this.#notes.next()!);
    if (left > 0) this.#listings.step(left);
    this.#settle();
    return this.hasWork;
  }

  /** Hashes a few keys from `start` on, whatever an earlier tree held of them. */
  #scan(start: ByteString, budget: number): number {
    let left = budget;
    let seen = 0;
    this.#scanAt = undefined;
    this.#store.scan(start, (entry) => {
      if (seen++ >= KEYS_PER_BATCH || left <= 0) {
        this.#scanAt = entry.key;
        return false;
      }
      entry.hashLow = 0;
      entry.hashHigh = 0;
      left -= this.#rehash(entry);
      return true;
    });
    return left;
  }

  /** Brings the sums in line with the item as of the point; returns what that cost. */
  #rehash(item: TreeItem): number {
    const hasher = this.#hasher;
    this.#hash(item);
    const { low, high } = hasher;
    const { hashLow, hashHigh } = item;
    if (low !== hashLow || high !== hashHigh) {
      const keys = Number((low | high) !== 0) - Number((hashLow | hashHigh) !== 0);
      this.#addToSums(item.key, low - hashLow, high - hashHigh, keys);
      item.hashLow = low;
      item.hashHigh = high;
    }
    return ITEM_BYTES + hasher.bytes;
  }

  #hash(item: TreeItem): void {
    const hasher = this.#hasher;
    hasher.none();
    if (item instanceof KeyEntry) {
      const version = item.at(this.#revision);
      if (version !== undefined) hasher.record(version);
    } else if (item instanceof TreeSession) {
      if (item.endedAt > this.#index) hasher.session(item.session);
      else this.#sessions.delete(item.session.id);
    }
  }

  #addToSums(key: ByteString, low: number, high: number, keys: number): void {
    const root = this.#root!;
    root.add(low, high, keys);
    const prefix = root.addToChild(prefixOf(key), low, high, keys);
    prefix.addToChild(subPrefixOf(key), low, high, keys);
  }

  /** A node with its sum, as of the point; undefined when unknown, or the tree is not ready. */
  find(path: TreePath): TreeNode | undefined {
    if (this.state.type !== 'ready') return undefined;
    let node = this.#root;
    for (const name of path) node = node?.child(name);
    return node;
  }

  /**
   * The keys of a sub-prefix by segment, to be asked of a ready and locked tree; undefined while
   * they are being listed.
   */
  listing(prefix: ByteString, subPrefix: ByteString): TreeListing | undefined {
    let listing = this.#listings.find(prefix, subPrefix);
    if (listing === undefined) {
      listing =
        prefix === TREE_SESSIONS
          ? TreeListing.ofItems(prefix, this.#sessions.items())
          : TreeListing.ofKeys(this.#store, prefix, subPrefix);
      this.#listings.add(listing);
    }
    listing.step(QUERY_BUDGET);
    if (listing.done) return listing;
    this.onWork?.();
    return undefined;
  }
}
