import { ByteWriter } from '../base/index.ts';
import { crc32 } from './crc32.ts';
import { FRAME_HEADER_BYTES, writeFrameHeader } from './frame.ts';

/** Pieces shorter than this are copied beside the header: cheaper than one more piece to write. */
const COPY_BELOW_BYTES = 2048;
const MIN_CAPACITY = 512;
const MAX_CAPACITY = 64 * 1024;
/** A buffer has room for so many batches like the last one, since turns resemble each other. */
const BATCHES_PER_BUFFER = 8;
const NOTHING = new Uint8Array(0);
const NO_TAIL: readonly Uint8Array[] = [];
const HEADER_SPACE = new Uint8Array(FRAME_HEADER_BYTES);

/** A run of the batch's own buffer, or a piece of the caller's that is sent as it is. */
type Piece =
  | { readonly type: 'own'; readonly from: number; readonly to: number }
  | { readonly type: 'borrowed'; readonly bytes: Uint8Array };

/**
 * Frames on their way out, gathered so that one write hands over many. Fields are written straight
 * into the batch's buffer; large payloads and tails are borrowed, not copied, and must not change
 * until they are sent.
 *
 * ```ts
 * batch.begin().varint(term).varint(index);   // the head's fields
 * batch.end(kind, payload, records);          // payload closes the head, records are the tail
 * ```
 */
export class OutgoingBatch {
  readonly #maxFrameBytes: number;
  #writer: ByteWriter = new ByteWriter(MIN_CAPACITY);
  #pieces: Piece[] = [];
  /** Where in the buffer this batch begins, behind those handed out before. */
  #batchFrom = 0;
  /** Start of the run of own bytes that is not yet a piece. */
  #runFrom = 0;
  #frameFrom = 0;
  #byteLength = 0;

  /** @param maxFrameBytes header included; what the other side accepts */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes waiting, borrowed ones included. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Opens a frame. Write the head's fields into the writer returned, then call `end`. */
  begin(): ByteWriter {
    this.#frameFrom = this.#writer.length;
    return this.#writer.raw(HEADER_SPACE);
  }

  /**
   * Completes the frame begun. `payload` ends the head and is covered by the frame's checksum;
   * `tail` pieces are not. Returns the frame's size, or 0 when it is over the limit and left out.
   */
  end(kind: number, payload: Uint8Array = NOTHING, tail: readonly Uint8Array[] = NO_TAIL): number {
    const headFrom = this.#frameFrom + FRAME_HEADER_BYTES;
    const fieldsTo = this.#writer.length;
    const headSize = fieldsTo - headFrom + payload.length;
    let size = headSize;
    for (const piece of tail) size += piece.length;
    if (size + FRAME_HEADER_BYTES > this.#maxFrameBytes) {
      this.#leaveOutFrame();
      return 0;
    }
    const own = this.#writer.memory;
    const fieldsChecksum = crc32(own, headFrom, fieldsTo);
    const headChecksum =
      payload.length === 0 ? fieldsChecksum : crc32(payload, 0, payload.length, fieldsChecksum);
    writeFrameHeader(own, this.#frameFrom, { kind, size, headSize, headChecksum });
    this.#append(payload);
    for (const piece of tail) this.#append(piece);
    this.#byteLength += FRAME_HEADER_BYTES + size;
    return FRAME_HEADER_BYTES + size;
  }

  /** Everything gathered, in order, and an empty batch. */
  take(): Uint8Array[] {
    if (this.#pieces.length === 0) return this.#takeRun();
    this.#closeRun(this.#writer.length);
    const own = this.#writer.finish();
    const chunks = this.#pieces.map((piece) =>
      piece.type === 'own' ? own.subarray(piece.from, piece.to) : piece.bytes,
    );
    this.clear();
    return chunks;
  }

  /** Of most batches nothing is borrowed or left out: one piece, or none. */
  #takeRun(): Uint8Array[] {
    const isEmpty = this.#writer.length === this.#runFrom;
    const chunks = isEmpty ? [] : [this.#writer.finishFrom(this.#runFrom)];
    this.clear();
    return chunks;
  }

  /** Drops everything gathered. */
  clear(): void {
    // Chunks handed out may still be in the socket's hands: that part of the buffer is theirs.
    const used = this.#writer.length - this.#batchFrom;
    if (this.#writer.room < used) {
      const capacity = Math.min(Math.max(used * BATCHES_PER_BUFFER, MIN_CAPACITY), MAX_CAPACITY);
      this.#writer = new ByteWriter(capacity);
    }
    this.#pieces = [];
    this.#batchFrom = this.#writer.length;
    this.#runFrom = this.#writer.length;
    this.#byteLength = 0;
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length < COPY_BELOW_BYTES) {
      this.#writer.raw(bytes);
      return;
    }
    this.#closeRun(this.#writer.length);
    this.#pieces.push({ type: 'borrowed', bytes });
  }

  #closeRun(to: number): void {
    if (to > this.#runFrom) this.#pieces.push({ type: 'own', from: this.#runFrom, to });
    this.#runFrom = to;
  }

  /** The fields of the frame begun stay in the buffer but belong to no piece. */
  #leaveOutFrame(): void {
    this.#closeRun(this.#frameFrom);
    this.#runFrom = this.#writer.length;
  }
}
