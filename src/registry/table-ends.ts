/** Ends of entries, edges and tables, and who is told of them. All is part of one revision. */
import { encodeNotice } from './codec/notice.ts';
import type { Endings } from './endings.ts';
import { storeValue, type KeyEntry } from './key-version.ts';
import { nameIn, noticeKey, tableEntryKey, tableEntryPrefix, tableInKey } from './reserved-keys.ts';
import { bindsEntry, edgesOf, liveWithPrefix, readEdge, type Edge } from './table-edges.ts';
import type { DisconnectReason, SessionEnd } from './table-types.ts';
import type { KeyEvent } from './types.ts';

/** Erases a live entry; its edges go with it, in the order in which they were made. */
export function eraseEntry(endings: Endings, entry: KeyEntry, reason: DisconnectReason): void {
  const { state, node } = endings;
  const { store } = state;
  const table = nameIn(entry.key);
  const key = entry.key.slice(tableEntryPrefix(table).length);
  const cause = causeOf(reason);
  store.remove(entry, cause, node);
  for (const edge of edgesOf(store, table, key)) {
    store.remove(edge.entry, cause, node);
    tell(endings, edge, reason);
  }
}

function causeOf(reason: DisconnectReason): KeyEvent['cause'] {
  const asked =
    reason.type === 'erased' || (reason.type === 'tableDown' && reason.why === 'dropped');
  return asked ? 'request' : 'sessionEnded';
}

/** `entry` is the edge's record; its peer ends. */
export function peerEnded(endings: Endings, entry: KeyEntry, why: SessionEnd): void {
  const { state, node } = endings;
  const edge = readEdge(entry);
  const erased = bindsEntry(edge)
    ? state.store.find(tableEntryKey(edge.table, edge.key))
    : undefined;
  if (erased?.live === undefined) state.store.remove(entry, 'sessionEnded', node);
  else eraseEntry(endings, erased, { type: 'exit', peer: edge.peer, why });
}

/** `entry` is the table's record: it goes last, after all that is in the table. */
export function takeDownTable(
  endings: Endings,
  entry: KeyEntry,
  why: 'dropped' | SessionEnd,
): void {
  const { store } = endings.state;
  const reason: DisconnectReason = { type: 'tableDown', why };
  const entries = liveWithPrefix(store, tableEntryPrefix(tableInKey(entry.key)));
  for (const one of entries) eraseEntry(endings, one, reason);
  store.remove(entry, causeOf(reason), endings.node);
}

/**
 * Tells the peer of an edge that is no more, once: by a notice, or by its end. One that has ended,
 * or is about to, is told nothing.
 */
export function tell(endings: Endings, edge: Edge, reason: DisconnectReason): void {
  if (edge.edge === 'backward_link') return;
  const { state, node } = endings;
  const { table, key, connection, peer } = edge;
  const session = state.store.sessions.get(peer);
  if (session === undefined || endings.has(peer)) return;
  const type = edge.edge === 'monitor' ? 'down' : 'exit';
  if (type === 'exit' && !session.trapExits) {
    endings.add(session, 'exit');
    return;
  }
  const notice = { type, table, key, edge: edge.edge, peer, connection, reason } as const;
  state.store.put({
    key: noticeKey(peer, connection),
    stored: storeValue(encodeNotice(notice)),
    session: peer,
    expiresAt: undefined,
    node,
  });
}
