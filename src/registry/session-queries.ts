import type { RegistryState } from './state.ts';
import type { RegistryAnswer, RegistryQuery, SessionInfo } from './types.ts';

/** A list ends before the session that would take it over this; it has one at least. */
const MAX_LIST_BYTES = 1024 * 1024;
/** What a session is taken to cost beside its label and metadata. */
const SESSION_BYTES = 64;

/** Open sessions by id, one page. */
export function listSessions(
  { store }: RegistryState,
  query: Extract<RegistryQuery, { type: 'sessions' }>,
): RegistryAnswer {
  const limit = query.limit === 0 ? Infinity : query.limit;
  const sessions: SessionInfo[] = [];
  let room = MAX_LIST_BYTES;
  let more = false;
  for (const session of store.sessions.values()) {
    const { id, ttlMs, label, metadata, openedAt, trapExits } = session;
    if (id <= query.after) continue;
    room -= SESSION_BYTES + label.length + metadata.length;
    more = sessions.length >= limit || (room < 0 && sessions.length > 0);
    if (more) break;
    sessions.push({ id, ttlMs, label, metadata, openedAt, trapExits, keys: session.keys.size });
  }
  return { type: 'sessions', revision: store.revision, sessions, more };
}
