import { FIRST_CLIENT_KEY, isReserved, nameIn } from './reserved-keys.ts';
import type { ByteString, KeyRange } from './types.ts';

const SLASH = '/';
/** The byte after `/`. */
const AFTER_SLASH = '0';
/** The byte after the one that ends a name in a reserved key. */
const AFTER_NAME = '\x01';
/** A reserved key begins with a zero byte and the letter of its kind. */
const KIND_LENGTH = 2;

/** The first name on a key's path through the tree. */
export function prefixOf(key: ByteString): ByteString {
  if (isReserved(key)) return key.slice(0, KIND_LENGTH);
  const slash = key.indexOf(SLASH);
  return slash < 0 ? '' : key.slice(0, slash);
}

/** The second name on a key's path: of reserved keys the table or map they belong to. */
export function subPrefixOf(key: ByteString): ByteString {
  if (isReserved(key)) return key.includes('\0', KIND_LENGTH) ? nameIn(key) : '';
  const first = key.indexOf(SLASH);
  if (first < 0) return '';
  const second = key.indexOf(SLASH, first + 1);
  return second < 0 ? '' : key.slice(first + 1, second);
}

/**
 * Where the keys of a sub-prefix are. Only where `subPrefix` is not '' nothing else is there: keys
 * without a second slash, say, stand among those of all sub-prefixes.
 */
export function rangeOf(prefix: ByteString, subPrefix: ByteString): KeyRange {
  if (isReserved(prefix)) {
    const start = subPrefix === '' ? prefix : `${prefix}${subPrefix}\0`;
    return { start, end: subPrefix === '' ? after(prefix) : `${prefix}${subPrefix}${AFTER_NAME}` };
  }
  if (subPrefix !== '') {
    const start = prefix + SLASH + subPrefix;
    return { start: start + SLASH, end: start + AFTER_SLASH };
  }
  if (prefix === '') return { start: FIRST_CLIENT_KEY, end: undefined };
  return { start: prefix + SLASH, end: prefix + AFTER_SLASH };
}

/**
 * From where to go on when `key`, met in the range of a sub-prefix, is of another one: behind all
 * that share its prefix, or its sub-prefix, if those stand together.
 */
export function behindGroup(key: ByteString, prefix: ByteString): ByteString | undefined {
  const own = prefixOf(key);
  if (own !== prefix) return rangeOf(own, '').end;
  const subPrefix = subPrefixOf(key);
  return subPrefix === '' ? undefined : rangeOf(own, subPrefix).end;
}

function after(prefix: ByteString): ByteString {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
