import { ByteWriter, MalformedBytesError, unreachable, type ByteReader } from '../../base/index.ts';
import type { FencingToken, RegistryQuery, Revision, SessionId } from '../types.ts';
import { openReader, writeVersion } from './format.ts';
import { readRange, writeRange } from './range.ts';
import { readTreeQuery, TreeQueryTag, writeTreeQuery } from './tree.ts';

/** Between client and server: numbers are added, never changed. */
const Tag = {
  get: 1,
  range: 2,
  lockQueue: 3,
  sessions: 4,
  stats: 5,
  locks: 6,
  /** A range with a selection. */
  selection: 7,
  lockPlace: 8,
  ...TreeQueryTag,
} as const satisfies Record<RegistryQuery['type'] | 'selection', number>;

/** Encodes what `query` takes. */
export function encodeQuery(query: RegistryQuery): Uint8Array {
  const writer = new ByteWriter();
  writeVersion(writer);
  const selects = query.type === 'range' && query.select !== undefined;
  writer.u8(selects ? Tag.selection : Tag[query.type]);
  switch (query.type) {
    case 'get':
      writer.byteString(query.key);
      break;
    case 'range':
      if (query.select !== undefined) {
        writeRange(writer, query);
        break;
      }
      writer.byteString(query.start).boolean(query.end !== undefined);
      if (query.end !== undefined) writer.byteString(query.end);
      writer.varint(query.limit).boolean(query.keysOnly).varint(query.revision);
      break;
    case 'lockQueue':
      writer.byteString(query.name).varint(query.after).varint(query.limit);
      break;
    case 'lockPlace':
      writer.byteString(query.name).varint(query.session).varint(query.token);
      break;
    case 'locks':
      writer.byteString(query.start).boolean(query.end !== undefined);
      if (query.end !== undefined) writer.byteString(query.end);
      writer.varint(query.limit);
      break;
    case 'treeHash':
    case 'treeBucket':
    case 'treeKeys':
    case 'resetTree':
      writeTreeQuery(writer, query);
      break;
    case 'sessions':
      writer.varint(query.after).varint(query.limit);
      break;
    case 'stats':
      break;
    default:
      unreachable(query);
  }
  return writer.finish();
}

/** Throws `MalformedBytesError` for anything `encodeQuery` cannot have made. */
export function decodeQuery(bytes: Uint8Array): RegistryQuery {
  const reader = openReader(bytes, 'query');
  const query = readBody(reader, reader.u8());
  reader.end();
  return query;
}

function readBody(reader: ByteReader, tag: number): RegistryQuery {
  switch (tag) {
    case Tag.get:
      return { type: 'get', key: reader.byteString() };
    case Tag.range: {
      const start = reader.byteString();
      const end = reader.boolean() ? reader.byteString() : undefined;
      const limit = reader.varint();
      const keysOnly = reader.boolean();
      return { type: 'range', start, end, limit, keysOnly, revision: reader.varint() as Revision };
    }
    case Tag.selection:
      return readRange(reader);
    case Tag.lockQueue: {
      const name = reader.byteString();
      const after = reader.varint();
      return { type: 'lockQueue', name, after, limit: reader.varint() };
    }
    case Tag.lockPlace: {
      const name = reader.byteString();
      const session = reader.varint() as SessionId;
      return { type: 'lockPlace', name, session, token: reader.varint() as FencingToken };
    }
    case Tag.locks: {
      const start = reader.byteString();
      const end = reader.boolean() ? reader.byteString() : undefined;
      return { type: 'locks', start, end, limit: reader.varint() };
    }
    case Tag.sessions: {
      const after = reader.varint();
      return { type: 'sessions', after, limit: reader.varint() };
    }
    case Tag.stats:
      return { type: 'stats' };
    default:
      return readTreeQuery(reader, tag) ?? unknown(tag);
  }
}

/** Whether the query is about this replica's hash tree, by its first bytes. */
export function isTreeQuery(bytes: Uint8Array): boolean {
  try {
    return TREE_QUERIES.has(openReader(bytes, 'query').u8());
  } catch (error) {
    if (error instanceof MalformedBytesError) return false;
    throw error;
  }
}

const TREE_QUERIES: ReadonlySet<number> = new Set(Object.values(TreeQueryTag));

function unknown(tag: number): never {
  throw new MalformedBytesError(`no query has the number ${tag}`);
}
