import { ByteWriter, MalformedBytesError, unreachable, type ByteReader } from '../../base/index.ts';
import type { FencingToken, RegistryResult, Revision, SessionId } from '../types.ts';
import { readRefusal, writeRefusal } from './error.ts';
import { openReader, writeVersion } from './format.ts';
import { readView, writeView } from './record.ts';
import { MapResultTag, readMapResult, writeMapResult } from './map.ts';
import { readTableResult, TableResultTag, writeTableResult } from './table.ts';
import { readTreeResult, TreeResultTag, writeTreeResult } from './tree.ts';
import { readBranchResult, writeBranchResult } from './txn.ts';

/** On the wire and in snapshots: numbers are added, never changed. */
const Tag = {
  error: 0,
  key: 1,
  lock: 2,
  session: 3,
  done: 4,
  txn: 5,
  ...TableResultTag,
  ...MapResultTag,
  ...TreeResultTag,
} as const satisfies Record<RegistryResult['type'], number>;

/** Encodes what `apply` returns. */
export function encodeResult(result: RegistryResult): Uint8Array {
  const writer = new ByteWriter();
  writeResult(writer, result);
  return writer.finish();
}

export function writeResult(writer: ByteWriter, result: RegistryResult): void {
  writeVersion(writer);
  writer.u8(Tag[result.type]);
  switch (result.type) {
    case 'error':
      writeRefusal(writer, result);
      return;
    case 'key':
      writer.varint(result.revision);
      writeView(writer, result.view);
      return;
    case 'lock':
      writer.varint(result.revision).varint(result.token).boolean(result.held);
      return;
    case 'session':
      writer.varint(result.revision).varint(result.session).varint(result.ttlMs);
      return;
    case 'done':
      writer.varint(result.revision);
      return;
    case 'txn':
      writer.varint(result.revision);
      writeBranchResult(writer, result);
      return;
    case 'table':
    case 'stored':
    case 'connections':
      writeTableResult(writer, result);
      return;
    case 'map':
      writeMapResult(writer, result);
      return;
    case 'treeLocked':
    case 'treeRefused':
      writeTreeResult(writer, result);
      return;
    default:
      unreachable(result);
  }
}

/** Throws `MalformedBytesError` for anything `encodeResult` cannot have made. Values are views. */
export function decodeResult(bytes: Uint8Array): RegistryResult {
  const reader = openReader(bytes, 'result');
  const result = readBody(reader, reader.u8());
  reader.end();
  return result;
}

function readBody(reader: ByteReader, tag: number): RegistryResult {
  if (tag === Tag.error) return readRefusal(reader);
  const revision = reader.varint() as Revision;
  switch (tag) {
    case Tag.key:
      return { type: 'key', revision, view: readView(reader) };
    case Tag.lock: {
      const token = reader.varint() as FencingToken;
      return { type: 'lock', revision, token, held: reader.boolean() };
    }
    case Tag.session: {
      const session = reader.varint() as SessionId;
      return { type: 'session', revision, session, ttlMs: reader.varint() };
    }
    case Tag.done:
      return { type: 'done', revision };
    case Tag.txn:
      return { type: 'txn', revision, ...readBranchResult(reader) };
    default:
      return (
        readTableResult(reader, tag, revision) ??
        readMapResult(reader, tag, revision) ??
        readTreeResult(reader, tag, revision) ??
        unknown(tag)
      );
  }
}

function unknown(tag: number): never {
  throw new MalformedBytesError(`no result has the number ${tag}`);
}
