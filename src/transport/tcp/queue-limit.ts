/**
 * Whether a queue takes more. Once it has been full it takes nothing until half of it has left, so
 * that a peer that is too slow loses messages in one piece, and is told of it once, not again and
 * again at the brim.
 */
export class QueueLimit {
  readonly #maxBytes: number;
  readonly #overflowed: () => void;
  #overflowing = false;

  constructor(maxBytes: number, overflowed: () => void) {
    this.#maxBytes = maxBytes;
    this.#overflowed = overflowed;
  }

  /** Whether one more message may be queued; it may itself be larger than what is left. */
  admits(queuedBytes: number): boolean {
    if (queuedBytes < (this.#overflowing ? this.#maxBytes / 2 : this.#maxBytes)) {
      this.#overflowing = false;
      return true;
    }
    if (!this.#overflowing) {
      this.#overflowing = true;
      this.#overflowed();
    }
    return false;
  }

  reset(): void {
    this.#overflowing = false;
  }
}
