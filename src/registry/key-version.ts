import { byteStringToBytes, bytesToByteString, type ByteWriter } from '../base/index.ts';
import type { ByteString, KeyRecord, Revision, SessionId } from './types.ts';

/**
 * Values up to this long are kept as byte strings: a typed array of its own costs some 200 bytes
 * beside its content and takes several times as long to make, a string 16. Longer ones are kept as
 * typed arrays, outside of the heap that JavaScript's collector has to move about.
 */
const MAX_STRING_VALUE = 256;

/** How a value is kept: never a view into the buffer it came in, which it would keep alive. */
export type StoredValue = ByteString | Uint8Array;

export const EMPTY_VALUE: StoredValue = '';

/** Copies `value` out of whatever buffer it is a view of. */
export function storeValue(value: Uint8Array): StoredValue {
  if (value.length <= MAX_STRING_VALUE) return bytesToByteString(value);
  // Not `slice`: a Node Buffer's would be a view of the same memory.
  const copy = new Uint8Array(value.length);
  copy.set(value);
  return copy;
}

/** By bytes, where they are: many large values made strings at once could fill the heap. */
export function compareStored(a: StoredValue, b: StoredValue): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = byteAt(a, i) - byteAt(b, i);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function byteAt(stored: StoredValue, i: number): number {
  return typeof stored === 'string' ? stored.charCodeAt(i) : stored[i]!;
}

/** One version of one key, linked to the one before. With `version` 0 it says "deleted". */
export class KeyVersion implements KeyRecord {
  readonly key: ByteString;
  readonly stored: StoredValue;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  readonly session: SessionId;
  readonly expiresAt: number | undefined;
  readonly node: ByteString;
  readonly time: number;
  /** The older version, a deletion included; cut off once no permitted read can want it. */
  previous: KeyVersion | undefined;

  constructor(
    key: ByteString,
    stored: StoredValue,
    createRevision: Revision,
    modRevision: Revision,
    version: number,
    session: SessionId,
    expiresAt: number | undefined,
    node: ByteString,
    time: number,
    previous: KeyVersion | undefined,
  ) {
    this.key = key;
    this.stored = stored;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
    this.version = version;
    this.session = session;
    this.expiresAt = expiresAt;
    this.node = node;
    this.time = time;
    this.previous = previous;
  }

  get value(): Uint8Array {
    return typeof this.stored === 'string' ? byteStringToBytes(this.stored) : this.stored;
  }

  get deleted(): boolean {
    return this.version === 0;
  }
}

/** A version with the contents of `record`, its value copied. */
export function copyVersion(record: KeyRecord, previous: KeyVersion | undefined): KeyVersion {
  return new KeyVersion(
    record.key,
    storeValue(record.value),
    record.createRevision,
    record.modRevision,
    record.version,
    record.session,
    record.expiresAt,
    record.node,
    record.time,
    previous,
  );
}

/** A key's place in the store: stays the same object while versions come and go. */
export class KeyEntry {
  readonly key: ByteString;
  latest: KeyVersion;
  /** Place in the expiry queue, or -1. */
  expirySlot = -1;
  /** What the sums of the hash tree hold of it; both 0 for nothing. See `tree-hash.ts`. */
  hashLow = 0;
  hashHigh = 0;

  constructor(latest: KeyVersion) {
    this.key = latest.key;
    this.latest = latest;
  }

  /** The key as it is now, or undefined when it is deleted. */
  get live(): KeyVersion | undefined {
    return this.latest.version === 0 ? undefined : this.latest;
  }

  /** The key as it was at `revision`. */
  at(revision: Revision): KeyVersion | undefined {
    let version: KeyVersion | undefined = this.latest;
    while (version !== undefined && version.modRevision > revision) version = version.previous;
    return version === undefined || version.deleted ? undefined : version;
  }
}

/** Writes a record's value with its length, without turning a stored string into an array first. */
export function writeValue(writer: ByteWriter, record: KeyRecord): void {
  if (record instanceof KeyVersion && typeof record.stored === 'string') {
    writer.byteString(record.stored);
  } else {
    writer.bytes(record.value);
  }
}

export function valueBytes(record: KeyRecord): number {
  return record instanceof KeyVersion ? record.stored.length : record.value.length;
}
