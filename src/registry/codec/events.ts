import { ByteWriter, MalformedBytesError, type ByteReader } from '../../base/index.ts';
import type { KeyEvent, Revision, RevisionEvents } from '../types.ts';
import { openReader, readCount, writeVersion } from './format.ts';
import { readRecordBody, writeRecordBody } from './record.ts';

/** A cause's number is its place here: add at the end only. */
const CAUSES: readonly KeyEvent['cause'][] = ['request', 'expired', 'sessionEnded', 'broken'];

export function causeNumber(cause: KeyEvent['cause']): number {
  return CAUSES.indexOf(cause);
}

/** Throws `MalformedBytesError` when no cause has the number. */
export function causeOf(number: number): KeyEvent['cause'] {
  const cause = CAUSES[number];
  if (cause === undefined) throw new MalformedBytesError(`no cause has the number ${number}`);
  return cause;
}

const IS_DELETE = 1;
const HAS_PREVIOUS = 2;
const CAUSE_SHIFT = 2;

/** Encodes whole revisions for a watcher, with or without what keys were before. */
export function encodeEvents(
  revisions: readonly RevisionEvents[],
  withPrevious = true,
): Uint8Array {
  const writer = new ByteWriter();
  writeVersion(writer);
  writer.varint(revisions.length);
  for (const { revision, events } of revisions) {
    writer.varint(revision).varint(events.length);
    for (const event of events) writeEvent(writer, event, withPrevious);
  }
  return writer.finish();
}

function writeEvent(writer: ByteWriter, event: KeyEvent, withPrevious: boolean): void {
  const { record } = event;
  const previous = withPrevious ? event.previous : undefined;
  const kind =
    (event.type === 'delete' ? IS_DELETE : 0) | (previous === undefined ? 0 : HAS_PREVIOUS);
  writer.u8(kind | (causeNumber(event.cause) << CAUSE_SHIFT)).byteString(record.key);
  writeRecordBody(writer, record);
  if (previous !== undefined) writeRecordBody(writer, previous);
}

/** Throws `MalformedBytesError` for anything `encodeEvents` cannot have made. Values are views. */
export function decodeEvents(bytes: Uint8Array): RevisionEvents[] {
  const reader = openReader(bytes, 'events');
  const revisions: RevisionEvents[] = [];
  for (let left = readCount(reader, 2); left > 0; left--) {
    const revision = reader.varint() as Revision;
    const events: KeyEvent[] = [];
    for (let more = readCount(reader, 9); more > 0; more--) events.push(readEvent(reader));
    revisions.push({ revision, events });
  }
  reader.end();
  return revisions;
}

function readEvent(reader: ByteReader): KeyEvent {
  const flags = reader.u8();
  const cause = causeOf(flags >>> CAUSE_SHIFT);
  const key = reader.byteString();
  const record = readRecordBody(reader, key);
  const previous = (flags & HAS_PREVIOUS) === 0 ? undefined : readRecordBody(reader, key);
  return { type: (flags & IS_DELETE) === 0 ? 'put' : 'delete', record, previous, cause };
}
