import type { TreeItem } from './tree-hash.ts';

/**
 * With more changes noted than this, and than this part of all keys, scanning anew is cheaper than
 * keeping note: so a tree that nobody asks for any more costs nothing again.
 */
const MIN_NOTED = 65_536;
const NOTED_PART = 1 / 4;

/** What is to be hashed again: now, as of the point taken last, and at the next point. */
export class TreeNotes {
  /** As of the point; taken from the end of the last list. */
  readonly #due: TreeItem[][] = [];
  /** Due too, but no change: not counted. */
  readonly #first: TreeItem[];
  #dueCount = 0;
  /** Changed after the point. */
  #noted: TreeItem[] = [];
  #overflown = false;

  /** `first` is due as of the first point. */
  constructor(first: Iterable<TreeItem> = []) {
    this.#first = [...first];
  }

  /** More was changed than is noted: only a scan can tell the next point's hashes. */
  get overflown(): boolean {
    return this.#overflown;
  }

  get anyDue(): boolean {
    return this.#due.length > 0 || this.#first.length > 0;
  }

  /** For the next point. `keys`: how many there are in all. */
  add(item: TreeItem, keys: number): void {
    if (this.#overflown) return;
    this.#noted.push(item);
    const limit = Math.max(MIN_NOTED, keys * NOTED_PART);
    if (this.#noted.length + this.#dueCount <= limit) return;
    this.#noted = [];
    this.#overflown = true;
  }

  /** The next point is taken: all that is noted becomes due. */
  freeze(): void {
    if (this.#noted.length > 0) this.#due.push(this.#noted);
    this.#dueCount += this.#noted.length;
    this.#noted = [];
  }

  /** Something due, which is then no more. */
  next(): TreeItem | undefined {
    const last = this.#due.at(-1);
    if (last === undefined) return this.#first.pop();
    if (last.length === 1) this.#due.pop();
    this.#dueCount--;
    return last.pop();
  }
}
