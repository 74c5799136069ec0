import type { Act, CommandOf } from './act.ts';
import { checkLabel, checkSessionTtl, refuse } from './refusal.ts';
import { Session } from './sessions.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, RegistryResult, SessionId } from './types.ts';

export function openSession(act: Act, command: CommandOf<'openSession'>): RegistryResult {
  const { state, index } = act;
  const { limits, store } = state;
  const { ttlMs, label, metadata } = command;
  const refusal =
    checkSessionTtl(ttlMs, limits) ??
    checkLabel('label', label, limits) ??
    checkLabel('metadata', metadata, limits);
  if (refusal !== undefined) return refusal;
  if (store.sessions.size >= limits.maxSessions) {
    return refuse('overloaded', `${limits.maxSessions} sessions are open (maxSessions)`);
  }
  const id = index as SessionId;
  const copy = new Uint8Array(metadata.length);
  copy.set(metadata);
  store.sessions.add(new Session(id, ttlMs, label, copy, store.time));
  return { type: 'session', revision: state.commit(), session: id, ttlMs };
}

export function closeSession(act: Act, command: CommandOf<'closeSession'>): RegistryResult {
  const session = act.state.store.sessions.get(command.session);
  if (session === undefined) return unknownSession(command.session);
  endSession(act.state, session, act.node);
  return { type: 'done', revision: act.state.commit() };
}

/** Those that ended meanwhile are passed over. */
export function expireSessions(act: Act, command: CommandOf<'expireSessions'>): RegistryResult {
  const { state, node } = act;
  const sessions = [...command.sessions];
  sessions.sort((a, b) => a - b);
  for (const id of sessions) {
    const session = state.store.sessions.get(id);
    if (session !== undefined) endSession(state, session, node);
  }
  return { type: 'done', revision: state.commit() };
}

/** Deletes all it owns, in key order, as part of the revision under way. */
function endSession(state: RegistryState, session: Session, node: ByteString): void {
  const owned = [...session.keys];
  owned.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const entry of owned) state.store.remove(entry, 'sessionEnded', node);
  state.store.sessions.delete(session.id);
}

export function unknownSession(session: SessionId): RegistryResult {
  return refuse(
    'session-expired',
    `session ${session} is not open: it expired, was closed, or never was`,
  );
}
