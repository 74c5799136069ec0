import { bytesToByteString } from '../base/index.ts';
import type { RegistryRefusal } from './codec/error.ts';
import { compareStored, EMPTY_VALUE, KeyVersion, type StoredValue } from './key-version.ts';
import { refuse } from './refusal.ts';
import { scanRange, type ScanBudget } from './scan.ts';
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

/** How much a range may answer with, and how much work it may be. */
export interface ReadRoom {
  readonly bytes: number;
  readonly budget: ScanBudget;
  /** Answer with one record at least, however large. */
  readonly atLeastOne: boolean;
}

export interface RangeRead {
  readonly views: readonly KeyView[];
  readonly more: boolean;
  readonly bytes: number;
  /** Where to go on when it was too much work; of what is not in key order: it is not answered. */
  readonly next: ByteString | undefined;
}

export interface RangeCount {
  readonly count: number;
  /** As in `RangeRead`. */
  readonly next: ByteString | undefined;
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
  if (inKeyOrder(query)) {
    const next = visit(state, query, room.budget, take);
    return { views, more: more || next !== undefined, bytes, next };
  }
  const found: KeyVersion[] = [];
  const byValue = select!.sortBy === 'value';
  const next = visit(state, query, room.budget, (record) => {
    found.push(record);
    return !byValue || room.budget.spendOnValue(record.stored.length);
  });
  if (room.budget.spent) return { views, more: true, bytes, next: next ?? query.start };
  sorted(found, select!).every(take);
  return { views, more, bytes, next };
}

export function countRange(
  state: RegistryState,
  query: RangeQuery,
  budget: ScanBudget,
): RangeCount {
  if (isPlainCount(state, query)) return { count: state.store.countLive(query), next: undefined };
  let count = 0;
  const next = visit(state, query, budget, () => {
    count++;
    return true;
  });
  return { count, next };
}

/** Spends what answering would; what is answered from the index, or cut by its size, is free. */
export function spendOnRange(state: RegistryState, query: RangeQuery, budget: ScanBudget): void {
  const { select } = query;
  if (select === undefined || isPlainCount(state, query)) return;
  const byValue = select.sortBy === 'value' && !select.countOnly;
  visit(state, query, budget, (record) => !byValue || budget.spendOnValue(record.stored.length));
}

/** A count of all there is now: the index knows it. */
function isPlainCount({ store }: RegistryState, { select, revision }: RangeQuery): boolean {
  if (select === undefined || !select.countOnly) return false;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = select;
  const bounds = minModRevision + maxModRevision + minCreateRevision + maxCreateRevision;
  return bounds === 0 && (revision === 0 || revision === store.revision);
}

/** Shows the versions that match, in key order, until `take` returns false. */
function visit(
  state: RegistryState,
  query: RangeQuery,
  budget: ScanBudget,
  take: (record: KeyVersion) => boolean,
): ByteString | undefined {
  const { select, revision } = query;
  return scanRange(
    state,
    query,
    revision,
    budget,
    (record) => !matches(record, select) || take(record),
  );
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

export function inKeyOrder({ select }: RangeQuery): boolean {
  return select === undefined || (select.sortBy === 'key' && !select.descending);
}

function sorted(found: readonly KeyVersion[], select: RangeSelection): KeyVersion[] {
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
