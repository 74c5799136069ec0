/** Responses as bytes, the same way as requests: version, tag, id, fields, payload last. */
import type { Outcome } from '../base/index.ts';
import { ByteReader, ByteWriter, MalformedBytesError, unreachable } from '../base/index.ts';
import { REQUEST_OVERHEAD_BYTES } from './limits.ts';
import { NO_PAYLOAD, readHeader, writeHeader } from './message-header.ts';
import type { BackupOrigin, MemberStatus, Response, StatusReport } from './requests.ts';

const OK = 1;
const ERROR = 2;
const STATUS = 3;
const WATCH_STARTED = 4;
const WATCH_EVENTS = 5;
const WATCH_ENDED = 6;
const LEADER = 7;
const BACKUP_STARTED = 8;
const BACKUP_CHUNK = 9;

type WatchEnd = Extract<Response, { type: 'watchEnded' }>['code'];
const OUTCOMES: readonly Outcome[] = ['not-applied', 'unknown'];
const WATCH_ENDS: readonly WatchEnd[] = ['compacted', 'overrun', 'stopped'];
const MEMBER_ROLES: readonly MemberStatus['role'][] = ['voter', 'learner'];

/**
 * Everything but the registry's bytes (`responsePayload`), which follow directly: one encoding of
 * events serves many watchers without a copy for each.
 */
export function writeResponseFields(writer: ByteWriter, response: Response): void {
  switch (response.type) {
    case 'ok':
      writeHeader(writer, OK, response.id);
      return;
    case 'error':
      writeHeader(writer, ERROR, response.id);
      writer.text(response.code).text(response.message).u8(OUTCOMES.indexOf(response.outcome));
      writer.text(response.leader);
      return;
    case 'status':
      writeHeader(writer, STATUS, response.id);
      writeStatus(writer, response.status);
      return;
    case 'watchStarted':
      writeHeader(writer, WATCH_STARTED, response.id);
      writer.varint(response.revision);
      return;
    case 'watchEvents':
      writeHeader(writer, WATCH_EVENTS, response.id);
      return;
    case 'watchEnded':
      writeHeader(writer, WATCH_ENDED, response.id);
      writer.u8(WATCH_ENDS.indexOf(response.code)).varint(response.resumeFrom);
      writer.text(response.message);
      return;
    case 'backupStarted':
      writeHeader(writer, BACKUP_STARTED, response.id);
      writeOrigin(writer, response.origin);
      return;
    case 'backupChunk':
      writeHeader(writer, BACKUP_CHUNK, response.id);
      return;
    case 'leader':
      writeHeader(writer, LEADER, response.id);
      writer.text(response.address);
      return;
    default:
      unreachable(response);
  }
}

/** The registry's bytes in a response, its last field; none in most. */
export function responsePayload(response: Response): Uint8Array {
  return 'payload' in response ? response.payload : NO_PAYLOAD;
}

/** The response as one message, in a buffer of its own. */
export function encodeResponse(response: Response): Uint8Array {
  const payload = responsePayload(response);
  const writer = new ByteWriter(REQUEST_OVERHEAD_BYTES + payload.length);
  writeResponseFields(writer, response);
  return writer.raw(payload).finish();
}

/** Reads one message; payloads are views of `bytes`. Throws `MalformedBytesError`. */
export function decodeResponse(bytes: Uint8Array): Response {
  const reader = new ByteReader(bytes);
  const tag = readHeader(reader);
  const id = reader.varint();
  const response = decodeFields(reader, tag, id);
  if (id === 0 && response.type !== 'leader') {
    throw new MalformedBytesError('only leader notices have id 0');
  }
  reader.end();
  return response;
}

function decodeFields(reader: ByteReader, tag: number, id: number): Response {
  switch (tag) {
    case OK:
      return { type: 'ok', id, payload: reader.raw(reader.remaining) };
    case ERROR: {
      const code = reader.text();
      const message = reader.text();
      const outcome = oneOf(OUTCOMES, reader.u8());
      return { type: 'error', id, code, message, outcome, leader: reader.text() };
    }
    case STATUS:
      return { type: 'status', id, status: readStatus(reader) };
    case WATCH_STARTED:
      return { type: 'watchStarted', id, revision: reader.varint() };
    case WATCH_EVENTS:
      return { type: 'watchEvents', id, payload: reader.raw(reader.remaining) };
    case WATCH_ENDED: {
      const code = oneOf(WATCH_ENDS, reader.u8());
      const resumeFrom = reader.varint();
      return { type: 'watchEnded', id, code, resumeFrom, message: reader.text() };
    }
    case BACKUP_STARTED:
      return { type: 'backupStarted', id, origin: readOrigin(reader) };
    case BACKUP_CHUNK:
      return { type: 'backupChunk', id, payload: reader.raw(reader.remaining) };
    case LEADER:
      if (id !== 0) throw new MalformedBytesError('a leader notice has id 0');
      return { type: 'leader', id, address: reader.text() };
    default:
      throw new MalformedBytesError(`unknown response type ${tag}`);
  }
}

function oneOf<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new MalformedBytesError(`no such choice: ${index}`);
  return value;
}

function writeOrigin(writer: ByteWriter, origin: BackupOrigin): void {
  writer.text(origin.clusterName).text(origin.clusterId).text(origin.node);
  writer.varint(origin.revision).varint(origin.index).varint(origin.time);
}

function readOrigin(reader: ByteReader): BackupOrigin {
  return {
    clusterName: reader.text(),
    clusterId: reader.text(),
    node: reader.text(),
    revision: reader.varint(),
    index: reader.varint(),
    time: reader.varint(),
  };
}

function writeStatus(writer: ByteWriter, status: StatusReport): void {
  writer.text(status.id).text(status.address).text(status.role).varint(status.term);
  writer.text(status.leader).text(status.leaderAddress);
  writer.varint(status.commitIndex).varint(status.appliedIndex);
  writer.varint(status.snapshotIndex).varint(status.lastIndex).varint(status.revision);
  writer.text(status.store).text(status.storeId).text(status.clusterName).text(status.clusterId);
  writer.text(status.unhealthy).varint(status.members.length);
  for (const member of status.members) {
    writer.text(member.id).text(member.address).u8(MEMBER_ROLES.indexOf(member.role));
  }
}

function readStatus(reader: ByteReader): StatusReport {
  return {
    id: reader.text(),
    address: reader.text(),
    role: reader.text(),
    term: reader.varint(),
    leader: reader.text(),
    leaderAddress: reader.text(),
    commitIndex: reader.varint(),
    appliedIndex: reader.varint(),
    snapshotIndex: reader.varint(),
    lastIndex: reader.varint(),
    revision: reader.varint(),
    store: reader.text(),
    storeId: reader.text(),
    clusterName: reader.text(),
    clusterId: reader.text(),
    unhealthy: reader.text(),
    members: readMembers(reader),
  };
}

function readMembers(reader: ByteReader): MemberStatus[] {
  const members: MemberStatus[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    const id = reader.text();
    const address = reader.text();
    members.push({ id, address, role: oneOf(MEMBER_ROLES, reader.u8()) });
  }
  return members;
}
