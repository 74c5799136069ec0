/** What a key is, for people: the registry's own records have keys that nobody would read. */
import { unreachable } from '../base/index.ts';
import { reservedKind, TREE_SESSIONS, type ByteString } from '../registry/index.ts';
import { textOf } from './edge.ts';

const KIND_LENGTH = 2;

/** A client's key as it is; of a reserved one, the table, map or session that it belongs to. */
export function describeKey(key: ByteString): string {
  if (key.startsWith(TREE_SESSIONS)) return sessionName(key.slice(TREE_SESSIONS.length));
  const kind = reservedKind(key);
  if (kind === undefined) return textOf(key);
  const end = key.indexOf('\0', KIND_LENGTH);
  const name = textOf(key.slice(KIND_LENGTH, end < 0 ? undefined : end));
  const rest = end < 0 ? '' : key.slice(end + 1);
  switch (kind) {
    case 'table':
      return `table ${name}`;
    case 'tableEntry':
      return `table ${name}: ${textOf(rest)}`;
    case 'edge':
      return `table ${name}: an edge of ${textOf(edgeEntry(rest))}`;
    case 'notice':
      return `a notice for ${sessionName(key.slice(KIND_LENGTH, KIND_LENGTH + DIGITS))}`;
    case 'map':
    case 'mapMark':
      return `map ${name}`;
    case 'mapEntry':
      return `map ${name}: ${textOf(rest)}`;
    case 'opener':
      return `map ${name}: opened by ${sessionName(rest)}`;
    case 'treeLock':
      return 'the lock of the hash trees';
    default:
      return unreachable(kind);
  }
}

const DIGITS = 16;
const LENGTH_BYTES = 2;

function sessionName(digits: ByteString): string {
  return `session ${Number.parseInt(digits, 16)}`;
}

/** The entry's key stands behind its length. */
function edgeEntry(rest: ByteString): ByteString {
  const length = (rest.charCodeAt(0) << 8) | rest.charCodeAt(1);
  return rest.slice(LENGTH_BYTES, LENGTH_BYTES + length);
}
