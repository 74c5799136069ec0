/**
 * The one binary form of an entry, stored and sent alike.
 *
 * | at | bytes | field                                                        |
 * |----|-------|--------------------------------------------------------------|
 * | 0  | 4     | CRC-32 of everything after it                                |
 * | 4  | 4     | length of the whole record                                   |
 * | 8  | 1     | version of this layout                                       |
 * | 9  | 1     | type                                                         |
 * | 10 | 8     | index                                                        |
 * | 18 | 8     | term                                                         |
 * | 26 | 8     | time                                                         |
 * | 34 | n     | data                                                         |
 *
 * Little-endian; numbers of eight bytes are doubles, which hold every integer an index or a term
 * may be. The length stands under the checksum, so a damaged one is noticed like any other byte.
 */
import { crc32 } from 'node:zlib';
import { MalformedBytesError, unreachable } from '../base/index.ts';
import type { Entry, EntryType, LogIndex, Term } from '../raft/index.ts';

const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** What a record is longer than its entry's data. */
export const RECORD_OVERHEAD_BYTES = 34;

const TYPE_OF_CODE: readonly EntryType[] = ['command', 'noop', 'membership'];

function codeOf(type: EntryType): number {
  switch (type) {
    case 'command':
      return 0;
    case 'noop':
      return 1;
    case 'membership':
      return 2;
    default:
      return unreachable(type);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes the entry's record at a place of `bytes`, and has the entry keep nothing else. */
function writeRecord(entry: Entry, bytes: Uint8Array, view: DataView, at: number): void {
  const end = at + RECORD_OVERHEAD_BYTES + entry.data.length;
  view.setUint32(at + 4, end - at, true);
  bytes[at + 8] = VERSION;
  bytes[at + 9] = codeOf(entry.type);
  view.setFloat64(at + 10, entry.index, true);
  view.setFloat64(at + 18, entry.term, true);
  view.setFloat64(at + 26, entry.time, true);
  bytes.set(entry.data, at + RECORD_OVERHEAD_BYTES);
  view.setUint32(at, crc32(bytes.subarray(at + CHECKSUM_BYTES, end)), true);
  entry.data = bytes.subarray(at + RECORD_OVERHEAD_BYTES, end);
  entry.recorded = entry.data;
}

/** The entry's record: encoded at the first call, and a view of the same bytes at all others. */
export function encodeRecord(entry: Entry): Uint8Array {
  const length = recordLength(entry);
  if (!isRecorded(entry)) {
    const bytes = new Uint8Array(length);
    writeRecord(entry, bytes, viewOf(bytes), 0);
  }
  return new Uint8Array(entry.data.buffer, placeOf(entry), length);
}

/** Of the entry's record, in bytes. */
export function recordLength(entry: Entry): number {
  return RECORD_OVERHEAD_BYTES + entry.data.length;
}

function isRecorded(entry: Entry): boolean {
  return entry.recorded === entry.data;
}

/** Where in the buffer of its data the record of a recorded entry begins. */
function placeOf(entry: Entry): number {
  return entry.data.byteOffset - RECORD_OVERHEAD_BYTES;
}

/**
 * Gives every entry its record; those made now lie one after another in one buffer. Returns the
 * length of all records together, in bytes.
 */
export function encodeRecords(entries: readonly Entry[]): number {
  let total = 0;
  let missing = 0;
  for (const entry of entries) {
    const length = recordLength(entry);
    total += length;
    if (!isRecorded(entry)) missing += length;
  }
  if (missing === 0) return total;
  const bytes = new Uint8Array(missing);
  const view = viewOf(bytes);
  let at = 0;
  for (const entry of entries) {
    if (isRecorded(entry)) continue;
    writeRecord(entry, bytes, view, at);
    at += recordLength(entry);
  }
  return total;
}

/**
 * The records of entries `from` to `to` (exclusive), those that lie one after another in one
 * buffer, as freshly encoded or received ones do, as a single view.
 */
export function recordRuns(
  entries: readonly Entry[],
  from = 0,
  to: number = entries.length,
): Uint8Array[] {
  const runs: Uint8Array[] = [];
  let buffer: ArrayBufferLike | undefined;
  let begin = 0;
  let end = 0;
  for (let i = from; i < to; i++) {
    const entry = entries[i]!;
    if (!isRecorded(entry)) encodeRecord(entry);
    const place = placeOf(entry);
    if (entry.data.buffer !== buffer || place !== end) {
      if (buffer !== undefined) runs.push(new Uint8Array(buffer, begin, end - begin));
      buffer = entry.data.buffer;
      begin = place;
    }
    end = place + recordLength(entry);
  }
  if (buffer !== undefined) runs.push(new Uint8Array(buffer, begin, end - begin));
  return runs;
}

/** The same as one run of bytes: a view if there is a single run, else a copy. */
export function joinRecords(
  entries: readonly Entry[],
  from = 0,
  to: number = entries.length,
): Uint8Array {
  const runs = recordRuns(entries, from, to);
  if (runs.length === 1) return runs[0]!;
  let total = 0;
  for (const run of runs) total += run.length;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const run of runs) {
    joined.set(run, at);
    at += run.length;
  }
  return joined;
}

function checkedLength(bytes: Uint8Array, view: DataView, offset: number): number {
  const left = bytes.length - offset;
  if (left < RECORD_OVERHEAD_BYTES) {
    throw new MalformedBytesError(`${left} bytes at ${offset} are too few for an entry record`);
  }
  const length = view.getUint32(offset + 4, true);
  if (length < RECORD_OVERHEAD_BYTES || length > left) {
    throw new MalformedBytesError(`entry record of ${length} bytes at ${offset}, ${left} left`);
  }
  return length;
}

function readRecord(bytes: Uint8Array, view: DataView, at: number): Entry {
  const end = at + checkedLength(bytes, view, at);
  if (crc32(bytes.subarray(at + CHECKSUM_BYTES, end)) !== view.getUint32(at, true)) {
    throw new MalformedBytesError(`entry record at ${at} fails its checksum`);
  }
  if (bytes[at + 8] !== VERSION) {
    throw new MalformedBytesError(`entry record of version ${bytes[at + 8]}, ${VERSION} is known`);
  }
  const type = TYPE_OF_CODE[bytes[at + 9]!];
  if (type === undefined) throw new MalformedBytesError(`entry type ${bytes[at + 9]}`);
  const index = view.getFloat64(at + 10, true);
  const term = view.getFloat64(at + 18, true);
  if (!Number.isSafeInteger(index) || index < 1 || !Number.isSafeInteger(term) || term < 0) {
    throw new MalformedBytesError(`entry record of index ${index} and term ${term}`);
  }
  const data = bytes.subarray(at + RECORD_OVERHEAD_BYTES, end);
  return {
    index: index as LogIndex,
    term: term as Term,
    time: view.getFloat64(at + 26, true),
    type,
    data,
    recorded: data,
  };
}

/**
 * The entry whose record stands at `offset`, checksum verified. `data` is a view of `bytes`, not a
 * copy; the next record begins `recordLength` further.
 * @throws MalformedBytesError when the bytes are not an undamaged record.
 */
export function decodeRecord(bytes: Uint8Array, offset = 0): Entry {
  return readRecord(bytes, viewOf(bytes), offset);
}

/** Reads records that lie one after another, keeping track of the place. */
export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Where the next record begins. */
  get offset(): number {
    return this.#offset;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** Length of the next record, as far as it can be told without its checksum. */
  get nextLength(): number {
    return checkedLength(this.#bytes, this.#view, this.#offset);
  }

  /** Passes over a record without verifying it. */
  skip(): void {
    this.#offset += this.nextLength;
  }

  /** @throws MalformedBytesError when the next record is damaged. */
  next(): Entry {
    const entry = readRecord(this.#bytes, this.#view, this.#offset);
    this.#offset += RECORD_OVERHEAD_BYTES + entry.data.length;
    return entry;
  }
}

/**
 * All entries of records that lie one after another, each verified.
 * @throws MalformedBytesError at the first damaged one.
 */
export function decodeRecords(bytes: Uint8Array): Entry[] {
  const reader = new RecordReader(bytes);
  const entries: Entry[] = [];
  while (!reader.done) entries.push(reader.next());
  return entries;
}
