/**
 * Everything a store keeps besides entries: each record is
 * `CRC-32 of the rest (4) | kind (1) | version (1) | payload`.
 */
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, MalformedBytesError } from '../base/index.ts';
import { decodeMembership, encodeMembership } from '../raft/index.ts';
import type { LogIndex, Metadata, NodeId, SnapshotMeta, Term } from '../raft/index.ts';

const VERSION = 1;
const CHECKSUM_BYTES = 4;
const KIND = { identity: 1, metadata: 2, snapshotMeta: 3, storedSnapshot: 4, chunk: 5, head: 6 };
type Kind = keyof typeof KIND;

function seal(kind: Kind, write: (writer: ByteWriter) => unknown, sizeHint = 64): Uint8Array {
  const writer = new ByteWriter(sizeHint).u32(0).u8(KIND[kind]).u8(VERSION);
  write(writer);
  const bytes = writer.finish();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(0, crc32(bytes.subarray(CHECKSUM_BYTES)), true);
  return bytes;
}

function unseal<T>(kind: Kind, bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== crc32(bytes.subarray(CHECKSUM_BYTES))) {
    throw new MalformedBytesError(`${kind} record fails its checksum`);
  }
  const foundKind = reader.u8();
  if (foundKind !== KIND[kind]) {
    throw new MalformedBytesError(`record of kind ${foundKind} where ${kind} should be`);
  }
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedBytesError(`${kind} record of version ${version}, ${VERSION} is known`);
  }
  const value = read(reader);
  reader.end();
  return value;
}

export function encodeIdentity(storeId: string): Uint8Array {
  return seal('identity', (writer) => writer.text(storeId));
}

/** @throws MalformedBytesError like every decoder here, when the bytes are damaged. */
export function decodeIdentity(bytes: Uint8Array): string {
  return unseal('identity', bytes, (reader) => reader.text());
}

export function encodeMetadata(metadata: Metadata): Uint8Array {
  return seal('metadata', (writer) => {
    writer.varint(metadata.term).boolean(metadata.votedFor !== undefined);
    if (metadata.votedFor !== undefined) writer.text(metadata.votedFor);
  });
}

export function decodeMetadata(bytes: Uint8Array): Metadata {
  return unseal('metadata', bytes, (reader) => ({
    term: reader.varint() as Term,
    votedFor: reader.boolean() ? (reader.text() as NodeId) : undefined,
  }));
}

function writeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  writer.varint(meta.index).varint(meta.term).f64(meta.time);
  writer.bytes(encodeMembership(meta.membership));
}

function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  return {
    index: reader.varint() as LogIndex,
    term: reader.varint() as Term,
    time: reader.f64(),
    membership: decodeMembership(reader.bytes()),
  };
}

export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  return seal('snapshotMeta', (writer) => writeSnapshotMeta(writer, meta), 512);
}

export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta {
  return unseal('snapshotMeta', bytes, readSnapshotMeta);
}

/** A snapshot as a store knows it: `id` names its chunks, `size` is in bytes. */
export interface StoredSnapshot {
  readonly id: number;
  readonly size: number;
  readonly meta: SnapshotMeta;
}

export function encodeStoredSnapshot(snapshot: StoredSnapshot): Uint8Array {
  return seal(
    'storedSnapshot',
    (writer) => {
      writer.varint(snapshot.id).varint(snapshot.size);
      writeSnapshotMeta(writer, snapshot.meta);
    },
    512,
  );
}

export function decodeStoredSnapshot(bytes: Uint8Array): StoredSnapshot {
  return unseal('storedSnapshot', bytes, (reader) => ({
    id: reader.varint(),
    size: reader.varint(),
    meta: readSnapshotMeta(reader),
  }));
}

/** A chunk names its place, so that one that strayed is noticed like a damaged one. */
export function encodeChunk(id: number, position: number, data: Uint8Array): Uint8Array {
  const write = (writer: ByteWriter): unknown => writer.varint(id).varint(position).raw(data);
  return seal('chunk', write, data.length + 32);
}

/** The data of chunk number `position` of snapshot `id`, as a view. */
export function decodeChunk(id: number, position: number, bytes: Uint8Array): Uint8Array {
  return unseal('chunk', bytes, (reader) => {
    const foundId = reader.varint();
    const foundPosition = reader.varint();
    if (foundId !== id || foundPosition !== position) {
      throw new MalformedBytesError(
        `chunk ${foundPosition} of snapshot ${foundId} where ${position} of ${id} should be`,
      );
    }
    return reader.raw(reader.remaining);
  });
}

/**
 * What a store holds, kept apart from it and written with every change: nothing can vanish
 * unnoticed. An empty log ends before it begins.
 */
export interface StoreHead {
  readonly first: number;
  readonly last: number;
  readonly hasMetadata: boolean;
  readonly hasSnapshot: boolean;
}

export function encodeHead(head: StoreHead): Uint8Array {
  return seal('head', (writer) =>
    writer.varint(head.first).varint(head.last).boolean(head.hasMetadata).boolean(head.hasSnapshot),
  );
}

export function decodeHead(bytes: Uint8Array): StoreHead {
  return unseal('head', bytes, (reader) => ({
    first: reader.varint(),
    last: reader.varint(),
    hasMetadata: reader.boolean(),
    hasSnapshot: reader.boolean(),
  }));
}
