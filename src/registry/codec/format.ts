import { ByteReader, MalformedBytesError, type ByteWriter } from '../../base/index.ts';

/** First byte of every encoded command, result, query, answer and batch of events. */
const FORMAT_VERSION = 5;

export function writeVersion(writer: ByteWriter): void {
  writer.u8(FORMAT_VERSION);
}

/** A reader placed after the version byte; refuses versions this code does not know. */
export function openReader(bytes: Uint8Array, what: string): ByteReader {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== FORMAT_VERSION) {
    throw new MalformedBytesError(`${what} of format version ${version}, not ${FORMAT_VERSION}`);
  }
  return reader;
}

/** Reads a list's length; `minBytes` is the least that one item takes, so that lies are caught. */
export function readCount(reader: ByteReader, minBytes: number): number {
  const count = reader.varint();
  if (count * minBytes > reader.remaining) {
    throw new MalformedBytesError(`${count} items cannot fit in ${reader.remaining} bytes`);
  }
  return count;
}
