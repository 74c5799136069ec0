/**
 * LevelDB's batches as they stand in its log: a sequence number, a count, then puts and deletes.
 */

const BATCH_HEADER_BYTES = 12;
const DELETE = 0;

export interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Place {
  at: number;
}

function readVarint(bytes: Buffer, place: Place): number {
  let value = 0;
  for (let shift = 0; shift < 32; shift += 7) {
    const byte = bytes.readUInt8(place.at);
    place.at++;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError('varint of more than 32 bits');
}

function readSlice(bytes: Buffer, place: Place): Buffer {
  const length = readVarint(bytes, place);
  const begin = place.at;
  place.at += length;
  return bytes.subarray(begin, place.at);
}

/** The puts of a batch. Throws `RangeError` where the bytes make no sense. */
export function* putsIn(batch: Buffer): Generator<Put> {
  const place: Place = { at: BATCH_HEADER_BYTES };
  while (place.at < batch.length) {
    const kind = batch.readUInt8(place.at);
    place.at++;
    const key = readSlice(batch, place);
    if (kind !== DELETE) yield { key, value: readSlice(batch, place) };
  }
}
