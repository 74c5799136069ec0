import { ByteReader, ByteWriter, MalformedBytesError, unreachable } from '../../base/index.ts';
import type { ConnectionId, DisconnectReason, SessionEnd, TableNotice } from '../table-types.ts';
import type { SessionId } from '../types.ts';
import { edgeNumber, edgeOf } from './table.ts';

/** First byte of a notice; apart from that of commands, since notices stay. */
const NOTICE_VERSION = 1;

/** In records for ever: numbers are added, never changed. */
const ReasonTag = {
  exit: 1,
  erased: 2,
  noentry: 3,
  tableDown: 4,
} as const satisfies Record<DisconnectReason['type'], number>;

/** In records for ever: a number is its place here, add at the end only. */
const ENDS: readonly (SessionEnd | 'dropped')[] = [
  'closed',
  'expired',
  'exit',
  'unknown',
  'dropped',
];

/** The value of a notice's record. */
export function encodeNotice(notice: TableNotice): Uint8Array {
  const writer = new ByteWriter(64 + notice.table.length + notice.key.length);
  writer
    .u8(NOTICE_VERSION)
    .boolean(notice.type === 'exit')
    .u8(edgeNumber(notice.edge));
  writer.byteString(notice.table).byteString(notice.key);
  writer.varint(notice.peer).varint(notice.connection);
  writeReason(writer, notice.reason);
  return writer.finish();
}

function writeReason(writer: ByteWriter, reason: DisconnectReason): void {
  writer.u8(ReasonTag[reason.type]);
  switch (reason.type) {
    case 'exit':
      writer.varint(reason.peer).u8(ENDS.indexOf(reason.why));
      return;
    case 'erased':
      writer.varint(reason.by);
      return;
    case 'noentry':
      return;
    case 'tableDown':
      writer.u8(ENDS.indexOf(reason.why));
      return;
    default:
      unreachable(reason);
  }
}

/**
 * Decodes the value of a notice's record. Throws `MalformedBytesError` for anything `encodeNotice`
 * cannot have made.
 */
export function decodeNotice(bytes: Uint8Array): TableNotice {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== NOTICE_VERSION) {
    throw new MalformedBytesError(`notice of format version ${version}, not ${NOTICE_VERSION}`);
  }
  const type = reader.boolean() ? 'exit' : 'down';
  const edge = edgeOf(reader.u8());
  const table = reader.byteString();
  const key = reader.byteString();
  const peer = reader.varint() as SessionId;
  const connection = reader.varint() as ConnectionId;
  const reason = readReason(reader);
  reader.end();
  return { type, table, edge, peer, key, connection, reason };
}

function readReason(reader: ByteReader): DisconnectReason {
  const tag = reader.u8();
  switch (tag) {
    case ReasonTag.exit: {
      const peer = reader.varint() as SessionId;
      const why = readEnd(reader);
      if (why === 'dropped') throw new MalformedBytesError('a session is not dropped');
      return { type: 'exit', peer, why };
    }
    case ReasonTag.erased:
      return { type: 'erased', by: reader.varint() as SessionId };
    case ReasonTag.noentry:
      return { type: 'noentry' };
    case ReasonTag.tableDown:
      return { type: 'tableDown', why: readEnd(reader) };
    default:
      throw new MalformedBytesError(`no reason has the number ${tag}`);
  }
}

function readEnd(reader: ByteReader): SessionEnd | 'dropped' {
  const number = reader.u8();
  const end = ENDS[number];
  if (end === undefined) throw new MalformedBytesError(`no end has the number ${number}`);
  return end;
}
