/** The records of a table's edges, and how they are read. */
import { edgeNumber, edgeOf } from './codec/table.ts';
import type { KeyEntry } from './key-version.ts';
import type { MvccStore } from './mvcc-store.ts';
import { edgeKey, entryEdgePrefix, placeOfEdge } from './reserved-keys.ts';
import type { ConnectionId, EdgeType } from './table-types.ts';
import type { ByteString, SessionId } from './types.ts';

/** Behind whatever byte may follow a prefix. */
const ABOVE_BYTES = '\u0100';

export interface Edge {
  readonly table: ByteString;
  readonly key: ByteString;
  readonly connection: ConnectionId;
  readonly edge: EdgeType;
  readonly peer: SessionId;
}

/** An edge that is there, with the entry of its record. */
export interface RecordedEdge extends Edge {
  readonly entry: KeyEntry;
}

/** Whether the end of the peer erases the entry. */
export function bindsEntry({ edge }: Edge): boolean {
  return edge === 'link' || edge === 'backward_link';
}

/** Writes an edge's record as part of the revision under way. */
export function putEdge(store: MvccStore, edge: Edge, node: ByteString): void {
  const key = edgeKey(edge.table, edge.key, edge.connection);
  const stored = String.fromCharCode(edgeNumber(edge.edge));
  store.put({ key, stored, session: edge.peer, expiresAt: undefined, node });
}

/** `entry` is a live edge's. */
export function readEdge(entry: KeyEntry): RecordedEdge {
  const { session: peer, value } = entry.latest;
  return { ...placeOfEdge(entry.key), edge: edgeOf(value[0]!), peer, entry };
}

export function findEdge(
  store: MvccStore,
  table: ByteString,
  key: ByteString,
  connection: ConnectionId,
): RecordedEdge | undefined {
  const entry = store.find(edgeKey(table, key, connection));
  return entry?.live === undefined ? undefined : readEdge(entry);
}

/** Edges of an entry in the order in which they were made. */
export function edgesOf(store: MvccStore, table: ByteString, key: ByteString): RecordedEdge[] {
  return liveWithPrefix(store, entryEdgePrefix(table, key)).map(readEdge);
}

/** Live entries whose keys begin with `prefix`, in key order. */
export function liveWithPrefix(store: MvccStore, prefix: ByteString): KeyEntry[] {
  const found: KeyEntry[] = [];
  store.scanLive({ start: prefix, end: prefix + ABOVE_BYTES }, (entry) => {
    if (entry.live !== undefined) found.push(entry);
    return true;
  });
  return found;
}
