/** What requests and responses begin with: the protocol's version and the kind of message. */
import type { ByteReader, ByteWriter } from '../base/index.ts';
import { MalformedBytesError } from '../base/index.ts';
import { CLIENT_PROTOCOL_VERSION } from '../wire/index.ts';

export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

export function writeHeader(writer: ByteWriter, tag: number, id: number): void {
  writer.u8(CLIENT_PROTOCOL_VERSION).u8(tag).varint(id);
}

/** Checks the version and returns the tag; the id is next. */
export function readHeader(reader: ByteReader): number {
  const version = reader.u8();
  if (version !== CLIENT_PROTOCOL_VERSION) {
    throw new MalformedBytesError(
      `client protocol version ${version}; this side speaks version ${CLIENT_PROTOCOL_VERSION}`,
    );
  }
  return reader.u8();
}
