import {
  MalformedBytesError,
  unreachable,
  type ByteReader,
  type ByteWriter,
} from '../../base/index.ts';
import type {
  ConnectionId,
  EdgeRequest,
  EdgeType,
  TableCommand,
  TableResult,
} from '../table-types.ts';
import type { Revision, SessionId } from '../types.ts';
import { readCount } from './format.ts';
import { readRecord, writeRecord } from './record.ts';

/** On the wire and in the log for ever: numbers are added, never changed. */
export const TableTag: {
  readonly [Type in TableCommand['type']]: number;
} = {
  openTable: 13,
  dropTable: 14,
  tableStore: 15,
  tableErase: 16,
  tableConnect: 17,
  tableDisconnect: 18,
  tableDisconnectAll: 19,
  acknowledgeNotices: 20,
};

/** On the wire and in snapshots: numbers are added, never changed. */
export const TableResultTag: {
  readonly [Type in TableResult['type']]: number;
} = {
  table: 6,
  stored: 7,
  connections: 8,
};

/** In the log and in records for ever: a type's number is its place here, add at the end only. */
const EDGE_TYPES: readonly EdgeType[] = ['link', 'forward_link', 'backward_link', 'monitor'];

export function edgeNumber(edge: EdgeType): number {
  return EDGE_TYPES.indexOf(edge);
}

/** Throws `MalformedBytesError` for a number that is no edge type's. */
export function edgeOf(number: number): EdgeType {
  const edge = EDGE_TYPES[number];
  if (edge === undefined) throw new MalformedBytesError(`no edge type has the number ${number}`);
  return edge;
}

/** What stands after the command's number. */
export function writeTableCommand(writer: ByteWriter, command: TableCommand): void {
  switch (command.type) {
    case 'openTable':
      writer.byteString(command.table).boolean(command.linked);
      return;
    case 'dropTable':
      writer.byteString(command.table);
      return;
    case 'tableStore':
      writer.byteString(command.table).byteString(command.key).bytes(command.value);
      writer.boolean(command.connect !== undefined);
      if (command.connect !== undefined) writeEdge(writer, command.connect);
      return;
    case 'tableErase':
      writer.byteString(command.table).byteString(command.key);
      return;
    case 'tableConnect':
      writer.byteString(command.table).byteString(command.key);
      writeEdge(writer, command);
      return;
    case 'tableDisconnect':
      writer.byteString(command.table).byteString(command.key);
      writer.varint(command.peer).varint(command.connection);
      return;
    case 'tableDisconnectAll':
      writer.byteString(command.table).byteString(command.key).varint(command.peer);
      return;
    case 'acknowledgeNotices':
      writer.varint(command.session);
      writeConnections(writer, command.connections);
      return;
    default:
      unreachable(command);
  }
}

/** What stands after the command's number, if that is a table command's. Values are views. */
export function readTableCommand(reader: ByteReader, tag: number): TableCommand | undefined {
  switch (tag) {
    case TableTag.openTable: {
      const table = reader.byteString();
      return { type: 'openTable', table, linked: reader.boolean() };
    }
    case TableTag.dropTable:
      return { type: 'dropTable', table: reader.byteString() };
    case TableTag.tableStore: {
      const place = readPlace(reader);
      const value = reader.bytes();
      const connect = reader.boolean() ? readEdge(reader) : undefined;
      return { type: 'tableStore', ...place, value, connect };
    }
    case TableTag.tableErase:
      return { type: 'tableErase', ...readPlace(reader) };
    case TableTag.tableConnect:
      return { type: 'tableConnect', ...readPlace(reader), ...readEdge(reader) };
    case TableTag.tableDisconnect: {
      const place = readPlace(reader);
      const peer = reader.varint() as SessionId;
      return { type: 'tableDisconnect', ...place, peer, connection: readConnection(reader) };
    }
    case TableTag.tableDisconnectAll: {
      const place = readPlace(reader);
      return { type: 'tableDisconnectAll', ...place, peer: reader.varint() as SessionId };
    }
    case TableTag.acknowledgeNotices: {
      const session = reader.varint() as SessionId;
      return { type: 'acknowledgeNotices', session, connections: readConnections(reader) };
    }
    default:
      return undefined;
  }
}

function readPlace(reader: ByteReader): { readonly table: string; readonly key: string } {
  const table = reader.byteString();
  return { table, key: reader.byteString() };
}

function writeEdge(writer: ByteWriter, { edge, peer }: EdgeRequest): void {
  writer.u8(edgeNumber(edge)).varint(peer);
}

function readEdge(reader: ByteReader): EdgeRequest {
  const edge = edgeOf(reader.u8());
  return { edge, peer: reader.varint() as SessionId };
}

function readConnection(reader: ByteReader): ConnectionId {
  return reader.varint() as ConnectionId;
}

function writeConnections(writer: ByteWriter, connections: readonly ConnectionId[]): void {
  writer.varint(connections.length);
  for (const connection of connections) writer.varint(connection);
}

function readConnections(reader: ByteReader): ConnectionId[] {
  const connections: ConnectionId[] = [];
  for (let left = readCount(reader, 1); left > 0; left--) connections.push(readConnection(reader));
  return connections;
}

/** What stands after the result's number. */
export function writeTableResult(writer: ByteWriter, result: TableResult): void {
  writer.varint(result.revision);
  switch (result.type) {
    case 'table':
      writer.boolean(result.existed);
      return;
    case 'stored':
      writer.boolean(result.stored).boolean(result.connection !== undefined);
      if (result.connection !== undefined) writer.varint(result.connection);
      writeRecord(writer, result.record);
      return;
    case 'connections':
      writeConnections(writer, result.connections);
      return;
    default:
      unreachable(result);
  }
}

/** What stands after the result's number and revision, if the number is a table result's. */
export function readTableResult(
  reader: ByteReader,
  tag: number,
  revision: Revision,
): TableResult | undefined {
  switch (tag) {
    case TableResultTag.table:
      return { type: 'table', revision, existed: reader.boolean() };
    case TableResultTag.stored: {
      const stored = reader.boolean();
      const connection = reader.boolean() ? readConnection(reader) : undefined;
      return { type: 'stored', revision, stored, connection, record: readRecord(reader) };
    }
    case TableResultTag.connections:
      return { type: 'connections', revision, connections: readConnections(reader) };
    default:
      return undefined;
  }
}
