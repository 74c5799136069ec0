import type { ByteWriter } from '../base/index.ts';
import { OutgoingBatch } from './outgoing-batch.ts';

/** What a frame writer needs of a socket. */
export interface FrameSink {
  readonly destroyed: boolean;
  /** Bytes accepted by `write` that have not left yet. */
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array): boolean;
}

export interface FrameWriterOptions {
  /** Longest frame the other side accepts, header included. */
  readonly maxFrameBytes: number;
  /** Runs a callback at the end of this turn of the event loop; `setImmediate` by default. */
  readonly defer?: (callback: () => void) => void;
}

/**
 * Writes frames to a socket. Everything begun and ended in one turn leaves in one write. It never
 * refuses for want of room: the caller looks at `queuedBytes` and decides what to drop.
 */
export class FrameWriter {
  readonly #sink: FrameSink;
  readonly #batch: OutgoingBatch;
  readonly #defer: (callback: () => void) => void;
  readonly #turnEnded = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };
  #flushScheduled = false;

  constructor(sink: FrameSink, options: FrameWriterOptions) {
    this.#sink = sink;
    this.#batch = new OutgoingBatch(options.maxFrameBytes);
    this.#defer = options.defer ?? ((callback): void => void setImmediate(callback));
  }

  /** Bytes that have not reached the operating system: gathered here, or waiting in the socket. */
  get queuedBytes(): number {
    return this.#batch.byteLength + this.#sink.writableLength;
  }

  /** See `OutgoingBatch.begin`. */
  begin(): ByteWriter {
    return this.#batch.begin();
  }

  /** See `OutgoingBatch.end`. The frame leaves at the end of the turn, or with `flush`. */
  end(kind: number, payload?: Uint8Array, tail?: readonly Uint8Array[]): number {
    const size = this.#batch.end(kind, payload, tail);
    if (size > 0 && !this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#defer(this.#turnEnded);
    }
    return size;
  }

  /** Hands everything gathered to the socket now; nothing happens when the socket is gone. */
  flush(): void {
    if (this.#batch.byteLength === 0) return;
    if (this.#sink.destroyed) {
      this.#batch.clear();
      return;
    }
    const chunks = this.#batch.take();
    if (chunks.length === 1) {
      this.#sink.write(chunks[0]!);
      return;
    }
    this.#sink.cork();
    for (const chunk of chunks) this.#sink.write(chunk);
    this.#sink.uncork();
  }
}
