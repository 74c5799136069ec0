/**
 * LevelDB's batches as they stand in its log: a sequence number, a count, then puts and deletes.
 */
import { readSlice, type Place } from './varints.ts';

const BATCH_HEADER_BYTES = 12;
const DELETE = 0;

export interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
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
