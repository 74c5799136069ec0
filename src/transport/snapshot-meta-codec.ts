import { MalformedBytesError, type ByteReader, type ByteWriter } from '../base/index.ts';
import {
  decodeMembership,
  encodeMembership,
  type LogIndex,
  type SnapshotMeta,
  type Term,
} from '../raft/index.ts';

export function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  writer.varint(meta.index).varint(meta.term).f64(meta.time);
  writer.bytes(encodeMembership(meta.membership));
}

/** @throws MalformedBytesError */
export function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const index = reader.varint() as LogIndex;
  const term = reader.varint() as Term;
  const time = reader.f64();
  if (!Number.isFinite(time)) throw new MalformedBytesError(`snapshot of time ${time}`);
  return { index, term, time, membership: decodeMembership(reader.bytes()) };
}
