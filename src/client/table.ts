import { HoldfastError } from '../base/index.ts';
import {
  tableEntryPrefix,
  type ByteString,
  type ConnectionId,
  type EdgeRequest,
  type KeyRecord,
  type RangeQuery,
  type RegistryQuery,
  type Revision,
  type SessionId,
  type TableCommand,
} from '../registry/index.ts';
import { knownOptions } from './call-options.ts';
import { consistencyOf, wholeNumber } from './checks.ts';
import { encodeKey, encodePrefix, encodeValue, prefixEnd, textOf } from './edge.ts';
import type { NoticeBoard } from './notice-board.ts';
import { answerOf, NOBODY, resultOf, type CommandResult, type Proposals } from './proposals.ts';
import type {
  CallOptions,
  Key,
  ReadOptions,
  RegistryRecord,
  SessionRef,
  Value,
  WriteOptions,
} from './registry.ts';
import { findTable, type TableHost } from './table-host.ts';
import { checkEdgeType, connectionOf, entryRecord, keyOfConnection } from './table-edge.ts';
import type {
  Connection,
  ConnectionRef,
  EdgeType,
  EntriesOptions,
  Peer,
  StoreOptions,
  StoreOutcome,
  Table,
} from './table-types.ts';

export interface OpenedTable {
  readonly name: ByteString;
  readonly existed: boolean;
  /** Acts where a call names none. */
  readonly session: SessionRef | undefined;
}

/** A table over the registry's records: reads are reads of its range, changes its own commands. */
export class TableHandle implements Table {
  readonly name: string;
  readonly existed: boolean;
  readonly #host: TableHost;
  readonly #board: NoticeBoard;
  readonly #table: ByteString;
  readonly #session: SessionRef | undefined;

  constructor(host: TableHost, board: NoticeBoard, opened: OpenedTable) {
    this.name = textOf(opened.name);
    this.existed = opened.existed;
    this.#host = host;
    this.#board = board;
    this.#table = opened.name;
    this.#session = opened.session;
  }

  async store(key: Key, value: Value, options: StoreOptions = {}): Promise<StoreOutcome> {
    knownOptions('store', options);
    const { connect } = options;
    knownOptions('connect', connect);
    const type = 'tableStore';
    const fixed = {
      type,
      table: this.#table,
      key: encodeKey(key),
      value: encodeValue(value),
    } as const;
    const edge = connect === undefined ? undefined : checkEdgeType(connect.type);
    let request: EdgeRequest | undefined;
    const result = await this.#change(options, connect?.peer, (peer) => {
      request = edge === undefined ? undefined : { edge, peer };
      return { ...fixed, connect: request };
    });
    const { stored, record, connection } = resultOf(result, 'stored');
    const shown = entryRecord(this.#table, record);
    if (!stored) return { stored, current: shown };
    const made =
      request === undefined || connection === undefined
        ? undefined
        : this.#connection(connection, fixed.key, request);
    return { stored, record: shown, connection: made };
  }

  storeConnect(
    type: EdgeType,
    peer: Peer,
    key: Key,
    value: Value,
    options: WriteOptions = {},
  ): Promise<StoreOutcome> {
    return this.store(key, value, { ...options, connect: { type, peer } });
  }

  async find(key: Key, options: ReadOptions = {}): Promise<RegistryRecord | undefined> {
    const query = { type: 'get', key: tableEntryPrefix(this.#table) + encodeKey(key) } as const;
    const answer = await this.#query(query, options);
    const { record } = answerOf(answer, 'get').view;
    if (record !== undefined) return entryRecord(this.#table, record);
    await findTable(this.#host, this.#table, options);
    return undefined;
  }

  async *entries(options: EntriesOptions = {}): AsyncGenerator<RegistryRecord, void, undefined> {
    knownOptions('entries', options);
    const prefix = tableEntryPrefix(this.#table) + encodePrefix(options.prefix);
    const end = prefixEnd(prefix);
    const fixed = { type: 'range', end, limit: 0, keysOnly: false } as const;
    let page = await this.#page({ ...fixed, start: prefix, revision: 0 as Revision }, options);
    if (page.records.length === 0) await findTable(this.#host, this.#table, options);
    // Answers to later pages tell of newer revisions, at which they were not read.
    const { revision } = page;
    for (;;) {
      for (const record of page.records) yield entryRecord(this.#table, record);
      const last = page.records.at(-1);
      if (!page.more || last === undefined) return;
      page = await this.#page({ ...fixed, start: `${last.key}\0`, revision }, options);
    }
  }

  async toList(options: EntriesOptions = {}): Promise<RegistryRecord[]> {
    const all: RegistryRecord[] = [];
    for await (const record of this.entries(options)) all.push(record);
    return all;
  }

  async erase(key: Key, options: WriteOptions = {}): Promise<void> {
    const command = { type: 'tableErase', table: this.#table, key: encodeKey(key) } as const;
    await this.#change(options, undefined, () => command);
  }

  async connect(
    type: EdgeType,
    peer: Peer,
    key: Key,
    options: WriteOptions = {},
  ): Promise<Connection> {
    const fixed = { table: this.#table, key: encodeKey(key), edge: checkEdgeType(type) } as const;
    let session = NOBODY.session;
    const result = await this.#change(options, peer, (id) => {
      session = id;
      return { type: 'tableConnect', ...fixed, peer: id };
    });
    const [id] = resultOf(result, 'connections').connections;
    if (id === undefined) throw new HoldfastError('internal', 'connecting left no reference');
    return this.#connection(id, fixed.key, { edge: fixed.edge, peer: session });
  }

  async disconnect(connection: ConnectionRef, options: CallOptions = {}): Promise<void> {
    const { session, id } = this.#refOf(connection);
    const key = keyOfConnection(connection);
    const edge = { table: this.#table, key, peer: session, connection: id };
    const patience = this.#host.patience(options);
    try {
      // Doing it twice is doing it once: no other edge ever has this number.
      const command = { type: 'tableDisconnect', ...edge } as const;
      await this.#host.proposals.propose(command, NOBODY, patience, true);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'no-such-table') throw error;
      // The edge went with the table; what it left is the notice of that.
      await this.#board.acknowledge(session, [id], patience);
    }
    this.#board.forget(session, id);
  }

  async disconnectAll(peer: Peer, key: Key, options: WriteOptions = {}): Promise<number[]> {
    const fixed = { type: 'tableDisconnectAll', table: this.#table, key: encodeKey(key) } as const;
    const result = await this.#change(options, peer, (id) => ({ ...fixed, peer: id }));
    return [...resultOf(result, 'connections').connections];
  }

  flush(...which: [connection: ConnectionRef] | [peer: Peer, key: Key]): number {
    const [first, key] = which;
    if (key === undefined) {
      const { session, id } = this.#refOf(first as ConnectionRef);
      return this.#board.drop(session, (notice) => notice.connection === id);
    }
    const peer = first as Peer;
    const session =
      peer !== 'self'
        ? idOf(peer)
        : this.#session === undefined
          ? this.#host.ownSession()
          : idOf(this.#session);
    const encoded = encodeKey(key);
    if (session === undefined) return 0;
    const isIt = (notice: { readonly table: ByteString; readonly key: ByteString }): boolean =>
      notice.table === this.#table && notice.key === encoded;
    return this.#board.drop(session, isIt);
  }

  async drop(options: WriteOptions = {}): Promise<void> {
    const command = { type: 'dropTable', table: this.#table } as const;
    await this.#change(options, undefined, () => command);
  }

  /** Carries out the command made for the peer's id; 0 where there is no peer. */
  async #change(
    options: WriteOptions,
    peer: Peer | undefined,
    commandFor: (peer: SessionId) => TableCommand,
  ): Promise<CommandResult> {
    const patience = this.#host.patience(options);
    const session = options.session ?? this.#session;
    if (peer === 'self') {
      const actor = await this.#host.actorFor(session, patience, true);
      const { proposals } = this.#host;
      return (await proposals.propose(commandFor(actor.session), actor, patience)).result;
    }
    const command = commandFor(peer === undefined ? NOBODY.session : idOf(peer));
    return (await this.#host.propose(command, session, patience, false)).result;
  }

  async #page(
    query: RangeQuery,
    options: ReadOptions,
  ): Promise<{
    readonly records: readonly KeyRecord[];
    readonly revision: Revision;
    readonly more: boolean;
  }> {
    const answer = await this.#query(query, options);
    const { views, revision, more } = answerOf(answer, 'range');
    const records = views.map(({ record }) => record).filter((record) => record !== undefined);
    return { records, revision, more };
  }

  #query(query: RegistryQuery, options: ReadOptions): ReturnType<Proposals['query']> {
    const patience = this.#host.patience(options);
    return this.#host.proposals.query(query, consistencyOf(options), patience);
  }

  #connection(id: ConnectionId, key: ByteString, { edge, peer }: EdgeRequest): Connection {
    return connectionOf({ connection: id, table: this.#table, key, edge, peer });
  }

  #refOf(connection: ConnectionRef): { readonly session: SessionId; readonly id: ConnectionId } {
    const table = (connection as Partial<Connection>).table;
    if (table !== undefined && table !== this.name) {
      const message = `connection ${connection.id} is one of table '${table}', not '${this.name}'`;
      throw new HoldfastError('invalid-argument', message);
    }
    const id = wholeNumber(connection.id, "the connection's id") as ConnectionId;
    const session = wholeNumber(connection.peer, "the connection's peer") as SessionId;
    return { session, id };
  }
}

function idOf(ref: SessionRef): SessionId {
  return wholeNumber(typeof ref === 'number' ? ref : ref.id, 'session') as SessionId;
}
