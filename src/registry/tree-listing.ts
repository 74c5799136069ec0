import type { MvccStore } from './mvcc-store.ts';
import { behindGroup, prefixOf, rangeOf, subPrefixOf } from './tree-path.ts';
import { bucketOf, isHashed, type TreeItem } from './tree-hash.ts';
import { BucketSums, type TreeSum } from './tree-node.ts';
import type { ByteString } from './types.ts';

/** Keys looked at between two looks at the budget. */
const KEYS_PER_BATCH = 128;
/** What looking at one key counts for, in the bytes that budgets are given in. */
const LOOK_BYTES = 64;
/** Listings kept: each has a place for every key of its sub-prefix. */
const MAX_LISTINGS = 2;

/**
 * The keys of one sub-prefix by segment, with the hashes that the tree's sums hold. Made on demand,
 * in slices: segments are wanted only where replicas differ, and to keep them would cost every key.
 * Holds as long as the tree stands for the same point.
 */
export class TreeListing {
  readonly prefix: ByteString;
  readonly subPrefix: ByteString;
  readonly #batches: Iterator<readonly TreeItem[]>;
  readonly #sums = new BucketSums();
  /** In key order, as they are met. */
  readonly #segments: TreeItem[][] = [];
  #done = false;

  private constructor(
    prefix: ByteString,
    subPrefix: ByteString,
    batches: Iterator<readonly TreeItem[]>,
  ) {
    this.prefix = prefix;
    this.subPrefix = subPrefix;
    this.#batches = batches;
  }

  static ofKeys(store: MvccStore, prefix: ByteString, subPrefix: ByteString): TreeListing {
    return new TreeListing(prefix, subPrefix, keysOf(store, prefix, subPrefix));
  }

  static ofItems(prefix: ByteString, items: Iterable<TreeItem>): TreeListing {
    return new TreeListing(prefix, '', inBatches(items));
  }

  get done(): boolean {
    return this.#done;
  }

  /** Goes on for about `budget` bytes; what is left of it is returned. */
  step(budget: number): number {
    let left = budget;
    while (!this.#done && left > 0) {
      const batch = this.#batches.next();
      if (batch.done === true) this.#done = true;
      else for (const item of batch.value) this.#take(item);
      left -= KEYS_PER_BATCH * LOOK_BYTES;
    }
    return left;
  }

  /** The sums of the segments that have keys. */
  sums(): TreeSum[] {
    return this.#sums.list((segment) => this.#segments[segment] !== undefined);
  }

  /** In key order. */
  keys(segment: number): readonly TreeItem[] {
    return this.#segments[segment] ?? [];
  }

  #take(item: TreeItem): void {
    // A key that came after the point is not part of what the tree stands for.
    if (!isHashed(item)) return;
    const segment = bucketOf(item.key);
    (this.#segments[segment] ??= []).push(item);
    this.#sums.add(segment, item.hashLow, item.hashHigh);
  }
}

/** The listings asked for lately, the latest first. */
export class TreeListings {
  #listings: TreeListing[] = [];

  get anyUnfinished(): boolean {
    return this.#listings.some((listing) => !listing.done);
  }

  find(prefix: ByteString, subPrefix: ByteString): TreeListing | undefined {
    const at = this.#listings.findIndex(
      (one) => one.prefix === prefix && one.subPrefix === subPrefix,
    );
    const [found] = at < 0 ? [] : this.#listings.splice(at, 1);
    if (found !== undefined) this.#listings.unshift(found);
    return found;
  }

  add(listing: TreeListing): void {
    this.#listings.unshift(listing);
    this.#listings.length = Math.min(this.#listings.length, MAX_LISTINGS);
  }

  step(budget: number): number {
    let left = budget;
    for (const listing of this.#listings) left = listing.step(left);
    return left;
  }

  clear(): void {
    this.#listings = [];
  }
}

/** Sub-prefixes that stand among the keys wanted are leapt over. The store may change meanwhile. */
function* keysOf(
  store: MvccStore,
  prefix: ByteString,
  subPrefix: ByteString,
): Generator<readonly TreeItem[]> {
  const { start, end } = rangeOf(prefix, subPrefix);
  let from: ByteString | undefined = start;
  while (from !== undefined) {
    const batch: TreeItem[] = [];
    let seen = 0;
    let next: ByteString | undefined;
    store.scan(from, (entry) => {
      const { key } = entry;
      if (end !== undefined && key >= end) return false;
      if (seen++ >= KEYS_PER_BATCH) next = key;
      else if (prefixOf(key) === prefix && subPrefixOf(key) === subPrefix) batch.push(entry);
      else next = behindGroup(key, prefix);
      return next === undefined;
    });
    yield batch;
    from = next;
  }
}

function* inBatches(items: Iterable<TreeItem>): Generator<readonly TreeItem[]> {
  let batch: TreeItem[] = [];
  for (const item of items) {
    if (batch.length >= KEYS_PER_BATCH) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  yield batch;
}
