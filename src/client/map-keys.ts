/** A map's name and its keys, between the application's text and the registry's keys. */
import { byteStringToUtf8, HoldfastError, MalformedBytesError } from '../base/index.ts';
import { mapEntryPrefix, type ByteString } from '../registry/index.ts';
import { encodeKey, textOf } from './edge.ts';

const MAX_NAME_BYTES = 255;

/** @throws HoldfastError `invalid-argument` with the rule. */
export function encodeMapName(name: string): ByteString {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) {
    const encoded = encodeKey(name, "a map's name");
    if (encoded.length <= MAX_NAME_BYTES) return encoded;
  }
  const rule = `text of 1 to ${MAX_NAME_BYTES} bytes without a zero byte`;
  throw new HoldfastError('invalid-argument', `a map's name is ${rule}, not ${shown(name)}`);
}

/** @throws HoldfastError `invalid-key` with the rule. */
export function encodeMapKey(key: string): ByteString {
  if (typeof key === 'string') return encodeKey(key);
  throw new HoldfastError('invalid-key', `a key of a map is text, not ${shown(key)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeof value;
}

/** An entry's key: what it is known by here, and how it is shown. */
export interface EntryKey {
  /** Its text; for bytes that are no text, something that no text is. */
  readonly id: string;
  readonly shown: string;
  readonly isText: boolean;
}

/** Half of a surrogate pair: the beginning of no key that is text. */
const NO_TEXT = '\ud800';

/** @param whole The registry's key, which begins with the map's prefix. */
export function entryKey(map: ByteString, whole: ByteString): EntryKey {
  const bytes = whole.slice(mapEntryPrefix(map).length);
  try {
    const text = byteStringToUtf8(bytes);
    return { id: text, shown: text, isText: true };
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    return { id: NO_TEXT + bytes, shown: textOf(bytes), isText: false };
  }
}
