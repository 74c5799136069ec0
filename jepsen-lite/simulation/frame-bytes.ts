/** Messages between nodes as the bytes a socket would carry, one frame each. */
import type { NodeId } from '../../src/raft/index.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/transport/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import { FrameDecoder, OutgoingBatch, WireError } from '../../src/wire/index.ts';

const NO_LIMIT = { maxFrameBytes: Number.MAX_SAFE_INTEGER };

const batch = new OutgoingBatch(NO_LIMIT.maxFrameBytes);

/** What is gathered in a batch, in one piece that nobody else writes to. */
export function takeBytes(from: OutgoingBatch): Uint8Array {
  const chunks = from.take();
  if (chunks.length === 1) return chunks[0]!;
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

export function encodeMessage(message: PeerMessage): Uint8Array {
  encodePeerMessage(batch, message);
  return takeBytes(batch);
}

let decoder = new FrameDecoder(NO_LIMIT);

/** Throws what a receiver would close the connection for. */
export function decodeMessage(bytes: Uint8Array, from: NodeId, to: NodeId): PeerMessage {
  try {
    decoder.push(bytes);
    const frame = decoder.next();
    if (frame === undefined) throw new WireError('truncated', 'a frame that waits for its end');
    return decodePeerMessage(frame, from, to);
  } catch (error) {
    decoder = new FrameDecoder(NO_LIMIT);
    throw error;
  }
}

/** The same bytes with one bit flipped, chosen by a number of at least 0, below 1. */
export function withFlippedBit(bytes: Uint8Array, where: number): Uint8Array {
  const flipped = bytes.slice();
  const bit = Math.floor(where * flipped.length * 8);
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
}
