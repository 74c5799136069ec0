/** The least there can be of a frame: its size (4 bytes), a number (4 bytes), the bytes. */

export const HEADER_BYTES = 8;

export type OnFrame = (number: number, bytes: Uint8Array) => void;

/** Cuts a stream into frames; what it hands out are views. */
export class FrameCutter {
  readonly #onFrame: OnFrame;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32LE(at);
      if (end > bytes.length) break;
      this.#onFrame(bytes.readUInt32LE(at + 4), bytes.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

/** Frames of equal size, each with its number, in one buffer. */
export function framesOf(numbers: readonly number[], size: number): Buffer {
  const frame = HEADER_BYTES + size;
  const bytes = Buffer.allocUnsafe(numbers.length * frame);
  numbers.forEach((number, i) => {
    bytes.writeUInt32LE(size, i * frame);
    bytes.writeUInt32LE(number, i * frame + 4);
  });
  return bytes;
}
