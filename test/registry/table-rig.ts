/** A registry whose tables tests can ask in short, and whose records they can look at. */
import {
  decodeNotice,
  noticePrefix,
  tableEntryPrefix,
  type ConnectionId,
  type EdgeType,
  type RegistryCommand,
  type RegistryResult,
  type SessionId,
  type TableNotice,
} from '../../src/registry/index.ts';
import { bytes, NONE, resultOf, Rig, textOf } from './rig.ts';

export const EDGES: readonly EdgeType[] = ['link', 'forward_link', 'backward_link', 'monitor'];
export const NOBODY = 0 as SessionId;

export class TableRig extends Rig {
  /** A session, which traps exits unless told otherwise. */
  session(trapExits = true): SessionId {
    const command = { type: 'openSession', ttlMs: 10_000, label: '', metadata: NONE } as const;
    return resultOf(this.do({ ...command, trapExits }), 'session').session;
  }

  expire(...sessions: SessionId[]): RegistryResult {
    return this.do({ type: 'expireSessions', sessions });
  }

  openTable(table = 't', linkedTo: SessionId = NOBODY): RegistryResult {
    const linked = linkedTo !== 0;
    return this.do({ type: 'openTable', table, linked }, { session: linkedTo });
  }

  dropTable(table = 't'): RegistryResult {
    return this.do({ type: 'dropTable', table });
  }

  store(key: string, text: string, edge?: EdgeType, peer?: SessionId, table = 't'): RegistryResult {
    const connect = edge === undefined ? undefined : { edge, peer: peer! };
    return this.do({ type: 'tableStore', table, key, value: bytes(text), connect });
  }

  erase(key: string, by: SessionId = NOBODY, table = 't'): RegistryResult {
    return this.do({ type: 'tableErase', table, key }, { session: by });
  }

  tryConnect(edge: EdgeType, peer: SessionId, key: string, table = 't'): RegistryResult {
    return this.do({ type: 'tableConnect', table, key, edge, peer });
  }

  connect(edge: EdgeType, peer: SessionId, key: string, table = 't'): ConnectionId {
    const { connections } = resultOf(this.tryConnect(edge, peer, key, table), 'connections');
    return connections[0]!;
  }

  disconnect(
    connection: ConnectionId,
    peer: SessionId,
    key: string,
    table = 't',
  ): readonly ConnectionId[] {
    const command: RegistryCommand = { type: 'tableDisconnect', table, key, peer, connection };
    return resultOf(this.do(command), 'connections').connections;
  }

  disconnectAll(peer: SessionId, key: string, table = 't'): readonly ConnectionId[] {
    const command: RegistryCommand = { type: 'tableDisconnectAll', table, key, peer };
    return resultOf(this.do(command), 'connections').connections;
  }

  acknowledge(session: SessionId, connections: readonly ConnectionId[]): RegistryResult {
    return this.do({ type: 'acknowledgeNotices', session, connections });
  }

  /** What a session is to be told, in the order in which the edges were made. */
  notices(session: SessionId): TableNotice[] {
    return this.#under(noticePrefix(session)).map(({ record }) => decodeNotice(record!.value));
  }

  /** Entries of a table in key order. */
  entries(table = 't'): [key: string, text: string][] {
    const prefix = tableEntryPrefix(table);
    return this.#under(prefix).map(({ record }) => {
      return [record!.key.slice(prefix.length), textOf(record)!];
    });
  }

  keysIn(table = 't'): string[] {
    return this.entries(table).map(([key]) => key);
  }

  /** Keys of all records of edges. */
  edgeKeys(): string[] {
    return this.#under('\0e').map(({ record }) => record!.key);
  }

  openSessions(): SessionId[] {
    const answer = this.ask({ type: 'sessions', after: 0, limit: 0 });
    return answer.type === 'sessions' ? answer.sessions.map(({ id }) => id) : [];
  }

  #under(prefix: string): ReturnType<Rig['list']> {
    return this.list(prefix).filter(({ record }) => record!.key.startsWith(prefix));
  }
}
