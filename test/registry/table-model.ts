/**
 * Tables as plainly as possible: objects and lists, looked through from end to end. What the
 * registry answers, keeps and tells must be what this does.
 */
import { unreachable } from '../../src/base/index.ts';
import type {
  ConnectionId,
  DisconnectReason,
  EdgeType,
  RegistryCommand,
  SessionEnd,
  SessionId,
  TableCommand,
  TableNotice,
} from '../../src/registry/index.ts';

export type ModelCommand =
  | TableCommand
  | Extract<RegistryCommand, { type: 'openSession' | 'closeSession' | 'expireSessions' }>;

export interface ModelEdge {
  readonly table: string;
  readonly key: string;
  readonly edge: EdgeType;
  readonly peer: SessionId;
  readonly connection: ConnectionId;
}

interface ModelEntry {
  readonly table: string;
  readonly key: string;
  readonly text: string;
}

/** What is answered, as far as it says more than "done". */
export type ModelAnswer =
  | { readonly refused: string }
  | { readonly done: true }
  | { readonly existed: boolean }
  | { readonly stored: boolean; readonly text: string; readonly connection: number | undefined }
  | { readonly connections: readonly number[] };

const DONE: ModelAnswer = { done: true };

export class TableModel {
  /** Open sessions, and whether they trap exits. */
  readonly sessions: Map<SessionId, boolean> = new Map();
  /** Open tables, and the session they are linked to, or 0. */
  readonly tables: Map<string, SessionId> = new Map();
  entries: ModelEntry[] = [];
  edges: ModelEdge[] = [];
  notices: TableNotice[] = [];
  /** Those that end with the command, in order, and how many are done with. */
  #ending: { session: SessionId; why: SessionEnd }[] = [];
  #ended = 0;
  readonly #maxEdges: number;
  readonly #maxRecords: number;

  constructor(maxEdges: number, maxRecords: number) {
    this.#maxEdges = maxEdges;
    this.#maxRecords = maxRecords;
  }

  apply(acting: SessionId, command: ModelCommand, index: number): ModelAnswer {
    if (acting !== 0 && !this.sessions.has(acting)) return { refused: 'session-expired' };
    this.#ending = [];
    this.#ended = 0;
    const answer = this.#execute(acting, command, index);
    while (this.#ended < this.#ending.length) this.#end(this.#ending[this.#ended++]!);
    return answer;
  }

  #execute(acting: SessionId, command: ModelCommand, index: number): ModelAnswer {
    switch (command.type) {
      case 'openSession':
        this.sessions.set(index as SessionId, command.trapExits);
        return DONE;
      case 'closeSession':
        if (!this.sessions.has(command.session)) return { refused: 'session-expired' };
        this.#doom(command.session, 'closed');
        return DONE;
      case 'expireSessions':
        for (const id of [...command.sessions].toSorted((a, b) => a - b)) this.#doom(id, 'expired');
        return DONE;
      case 'openTable': {
        if (command.linked && acting === 0) return { refused: 'invalid-argument' };
        const existed = this.tables.has(command.table);
        if (!existed) this.tables.set(command.table, command.linked ? acting : (0 as SessionId));
        return { existed };
      }
      case 'acknowledgeNotices':
        this.notices = this.notices.filter(
          ({ peer, connection }) =>
            peer !== command.session || !command.connections.includes(connection),
        );
        return DONE;
      case 'dropTable':
      case 'tableStore':
      case 'tableErase':
      case 'tableConnect':
      case 'tableDisconnect':
      case 'tableDisconnectAll':
        if (!this.tables.has(command.table)) return { refused: 'no-such-table' };
        return this.#change(acting, command, index);
      default:
        return unreachable(command);
    }
  }

  #change(
    acting: SessionId,
    command: Exclude<TableCommand, { type: 'openTable' | 'acknowledgeNotices' }>,
    index: number,
  ): ModelAnswer {
    switch (command.type) {
      case 'dropTable':
        this.#down(command.table, 'dropped');
        return DONE;
      case 'tableStore':
        return this.#store(command, index);
      case 'tableErase':
        this.#erase(command.table, command.key, { type: 'erased', by: acting });
        return DONE;
      case 'tableConnect': {
        const refused = this.#refusePeer(command.peer, index) ?? this.#refuseFull(command, 1);
        if (refused !== undefined) return { refused };
        this.#connect({ ...command, connection: index as ConnectionId });
        return { connections: [index] };
      }
      case 'tableDisconnect': {
        const { table, key, peer, connection } = command;
        const isIt = (one: ModelEdge): boolean =>
          one.connection === connection && one.peer === peer;
        const gone = this.edges.filter(
          (one) => isIt(one) && one.table === table && one.key === key,
        );
        this.edges = this.edges.filter((one) => !gone.includes(one));
        this.notices = this.notices.filter((one) => !isIt(one));
        return { connections: gone.map((one) => one.connection) };
      }
      case 'tableDisconnectAll': {
        const gone = this.#edgesOf(command.table, command.key).filter(
          ({ peer }) => peer === command.peer,
        );
        this.edges = this.edges.filter((one) => !gone.includes(one));
        return { connections: gone.map((one) => one.connection) };
      }
      default:
        return unreachable(command);
    }
  }

  #store(command: Extract<TableCommand, { type: 'tableStore' }>, index: number): ModelAnswer {
    const { table, key, connect } = command;
    const wrong = connect === undefined ? undefined : this.#refusePeer(connect.peer, index);
    if (wrong !== undefined) return { refused: wrong };
    const there = this.#find(table, key);
    if (there !== undefined) return { stored: false, text: there.text, connection: undefined };
    const refused = this.#refuseFull({ table, peer: connect?.peer }, connect === undefined ? 1 : 2);
    if (refused !== undefined) return { refused };
    const text = Buffer.from(command.value).toString();
    this.entries.push({ table, key, text });
    const connection = connect === undefined ? undefined : (index as ConnectionId);
    if (connect !== undefined) this.#connect({ table, key, ...connect, connection: connection! });
    return { stored: true, text, connection };
  }

  #connect({ table, key, edge, peer, connection }: ModelEdge): void {
    const made = { table, key, edge, peer, connection };
    if (this.#find(table, key) === undefined) this.#tell(made, { type: 'noentry' });
    else if (this.sessions.has(peer)) this.edges.push(made);
    else if (edge === 'link' || edge === 'backward_link') {
      this.#erase(table, key, { type: 'exit', peer, why: 'unknown' });
    }
  }

  #refusePeer(peer: SessionId, index: number): string | undefined {
    return peer === 0 || peer >= index ? 'invalid-argument' : undefined;
  }

  #refuseFull(
    { table, peer }: { readonly table: string; readonly peer: SessionId | undefined },
    more: number,
  ): string | undefined {
    const inTable = [...this.entries, ...this.edges].filter((one) => one.table === table).length;
    if (inTable + more > this.#maxRecords) return 'overloaded';
    if (peer === undefined || !this.sessions.has(peer)) return undefined;
    const ofPeer = [...this.edges, ...this.notices].filter((one) => one.peer === peer).length;
    return ofPeer >= this.#maxEdges ? 'overloaded' : undefined;
  }

  #find(table: string, key: string): ModelEntry | undefined {
    return this.entries.find((one) => one.table === table && one.key === key);
  }

  /** Oldest first. */
  #edgesOf(table: string, key: string): ModelEdge[] {
    return this.edges.filter((one) => one.table === table && one.key === key);
  }

  #erase(table: string, key: string, reason: DisconnectReason): void {
    if (this.#find(table, key) === undefined) return;
    this.entries = this.entries.filter((one) => one.table !== table || one.key !== key);
    const cut = this.#edgesOf(table, key);
    this.edges = this.edges.filter((one) => !cut.includes(one));
    for (const edge of cut) this.#tell(edge, reason);
  }

  #tell(edge: ModelEdge, reason: DisconnectReason): void {
    const traps = this.sessions.get(edge.peer);
    const isEnding = this.#ending.some(({ session }) => session === edge.peer);
    if (traps === undefined || isEnding || edge.edge === 'backward_link') return;
    if (edge.edge === 'monitor') this.notices.push({ type: 'down', ...edge, reason });
    else if (traps) this.notices.push({ type: 'exit', ...edge, reason });
    else this.#doom(edge.peer, 'exit');
  }

  #down(table: string, why: 'dropped' | SessionEnd): void {
    const keys = this.entries.filter((one) => one.table === table).map(({ key }) => key);
    for (const key of keys.toSorted()) this.#erase(table, key, { type: 'tableDown', why });
    this.tables.delete(table);
  }

  #doom(session: SessionId, why: SessionEnd): void {
    const known = this.#ending.some((one) => one.session === session);
    if (this.sessions.has(session) && !known) this.#ending.push({ session, why });
  }

  #end({ session, why }: { readonly session: SessionId; readonly why: SessionEnd }): void {
    for (const [table, owner] of [...this.tables].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (owner === session) this.#down(table, why);
    }
    const own = this.edges.filter(({ peer }) => peer === session);
    for (const edge of own.toSorted(byRecord)) {
      if (!this.edges.includes(edge)) continue;
      this.edges = this.edges.filter((one) => one !== edge);
      if (edge.edge !== 'link' && edge.edge !== 'backward_link') continue;
      this.#erase(edge.table, edge.key, { type: 'exit', peer: session, why });
    }
    this.notices = this.notices.filter(({ peer }) => peer !== session);
    this.sessions.delete(session);
  }
}

/** The order of the edges' records: by table, then by the key's length, the key, the number. */
function byRecord(a: ModelEdge, b: ModelEdge): number {
  if (a.table !== b.table) return a.table < b.table ? -1 : 1;
  if (a.key.length !== b.key.length) return a.key.length - b.key.length;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.connection - b.connection;
}
