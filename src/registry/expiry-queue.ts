import type { KeyEntry } from './key-version.ts';

/**
 * Keys that expire by themselves, the next to go first: by `expiresAt`, then by key, so that every
 * replica removes them in the same order. A binary heap whose items know their place, so that a key
 * written again moves instead of leaving a stale item behind.
 */
export class ExpiryQueue {
  readonly #heap: KeyEntry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The next key to expire, if it is due at `time`. */
  due(time: number): KeyEntry | undefined {
    const top = this.#heap[0];
    return top !== undefined && top.latest.expiresAt! <= time ? top : undefined;
  }

  /** To be called after `entry.latest` changed: adds, moves or removes it as its TTL demands. */
  update(entry: KeyEntry): void {
    const expires = entry.latest.expiresAt !== undefined;
    if (entry.expirySlot < 0) {
      if (!expires) return;
      this.#place(entry, this.#heap.length);
      this.#rise(entry);
    } else if (expires) {
      this.#rise(entry);
      this.#sink(entry);
    } else {
      this.#remove(entry);
    }
  }

  #remove(entry: KeyEntry): void {
    const slot = entry.expirySlot;
    const last = this.#heap.pop()!;
    entry.expirySlot = -1;
    if (last === entry) return;
    this.#place(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  #place(entry: KeyEntry, slot: number): void {
    this.#heap[slot] = entry;
    entry.expirySlot = slot;
  }

  #rise(entry: KeyEntry): void {
    let slot = entry.expirySlot;
    while (slot > 0) {
      const above = (slot - 1) >>> 1;
      const parent = this.#heap[above]!;
      if (!goesBefore(entry, parent)) break;
      this.#place(parent, slot);
      slot = above;
    }
    this.#place(entry, slot);
  }

  #sink(entry: KeyEntry): void {
    const heap = this.#heap;
    let slot = entry.expirySlot;
    for (;;) {
      let below = slot * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && goesBefore(heap[below + 1]!, heap[below]!)) below++;
      const child = heap[below]!;
      if (!goesBefore(child, entry)) break;
      this.#place(child, slot);
      slot = below;
    }
    this.#place(entry, slot);
  }
}

function goesBefore(a: KeyEntry, b: KeyEntry): boolean {
  const difference = a.latest.expiresAt! - b.latest.expiresAt!;
  return difference === 0 ? a.key < b.key : difference < 0;
}
