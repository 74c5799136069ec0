import { ByteWriter, MalformedBytesError, unreachable, type ByteReader } from '../../base/index.ts';
import type {
  ByteString,
  KeyView,
  RegistryAnswer,
  RegistryStats,
  Revision,
  SessionId,
  SessionInfo,
} from '../types.ts';
import { readRefusal, writeRefusal } from './error.ts';
import { openReader, readCount, writeVersion } from './format.ts';
import { readLocks, readQueue, writeLocks, writeQueue } from './lock.ts';
import { readView, writeView } from './record.ts';
import { readTreeAnswer, TreeAnswerTag, writeTreeAnswer } from './tree.ts';

/** Between server and client: numbers are added, never changed. */
const Tag = {
  error: 0,
  get: 1,
  range: 2,
  lockQueue: 3,
  sessions: 4,
  stats: 5,
  locks: 6,
  count: 7,
  lockPlace: 8,
  ...TreeAnswerTag,
} as const satisfies Record<RegistryAnswer['type'], number>;

/** Encodes what `query` returns. */
export function encodeAnswer(answer: RegistryAnswer): Uint8Array {
  const writer = new ByteWriter();
  writeAnswer(writer, answer);
  return writer.finish();
}

export function writeAnswer(writer: ByteWriter, answer: RegistryAnswer): void {
  writeVersion(writer);
  writer.u8(Tag[answer.type]);
  switch (answer.type) {
    case 'error':
      writeRefusal(writer, answer);
      return;
    case 'get':
      writer.varint(answer.revision).varint(answer.time);
      writeView(writer, answer.view);
      return;
    case 'range':
      writer.varint(answer.revision).varint(answer.time).boolean(answer.more);
      writer.varint(answer.views.length);
      for (const view of answer.views) writeView(writer, view);
      writeNext(writer, answer.next);
      return;
    case 'lockQueue':
      writer.varint(answer.revision).varint(answer.time).boolean(answer.more);
      writeQueue(writer, answer.queue);
      return;
    case 'lockPlace':
      writer.varint(answer.revision).boolean(answer.held);
      return;
    case 'locks':
      writer.varint(answer.revision).varint(answer.time).boolean(answer.more);
      writeLocks(writer, answer.locks);
      return;
    case 'sessions':
      writer.varint(answer.revision).boolean(answer.more).varint(answer.sessions.length);
      for (const session of answer.sessions) writeSession(writer, session);
      return;
    case 'count':
      writer.varint(answer.revision).varint(answer.count);
      writeNext(writer, answer.next);
      return;
    case 'stats':
      writeStats(writer, answer.stats);
      return;
    case 'tree':
      writeTreeAnswer(writer, answer);
      return;
    default:
      unreachable(answer);
  }
}

function writeNext(writer: ByteWriter, next: ByteString | undefined): void {
  writer.boolean(next !== undefined);
  if (next !== undefined) writer.byteString(next);
}

function readNext(reader: ByteReader): ByteString | undefined {
  return reader.boolean() ? reader.byteString() : undefined;
}

function writeSession(writer: ByteWriter, session: SessionInfo): void {
  writer.varint(session.id).varint(session.ttlMs).byteString(session.label);
  writer.bytes(session.metadata).varint(session.openedAt).boolean(session.trapExits);
  writer.varint(session.keys);
}

function writeStats(writer: ByteWriter, stats: RegistryStats): void {
  writer.varint(stats.revision).varint(stats.compactRevision);
  writer.varint(stats.keys).varint(stats.sessions).varint(stats.time);
}

/** Throws `MalformedBytesError` for anything `encodeAnswer` cannot have made. Values are views. */
export function decodeAnswer(bytes: Uint8Array): RegistryAnswer {
  const reader = openReader(bytes, 'answer');
  const answer = readBody(reader, reader.u8());
  reader.end();
  return answer;
}

function readBody(reader: ByteReader, tag: number): RegistryAnswer {
  if (tag === Tag.error) return readRefusal(reader);
  const revision = reader.varint() as Revision;
  switch (tag) {
    case Tag.get:
      return { type: 'get', revision, time: reader.varint(), view: readView(reader) };
    case Tag.range: {
      const time = reader.varint();
      const more = reader.boolean();
      const views: KeyView[] = [];
      for (let left = readCount(reader, 1); left > 0; left--) views.push(readView(reader));
      return { type: 'range', revision, time, views, more, next: readNext(reader) };
    }
    case Tag.lockQueue: {
      const time = reader.varint();
      const more = reader.boolean();
      return { type: 'lockQueue', revision, time, queue: readQueue(reader), more };
    }
    case Tag.lockPlace:
      return { type: 'lockPlace', revision, held: reader.boolean() };
    case Tag.locks: {
      const time = reader.varint();
      const more = reader.boolean();
      return { type: 'locks', revision, time, locks: readLocks(reader), more };
    }
    case Tag.sessions: {
      const more = reader.boolean();
      const sessions: SessionInfo[] = [];
      for (let left = readCount(reader, 7); left > 0; left--) sessions.push(readSession(reader));
      return { type: 'sessions', revision, sessions, more };
    }
    case Tag.count:
      return { type: 'count', revision, count: reader.varint(), next: readNext(reader) };
    case Tag.tree:
      return readTreeAnswer(reader, revision);
    case Tag.stats:
      return { type: 'stats', stats: readStats(reader, revision) };
    default:
      throw new MalformedBytesError(`no answer has the number ${tag}`);
  }
}

function readSession(reader: ByteReader): SessionInfo {
  const id = reader.varint() as SessionId;
  const ttlMs = reader.varint();
  const label = reader.byteString();
  const metadata = reader.bytes();
  const openedAt = reader.varint();
  const trapExits = reader.boolean();
  return { id, ttlMs, label, metadata, openedAt, trapExits, keys: reader.varint() };
}

function readStats(reader: ByteReader, revision: Revision): RegistryStats {
  const compactRevision = reader.varint() as Revision;
  const keys = reader.varint();
  const sessions = reader.varint();
  return { revision, compactRevision, keys, sessions, time: reader.varint() };
}
