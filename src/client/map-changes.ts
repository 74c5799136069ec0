/** A map's changes on their way from the registry's records to what applications are told. */
import { bytesToByteString, unreachable } from '../base/index.ts';
import { mapMarkKey, type ByteString } from '../registry/index.ts';
import { entryKey } from './map-keys.ts';
import type { InvalidMapEntry, MapEntry, MapEvent } from './map-types.ts';
import type { Decoded } from './map-values.ts';
import type { WatchEvent } from './watch-types.ts';

/** What one key is, as of one revision. `key` is unlike any other's, also when it is no text. */
export type MapChange<T> = { readonly key: string; readonly revision: number } & (
  | { readonly type: 'put'; readonly entry: MapEntry<T> }
  | { readonly type: 'invalid'; readonly entry: InvalidMapEntry }
  | { readonly type: 'remove'; readonly entry: { readonly key: string; readonly revision: number } }
);

export type Decode<T> = (value: Uint8Array) => Decoded<T>;

const NO_TEXT_ISSUES = [{ path: [], message: 'the key is not UTF-8 text' }];

/** A record as far as it matters here. */
interface StoredEntry {
  /** The registry's own. */
  readonly key: ByteString;
  readonly value: Uint8Array;
  readonly modRevision: number;
}

export function recordChange<T>(
  map: ByteString,
  { key: whole, value, modRevision: revision }: StoredEntry,
  decode: Decode<T>,
): MapChange<T> {
  const { id, shown: key, isText } = entryKey(map, whole);
  const decoded = decode(value);
  if (!isText || decoded.type === 'invalid') {
    const issues = decoded.type === 'invalid' ? decoded.issues : NO_TEXT_ISSUES;
    return { type: 'invalid', key: id, revision, entry: { key, revision, issues } };
  }
  return { type: 'put', key: id, revision, entry: { key, value: decoded.value, revision } };
}

/** An event of a watch over the map's range; undefined for its mark, which is no entry. */
export function watchedChange<T>(
  map: ByteString,
  event: WatchEvent,
  decode: Decode<T>,
): MapChange<T> | undefined {
  const { revision, record } = event;
  const whole = bytesToByteString(record.keyBytes);
  if (whole === mapMarkKey(map)) return undefined;
  if (event.type === 'put') {
    return recordChange(map, { key: whole, value: record.value, modRevision: revision }, decode);
  }
  const { id, shown: key } = entryKey(map, whole);
  return { type: 'remove', key: id, revision, entry: { key, revision } };
}

export function eventOf<T>(change: MapChange<T>): MapEvent<T> {
  switch (change.type) {
    case 'put':
      return { type: 'put', ...change.entry };
    case 'invalid':
      return { type: 'invalid', ...change.entry };
    case 'remove':
      return { type: 'remove', ...change.entry };
    default:
      return unreachable(change);
  }
}
