import {
  brieflyUsedBytes,
  ByteWriter,
  MalformedBytesError,
  unreachable,
  type ByteReader,
} from '../../base/index.ts';
import type {
  CommandHeader,
  FencingToken,
  RegistryCommand,
  Revision,
  SessionId,
} from '../types.ts';
import { openReader, readCount, writeVersion } from './format.ts';
import { readLimits, writeLimits } from './limits.ts';
import { readTerms, writeTerms } from './lock.ts';
import { MapTag, readMapCommand, writeMapCommand } from './map.ts';
import { readTableCommand, TableTag, writeTableCommand } from './table.ts';
import { TreeTag, treeCommandOf } from './tree.ts';
import { readTxn, writeTxn } from './txn.ts';

/** A command with who gives it. */
export interface DecodedCommand {
  readonly header: CommandHeader;
  readonly command: RegistryCommand;
}

/** On the wire and in the log for ever: numbers are added, never changed. */
const Tag = {
  put: 1,
  delete: 2,
  persist: 3,
  lock: 4,
  unlock: 5,
  breakLock: 6,
  openSession: 7,
  closeSession: 8,
  expireSessions: 9,
  tick: 10,
  compact: 11,
  txn: 12,
  ...TableTag,
  ...MapTag,
  ...TreeTag,
  setLimits: 29,
} as const satisfies Record<RegistryCommand['type'], number>;

const FIXED_BYTES = 64;
/** More than limits of everyday size take. */
const LIMITS_BYTES = 128;
const EPHEMERAL = 1;
const LOCK = 2;

/** Room for all of a command, so that its buffer is made once. */
function capacityOf(header: CommandHeader, command: RegistryCommand): number {
  const base = FIXED_BYTES + header.node.length;
  switch (command.type) {
    case 'put':
      return base + command.key.length + command.value.length;
    case 'lock':
      return base + command.name.length + command.metadata.length;
    case 'openSession':
      return base + command.label.length + command.metadata.length;
    case 'expireSessions':
      return base + command.sessions.length * 8;
    case 'setLimits':
      return base + LIMITS_BYTES;
    case 'delete':
    case 'persist':
      return base + command.key.length;
    case 'unlock':
      return base + command.name.length;
    case 'breakLock':
      return base + command.name.length + command.reason.length;
    case 'tableStore':
      return base + command.table.length + command.key.length + command.value.length;
    case 'tableErase':
    case 'tableConnect':
    case 'tableDisconnect':
    case 'tableDisconnectAll':
      return base + command.table.length + command.key.length;
    case 'mapPut':
      return base + command.map.length + command.key.length + command.value.length;
    case 'mapRemove':
      return base + command.map.length + command.key.length;
    case 'openMap':
    case 'detachMap':
    case 'dropMap':
      return base + command.map.length;
    case 'acknowledgeNotices':
      return base + command.connections.length * 8;
    case 'openTable':
    case 'dropTable':
    case 'lockTree':
    case 'updateTree':
    case 'releaseTree':
    case 'closeSession':
    case 'tick':
    case 'compact':
    case 'txn':
      return base;
    default:
      return unreachable(command);
  }
}

/** Encodes what `apply` takes. TTLs go as they are, so that a wrong one is refused there. */
export function encodeCommand(header: CommandHeader, command: RegistryCommand): Uint8Array {
  const capacity = capacityOf(header, command);
  const writer = new ByteWriter(capacity, brieflyUsedBytes(capacity));
  writeVersion(writer);
  writer.varint(header.session).varint(header.sequence).varint(header.acknowledged);
  writer.byteString(header.node).u8(Tag[command.type]);
  writeBody(writer, command);
  return writer.finish();
}

function writeBody(writer: ByteWriter, command: RegistryCommand): void {
  switch (command.type) {
    case 'put':
      writer.byteString(command.key).bytes(command.value).f64(command.ttlMs);
      writer.u8((command.ephemeral ? EPHEMERAL : 0) | (command.lock ? LOCK : 0));
      return;
    case 'delete':
    case 'persist':
      writer.byteString(command.key);
      return;
    case 'lock':
      writer.byteString(command.name).boolean(command.wait).bytes(command.metadata);
      writeTerms(writer, command.terms);
      return;
    case 'unlock':
      writer.byteString(command.name).varint(command.session).varint(command.token);
      return;
    case 'breakLock':
      writer.byteString(command.name).varint(command.token).byteString(command.reason);
      return;
    case 'openSession':
      writer.f64(command.ttlMs).byteString(command.label).bytes(command.metadata);
      writer.boolean(command.trapExits);
      return;
    case 'closeSession':
      writer.varint(command.session);
      return;
    case 'expireSessions':
      writer.varint(command.sessions.length);
      for (const session of command.sessions) writer.varint(session);
      return;
    case 'tick':
    case 'lockTree':
    case 'updateTree':
    case 'releaseTree':
      return;
    case 'setLimits':
      writeLimits(writer, command.limits);
      return;
    case 'compact':
      writer.varint(command.revision);
      return;
    case 'txn':
      writeTxn(writer, command);
      return;
    case 'openTable':
    case 'dropTable':
    case 'tableStore':
    case 'tableErase':
    case 'tableConnect':
    case 'tableDisconnect':
    case 'tableDisconnectAll':
    case 'acknowledgeNotices':
      writeTableCommand(writer, command);
      return;
    case 'openMap':
    case 'detachMap':
    case 'dropMap':
    case 'mapPut':
    case 'mapRemove':
      writeMapCommand(writer, command);
      return;
    default:
      unreachable(command);
  }
}

/** Throws `MalformedBytesError` for anything `encodeCommand` cannot have made. Values are views. */
export function decodeCommand(bytes: Uint8Array): DecodedCommand {
  const reader = openReader(bytes, 'command');
  const header: CommandHeader = {
    session: reader.varint() as SessionId,
    sequence: reader.varint(),
    acknowledged: reader.varint(),
    node: reader.byteString(),
  };
  const command = readBody(reader, reader.u8());
  reader.end();
  return { header, command };
}

const LEADERS_OWN: ReadonlySet<number> = new Set([Tag.expireSessions, Tag.tick, Tag.setLimits]);

/**
 * Whether a command may come from a client: some are for the leader alone to make, and bytes
 * without a readable beginning are nobody's. What follows the beginning is left to `apply`.
 */
export function mayComeFromClient(bytes: Uint8Array): boolean {
  try {
    const reader = openReader(bytes, 'command');
    reader.varint(); // session
    reader.varint(); // sequence
    reader.varint(); // acknowledged
    reader.bytes(); // node
    return !LEADERS_OWN.has(reader.u8());
  } catch (error) {
    if (error instanceof MalformedBytesError) return false;
    throw error;
  }
}

function readBody(reader: ByteReader, tag: number): RegistryCommand {
  switch (tag) {
    case Tag.put:
      return readPut(reader);
    case Tag.delete:
      return { type: 'delete', key: reader.byteString() };
    case Tag.persist:
      return { type: 'persist', key: reader.byteString() };
    case Tag.lock: {
      const name = reader.byteString();
      const wait = reader.boolean();
      const metadata = reader.bytes();
      return { type: 'lock', name, wait, metadata, terms: readTerms(reader) };
    }
    case Tag.unlock: {
      const name = reader.byteString();
      const session = reader.varint() as SessionId;
      return { type: 'unlock', name, session, token: reader.varint() as FencingToken };
    }
    case Tag.breakLock: {
      const name = reader.byteString();
      const token = reader.varint() as FencingToken;
      return { type: 'breakLock', name, token, reason: reader.byteString() };
    }
    case Tag.openSession: {
      const ttlMs = reader.f64();
      const label = reader.byteString();
      const metadata = reader.bytes();
      return { type: 'openSession', ttlMs, label, metadata, trapExits: reader.boolean() };
    }
    case Tag.closeSession:
      return { type: 'closeSession', session: reader.varint() as SessionId };
    case Tag.expireSessions: {
      const sessions: SessionId[] = [];
      for (let left = readCount(reader, 1); left > 0; left--) {
        sessions.push(reader.varint() as SessionId);
      }
      return { type: 'expireSessions', sessions };
    }
    case Tag.tick:
      return { type: 'tick' };
    case Tag.setLimits:
      return { type: 'setLimits', limits: readLimits(reader) };
    case Tag.compact:
      return { type: 'compact', revision: reader.varint() as Revision };
    case Tag.txn:
      return readTxn(reader);
    default:
      return (
        readTableCommand(reader, tag) ??
        readMapCommand(reader, tag) ??
        treeCommandOf(tag) ??
        unknown(tag)
      );
  }
}

function unknown(tag: number): never {
  throw new MalformedBytesError(`no command has the number ${tag}`);
}

function readPut(reader: ByteReader): RegistryCommand {
  const key = reader.byteString();
  const value = reader.bytes();
  const ttlMs = reader.f64();
  const flags = reader.u8();
  if (flags > (EPHEMERAL | LOCK)) throw new MalformedBytesError(`put flags ${flags}`);
  const ephemeral = (flags & EPHEMERAL) !== 0;
  return { type: 'put', key, value, ttlMs, ephemeral, lock: (flags & LOCK) !== 0 };
}
