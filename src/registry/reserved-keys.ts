/**
 * The registry's own records. They are keys like any other, so history, watches, snapshots and hash
 * trees cover them; but they begin with a zero byte, which no client may write, and only the
 * commands that they belong to change them. A zero byte ends a name, and stands in none.
 *
 *   \0T table                        a table; of the opener's session, if tied to it
 *   \0t table \0 key                 an entry, with the client's value
 *   \0e table \0 len key connection  an edge of that entry; of the peer's session
 *   \0n session connection           a notice; of the session it is for
 *   \0M map                          a map, with its options
 *   \0m map                          its mark, before its entries: made and gone with the map
 *   \0m map \0 key                   an entry, with the client's value
 *   \0o map \0 session               that the session has the map open; of that session
 *   \0h                              that the hash trees are locked; of the locking session
 *   \0s session                      no record: what stands for a session in hash trees
 *
 * `len` is the key's length as two bytes, numbers are 16 lowercase hex digits: so what stands under
 * one name, entry or session is one range, in the order of its numbers.
 */
import type { ConnectionId } from './table-types.ts';
import type { ByteString, SessionId } from './types.ts';

const NUMBER_DIGITS = 16;
const KEY_LENGTH_BYTES = 2;
/** What `len` can tell. */
export const LONGEST_KEY_BYTES = 0xffff;
const RESERVED = '\0';
/** The first key that is not reserved. */
export const FIRST_CLIENT_KEY: ByteString = '\x01';

export const TREE_LOCK_KEY: ByteString = '\0h';
/** The prefix of sessions in hash trees; no record begins with it. */
export const TREE_SESSIONS: ByteString = '\0s';

export type ReservedKind =
  | 'table'
  | 'tableEntry'
  | 'edge'
  | 'notice'
  | 'map'
  | 'mapMark'
  | 'mapEntry'
  | 'opener'
  | 'treeLock';

const KINDS: ReadonlyMap<string, ReservedKind> = new Map([
  ['T', 'table'],
  ['t', 'tableEntry'],
  ['e', 'edge'],
  ['n', 'notice'],
  ['M', 'map'],
  ['m', 'mapEntry'],
  ['o', 'opener'],
  ['h', 'treeLock'],
]);

/** Undefined for a key of a client's. */
export function reservedKind(key: ByteString): ReservedKind | undefined {
  if (!isReserved(key)) return undefined;
  const kind = KINDS.get(key.charAt(1));
  return kind === 'mapEntry' && !key.includes(RESERVED, 2) ? 'mapMark' : kind;
}

/** Whether a reserved key is a session's edge, or its notice of one. */
export function isEdgeOrNotice(key: ByteString): boolean {
  const kind = reservedKind(key);
  return kind === 'edge' || kind === 'notice';
}

export function isReserved(key: ByteString): boolean {
  return key.charCodeAt(0) === 0;
}

export function tableKey(table: ByteString): ByteString {
  return TABLE_PREFIX + table;
}

/** Every table's record stands under it. */
export const TABLE_PREFIX: ByteString = '\0T';

export function tableEntryPrefix(table: ByteString): ByteString {
  return `\0t${table}\0`;
}

export function tableEntryKey(table: ByteString, key: ByteString): ByteString {
  return tableEntryPrefix(table) + key;
}

/** The table of a table's own record. */
export function tableInKey(key: ByteString): ByteString {
  return key.slice(2);
}

function edgePrefix(table: ByteString): ByteString {
  return `\0e${table}\0`;
}

export function entryEdgePrefix(table: ByteString, key: ByteString): ByteString {
  const length = String.fromCharCode(key.length >>> 8, key.length & 0xff);
  return `${edgePrefix(table)}${length}${key}`;
}

export function edgeKey(table: ByteString, key: ByteString, id: ConnectionId): ByteString {
  return entryEdgePrefix(table, key) + digits(id);
}

/** Which edge the record of an edge is. */
export function placeOfEdge(edge: ByteString): {
  readonly table: ByteString;
  readonly key: ByteString;
  readonly connection: ConnectionId;
} {
  const table = nameIn(edge);
  const keyAt = edgePrefix(table).length + KEY_LENGTH_BYTES;
  const key = edge.slice(keyAt, -NUMBER_DIGITS);
  const connection = Number.parseInt(edge.slice(-NUMBER_DIGITS), 16) as ConnectionId;
  return { table, key, connection };
}

export function noticePrefix(session: SessionId): ByteString {
  return `\0n${digits(session)}`;
}

export function noticeKey(session: SessionId, id: ConnectionId): ByteString {
  return noticePrefix(session) + digits(id);
}

export function mapKey(map: ByteString): ByteString {
  return MAP_PREFIX + map;
}

/** Every map's record stands under it. */
export const MAP_PREFIX: ByteString = '\0M';

/** Stands before the map's entries, so that whoever watches those sees the map itself go. */
export function mapMarkKey(map: ByteString): ByteString {
  return `\0m${map}`;
}

/** The first key behind the map's mark and entries. */
export function mapRangeEnd(map: ByteString): ByteString {
  return `\0m${map}\x01`;
}

export function mapEntryPrefix(map: ByteString): ByteString {
  return `\0m${map}\0`;
}

export function openerPrefix(map: ByteString): ByteString {
  return `\0o${map}\0`;
}

export function openerKey(map: ByteString, session: SessionId): ByteString {
  return openerPrefix(map) + digits(session);
}

/** What stands for a session in hash trees. */
export function sessionTreeKey(session: SessionId): ByteString {
  return TREE_SESSIONS + digits(session);
}

function digits(number: number): string {
  return number.toString(16).padStart(NUMBER_DIGITS, '0');
}

/** The name in a key made of a kind, a name and a zero byte. */
export function nameIn(key: ByteString): ByteString {
  return key.slice(2, key.indexOf(RESERVED, 2));
}
