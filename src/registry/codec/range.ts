import { MalformedBytesError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import type { RangeQuery, RangeSelection, Revision, SortTarget } from '../types.ts';

/** A number is its place here: add at the end only. */
const SORT_TARGETS: readonly SortTarget[] = [
  'key',
  'version',
  'createRevision',
  'modRevision',
  'value',
];
const KEYS_ONLY = 1;
const SELECTED = 2;
const COUNT_ONLY = 1;
const DESCENDING = 2;

/** A range with its selection, if it has one; the form without one is older, see `query.ts`. */
export function writeRange(writer: ByteWriter, query: RangeQuery): void {
  const { start, end, limit, revision, select } = query;
  writer.byteString(start).boolean(end !== undefined);
  if (end !== undefined) writer.byteString(end);
  writer.varint(limit).varint(revision);
  writer.u8((query.keysOnly ? KEYS_ONLY : 0) | (select === undefined ? 0 : SELECTED));
  if (select !== undefined) writeSelection(writer, select);
}

function writeSelection(writer: ByteWriter, select: RangeSelection): void {
  writer.u8((select.countOnly ? COUNT_ONLY : 0) | (select.descending ? DESCENDING : 0));
  writer.u8(SORT_TARGETS.indexOf(select.sortBy));
  writer.varint(select.minModRevision).varint(select.maxModRevision);
  writer.varint(select.minCreateRevision).varint(select.maxCreateRevision);
}

export function readRange(reader: ByteReader): RangeQuery {
  const start = reader.byteString();
  const end = reader.boolean() ? reader.byteString() : undefined;
  const limit = reader.varint();
  const revision = reader.varint() as Revision;
  const flags = reader.u8();
  if (flags > (KEYS_ONLY | SELECTED)) throw new MalformedBytesError(`range flags ${flags}`);
  const keysOnly = (flags & KEYS_ONLY) !== 0;
  const plain: RangeQuery = { type: 'range', start, end, limit, keysOnly, revision };
  return (flags & SELECTED) === 0 ? plain : { ...plain, select: readSelection(reader) };
}

function readSelection(reader: ByteReader): RangeSelection {
  const flags = reader.u8();
  if (flags > (COUNT_ONLY | DESCENDING)) throw new MalformedBytesError(`select flags ${flags}`);
  const sortBy = SORT_TARGETS[reader.u8()];
  if (sortBy === undefined) throw new MalformedBytesError('no such order');
  return {
    countOnly: (flags & COUNT_ONLY) !== 0,
    descending: (flags & DESCENDING) !== 0,
    sortBy,
    minModRevision: reader.varint() as Revision,
    maxModRevision: reader.varint() as Revision,
    minCreateRevision: reader.varint() as Revision,
    maxCreateRevision: reader.varint() as Revision,
  };
}
