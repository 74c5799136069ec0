import type { ByteWriter } from '../../base/index.ts';
import type { Session } from '../sessions.ts';

/** What a session was opened with; nothing of it ever changes. */
export function writeSessionFields(writer: ByteWriter, session: Session): void {
  writer.varint(session.id).varint(session.ttlMs);
  writer.byteString(session.label).bytes(session.metadata).varint(session.openedAt);
  writer.boolean(session.trapExits);
}
