/**
 * Numbers the writes of one session, so that the registry can tell a retry from a new write.
 * `acknowledged` grows as answers come in; the registry forgets answers up to it. At most
 * `window` numbers are given out beyond it, since the registry keeps no more answers than that.
 */
export class Sequencer {
  readonly #window: number;
  #last = 0;
  #acknowledged = 0;
  readonly #settledBeyond = new Set<number>();
  #waiting: (() => void)[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  /** Every write up to this one is answered or given up. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The next number, or undefined while the window is full. */
  next(): number | undefined {
    if (this.#last - this.#acknowledged >= this.#window) return undefined;
    return ++this.#last;
  }

  /** Resolves when `next` is worth asking again. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Nobody will ask for the answer to this write again. */
  settle(sequence: number): void {
    if (sequence !== this.#acknowledged + 1) {
      this.#settledBeyond.add(sequence);
      return;
    }
    this.#acknowledged = sequence;
    if (this.#settledBeyond.size > 0) {
      while (this.#settledBeyond.delete(this.#acknowledged + 1)) this.#acknowledged++;
    }
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
