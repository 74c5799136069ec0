/** Appends sent and not yet confirmed, limited in messages and in bytes. A leaf. */
import { invariant } from '../base/index.ts';
import type { LogIndex } from './types.ts';

export class InflightWindow {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  /** Oldest first, from `#head` on: the last index of each message and its bytes. */
  #lastIndexes: LogIndex[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get messages(): number {
    return this.#sizes.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One message may pass the limit of bytes, or nothing large would ever go. */
  get full(): boolean {
    return this.messages >= this.#maxMessages || this.#bytes >= this.#maxBytes;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    invariant(!this.full, 'append beyond the in-flight limit', { lastIndex });
    this.#lastIndexes.push(lastIndex);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Everything up to `index` has arrived. */
  freeThrough(index: LogIndex): void {
    while (this.#head < this.#sizes.length && this.#lastIndexes[this.#head]! <= index) {
      this.#bytes -= this.#sizes[this.#head]!;
      this.#head++;
    }
    if (this.#head >= this.#maxMessages) {
      this.#lastIndexes = this.#lastIndexes.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
  }

  reset(): void {
    this.#lastIndexes = [];
    this.#sizes = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
