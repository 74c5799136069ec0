/** Numbers and slices as LevelDB writes them. Reading a number behind the end is a `RangeError`. */

/** How far a reader is. */
export interface Place {
  at: number;
}

const LONGEST_BITS = 64;

/** Up to 2^53; what is larger can be no size or number of a file. */
export function readVarint(bytes: Buffer, place: Place): number {
  let value = 0;
  for (let shift = 0; shift < LONGEST_BITS; shift += 7) {
    const byte = bytes.readUInt8(place.at);
    place.at++;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      if (Number.isSafeInteger(value)) return value;
      break;
    }
  }
  throw new RangeError('varint of more than 53 bits');
}

/** So many bytes, or what is there of them. */
export function readBytes(bytes: Buffer, place: Place, length: number): Buffer {
  const begin = place.at;
  place.at += length;
  return bytes.subarray(begin, place.at);
}

/** Bytes with their length before them. */
export function readSlice(bytes: Buffer, place: Place): Buffer {
  return readBytes(bytes, place, readVarint(bytes, place));
}
