/** Tables' names, edges and records between the user's words and the registry's. */
import { byteStringToBytes, HoldfastError } from '../base/index.ts';
import {
  tableEntryPrefix,
  type ByteString,
  type EdgeType as WireEdgeType,
  type KeyRecord,
  type TableNotice,
} from '../registry/index.ts';
import { edgeRecord, encodeKey, textOf } from './edge.ts';
import type { Notice } from './notice-types.ts';
import type { Key, RegistryRecord } from './registry.ts';
import type { Connection, ConnectionRef, EdgeType } from './table-types.ts';

const MAX_NAME_BYTES = 255;
const NAME_RULE = `a table's name has 1 to ${MAX_NAME_BYTES} bytes, none of them zero`;
const EDGE_TYPES: readonly WireEdgeType[] = ['link', 'forward_link', 'backward_link', 'monitor'];

/** @throws HoldfastError `invalid-key` for a name that breaks the rule. */
export function encodeTableName(name: Key): ByteString {
  const encoded = encodeKey(name, "the table's name");
  if (encoded.length <= MAX_NAME_BYTES && !encoded.includes('\0')) return encoded;
  const shown = textOf(encoded).slice(0, MAX_NAME_BYTES);
  throw new HoldfastError('invalid-key', `${JSON.stringify(shown)}: ${NAME_RULE}`);
}

/** @throws HoldfastError `invalid-argument` for anything but the four types. */
export function checkEdgeType(type: EdgeType): WireEdgeType {
  const known = EDGE_TYPES.find((one) => one === type);
  if (known !== undefined) return known;
  const message = `an edge's type is ${EDGE_TYPES.join(', ')}, not '${type}'`;
  throw new HoldfastError('invalid-argument', message);
}

/** The key of the entry that a connection is of. */
export function keyOfConnection({ key, keyBytes }: ConnectionRef): ByteString {
  return encodeKey(keyBytes ?? key, "the connection's key");
}

/** What an edge is told apart by, as it stands in commands and notices. */
type WireConnection = Pick<TableNotice, 'connection' | 'table' | 'key' | 'edge' | 'peer'>;

export function connectionOf(wire: WireConnection): Connection {
  const { connection, table, key, edge, peer } = wire;
  return {
    id: connection,
    table: textOf(table),
    key: textOf(key),
    keyBytes: byteStringToBytes(key),
    type: edge,
    peer,
  };
}

export function noticeOf(notice: TableNotice, revision: number): Notice {
  const { type, table, reason } = notice;
  return { type, table: textOf(table), connection: connectionOf(notice), reason, revision };
}

/** An entry as its table's users see it: under its own key. */
export function entryRecord(table: ByteString, record: KeyRecord): RegistryRecord {
  const key = record.key.slice(tableEntryPrefix(table).length);
  return edgeRecord({ ...record, key }, undefined);
}
