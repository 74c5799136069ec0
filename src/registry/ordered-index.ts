import type { ByteString } from './types.ts';

/** Items per chunk: inserting moves half of them, so not many; nor so few that chunks abound. */
const MAX_CHUNK = 256;
/** Neighbours that together hold no more than this become one. */
const MERGE_BELOW = MAX_CHUNK / 2;

/**
 * Items in the order of their keys: a sorted list of sorted chunks. Finding takes two binary
 * searches; inserting and removing move at most one chunk's items, and the list of chunks only when
 * one is split or emptied, so the cost hardly depends on how many items there are.
 */
export class OrderedIndex<T extends { readonly key: ByteString }> {
  /** None is empty. */
  readonly #chunks: T[][] = [];
  /** A key not above each chunk's first, and above the last key of the chunk before. */
  readonly #lows: ByteString[] = [];
  /** How many of each chunk's items count. */
  readonly #counts: number[] = [];
  readonly #counted: (item: T) => boolean;

  /** `counted` says which items `count` counts; when that changes, call `recount`. */
  constructor(counted: (item: T) => boolean = () => true) {
    this.#counted = counted;
  }

  /** Adds an item whose key is not there yet. */
  insert(item: T): void {
    const { key } = item;
    const at = Math.max(this.#chunkOf(key), 0);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      this.#lows.push(key);
      this.#counts.push(this.#countOf(item));
      return;
    }
    if (chunk.length >= MAX_CHUNK) {
      this.#split(at, key);
      this.insert(item);
      return;
    }
    const place = lowerBound(chunk, key);
    if (place === chunk.length) chunk.push(item);
    else insertAt(chunk, place, item);
    if (place === 0) this.#lows[at] = key;
    this.#counts[at]! += this.#countOf(item);
  }

  remove(key: ByteString): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const place = lowerBound(chunk, key);
    const item = chunk[place];
    if (item === undefined || item.key !== key) return;
    this.#counts[at]! -= this.#countOf(item);
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#dropChunk(at);
    else if (chunk.length < MERGE_BELOW / 2) this.#mergeAround(at);
  }

  /**
   * Visits items in order from the first key not below `start`, until `visit` returns false. The
   * index must not change meanwhile.
   */
  scan(start: ByteString, visit: (item: T) => boolean): void {
    let at = Math.max(this.#chunkOf(start), 0);
    let chunk = this.#chunks[at];
    let place = chunk === undefined ? 0 : lowerBound(chunk, start);
    while (chunk !== undefined) {
      for (; place < chunk.length; place++) if (!visit(chunk[place]!)) return;
      place = 0;
      chunk = this.#chunks[++at];
    }
  }

  /**
   * The same for items before `end` (undefined: to the last), but leaps over chunks of which none
   * counts: of those that do not count it shows some.
   */
  scanCounted(start: ByteString, end: ByteString | undefined, visit: (item: T) => boolean): void {
    for (let at = Math.max(this.#chunkOf(start), 0); at < this.#chunks.length; at++) {
      if (end !== undefined && this.#lows[at]! >= end) return;
      if (this.#counts[at] === 0) continue;
      const chunk = this.#chunks[at]!;
      for (let place = lowerBound(chunk, start); place < chunk.length; place++) {
        const item = chunk[place]!;
        if ((end !== undefined && item.key >= end) || !visit(item)) return;
      }
    }
  }

  /** To be called when an item that is there begins (1) or ceases (-1) to count. */
  recount(key: ByteString, by: 1 | -1): void {
    this.#counts[this.#chunkOf(key)]! += by;
  }

  /** How many items that count have keys from `start` to before `end` (undefined: to the last). */
  count(start: ByteString, end: ByteString | undefined): number {
    const lows = this.#lows;
    const first = Math.max(this.#chunkOf(start), 0);
    let count = 0;
    for (let at = first; at < lows.length; at++) {
      if (end !== undefined && lows[at]! >= end) break;
      const next = lows[at + 1];
      const isWhole = at > first && (end === undefined || (next !== undefined && next <= end));
      count += isWhole ? this.#counts[at]! : this.#countWithin(this.#chunks[at]!, start, end);
    }
    return count;
  }

  #countWithin(chunk: readonly T[], start: ByteString, end: ByteString | undefined): number {
    let count = 0;
    for (const item of chunk) {
      if (item.key >= start && (end === undefined || item.key < end)) count += this.#countOf(item);
    }
    return count;
  }

  #countOf(item: T): number {
    return this.#counted(item) ? 1 : 0;
  }

  /** The last chunk whose low is not above `key`; -1 when there is none. */
  #chunkOf(key: ByteString): number {
    const lows = this.#lows;
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (lows[middle]! <= key) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  /** Makes room for `key`. Keys that only grow leave full chunks behind, not half-full ones. */
  #split(at: number, key: ByteString): void {
    const chunk = this.#chunks[at]!;
    const growing = at === this.#chunks.length - 1 && chunk[chunk.length - 1]!.key < key;
    const upper = chunk.splice(growing ? chunk.length - 1 : chunk.length >>> 1);
    this.#chunks.splice(at + 1, 0, upper);
    this.#lows.splice(at + 1, 0, upper[0]!.key);
    const moved = this.#countWithin(upper, upper[0]!.key, undefined);
    this.#counts[at]! -= moved;
    this.#counts.splice(at + 1, 0, moved);
  }

  #mergeAround(at: number): void {
    const left = this.#fits(at - 1) ? at - 1 : at;
    if (!this.#fits(left)) return;
    const merged = this.#chunks[left]!;
    for (const item of this.#chunks[left + 1]!) merged.push(item);
    this.#counts[left]! += this.#counts[left + 1]!;
    this.#dropChunk(left + 1);
  }

  #fits(at: number): boolean {
    const one = this.#chunks[at];
    const next = this.#chunks[at + 1];
    return one !== undefined && next !== undefined && one.length + next.length <= MERGE_BELOW;
  }

  #dropChunk(at: number): void {
    this.#chunks.splice(at, 1);
    this.#lows.splice(at, 1);
    this.#counts.splice(at, 1);
  }
}

/** The first place whose key is not below `key`. */
function lowerBound(chunk: readonly { readonly key: ByteString }[], key: ByteString): number {
  let from = 0;
  let to = chunk.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (chunk[middle]!.key < key) from = middle + 1;
    else to = middle;
  }
  return from;
}

function insertAt<T>(chunk: T[], place: number, item: T): void {
  let at = chunk.length;
  chunk.push(item);
  for (; at > place; at--) chunk[at] = chunk[at - 1]!;
  chunk[place] = item;
}
