import { bucketOf } from './tree-hash.ts';
import { TREE_BUCKETS } from './tree-types.ts';
import type { ByteString } from './types.ts';

/** With more children than this they are kept bucket by bucket, each with its sum. */
const MAX_FEW = 512;

/** A sum of hashes; the two halves add up apart, without a carry. */
export interface TreeSum {
  readonly name: ByteString;
  readonly low: number;
  readonly high: number;
}

/** The root, a prefix or a sub-prefix: the sum of all keys under it. */
export class TreeNode implements TreeSum {
  readonly name: ByteString;
  low = 0;
  high = 0;
  /** Keys under it; without any it is gone from its parent. */
  keys = 0;
  /** Most nodes have none or one: a map of one would take more than all the rest. */
  #children: TreeNode | ManyChildren | undefined;

  constructor(name: ByteString) {
    this.name = name;
  }

  add(low: number, high: number, keys: number): void {
    this.low = (this.low + low) | 0;
    this.high = (this.high + high) | 0;
    this.keys += keys;
  }

  child(name: ByteString): TreeNode | undefined {
    const children = this.#children;
    if (children instanceof ManyChildren) return children.get(name);
    return children?.name === name ? children : undefined;
  }

  /** Changes a child's sum, which may make the child or remove it. */
  addToChild(name: ByteString, low: number, high: number, keys: number): TreeNode {
    let child = this.child(name);
    if (child === undefined) {
      child = new TreeNode(name);
      this.#insert(child);
    }
    child.add(low, high, keys);
    if (this.#children instanceof ManyChildren) this.#children.changed(child, low, high);
    else if (child.keys === 0) this.#children = undefined;
    return child;
  }

  #insert(child: TreeNode): void {
    const children = this.#children;
    if (children === undefined) {
      this.#children = child;
    } else if (children instanceof ManyChildren) {
      children.insert(child);
    } else {
      this.#children = new ManyChildren();
      this.#children.insert(children);
      this.#children.insert(child);
    }
  }

  /** The sums of the buckets in which there are children, in the order of their numbers. */
  buckets(): TreeSum[] {
    const children = this.#children;
    if (children === undefined) return [];
    if (children instanceof ManyChildren) return children.buckets();
    return [{ name: String(bucketOf(children.name)), low: children.low, high: children.high }];
  }

  /** The children in a bucket, in the order of their names. */
  inBucket(bucket: number): TreeSum[] {
    const children = this.#children;
    if (children === undefined) return [];
    if (children instanceof ManyChildren) return children.inBucket(bucket);
    return bucketOf(children.name) === bucket ? [children] : [];
  }
}

/** Adds up sums by bucket. */
export class BucketSums {
  readonly #low = new Int32Array(TREE_BUCKETS);
  readonly #high = new Int32Array(TREE_BUCKETS);

  add(bucket: number, low: number, high: number): void {
    this.#low[bucket]! += low;
    this.#high[bucket]! += high;
  }

  /** Those of which `occupied` is true. */
  list(occupied: (bucket: number) => boolean): TreeSum[] {
    const sums: TreeSum[] = [];
    for (let bucket = 0; bucket < TREE_BUCKETS; bucket++) {
      if (!occupied(bucket)) continue;
      sums.push({ name: String(bucket), low: this.#low[bucket]!, high: this.#high[bucket]! });
    }
    return sums;
  }
}

/** The children of a node that has several: in one map at first, then in one for each bucket. */
class ManyChildren {
  readonly #few = new Map<ByteString, TreeNode>();
  #spread: SpreadChildren | undefined;

  get(name: ByteString): TreeNode | undefined {
    return this.#spread === undefined ? this.#few.get(name) : this.#spread.get(name);
  }

  insert(child: TreeNode): void {
    if (this.#spread === undefined && this.#few.size >= MAX_FEW) {
      this.#spread = new SpreadChildren(this.#few.values());
      this.#few.clear();
    }
    if (this.#spread === undefined) this.#few.set(child.name, child);
    else this.#spread.insert(child);
  }

  /** `child` changed by so much; without keys it goes. */
  changed(child: TreeNode, low: number, high: number): void {
    if (this.#spread !== undefined) this.#spread.changed(child, low, high);
    else if (child.keys === 0) this.#few.delete(child.name);
  }

  buckets(): TreeSum[] {
    return (this.#spread ?? new SpreadChildren(this.#few.values())).buckets();
  }

  inBucket(bucket: number): TreeSum[] {
    if (this.#spread !== undefined) return this.#spread.inBucket(bucket);
    return inOrder([...this.#few.values()].filter(({ name }) => bucketOf(name) === bucket));
  }
}

/**
 * Children by bucket: so a bucket is answered without looking at all of them, and no map grows
 * large enough to halt everything while it doubles.
 */
class SpreadChildren {
  readonly #maps: (Map<ByteString, TreeNode> | undefined)[] = [];
  readonly #sums = new BucketSums();

  constructor(children: Iterable<TreeNode>) {
    for (const child of children) {
      this.insert(child);
      this.#sums.add(bucketOf(child.name), child.low, child.high);
    }
  }

  get(name: ByteString): TreeNode | undefined {
    return this.#maps[bucketOf(name)]?.get(name);
  }

  insert(child: TreeNode): void {
    const bucket = bucketOf(child.name);
    const map = (this.#maps[bucket] ??= new Map<ByteString, TreeNode>());
    map.set(child.name, child);
  }

  changed(child: TreeNode, low: number, high: number): void {
    const bucket = bucketOf(child.name);
    this.#sums.add(bucket, low, high);
    if (child.keys === 0) this.#maps[bucket]!.delete(child.name);
  }

  buckets(): TreeSum[] {
    return this.#sums.list((bucket) => (this.#maps[bucket]?.size ?? 0) > 0);
  }

  inBucket(bucket: number): TreeSum[] {
    return inOrder([...(this.#maps[bucket]?.values() ?? [])]);
  }
}

function inOrder(children: readonly TreeNode[]): TreeSum[] {
  return children.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
