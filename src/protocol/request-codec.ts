/**
 * Requests as bytes: version, tag, id, fields. The registry's bytes come last and without a length,
 * so that they are a view of what arrived.
 */
import { ByteReader, ByteWriter, MalformedBytesError, unreachable } from '../base/index.ts';
import { causeNumber, causeOf, type FencingToken, type SessionId } from '../registry/index.ts';
import { MAX_REQUEST_TIMEOUT_MS, REQUEST_OVERHEAD_BYTES } from './limits.ts';
import { NO_PAYLOAD, readHeader, writeHeader } from './message-header.ts';
import type { Consistency, MaintainAction, Request, WatchFilter } from './requests.ts';

const PROPOSE = 1;
const QUERY = 2;
const LEADER_QUERY = 3;
const WATCH = 4;
const CANCEL = 5;
const WATCH_CREDIT = 6;
const STATUS = 7;
const MEMBER = 8;
const TRANSFER = 9;
const MAINTAIN = 12;
const BACKUP = 10;
const WATCH_PROGRESS = 13;
const AWAIT_GRANT = 14;

const WATCHED_TYPES: readonly WatchFilter['types'][] = ['all', 'put', 'delete'];
const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'lease', 'local'];

type MemberChange = Extract<Request, { type: 'member' }>['change'];
const CHANGES: readonly MemberChange['type'][] = ['add', 'promote', 'demote', 'remove'];

const ACTIONS: readonly MaintainAction[] = ['quarantine', 'endQuarantine', 'reinstall'];

/**
 * Everything but the registry's bytes (`requestPayload`), which follow directly: a sender of frames
 * need not copy them.
 */
export function writeRequestFields(writer: ByteWriter, request: Request): void {
  switch (request.type) {
    case 'propose':
      writeHeader(writer, PROPOSE, request.id);
      writeTimeout(writer, request.timeoutMs);
      return;
    case 'query':
      writeHeader(writer, QUERY, request.id);
      writeTimeout(writer, request.timeoutMs);
      writer.u8(CONSISTENCIES.indexOf(request.consistency));
      return;
    case 'leaderQuery':
      writeHeader(writer, LEADER_QUERY, request.id);
      writeTimeout(writer, request.timeoutMs);
      return;
    case 'watch':
      writeHeader(writer, WATCH, request.id);
      writer
        .varint(request.from)
        .byteString(request.start)
        .boolean(request.end !== undefined);
      if (request.end !== undefined) writer.byteString(request.end);
      writeFilter(writer, request.filter);
      return;
    case 'awaitGrant':
      writeHeader(writer, AWAIT_GRANT, request.id);
      writer.byteString(request.name).varint(request.session).varint(request.token);
      return;
    case 'watchProgress':
      writeHeader(writer, WATCH_PROGRESS, request.id);
      writer.varint(request.revision);
      return;
    case 'cancel':
      writeHeader(writer, CANCEL, request.id);
      return;
    case 'watchCredit':
      writeHeader(writer, WATCH_CREDIT, request.id);
      writer.varint(request.bytes);
      return;
    case 'status':
      writeHeader(writer, STATUS, request.id);
      return;
    case 'member':
      writeHeader(writer, MEMBER, request.id);
      writeTimeout(writer, request.timeoutMs);
      writeChange(writer, request.change);
      return;
    case 'transfer':
      writeHeader(writer, TRANSFER, request.id);
      writeTimeout(writer, request.timeoutMs);
      writer.text(request.to);
      return;
    case 'maintain':
      writeHeader(writer, MAINTAIN, request.id);
      writeTimeout(writer, request.timeoutMs);
      writer.u8(ACTIONS.indexOf(request.action));
      return;
    case 'backup':
      writeHeader(writer, BACKUP, request.id);
      writeTimeout(writer, request.timeoutMs);
      writer.u8(CONSISTENCIES.indexOf(request.consistency));
      return;
    default:
      unreachable(request);
  }
}

/** The registry's bytes in a request, its last field; none in most. */
export function requestPayload(request: Request): Uint8Array {
  if (request.type === 'propose') return request.command;
  if (request.type === 'query' || request.type === 'leaderQuery') return request.query;
  return NO_PAYLOAD;
}

/** The request as one message, in a buffer of its own. */
export function encodeRequest(request: Request): Uint8Array {
  const payload = requestPayload(request);
  const writer = new ByteWriter(REQUEST_OVERHEAD_BYTES + payload.length);
  writeRequestFields(writer, request);
  return writer.raw(payload).finish();
}

/**
 * Reads one message. The registry's bytes in the result are views of `bytes`. Throws
 * `MalformedBytesError` for anything that no client of this version sends.
 */
export function decodeRequest(bytes: Uint8Array): Request {
  const reader = new ByteReader(bytes);
  const tag = readHeader(reader);
  const id = reader.varint();
  if (id === 0) throw new MalformedBytesError('request id 0 is reserved');
  const request = decodeFields(reader, tag, id);
  reader.end();
  return request;
}

function decodeFields(reader: ByteReader, tag: number, id: number): Request {
  switch (tag) {
    case PROPOSE: {
      const timeoutMs = readTimeout(reader);
      return { type: 'propose', id, timeoutMs, command: reader.raw(reader.remaining) };
    }
    case QUERY: {
      const timeoutMs = readTimeout(reader);
      const consistency = readConsistency(reader);
      return { type: 'query', id, timeoutMs, consistency, query: reader.raw(reader.remaining) };
    }
    case LEADER_QUERY: {
      const timeoutMs = readTimeout(reader);
      return { type: 'leaderQuery', id, timeoutMs, query: reader.raw(reader.remaining) };
    }
    case WATCH: {
      const from = reader.varint();
      const start = reader.byteString();
      const end = reader.boolean() ? reader.byteString() : undefined;
      return { type: 'watch', id, start, end, from, filter: readFilter(reader) };
    }
    case CANCEL:
      return { type: 'cancel', id };
    case WATCH_CREDIT:
      return { type: 'watchCredit', id, bytes: reader.varint() };
    case WATCH_PROGRESS:
      return { type: 'watchProgress', id, revision: reader.varint() };
    case STATUS:
      return { type: 'status', id };
    case MEMBER:
      return { type: 'member', id, timeoutMs: readTimeout(reader), change: readChange(reader) };
    case AWAIT_GRANT: {
      const name = reader.byteString();
      const session = reader.varint() as SessionId;
      return { type: 'awaitGrant', id, name, session, token: reader.varint() as FencingToken };
    }
    case TRANSFER:
      return { type: 'transfer', id, timeoutMs: readTimeout(reader), to: reader.text() };
    case MAINTAIN: {
      const timeoutMs = readTimeout(reader);
      const action = ACTIONS[reader.u8()];
      if (action === undefined) throw new MalformedBytesError('unknown maintenance');
      return { type: 'maintain', id, timeoutMs, action };
    }
    case BACKUP: {
      const timeoutMs = readTimeout(reader);
      return { type: 'backup', id, timeoutMs, consistency: readConsistency(reader) };
    }
    default:
      throw new MalformedBytesError(`unknown request type ${tag}`);
  }
}

function writeFilter(writer: ByteWriter, filter: WatchFilter): void {
  const { types, causes, previous } = filter;
  writer.u8(WATCHED_TYPES.indexOf(types)).boolean(previous).u8(causes.length);
  for (const cause of causes) writer.u8(causeNumber(cause));
}

function readFilter(reader: ByteReader): WatchFilter {
  const types = WATCHED_TYPES[reader.u8()];
  if (types === undefined) throw new MalformedBytesError('unknown type of events');
  const previous = reader.boolean();
  const causes = Array.from({ length: reader.u8() }, () => causeOf(reader.u8()));
  return { types, causes, previous };
}

/** Whole ms. Callers subtract clocks to get it, so a fraction or a negative rest is no error. */
function writeTimeout(writer: ByteWriter, timeoutMs: number): void {
  writer.varint(Math.ceil(Math.min(Math.max(timeoutMs, 0), MAX_REQUEST_TIMEOUT_MS)));
}

/** Cut here too: not every client is ours. */
function readTimeout(reader: ByteReader): number {
  return Math.min(reader.varint(), MAX_REQUEST_TIMEOUT_MS);
}

function readConsistency(reader: ByteReader): Consistency {
  const consistency = CONSISTENCIES[reader.u8()];
  if (consistency === undefined) throw new MalformedBytesError('unknown consistency');
  return consistency;
}

function writeChange(writer: ByteWriter, change: MemberChange): void {
  writer.u8(CHANGES.indexOf(change.type)).text(change.id);
  if (change.type === 'add') writer.text(change.address).boolean(change.promote);
}

function readChange(reader: ByteReader): MemberChange {
  const type = CHANGES[reader.u8()];
  if (type === undefined) throw new MalformedBytesError('unknown membership change');
  const id = reader.text();
  if (type !== 'add') return { type, id };
  return { type, id, address: reader.text(), promote: reader.boolean() };
}
