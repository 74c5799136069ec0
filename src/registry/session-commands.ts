import type { Act, CommandOf } from './act.ts';
import { Endings } from './endings.ts';
import { checkLabel, checkSessionTtl, refuse } from './refusal.ts';
import { endSessions } from './session-ends.ts';
import { Session } from './sessions.ts';
import type { RegistryResult, SessionId } from './types.ts';

export function openSession(act: Act, command: CommandOf<'openSession'>): RegistryResult {
  const { state, index } = act;
  const { limits, store } = state;
  const { ttlMs, label, metadata, trapExits } = command;
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
  store.sessions.add(new Session(id, ttlMs, label, copy, store.time, trapExits));
  return { type: 'session', revision: state.commit(), session: id, ttlMs };
}

export function closeSession(act: Act, command: CommandOf<'closeSession'>): RegistryResult {
  const session = act.state.store.sessions.get(command.session);
  if (session === undefined) return unknownSession(command.session);
  const endings = new Endings(act);
  endings.add(session, 'closed');
  endSessions(endings);
  return { type: 'done', revision: act.state.commit() };
}

/** Those that ended meanwhile are passed over. */
export function expireSessions(act: Act, command: CommandOf<'expireSessions'>): RegistryResult {
  const { state } = act;
  const endings = new Endings(act);
  for (const id of [...command.sessions].toSorted((a, b) => a - b)) {
    const session = state.store.sessions.get(id);
    if (session !== undefined) endings.add(session, 'expired');
  }
  endSessions(endings);
  return { type: 'done', revision: state.commit() };
}

export function unknownSession(session: SessionId): RegistryResult {
  return refuse(
    'session-expired',
    `session ${session} is not open: it expired, was closed, or never was`,
  );
}
