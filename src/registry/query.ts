import { MalformedBytesError, unreachable } from '../base/index.ts';
import { decodeQuery } from './codec/query.ts';
import { EMPTY_VALUE, KeyVersion, type KeyEntry } from './key-version.ts';
import { refuse } from './refusal.ts';
import type { RegistryState } from './state.ts';
import type {
  ByteString,
  KeyView,
  RegistryAnswer,
  RegistryQuery,
  Revision,
  SessionInfo,
} from './types.ts';

/** A range answer ends before the record that would take it over this; it has one at least. */
const MAX_RANGE_BYTES = 1024 * 1024;
/** What a record is taken to cost beside its key and value. */
const RECORD_BYTES = 64;

/** Answers a read from the state as it is. Never throws for anything the bytes may hold. */
export function answerQuery(state: RegistryState, bytes: Uint8Array): RegistryAnswer {
  let query: RegistryQuery;
  try {
    query = decodeQuery(bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    return refuse('invalid-command', `the query cannot be read: ${error.message}`);
  }
  return answer(state, query);
}

function answer(state: RegistryState, query: RegistryQuery): RegistryAnswer {
  const { store } = state;
  const { revision } = store;
  switch (query.type) {
    case 'get':
      return get(state, query.key);
    case 'range':
      return range(state, query);
    case 'lockQueue':
      return lockQueue(state, query.name);
    case 'sessions':
      return { type: 'sessions', revision, sessions: sessionInfos(state) };
    case 'stats': {
      const { compactRevision } = state.compaction;
      const { liveKeys: keys, sessions, time } = store;
      return {
        type: 'stats',
        stats: { revision, compactRevision, keys, sessions: sessions.size, time },
      };
    }
    default:
      return unreachable(query);
  }
}

function get({ store }: RegistryState, key: ByteString): RegistryAnswer {
  if (key.length === 0) return refuse('invalid-key', 'a key must not be empty');
  const view: KeyView = { record: store.find(key)?.live, lock: store.locks.holder(key) };
  return { type: 'get', revision: store.revision, view };
}

type RangeQuery = Extract<RegistryQuery, { type: 'range' }>;

function range(state: RegistryState, query: RangeQuery): RegistryAnswer {
  const { store } = state;
  const { start, end, keysOnly } = query;
  const refusal = checkRange(state, query);
  if (refusal !== undefined) return refusal;
  const asOf = query.revision === 0 ? store.revision : query.revision;
  const limit = query.limit === 0 ? Infinity : query.limit;
  const views: KeyView[] = [];
  let room = MAX_RANGE_BYTES;
  let more = false;
  store.scan(start, (entry) => {
    if (end !== undefined && entry.key >= end) return false;
    const found = entry.at(asOf);
    if (found === undefined) return true;
    const record = keysOnly ? withoutValue(found) : found;
    room -= RECORD_BYTES + record.key.length + record.stored.length;
    more = views.length >= limit || (room < 0 && views.length > 0);
    if (!more) views.push({ record, lock: lockOf(state, entry, asOf) });
    return !more;
  });
  return { type: 'range', revision: store.revision, views, more };
}

function checkRange(state: RegistryState, query: RangeQuery): RegistryAnswer | undefined {
  const { start, end, revision } = query;
  const { compactRevision } = state.compaction;
  if (end !== undefined && end < start) {
    return refuse('invalid-argument', 'the end of a range must not be before its start');
  }
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
  return undefined;
}

function lockOf({ store }: RegistryState, entry: KeyEntry, asOf: Revision): KeyView['lock'] {
  const { locks } = store;
  return asOf === store.revision ? locks.holder(entry.key) : locks.holderAt(entry.key, asOf);
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

function lockQueue({ store }: RegistryState, name: ByteString): RegistryAnswer {
  if (name.length === 0) return refuse('invalid-key', 'the name of a lock must not be empty');
  const { locks, revision } = store;
  const entries = locks.queue(name)?.waiting.values() ?? [];
  const metadata = Array.from(entries, ({ latest }) => ({
    metadata: latest.value,
    since: latest.time,
  }));
  const queue = locks.holders(name).map((holder, place) => ({ ...holder, ...metadata[place]! }));
  return { type: 'lockQueue', revision, queue };
}

function sessionInfos({ store }: RegistryState): SessionInfo[] {
  return Array.from(store.sessions.values(), (session) => {
    const { id, ttlMs, label, metadata, openedAt } = session;
    return { id, ttlMs, label, metadata, openedAt, keys: session.keys.size };
  });
}
