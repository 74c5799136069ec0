import { MalformedBytesError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { modeNumber, modeOf } from '../lock-terms.ts';
import type { LockInfo, LockQueueEntry, LockTerms } from '../types.ts';
import { readCount } from './format.ts';
import { readHolder, writeHolder } from './record.ts';

/** The delay goes as it is, so that a wrong one is refused by `apply`. */
export function writeTerms(writer: ByteWriter, terms: LockTerms): void {
  writer.u8(modeNumber(terms.mode)).varint(terms.permits).varint(terms.limit).f64(terms.delayMs);
}

export function readTerms(reader: ByteReader): LockTerms {
  const mode = modeOf(reader.u8());
  const permits = reader.varint();
  const limit = reader.varint();
  return { mode, permits, limit, delayMs: reader.f64() };
}

const HELD = 1;
const DELAYED = 2;
const HAS_REMAINING = 4;
const ALL_FLAGS = HELD | DELAYED | HAS_REMAINING;
/** What one entry takes at least. */
const MIN_ENTRY_BYTES = 16;

export function writeQueue(writer: ByteWriter, queue: readonly LockQueueEntry[]): void {
  writer.varint(queue.length);
  for (const entry of queue) {
    writeHolder(writer, entry);
    writer.bytes(entry.metadata).varint(entry.since);
    writeTerms(writer, entry.terms);
    const known = entry.remainingMs === undefined ? 0 : HAS_REMAINING;
    writer.u8((entry.held ? HELD : 0) | (entry.delayed ? DELAYED : 0) | known);
    if (entry.remainingMs !== undefined) writer.varint(entry.remainingMs);
  }
}

export function readQueue(reader: ByteReader): LockQueueEntry[] {
  const queue: LockQueueEntry[] = [];
  for (let left = readCount(reader, MIN_ENTRY_BYTES); left > 0; left--) {
    queue.push(readEntry(reader));
  }
  return queue;
}

function readEntry(reader: ByteReader): LockQueueEntry {
  const { session, token } = readHolder(reader);
  const metadata = reader.bytes();
  const since = reader.varint();
  const terms = readTerms(reader);
  const flags = reader.u8();
  if (flags > ALL_FLAGS) throw new MalformedBytesError(`lock queue flags ${flags}`);
  const held = (flags & HELD) !== 0;
  const delayed = (flags & DELAYED) !== 0;
  const remainingMs = (flags & HAS_REMAINING) === 0 ? undefined : reader.varint();
  return { session, token, metadata, since, terms, held, delayed, remainingMs };
}

export function writeLocks(writer: ByteWriter, locks: readonly LockInfo[]): void {
  writer.varint(locks.length);
  for (const { name, holders, held, permits, waiting } of locks) {
    writer.byteString(name).varint(held).varint(permits).varint(waiting);
    writeQueue(writer, holders);
  }
}

export function readLocks(reader: ByteReader): LockInfo[] {
  const locks: LockInfo[] = [];
  for (let left = readCount(reader, 5); left > 0; left--) {
    const name = reader.byteString();
    const held = reader.varint();
    const permits = reader.varint();
    const waiting = reader.varint();
    locks.push({ name, held, permits, waiting, holders: readQueue(reader) });
  }
  return locks;
}
