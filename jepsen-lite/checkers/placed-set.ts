const WORD_BITS = 32;

/**
 * Which operations have their place, as a set that knows a short text of itself. Operations take
 * their places roughly in the order of their calls, so all before some point are in and few after
 * it: the point and the few are the text. (What never returned stays out for long, and has a set of
 * its own.)
 */
export class PlacedSet {
  readonly #words: Uint32Array;
  /** All before it are in; it is not. */
  #firstOut = 0;
  /** Not below any that is in. */
  #top = 0;

  constructor(size: number) {
    this.#words = new Uint32Array(Math.floor(size / WORD_BITS) + 1);
  }

  has(i: number): boolean {
    return (this.#words[i >>> 5]! & (1 << (i & 31))) !== 0;
  }

  add(i: number): void {
    this.#words[i >>> 5]! |= 1 << (i & 31);
    while (this.has(this.#firstOut)) this.#firstOut++;
    if (i > this.#top) this.#top = i;
  }

  delete(i: number): void {
    this.#words[i >>> 5]! &= ~(1 << (i & 31));
    if (i < this.#firstOut) this.#firstOut = i;
  }

  /** Equal texts exactly for equal sets. */
  text(): string {
    let text = `${this.#firstOut}`;
    const last = Math.max(this.#top, this.#firstOut) >>> 5;
    for (let at = this.#firstOut >>> 5, gap = ''; at <= last; at++) {
      const word = this.#words[at]!;
      gap += `.${word === 0 ? '' : word.toString(36)}`;
      if (word !== 0) {
        text += gap;
        gap = '';
      }
    }
    return text;
  }
}
