/**
 * Which of many key ranges contain a key. Watches are nearly always of one key or of a prefix, so
 * both are found by hash: a lookup costs one probe for the key and one per distinct prefix length,
 * however many ranges there are. Any other range is found in a tree.
 */
import { IntervalTree } from './interval-tree.ts';

/** From `start` up to, not including, `end`; undefined: to the last key. Byte strings. */
export interface KeyRange {
  readonly start: string;
  readonly end: string | undefined;
}

type Shape = 'key' | 'prefix' | 'other';

export class RangeIndex<T extends KeyRange> {
  readonly #keys = new Map<string, T>();
  readonly #prefixes = new Map<string, T>();
  readonly #others = new Map<string, T>();
  /** The same as `#others`, by where they are. */
  readonly #tree = new IntervalTree<T>();
  /** How many prefixes there are of each length. */
  readonly #prefixLengths = new Map<number, number>();

  /** The entry of exactly this range. */
  get(range: KeyRange): T | undefined {
    return this.#mapOf(range).get(nameOf(range));
  }

  /** There must be no entry of exactly this range yet. */
  add(entry: T): void {
    this.#mapOf(entry).set(nameOf(entry), entry);
    const shape = shapeOf(entry);
    if (shape === 'prefix') this.#countPrefix(entry.start.length, 1);
    else if (shape === 'other') this.#tree.add(entry);
  }

  remove(entry: T): void {
    const removed = this.#mapOf(entry).delete(nameOf(entry));
    if (!removed) return;
    const shape = shapeOf(entry);
    if (shape === 'prefix') this.#countPrefix(entry.start.length, -1);
    else if (shape === 'other') this.#tree.remove(entry);
  }

  get size(): number {
    return this.#keys.size + this.#prefixes.size + this.#others.size;
  }

  /** Calls `visit` with every entry whose range contains `key`, each once. */
  visit(key: string, visit: (entry: T) => void): void {
    const exact = this.#keys.get(key);
    if (exact !== undefined) visit(exact);
    for (const length of this.#prefixLengths.keys()) {
      if (length > key.length) continue;
      const entry = this.#prefixes.get(key.slice(0, length));
      if (entry !== undefined) visit(entry);
    }
    this.#tree.visit(key, visit);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#keys.values();
    yield* this.#prefixes.values();
    yield* this.#others.values();
  }

  #mapOf(range: KeyRange): Map<string, T> {
    const shape = shapeOf(range);
    if (shape === 'key') return this.#keys;
    return shape === 'prefix' ? this.#prefixes : this.#others;
  }

  #countPrefix(length: number, change: number): void {
    const count = (this.#prefixLengths.get(length) ?? 0) + change;
    if (count === 0) this.#prefixLengths.delete(length);
    else this.#prefixLengths.set(length, count);
  }
}

function shapeOf(range: KeyRange): Shape {
  if (range.end === `${range.start}\0`) return 'key';
  return range.end === prefixEnd(range.start) ? 'prefix' : 'other';
}

/** Unique among ranges of one shape: the start decides the end of keys and prefixes. */
function nameOf(range: KeyRange): string {
  if (shapeOf(range) !== 'other') return range.start;
  const { start, end } = range;
  return `${start.length}:${start}${end === undefined ? '-' : `+${end}`}`;
}

/** The first byte string after all that begin with `prefix`; undefined when there is none. */
function prefixEnd(prefix: string): string | undefined {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 0xff) length--;
  if (length === 0) return undefined;
  return prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1);
}
