import { MalformedBytesError, unreachable } from '../base/index.ts';
import { decodeQuery } from './codec/query.ts';
import { checkRange, countRange, inKeyOrder, readRange } from './range-read.ts';
import { listLocks, lockPlace, lockQueue, type Leases, timeOf } from './lock-queries.ts';
import { listSessions } from './session-queries.ts';
import { refuse } from './refusal.ts';
import { ScanBudget } from './scan.ts';
import type { RegistryState } from './state.ts';
import { answerTree } from './tree-queries.ts';
import type { ByteString, KeyView, RangeQuery, RegistryAnswer, RegistryQuery } from './types.ts';

/** A range answer ends before the record that would take it over this; it has one at least. */
const MAX_RANGE_BYTES = 1024 * 1024;
/** Keys that one query visits before it answers with what it has, so that others get their turn. */
export const MAX_QUERY_SCANNED = 100_000;

/** Answers a read from the state as it is. Never throws for anything the bytes may hold. */
export function answerQuery(
  state: RegistryState,
  leases: Leases,
  bytes: Uint8Array,
): RegistryAnswer {
  let query: RegistryQuery;
  try {
    query = decodeQuery(bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    return refuse('invalid-command', `the query cannot be read: ${error.message}`);
  }
  return answer(state, leases, query);
}

function answer(state: RegistryState, leases: Leases, query: RegistryQuery): RegistryAnswer {
  const { store } = state;
  const { revision } = store;
  switch (query.type) {
    case 'get':
      return get(state, timeOf(state, leases), query.key);
    case 'range':
      return range(state, timeOf(state, leases), query);
    case 'lockQueue':
      return lockQueue(state, leases, query);
    case 'lockPlace':
      return lockPlace(state, query);
    case 'locks':
      return listLocks(state, leases, query);
    case 'sessions':
      return listSessions(state, query);
    case 'stats': {
      const { compactRevision } = state.compaction;
      const { liveKeys: keys, sessions, time } = store;
      return {
        type: 'stats',
        stats: { revision, compactRevision, keys, sessions: sessions.size, time },
      };
    }
    case 'treeHash':
    case 'treeBucket':
    case 'treeKeys':
    case 'resetTree':
      return answerTree(state, query);
    default:
      return unreachable(query);
  }
}

function get({ store }: RegistryState, time: number, key: ByteString): RegistryAnswer {
  if (key.length === 0) return refuse('invalid-key', 'a key must not be empty');
  const view: KeyView = { record: store.find(key)?.live, lock: store.locks.holder(key) };
  return { type: 'get', revision: store.revision, time, view };
}

function range(state: RegistryState, time: number, query: RangeQuery): RegistryAnswer {
  const refusal = checkRange(state, query);
  if (refusal !== undefined) return refusal;
  const { revision } = state.store;
  const budget = new ScanBudget(MAX_QUERY_SCANNED, false);
  if (query.select?.countOnly === true) {
    return { type: 'count', revision, ...countRange(state, query, budget) };
  }
  const room = { bytes: MAX_RANGE_BYTES, budget, atLeastOne: true };
  const { views, more, next } = readRange(state, query, room);
  if (next === undefined || inKeyOrder(query)) {
    return { type: 'range', revision, time, views, more, next };
  }
  return refuse(
    'too-large',
    `a range that is sorted may visit ${MAX_QUERY_SCANNED} keys at most, and counts one more for ` +
      'every 64 bytes of values it sorts by: narrow it, or read it in key order',
  );
}
