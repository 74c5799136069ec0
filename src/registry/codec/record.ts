import { MalformedBytesError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { writeValue } from '../key-version.ts';
import type {
  ByteString,
  FencingToken,
  KeyRecord,
  KeyView,
  LockHolder,
  Revision,
  SessionId,
} from '../types.ts';

/** Everything of a record but its key. */
export function writeRecordBody(writer: ByteWriter, record: KeyRecord): void {
  writeValue(writer, record);
  writer
    .varint(record.createRevision)
    .varint(record.modRevision)
    .varint(record.version)
    .varint(record.session)
    .varint(record.expiresAt === undefined ? 0 : record.expiresAt + 1)
    .byteString(record.node)
    .varint(record.time);
}

/** The value is a view into the bytes read from. */
export function readRecordBody(reader: ByteReader, key: ByteString): KeyRecord {
  const value = reader.bytes();
  const createRevision = reader.varint() as Revision;
  const modRevision = reader.varint() as Revision;
  const version = reader.varint();
  const session = reader.varint() as SessionId;
  const expires = reader.varint();
  return {
    key,
    value,
    createRevision,
    modRevision,
    version,
    session,
    expiresAt: expires === 0 ? undefined : expires - 1,
    node: reader.byteString(),
    time: reader.varint(),
  };
}

export function writeRecord(writer: ByteWriter, record: KeyRecord): void {
  writer.byteString(record.key);
  writeRecordBody(writer, record);
}

export function readRecord(reader: ByteReader): KeyRecord {
  const key = reader.byteString();
  return readRecordBody(reader, key);
}

export function writeHolder(writer: ByteWriter, holder: LockHolder): void {
  writer.varint(holder.session).varint(holder.token);
}

export function readHolder(reader: ByteReader): LockHolder {
  const session = reader.varint() as SessionId;
  return { session, token: reader.varint() as FencingToken };
}

const HAS_RECORD = 1;
const HAS_LOCK = 2;

export function writeView(writer: ByteWriter, view: KeyView): void {
  const { record, lock } = view;
  writer.u8((record === undefined ? 0 : HAS_RECORD) | (lock === undefined ? 0 : HAS_LOCK));
  if (record !== undefined) writeRecord(writer, record);
  if (lock !== undefined) writeHolder(writer, lock);
}

export function readView(reader: ByteReader): KeyView {
  const flags = reader.u8();
  if (flags > (HAS_RECORD | HAS_LOCK)) throw new MalformedBytesError(`key view flags ${flags}`);
  const record = (flags & HAS_RECORD) === 0 ? undefined : readRecord(reader);
  return { record, lock: (flags & HAS_LOCK) === 0 ? undefined : readHolder(reader) };
}
