/** A map's options as its record holds them. */
import { MalformedBytesError } from '../base/index.ts';
import type { MapOptions } from './map-types.ts';
import type { ByteString } from './types.ts';

const FORMAT = 1;
const PERSIST = 1;
const PRUNE = 2;

export function encodeMapOptions({ persist, prune }: MapOptions): ByteString {
  return String.fromCharCode(FORMAT, (persist ? PERSIST : 0) | (prune ? PRUNE : 0));
}

/** Throws `MalformedBytesError` for anything `encodeMapOptions` cannot have made. */
export function decodeMapOptions(value: Uint8Array): MapOptions {
  const [format, flags = 0] = value;
  if (format !== FORMAT || value.length !== 2 || flags > (PERSIST | PRUNE)) {
    throw new MalformedBytesError(`${value.length} bytes that are no options of a map`);
  }
  return { persist: (flags & PERSIST) !== 0, prune: (flags & PRUNE) !== 0 };
}
