/** Revisions cut into messages of bounded size, each encoded once however many receive it. */
import { encodeEvents, type KeyRecord, type RevisionEvents } from '../registry/index.ts';

/** Whole revisions that travel in one message. */
export interface EventPiece {
  readonly revisions: readonly RevisionEvents[];
  /** The last revision in it. */
  readonly through: number;
  /** Whether events are sent with what the keys were before. */
  readonly withPrevious: boolean;
  /** About its length when encoded. */
  readonly bytes: number;
  /** Encoded when the first watcher is sent it. */
  payload: Uint8Array | undefined;
}

/** About what one event takes besides keys and values. */
const EVENT_OVERHEAD_BYTES = 64;

/** Cuts after the revision that passes `pieceBytes`; a revision is never cut. */
export function cutPieces(
  revisions: readonly RevisionEvents[],
  withPrevious: boolean,
  pieceBytes: number,
): EventPiece[] {
  const pieces: EventPiece[] = [];
  let from = 0;
  let bytes = 0;
  revisions.forEach((revision, i) => {
    bytes += revisionBytes(revision, withPrevious);
    if (bytes < pieceBytes && i < revisions.length - 1) return;
    const part = revisions.slice(from, i + 1);
    const through = revision.revision;
    pieces.push({ revisions: part, through, withPrevious, bytes, payload: undefined });
    from = i + 1;
    bytes = 0;
  });
  return pieces;
}

/**
 * The piece's bytes, or undefined when it does not fit in `maxBytes` even without what the keys
 * were before. Only one revision of very many changes (a session's end, say) can be that large.
 */
export function encodePiece(piece: EventPiece, maxBytes: number): Uint8Array | undefined {
  if (piece.payload !== undefined) return piece.payload;
  const { revisions, withPrevious } = piece;
  let payload = encodeEvents(revisions, withPrevious);
  if (payload.length > maxBytes && withPrevious) payload = encodeEvents(revisions, false);
  if (payload.length > maxBytes) return undefined;
  piece.payload = payload;
  return payload;
}

function revisionBytes(revision: RevisionEvents, withPrevious: boolean): number {
  let bytes = 0;
  for (const { record, previous } of revision.events) {
    bytes += EVENT_OVERHEAD_BYTES + recordBytes(record);
    if (withPrevious && previous !== undefined) bytes += recordBytes(previous);
  }
  return bytes;
}

function recordBytes(record: KeyRecord): number {
  return record.key.length + record.value.length;
}
