import { ByteReader, ByteWriter, byteStringToBytes, MalformedBytesError } from '../base/index.ts';
import { storeValue, type StoredValue } from './key-version.ts';
import type { LockMode, LockTerms } from './types.ts';

/** Exclusive, without lock-delay: what a put with `lock` takes. */
export const EXCLUSIVE: LockTerms = { mode: 'exclusive', permits: 0, limit: 0, delayMs: 0 };

/** In the log and in snapshots: a mode's number is its place here. */
const MODES: readonly LockMode[] = ['exclusive', 'shared', 'semaphore'];

export function modeNumber(mode: LockMode): number {
  return MODES.indexOf(mode);
}

/** Throws `MalformedBytesError` for a number that is no mode's. */
export function modeOf(number: number): LockMode {
  const mode = MODES[number];
  if (mode === undefined) throw new MalformedBytesError(`no lock mode has the number ${number}`);
  return mode;
}

/** The value of a queue key: the terms it was asked for on, then the metadata. */
export function storeTerms(terms: LockTerms, metadata: Uint8Array): StoredValue {
  const { mode, permits, limit, delayMs } = terms;
  const isPlain = mode === 'exclusive' && permits === 0 && limit === 0 && delayMs === 0;
  return isPlain && metadata.length === 0 ? PLAIN : encodeTerms(terms, metadata);
}

function encodeTerms(terms: LockTerms, metadata: Uint8Array): StoredValue {
  const writer = new ByteWriter(32 + metadata.length);
  writer.u8(modeNumber(terms.mode)).varint(terms.permits).varint(terms.limit);
  writer.varint(terms.delayMs).raw(metadata);
  return storeValue(writer.finish());
}

const NO_METADATA = new Uint8Array(0);
/** Of nearly every lock there is. */
const PLAIN = encodeTerms(EXCLUSIVE, NO_METADATA);

/** What `storeTerms` wrote. */
export function readTerms(stored: StoredValue): {
  readonly terms: LockTerms;
  readonly metadata: Uint8Array;
} {
  if (stored === PLAIN) return { terms: EXCLUSIVE, metadata: NO_METADATA };
  const reader = new ByteReader(typeof stored === 'string' ? byteStringToBytes(stored) : stored);
  const mode = modeOf(reader.u8());
  const permits = reader.varint();
  const limit = reader.varint();
  const terms = { mode, permits, limit, delayMs: reader.varint() };
  return { terms, metadata: reader.raw(reader.remaining) };
}
