import { bytesToByteString } from '../base/index.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { EMPTY_VALUE, KeyVersion, type StoredValue } from './key-version.ts';
import { refuse } from './refusal.ts';
import type { RegistryState } from './state.ts';
import type {
  ByteString,
  KeyRange,
  KeyView,
  RangeQuery,
  RangeSelection,
  Revision,
} from './types.ts';

/** What a record is taken to cost beside its key and value. */
const RECORD_BYTES = 64;

/** How much a range may answer with. */
export interface ReadRoom {
  readonly bytes: number;
  /** Answer with one record at least, however large. */
  readonly atLeastOne: boolean;
}

export interface RangeRead {
  readonly views: readonly KeyView[];
  readonly more: boolean;
  readonly bytes: number;
}

/** What a record costs of the room for an answer. */
export function bytesOfRead(record: KeyVersion): number {
  return RECORD_BYTES + record.key.length + record.stored.length + record.node.length;
}

/** Stored values so that `<` is the order of their bytes. */
export function comparable(stored: StoredValue): ByteString {
  return typeof stored === 'string' ? stored : bytesToByteString(stored);
}

export function checkKeyRange({ start, end }: KeyRange): RegistryRefusal | undefined {
  if (end === undefined || end >= start) return undefined;
  return refuse('invalid-argument', 'the end of a range must not be before its start');
}

/** A refusal when the range makes no sense or its revision cannot be read. */
export function checkRange(state: RegistryState, query: RangeQuery): RegistryRefusal | undefined {
  const { revision } = query;
  const { compactRevision } = state.compaction;
  if (revision > state.store.revision) {
    return refuse(
      'invalid-argument',
      `revision ${revision} is yet to come: the latest is ${state.store.revision}`,
    );
  }
  if (revision !== 0 && revision < compactRevision) {
    return refuse(
      'compacted',
      `revision ${revision} is compacted: the oldest that can be read is ${compactRevision}`,
    );
  }
  return checkKeyRange(query);
}

/** Records of the range in order, the changes under way included when it asks for the latest. */
export function readRange(state: RegistryState, query: RangeQuery, room: ReadRoom): RangeRead {
  const limit = query.limit === 0 ? Infinity : query.limit;
  const views: KeyView[] = [];
  let bytes = 0;
  let more = false;
  const take = (found: KeyVersion): boolean => {
    const record = query.keysOnly ? withoutValue(found) : found;
    const after = bytes + bytesOfRead(record);
    const fits = after <= room.bytes || (room.atLeastOne && views.length === 0);
    more = views.length >= limit || !fits;
    if (more) return false;
    bytes = after;
    views.push({ record, lock: lockOf(state, record.key, query.revision) });
    return true;
  };
  const { select } = query;
  if (select === undefined || inKeyOrder(select)) visit(state, query, take);
  else sorted(state, query, select).every(take);
  return { views, more, bytes };
}

export function countRange(state: RegistryState, query: RangeQuery): number {
  let count = 0;
  visit(state, query, () => {
    count++;
    return true;
  });
  return count;
}

/** Shows the versions that match, in key order, until `take` returns false. */
function visit(
  { store }: RegistryState,
  query: RangeQuery,
  take: (record: KeyVersion) => boolean,
): void {
  const { start, end, select } = query;
  const asOf = query.revision === 0 ? store.nextRevision : query.revision;
  store.scan(start, (entry) => {
    if (end !== undefined && entry.key >= end) return false;
    const found = entry.at(asOf);
    return found === undefined || !matches(found, select) || take(found);
  });
}

function matches(record: KeyVersion, select: RangeSelection | undefined): boolean {
  if (select === undefined) return true;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = select;
  return (
    record.modRevision >= minModRevision &&
    (maxModRevision === 0 || record.modRevision <= maxModRevision) &&
    record.createRevision >= minCreateRevision &&
    (maxCreateRevision === 0 || record.createRevision <= maxCreateRevision)
  );
}

function inKeyOrder({ sortBy, descending }: RangeSelection): boolean {
  return sortBy === 'key' && !descending;
}

function sorted(state: RegistryState, query: RangeQuery, select: RangeSelection): KeyVersion[] {
  const found: KeyVersion[] = [];
  visit(state, query, (record) => found.push(record) > 0);
  const order = orderOf(select.sortBy);
  const sign = select.descending ? -1 : 1;
  return found.toSorted((a, b) => sign * order(a, b));
}

function orderOf(sortBy: RangeSelection['sortBy']): (a: KeyVersion, b: KeyVersion) => number {
  if (sortBy === 'value') return (a, b) => compareStored(a.stored, b.stored);
  return (a, b) => {
    const [left, right] = [a[sortBy], b[sortBy]];
    return left === right ? 0 : left < right ? -1 : 1;
  };
}

/** By bytes, where they are: many large values made strings at once could fill the heap. */
function compareStored(a: StoredValue, b: StoredValue): number {
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

function lockOf({ store }: RegistryState, key: ByteString, revision: Revision): KeyView['lock'] {
  const { locks } = store;
  const isLatest = revision === 0 || revision === store.revision;
  return isLatest ? locks.holder(key) : locks.holderAt(key, revision);
}

function withoutValue(record: KeyVersion): KeyVersion {
  const { key, createRevision, modRevision, version, session, expiresAt, node, time } = record;
  return new KeyVersion(
    key,
    EMPTY_VALUE,
    createRevision,
    modRevision,
    version,
    session,
    expiresAt,
    node,
    time,
    undefined,
  );
}
