/**
 * The unit everything travels in. Little-endian, 16 bytes of header, then the head, then the tail:
 *
 * | bytes | field |
 * |---|---|
 * | 0-3   | size of head and tail together |
 * | 4-7   | size of the head |
 * | 8-11  | CRC-32 of the head |
 * | 12    | kind, see below |
 * | 13-15 | low 24 bits of the CRC-32 of bytes 0-12 |
 * | 16-   | head, then tail |
 *
 * The head is checked here. The tail is for bytes that carry checksums of their own (log entries as
 * the entry codec made them), so that they are neither copied nor summed once more per peer;
 * whoever reads a tail must verify it. The header has its own check so that a damaged length is
 * noticed at once instead of after waiting for bytes that never come.
 *
 * Kinds 0-15 belong to this room; 16 and above to whoever speaks on the stream.
 */
import { crc32 } from './crc32.ts';

export const FRAME_HEADER_BYTES = 16;

/** The kinds this room gives a meaning to. */
export const FrameKind = {
  hello: 1,
  helloReply: 2,
  /** "Are you there?" on a stream that may be silent for long; answered with `pong`. */
  ping: 3,
  pong: 4,
} as const;

/** The first kind free for the protocols above. */
export const FIRST_FREE_KIND = 16;

export interface Frame {
  readonly kind: number;
  /** Verified. A view when the frame arrived in one piece. */
  readonly head: Uint8Array;
  /** Not verified here: it carries checksums of its own. Empty for most kinds. */
  readonly tail: Uint8Array;
}

export type WireRule =
  /** The header's own check does not match: not a frame, or a damaged one. */
  | 'header-checksum'
  | 'head-checksum'
  /** The head would be longer than the frame. */
  | 'impossible-length'
  /** Longer than this stream allows. */
  | 'too-large'
  /** The stream ended inside a frame. */
  | 'truncated'
  /** The first bytes are not Holdfast's. */
  | 'wrong-magic'
  | 'wrong-version'
  | 'unknown-stream-kind'
  /** A frame that may not stand here. */
  | 'unexpected-frame'
  /** Nothing, or not enough, arrived in time. */
  | 'handshake-timeout'
  /** The socket failed or closed before the hello was done. */
  | 'closed';

/** The other side broke a rule of the wire; only its connection suffers. */
export class WireError extends Error {
  readonly rule: WireRule;

  constructor(rule: WireRule, message: string) {
    super(message);
    this.name = 'WireError';
    this.rule = rule;
  }
}

function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

function getU32(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  return (low | (bytes[at + 3]! << 24)) >>> 0;
}

export interface FrameHeader {
  readonly kind: number;
  readonly size: number;
  readonly headSize: number;
  readonly headChecksum: number;
}

/** Writes a header into `bytes` at `at`, where `FRAME_HEADER_BYTES` are free. */
export function writeFrameHeader(bytes: Uint8Array, at: number, header: FrameHeader): void {
  setU32(bytes, at, header.size);
  setU32(bytes, at + 4, header.headSize);
  setU32(bytes, at + 8, header.headChecksum);
  bytes[at + 12] = header.kind;
  const check = crc32(bytes, at, at + 13);
  bytes[at + 13] = check & 0xff;
  bytes[at + 14] = (check >>> 8) & 0xff;
  bytes[at + 15] = (check >>> 16) & 0xff;
}

/** Reads the header at `at`; throws `WireError` when it is damaged or the frame over the limit. */
export function readFrameHeader(bytes: Uint8Array, at: number, maxBytes: number): FrameHeader {
  const check = bytes[at + 13]! | (bytes[at + 14]! << 8) | (bytes[at + 15]! << 16);
  if ((crc32(bytes, at, at + 13) & 0xffffff) !== check) {
    throw new WireError('header-checksum', 'frame header fails its checksum');
  }
  const header = {
    kind: bytes[at + 12]!,
    size: getU32(bytes, at),
    headSize: getU32(bytes, at + 4),
    headChecksum: getU32(bytes, at + 8),
  };
  if (header.size + FRAME_HEADER_BYTES > maxBytes) {
    const size = header.size + FRAME_HEADER_BYTES;
    throw new WireError('too-large', `frame of ${size} bytes, the limit here is ${maxBytes}`);
  }
  if (header.headSize > header.size) {
    throw new WireError('impossible-length', 'frame whose head is longer than the frame');
  }
  return header;
}

/** One frame with everything in its head, in one piece; for what is sent rarely. */
export function encodeFrame(kind: number, head: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + head.length);
  bytes.set(head, FRAME_HEADER_BYTES);
  const headChecksum = crc32(head, 0, head.length);
  writeFrameHeader(bytes, 0, { kind, size: head.length, headSize: head.length, headChecksum });
  return bytes;
}
