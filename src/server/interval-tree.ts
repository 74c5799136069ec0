import type { KeyRange } from './range-index.ts';

interface Node<T extends KeyRange> {
  readonly entry: T;
  /** Of a heap: no node's is above its parent's, which keeps the tree balanced by chance. */
  readonly priority: number;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
  /** The last end in this part of the tree; undefined when a range has none. */
  lastEnd: string | undefined;
}

/**
 * Ranges of any shape, ordered by where they start. Which of them contain a key is found in about
 * the logarithm of how many there are, and one step for each that does. No range is in it twice.
 */
export class IntervalTree<T extends KeyRange> {
  #root: Node<T> | undefined = undefined;
  #seed = 0x9e3779b9;

  add(entry: T): void {
    const node = {
      entry,
      priority: this.#chance(),
      left: undefined,
      right: undefined,
      lastEnd: entry.end,
    };
    this.#root = insert(this.#root, node);
  }

  remove(entry: T): void {
    this.#root = remove(this.#root, entry);
  }

  visit(key: string, visit: (entry: T) => void): void {
    visitAll(this.#root, key, visit);
  }

  /** Chance enough for balance, and the same in every run. */
  #chance(): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return this.#seed;
  }
}

function visitAll<T extends KeyRange>(
  node: Node<T> | undefined,
  key: string,
  visit: (entry: T) => void,
): void {
  if (node === undefined || (node.lastEnd !== undefined && node.lastEnd <= key)) return;
  visitAll(node.left, key, visit);
  const { start, end } = node.entry;
  if (key < start) return;
  if (end === undefined || key < end) visit(node.entry);
  visitAll(node.right, key, visit);
}

function insert<T extends KeyRange>(root: Node<T> | undefined, node: Node<T>): Node<T> {
  if (root === undefined) return node;
  if (node.priority > root.priority) {
    [node.left, node.right] = split(root, node.entry);
    return measured(node);
  }
  if (compare(node.entry, root.entry) < 0) root.left = insert(root.left, node);
  else root.right = insert(root.right, node);
  return measured(root);
}

function remove<T extends KeyRange>(
  root: Node<T> | undefined,
  range: KeyRange,
): Node<T> | undefined {
  if (root === undefined) return undefined;
  const order = compare(range, root.entry);
  if (order === 0) return join(root.left, root.right);
  if (order < 0) root.left = remove(root.left, range);
  else root.right = remove(root.right, range);
  return measured(root);
}

/** What comes before a range, and what after it. */
function split<T extends KeyRange>(
  root: Node<T> | undefined,
  range: KeyRange,
): [Node<T> | undefined, Node<T> | undefined] {
  if (root === undefined) return [undefined, undefined];
  if (compare(root.entry, range) < 0) {
    const [before, after] = split(root.right, range);
    root.right = before;
    return [measured(root), after];
  }
  const [before, after] = split(root.left, range);
  root.left = after;
  return [before, measured(root)];
}

/** All of `before` is before all of `after`. */
function join<T extends KeyRange>(
  before: Node<T> | undefined,
  after: Node<T> | undefined,
): Node<T> | undefined {
  if (before === undefined) return after;
  if (after === undefined) return before;
  if (before.priority > after.priority) {
    before.right = join(before.right, after);
    return measured(before);
  }
  after.left = join(before, after.left);
  return measured(after);
}

function measured<T extends KeyRange>(node: Node<T>): Node<T> {
  let { end } = node.entry;
  if (node.left !== undefined) end = later(end, node.left.lastEnd);
  if (node.right !== undefined) end = later(end, node.right.lastEnd);
  node.lastEnd = end;
  return node;
}

/** Undefined is after every key. */
function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return undefined;
  return one > other ? one : other;
}

function compare(one: KeyRange, other: KeyRange): number {
  if (one.start !== other.start) return one.start < other.start ? -1 : 1;
  if (one.end === other.end) return 0;
  if (one.end === undefined) return 1;
  return other.end === undefined || one.end < other.end ? -1 : 1;
}
