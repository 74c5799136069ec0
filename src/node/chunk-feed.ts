/** Chunks pushed on one side, pulled as an async iterable on the other. */

interface FedChunk {
  readonly data: Uint8Array;
  readonly taken: () => void;
}

/** For one consumer. Holds no more than was pushed and not yet taken. */
export class ChunkFeed implements AsyncIterable<Uint8Array> {
  #chunks: FedChunk[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** `taken` is called once the consumer has come back for more. */
  push(data: Uint8Array, taken: () => void): void {
    this.#chunks.push({ data, taken });
    this.#wake?.();
  }

  end(data: Uint8Array): void {
    this.#ended = true;
    this.push(data, () => {});
  }

  /** The consumer's next pull rejects with this. */
  fail(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        if (chunk.data.length > 0) yield chunk.data;
        chunk.taken();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
