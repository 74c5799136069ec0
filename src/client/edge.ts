/** Where the user's strings and objects become the registry's bytes, and back. */
import {
  byteStringToBytes,
  bytesToByteString,
  HoldfastError,
  utf8ToByteString,
} from '../base/index.ts';
import {
  FIRST_CLIENT_KEY,
  type ByteString,
  type KeyRecord,
  type KeyView,
  type LockHolder,
} from '../registry/index.ts';
import type { Codec } from './codecs.ts';
import { jsonText } from './json-text.ts';
import type { Key, LockRef, RegistryRecord, Value } from './registry.ts';

const KEY_RULE = 'a key is a string or Uint8Array of at least one byte';
const VALUE_RULE = 'a value is a string, a Uint8Array, or something JSON can say';
const SURROGATE_RULE = 'half of a surrogate pair has no UTF-8: give bytes as Uint8Array';
const LONE_SURROGATE = /\p{Surrogate}/u;
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/**
 * @throws HoldfastError `invalid-key` for an empty key and for anything but text or bytes.
 */
export function encodeKey(key: Key, what = 'key'): ByteString {
  if (typeof key === 'string' && key !== '') {
    // They would all become the same replacement character, and different keys one.
    if (LONE_SURROGATE.test(key)) {
      const shown = JSON.stringify(key);
      throw new HoldfastError('invalid-key', `${what} is ${shown}: ${SURROGATE_RULE}`);
    }
    return utf8ToByteString(key);
  }
  if (key instanceof Uint8Array && key.length > 0) return bytesToByteString(key);
  const shown = typeof key === 'string' ? "''" : String(key);
  throw new HoldfastError('invalid-key', `${what} is ${shown}: ${KEY_RULE}`);
}

/** The first key after all that begin with `prefix`; undefined when there is no such key. */
export function prefixEnd(prefix: ByteString): ByteString | undefined {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 0xff) length--;
  if (length === 0) return undefined;
  const last = String.fromCharCode(prefix.charCodeAt(length - 1) + 1);
  return prefix.slice(0, length - 1) + last;
}

/** Like `encodeKey`, but empty is allowed: every key begins with nothing. */
export function encodePrefix(prefix: Key | undefined): ByteString {
  if (prefix === undefined || prefix === '') return '';
  if (prefix instanceof Uint8Array && prefix.length === 0) return '';
  return encodeKey(prefix, 'prefix');
}

interface KeyBounds {
  readonly start: ByteString;
  readonly end: ByteString | undefined;
}

/** The keys that begin with a prefix; without one, every key that is not reserved. */
export function prefixRange(prefix: Key | undefined): KeyBounds {
  const start = encodePrefix(prefix);
  return start === ''
    ? { start: FIRST_CLIENT_KEY, end: undefined }
    : { start, end: prefixEnd(start) };
}

/** The keys of a prefix that come after one of them, or all. */
export function pageRange(options: {
  readonly prefix?: Key | undefined;
  readonly after?: Key | undefined;
}): KeyBounds {
  const { start: first, end } = prefixRange(options.prefix);
  const after = options.after === undefined ? '' : `${encodeKey(options.after, 'after')}\0`;
  const start = after > first ? after : first;
  // A page after the prefix's last key is empty, wherever it would begin.
  return { start: end !== undefined && start > end ? end : start, end };
}

/**
 * Bytes as they are, text as UTF-8, everything else as its JSON text.
 * @throws HoldfastError `invalid-argument` for what UTF-8 or JSON would drop or falsify.
 */
export function encodeValue(value: Value, what = 'value'): Uint8Array {
  if (typeof value === 'string') {
    if (!LONE_SURROGATE.test(value)) return encoder.encode(value);
    throw new HoldfastError('invalid-argument', `${what}: ${SURROGATE_RULE}`);
  }
  if (value instanceof Uint8Array) return value;
  try {
    return encoder.encode(jsonText(value));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('invalid-argument', `${what}: ${VALUE_RULE} (${why})`, { cause });
  }
}

/** What `metadata` options become: nothing when absent. */
export function encodeMetadata(metadata: Value | undefined): Uint8Array {
  return metadata === undefined ? NO_BYTES : encodeValue(metadata, 'metadata');
}

/** A byte string as text; bytes that are not UTF-8 show as U+FFFD. */
export function textOf(bytes: ByteString): string {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes.charCodeAt(i) >= 0x80) return decoder.decode(byteStringToBytes(bytes));
  }
  return bytes;
}

class EdgeRecord implements RegistryRecord {
  readonly key: string;
  readonly #key: ByteString;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly session: number | undefined;
  readonly expiresAt: number | undefined;
  readonly ttlMs: number | undefined;
  readonly lock: LockRef | undefined;
  readonly node: string;
  readonly time: number;

  constructor(record: KeyRecord, lock: LockHolder | undefined, now: number | undefined) {
    this.key = textOf(record.key);
    this.#key = record.key;
    // A copy: what was decoded is a view of everything that arrived with it.
    this.value = new Uint8Array(record.value);
    this.createRevision = record.createRevision;
    this.modRevision = record.modRevision;
    this.version = record.version;
    this.session = record.session === 0 ? undefined : record.session;
    const { expiresAt } = record;
    this.expiresAt = expiresAt;
    this.ttlMs =
      expiresAt === undefined || now === undefined ? undefined : Math.max(expiresAt - now, 0);
    this.lock = lock === undefined ? undefined : lockRef(lock);
    this.node = textOf(record.node);
    this.time = record.time;
  }

  get keyBytes(): Uint8Array {
    return byteStringToBytes(this.#key);
  }

  text(): string {
    return decoder.decode(this.value);
  }

  json(): unknown {
    return JSON.parse(this.text());
  }

  as<T>(codec: Codec<T>): T {
    return codec.decode(this.value);
  }
}

export function lockRef(holder: LockHolder): LockRef {
  return { session: holder.session, token: holder.token };
}

/** `now`: cluster time of the answer the record came in, if known. */
export function edgeRecord(
  record: KeyRecord,
  lock: LockHolder | undefined,
  now?: number,
): RegistryRecord {
  return new EdgeRecord(record, lock, now);
}

/** Undefined for a key that is absent, even when its lock is held. */
export function edgeView(view: KeyView, now?: number): RegistryRecord | undefined {
  return view.record === undefined ? undefined : edgeRecord(view.record, view.lock, now);
}

/** What a put has just written: its time is the present. */
export function writtenView({ record, lock }: KeyView): RegistryRecord {
  if (record === undefined) throw new HoldfastError('internal', 'a put left no record');
  return edgeRecord(record, lock, record.time);
}
