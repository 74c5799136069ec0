/**
 * Messages between nodes as frames: one frame kind per message type. Sender and receiver are not
 * in the bytes; the handshake has proved them. Log entries travel in the frame's tail as the
 * records the entry codec made, checksums included.
 */
import { ByteReader, MalformedBytesError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { FIRST_FREE_KIND, type Frame, type OutgoingBatch } from '../wire/index.ts';
import type { PeerMessage } from './contract.ts';
import { MESSAGE_FIELDS, type MessageFields } from './message-fields.ts';

/** Where frames are written: a batch, or a frame writer over a socket. */
export type FrameTarget = Pick<OutgoingBatch, 'begin' | 'end'>;

const FIELDS_BY_KIND: readonly MessageFields<PeerMessage>[] = Object.values(MESSAGE_FIELDS)
  .map((fields) => fields as MessageFields<PeerMessage>)
  .toSorted((a, b) => a.kind - b.kind);

/**
 * Writes the message as one frame; large payloads and entry records are borrowed, not copied.
 * Returns the frame's size, or 0 when it is over the target's limit and was left out.
 */
export function encodePeerMessage(frames: FrameTarget, message: PeerMessage): number {
  // The table pairs each type with fields of that very type, which the lookup cannot express.
  const fields = MESSAGE_FIELDS[message.type] as MessageFields<PeerMessage>;
  fields.write(frames.begin(), message);
  return frames.end(
    FIRST_FREE_KIND + fields.kind,
    fields.payload?.(message),
    fields.tail?.(message),
  );
}

/**
 * Reads the message a frame holds. Data fields are views of the frame.
 * @throws MalformedBytesError for anything `encodePeerMessage` could not have written
 */
export function decodePeerMessage(frame: Frame, from: NodeId, to: NodeId): PeerMessage {
  const fields = FIELDS_BY_KIND[frame.kind - FIRST_FREE_KIND];
  if (fields === undefined) throw new MalformedBytesError(`frame of unknown kind ${frame.kind}`);
  if (frame.tail.length > 0 && fields.tail === undefined) {
    throw new MalformedBytesError(`frame of kind ${frame.kind} may have no tail`);
  }
  const reader = new ByteReader(frame.head);
  const message = fields.read(reader, { from, to }, frame.tail);
  reader.end();
  return message;
}
