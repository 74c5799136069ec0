import { MalformedBytesError, unreachable } from '../base/index.ts';
import { decodeQuery } from './codec/query.ts';
import { checkRange, countRange, readRange } from './range-read.ts';
import { listLocks, lockQueue, type Leases } from './lock-queries.ts';
import { listSessions } from './session-queries.ts';
import { refuse } from './refusal.ts';
import type { RegistryState } from './state.ts';
import { answerTree } from './tree-queries.ts';
import type { ByteString, KeyView, RangeQuery, RegistryAnswer, RegistryQuery } from './types.ts';

/** A range answer ends before the record that would take it over this; it has one at least. */
const MAX_RANGE_BYTES = 1024 * 1024;

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
      return get(state, query.key);
    case 'range':
      return range(state, query);
    case 'lockQueue':
      return lockQueue(state, leases, query);
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

function get({ store }: RegistryState, key: ByteString): RegistryAnswer {
  if (key.length === 0) return refuse('invalid-key', 'a key must not be empty');
  const view: KeyView = { record: store.find(key)?.live, lock: store.locks.holder(key) };
  return { type: 'get', revision: store.revision, view };
}

function range(state: RegistryState, query: RangeQuery): RegistryAnswer {
  const refusal = checkRange(state, query);
  if (refusal !== undefined) return refusal;
  const { revision } = state.store;
  if (query.select?.countOnly === true) {
    return { type: 'count', revision, count: countRange(state, query) };
  }
  const room = { bytes: MAX_RANGE_BYTES, atLeastOne: true };
  const { views, more } = readRange(state, query, room);
  return { type: 'range', revision, views, more };
}
