import { unreachable } from '../base/index.ts';
import type { Act, CommandOf } from './act.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { Endings } from './endings.ts';
import { EMPTY_VALUE, storeValue, type KeyEntry } from './key-version.ts';
import { checkEntryKey, checkName, checkValue, refuse, show } from './refusal.ts';
import { noticeKey, tableEntryKey, tableKey } from './reserved-keys.ts';
import { endSessions } from './session-ends.ts';
import { bindsEntry, edgesOf, findEdge, putEdge, type Edge } from './table-edges.ts';
import { eraseEntry, takeDownTable, tell } from './table-ends.ts';
import type { ConnectionId, EdgeRequest, TableCommand } from './table-types.ts';
import type { ByteString, RegistryResult, SessionId } from './types.ts';

const NOBODY = 0 as SessionId;

export function changeTable(act: Act, command: TableCommand): RegistryResult {
  switch (command.type) {
    case 'openTable':
      return openTable(act, command);
    case 'dropTable':
      return dropTable(act, command);
    case 'tableStore':
      return store(act, command);
    case 'tableErase':
      return erase(act, command);
    case 'tableConnect':
      return connect(act, command);
    case 'tableDisconnect':
      return disconnect(act, command);
    case 'tableDisconnectAll':
      return disconnectAll(act, command);
    case 'acknowledgeNotices':
      return acknowledge(act, command);
    default:
      return unreachable(command);
  }
}

function openTable(act: Act, { table, linked }: CommandOf<'openTable'>): RegistryResult {
  const { state, session, node } = act;
  const refusal = checkName('table', table);
  if (refusal !== undefined) return refusal;
  if (linked && session === 0) {
    return refuse('invalid-argument', 'a linked table needs a session to act for');
  }
  const key = tableKey(table);
  const existed = state.store.find(key)?.live !== undefined;
  if (!existed) {
    const owner = linked ? session : NOBODY;
    state.store.put({ key, stored: EMPTY_VALUE, session: owner, expiresAt: undefined, node });
  }
  return { type: 'table', revision: state.commit(), existed };
}

function dropTable(act: Act, { table }: CommandOf<'dropTable'>): RegistryResult {
  const refusal = checkTable(act, table);
  if (refusal !== undefined) return refusal;
  const endings = new Endings(act);
  takeDownTable(endings, act.state.store.find(tableKey(table))!, 'dropped');
  return done(act, endings);
}

function store(act: Act, command: CommandOf<'tableStore'>): RegistryResult {
  const { state, node } = act;
  const { table, key, value } = command;
  const refusal =
    checkPlace(act, command) ??
    checkValue(value, state.limits) ??
    (command.connect === undefined ? undefined : checkPeer(act, command.connect));
  if (refusal !== undefined) return refusal;
  const entryKey = tableEntryKey(table, key);
  const there = state.store.find(entryKey)?.live;
  if (there !== undefined) {
    const { revision } = state.store;
    return { type: 'stored', revision, stored: false, record: there, connection: undefined };
  }
  const edge = command.connect && edgeFor(act, command, command.connect);
  const full =
    checkTableRoom(act, table, edge === undefined ? 1 : 2) ?? checkSessionRoom(act, edge);
  if (full !== undefined) return full;
  const stored = storeValue(value);
  const draft = { key: entryKey, stored, session: NOBODY, expiresAt: undefined, node };
  const record = state.store.put(draft);
  if (edge !== undefined) makeEdge(act, edge);
  const revision = state.commit();
  return { type: 'stored', revision, stored: true, record, connection: edge?.connection };
}

function erase(act: Act, command: CommandOf<'tableErase'>): RegistryResult {
  const refusal = checkPlace(act, command);
  if (refusal !== undefined) return refusal;
  const endings = new Endings(act);
  const entry = entryOf(act, command);
  if (entry !== undefined) eraseEntry(endings, entry, { type: 'erased', by: act.session });
  return done(act, endings);
}

function connect(act: Act, command: CommandOf<'tableConnect'>): RegistryResult {
  const refusal = checkPlace(act, command) ?? checkPeer(act, command);
  if (refusal !== undefined) return refusal;
  const edge = edgeFor(act, command, command);
  const full = checkTableRoom(act, command.table, 1) ?? checkSessionRoom(act, edge);
  if (full !== undefined) return full;
  makeEdge(act, edge);
  return { type: 'connections', revision: act.state.commit(), connections: [edge.connection] };
}

/** Makes an edge to an entry and a session that may both be gone, with what follows from that. */
function makeEdge(act: Act, edge: Edge): void {
  const { state, node } = act;
  const endings = new Endings(act);
  const entry = entryOf(act, edge);
  if (entry === undefined) tell(endings, edge, { type: 'noentry' });
  else if (state.store.sessions.get(edge.peer) !== undefined) putEdge(state.store, edge, node);
  else if (bindsEntry(edge)) {
    eraseEntry(endings, entry, { type: 'exit', peer: edge.peer, why: 'unknown' });
  }
  endSessions(endings);
}

/** Idempotent. A notice of the edge that nobody has acknowledged is forgotten too. */
function disconnect(act: Act, command: CommandOf<'tableDisconnect'>): RegistryResult {
  const { state, node } = act;
  const refusal = checkPlace(act, command);
  if (refusal !== undefined) return refusal;
  const { table, key, peer, connection } = command;
  const edge = findEdge(state.store, table, key, connection);
  const found = edge?.peer === peer ? edge : undefined;
  if (found !== undefined) state.store.remove(found.entry, 'request', node);
  removeNotice(act, peer, connection);
  const connections = found === undefined ? [] : [connection];
  return { type: 'connections', revision: state.commit(), connections };
}

function disconnectAll(act: Act, command: CommandOf<'tableDisconnectAll'>): RegistryResult {
  const { state, node } = act;
  const refusal = checkPlace(act, command);
  if (refusal !== undefined) return refusal;
  const { table, key, peer } = command;
  const connections: ConnectionId[] = [];
  for (const edge of edgesOf(state.store, table, key)) {
    if (edge.peer !== peer) continue;
    state.store.remove(edge.entry, 'request', node);
    connections.push(edge.connection);
  }
  return { type: 'connections', revision: state.commit(), connections };
}

/** Notices that are not there were acknowledged before, or went with their session. */
function acknowledge(act: Act, command: CommandOf<'acknowledgeNotices'>): RegistryResult {
  const { session, connections } = command;
  const { limits, store: keys } = act.state;
  // It may have more, from before the limit was lowered.
  const most = Math.max(limits.maxSessionEdges, keys.sessions.get(session)?.edges ?? 0);
  if (connections.length > most) {
    return refuse(
      'too-large',
      `${connections.length} notices to acknowledge: the limit is ${most} (maxSessionEdges)`,
    );
  }
  for (const connection of connections) removeNotice(act, session, connection);
  return { type: 'done', revision: act.state.commit() };
}

function removeNotice({ state, node }: Act, session: SessionId, connection: ConnectionId): void {
  const notice = state.store.find(noticeKey(session, connection));
  if (notice?.live !== undefined) state.store.remove(notice, 'request', node);
}

/** Ends whom the command has doomed, and answers. */
function done(act: Act, endings: Endings): RegistryResult {
  endSessions(endings);
  return { type: 'done', revision: act.state.commit() };
}

interface Place {
  readonly table: ByteString;
  readonly key: ByteString;
}

/** The live entry of a place. */
function entryOf({ state }: Act, { table, key }: Place): KeyEntry | undefined {
  const entry = state.store.find(tableEntryKey(table, key));
  return entry?.live === undefined ? undefined : entry;
}

function edgeFor(act: Act, { table, key }: Place, { edge, peer }: EdgeRequest): Edge {
  return { table, key, edge, peer, connection: act.index as ConnectionId };
}

/** An entry that is there may be longer than the limit, which can have been lowered since. */
function checkPlace(act: Act, place: Place): RegistryRefusal | undefined {
  const { table, key } = place;
  const refusal = checkTable(act, table);
  if (refusal !== undefined || entryOf(act, place) !== undefined) return refusal;
  return checkEntryKey(key, act.state.limits);
}

function checkTable(act: Act, table: ByteString): RegistryRefusal | undefined {
  const refusal = checkName('table', table);
  if (refusal !== undefined) return refusal;
  if (act.state.store.find(tableKey(table))?.live !== undefined) return undefined;
  return refuse('no-such-table', `there is no table ${show(table)}: open it first`);
}

/** A session that has ended will do; one that cannot have been opened yet is a mistake. */
function checkPeer({ index }: Act, { peer }: EdgeRequest): RegistryRefusal | undefined {
  if (peer > 0 && peer < index) return undefined;
  return refuse(
    'invalid-argument',
    peer === 0
      ? 'an edge needs a session as its peer, not 0'
      : `session ${peer} cannot be the peer of an edge: it has not been opened yet`,
  );
}

/** So that a table can go down in one revision: whatever it holds was let in here. */
function checkTableRoom(act: Act, table: ByteString, more: number): RegistryRefusal | undefined {
  const { limits, store: keys } = act.state;
  const { maxTableRecords } = limits;
  if (keys.tables.of(table) + more <= maxTableRecords) return undefined;
  return refuse(
    'overloaded',
    `table ${show(table)} has ${keys.tables.of(table)} entries and edges: the limit is ` +
      `${maxTableRecords} (maxTableRecords)`,
  );
}

/** An edge leaves at most one notice behind, so whoever may have the edge has room for that. */
function checkSessionRoom(act: Act, edge: Edge | undefined): RegistryRefusal | undefined {
  const session = edge && act.state.store.sessions.get(edge.peer);
  const { maxSessionEdges } = act.state.limits;
  if (session === undefined || session.edges < maxSessionEdges) return undefined;
  return refuse(
    'overloaded',
    `session ${session.id} has ${session.edges} edges and unacknowledged notices: the limit is ` +
      `${maxSessionEdges} (maxSessionEdges)`,
  );
}
