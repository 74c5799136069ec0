import { crc32 } from './crc32.ts';
import {
  FRAME_HEADER_BYTES,
  readFrameHeader,
  WireError,
  type Frame,
  type FrameHeader,
} from './frame.ts';

const NOTHING = new Uint8Array(0);

export interface FrameDecoderOptions {
  /** Longest frame accepted, header included. */
  readonly maxFrameBytes: number;
}

/**
 * Cuts a stream that arrives in arbitrary pieces into frames: `push` a chunk, then call `next`
 * until it returns undefined. A frame that lies within one chunk is handed out as views of it; one
 * that does not is copied once, into a buffer of its own. `next` throws `WireError`, and after that
 * the stream is lost: nothing tells where the next frame would begin.
 */
export class FrameDecoder {
  /** May be raised once the other side is known. */
  maxFrameBytes: number;
  #chunk: Uint8Array = NOTHING;
  #offset = 0;
  readonly #headerBytes: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  /** The header of a frame that spans chunks, once it is complete. */
  #header: FrameHeader | undefined = undefined;
  #body: Uint8Array = NOTHING;
  #bodyFilled = 0;

  constructor(options: FrameDecoderOptions) {
    this.maxFrameBytes = options.maxFrameBytes;
  }

  /** Adds what arrived. The decoder keeps views of it: it must not be reused. */
  push(bytes: Uint8Array): void {
    // A socket hands out Buffers; plain views keep everything downstream of one shape.
    const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const rest = this.#chunk.length - this.#offset;
    if (rest > 0) {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#chunk.subarray(this.#offset));
      joined.set(chunk, rest);
      this.#chunk = joined;
    } else {
      this.#chunk = chunk;
    }
    this.#offset = 0;
  }

  /** The next whole frame, or undefined until more arrives. */
  next(): Frame | undefined {
    if (this.#header !== undefined) return this.#continueBody(this.#header);
    if (this.#headerFilled > 0) return this.#continueHeader();
    const rest = this.#chunk.length - this.#offset;
    if (rest < FRAME_HEADER_BYTES) return rest === 0 ? this.#release() : this.#continueHeader();
    const header = readFrameHeader(this.#chunk, this.#offset, this.maxFrameBytes);
    const bodyAt = this.#offset + FRAME_HEADER_BYTES;
    this.#offset = bodyAt;
    if (this.#chunk.length - bodyAt < header.size) return this.#startBody(header);
    this.#offset = bodyAt + header.size;
    return verifiedFrame(header, this.#chunk, bodyAt);
  }

  /** Throws when the stream ends inside a frame; call it once no more will come. */
  end(): void {
    const rest = this.#chunk.length - this.#offset;
    if (this.#header === undefined && this.#headerFilled === 0 && rest === 0) return;
    throw new WireError('truncated', 'connection ended inside a frame');
  }

  /** Lets go of a chunk that is used up, so that an idle stream holds no memory. */
  #release(): undefined {
    this.#chunk = NOTHING;
    this.#offset = 0;
    return undefined;
  }

  #continueHeader(): Frame | undefined {
    const wanted = FRAME_HEADER_BYTES - this.#headerFilled;
    const count = Math.min(wanted, this.#chunk.length - this.#offset);
    const part = this.#chunk.subarray(this.#offset, this.#offset + count);
    this.#headerBytes.set(part, this.#headerFilled);
    this.#headerFilled += count;
    this.#offset += count;
    if (count < wanted) return this.#release();
    const header = readFrameHeader(this.#headerBytes, 0, this.maxFrameBytes);
    this.#headerFilled = 0;
    return this.#startBody(header);
  }

  /** Takes the whole buffer at once: `maxFrameBytes` bounds what a header can make us reserve. */
  #startBody(header: FrameHeader): Frame | undefined {
    this.#header = header;
    this.#body = new Uint8Array(header.size);
    this.#bodyFilled = 0;
    return this.#continueBody(header);
  }

  #continueBody(header: FrameHeader): Frame | undefined {
    const wanted = header.size - this.#bodyFilled;
    const count = Math.min(wanted, this.#chunk.length - this.#offset);
    this.#body.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#bodyFilled);
    this.#bodyFilled += count;
    this.#offset += count;
    if (count < wanted) return this.#release();
    const body = this.#body;
    this.#header = undefined;
    this.#body = NOTHING;
    return verifiedFrame(header, body, 0);
  }
}

function verifiedFrame(header: FrameHeader, bytes: Uint8Array, at: number): Frame {
  const headEnd = at + header.headSize;
  const head = bytes.subarray(at, headEnd);
  if (crc32(head, 0, head.length) !== header.headChecksum) {
    throw new WireError('head-checksum', `frame of kind ${header.kind} fails its checksum`);
  }
  const end = at + header.size;
  const tail = headEnd === end ? NOTHING : bytes.subarray(headEnd, end);
  return { kind: header.kind, head, tail };
}
