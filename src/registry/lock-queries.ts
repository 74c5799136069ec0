import { refuse, show } from './refusal.ts';
import { readTerms } from './lock-terms.ts';
import type { LockQueue, Place } from './lock-queue.ts';
import type { RegistryState } from './state.ts';
import type {
  LockInfo,
  LockPlaceRef,
  LockQueueEntry,
  LockStanding,
  RegistryAnswer,
  RegistryQuery,
  SessionId,
} from './types.ts';

/** Holders shown of each lock in a list, at most. */
const MAX_SHOWN_HOLDERS = 16;
/** A list ends before the lock that would take it over this; it has one at least. */
const MAX_LIST_BYTES = 1024 * 1024;
/** What an entry is taken to cost beside its name and metadata. */
const ENTRY_BYTES = 64;

/** What the leader knows of sessions beside the state. */
export interface Leases {
  /** Cluster time in ms as far as it is known; not above the present. */
  readonly now: number;
  /** Ms until the session ends unless it is renewed; undefined when that is not known here. */
  remainingMs(session: SessionId): number | undefined;
}

export function lockQueue(
  state: RegistryState,
  leases: Leases,
  query: Extract<RegistryQuery, { type: 'lockQueue' }>,
): RegistryAnswer {
  const { name, after } = query;
  if (name.length === 0) return refuse('invalid-key', 'the name of a lock must not be empty');
  const { locks, revision } = state.store;
  const time = timeOf(state, leases);
  const queue: LockQueueEntry[] = [];
  const found = locks.queue(name);
  const limit = query.limit === 0 ? Infinity : query.limit;
  let room = MAX_LIST_BYTES;
  let more = false;
  for (const place of found?.places() ?? []) {
    if (place.token <= after) continue;
    const entry = entryOf(found!, place, leases, time);
    room -= ENTRY_BYTES + entry.metadata.length;
    more = queue.length >= limit || (room < 0 && queue.length > 0);
    if (more) break;
    queue.push(entry);
  }
  return { type: 'lockQueue', revision, time, queue, more };
}

/** How a place stands that this replica knows of; see `standingOf`. */
export function lockPlace(
  state: RegistryState,
  query: Extract<RegistryQuery, { type: 'lockPlace' }>,
): RegistryAnswer {
  const { name, session, token } = query;
  const standing = standingOf(state, query);
  if (standing !== 'gone') {
    return { type: 'lockPlace', revision: state.store.revision, held: standing === 'held' };
  }
  if (state.store.sessions.get(session) === undefined) {
    return refuse('session-expired', `session ${session} is over, and its place in a lock's queue`);
  }
  const what = `session ${session} is no longer in the queue of lock ${show(name)}`;
  return refuse('not-held', `${what} with token ${token}: it was removed`);
}

/**
 * How a place stands. Not one of these changes but that `waits` becomes `held` or `gone`, and
 * `held` becomes `gone`: so whatever an old state says of a place that is held, or gone, has
 * happened. A place that only lasts for its lock-delay is gone for its session.
 */
export function standingOf(
  state: RegistryState,
  { name, session, token }: LockPlaceRef,
): LockStanding {
  const queue = state.store.locks.queue(name);
  const granted = queue?.granted.get(session);
  const place = granted ?? queue?.waiting.get(session);
  if (place?.token !== token || place.entry.latest.expiresAt !== undefined) return 'gone';
  return place === granted ? 'held' : 'waits';
}

export function listLocks(
  state: RegistryState,
  leases: Leases,
  query: Extract<RegistryQuery, { type: 'locks' }>,
): RegistryAnswer {
  const { start, end } = query;
  if (end !== undefined && end < start) {
    return refuse('invalid-argument', 'the end of a range must not be before its start');
  }
  const { store } = state;
  const limit = query.limit === 0 ? Infinity : query.limit;
  const time = timeOf(state, leases);
  const locks: LockInfo[] = [];
  let room = MAX_LIST_BYTES;
  let more = false;
  store.locks.scan(start, (queue) => {
    if (end !== undefined && queue.key >= end) return false;
    if (queue.first === undefined) return true;
    const info = infoOf(queue, leases, time);
    for (const { metadata } of info.holders) room -= ENTRY_BYTES + metadata.length;
    room -= ENTRY_BYTES + queue.key.length;
    more = locks.length >= limit || (room < 0 && locks.length > 0);
    if (!more) locks.push(info);
    return !more;
  });
  return { type: 'locks', revision: store.revision, time, locks, more };
}

/** The latest cluster time this replica knows. */
export function timeOf(state: RegistryState, leases: Leases): number {
  return Math.max(state.store.time, leases.now);
}

function infoOf(queue: LockQueue, leases: Leases, time: number): LockInfo {
  const holders: LockQueueEntry[] = [];
  for (const place of queue.granted.values()) {
    if (holders.push(entryOf(queue, place, leases, time)) >= MAX_SHOWN_HOLDERS) break;
  }
  const { key: name, granted, waiting, permits } = queue;
  return { name, holders, held: granted.size, permits, waiting: waiting.size };
}

function entryOf(queue: LockQueue, place: Place, leases: Leases, time: number): LockQueueEntry {
  const { session, token, terms, entry } = place;
  const { stored, expiresAt, time: since } = entry.latest;
  const delayed = expiresAt !== undefined;
  return {
    session,
    token,
    metadata: readTerms(stored).metadata,
    since,
    terms,
    held: queue.granted.has(session),
    delayed,
    remainingMs: delayed ? Math.max(0, expiresAt - time) : leases.remainingMs(session),
  };
}
