import type { Act, CommandOf } from './act.ts';
import type { KeyEntry } from './key-version.ts';
import { readTerms } from './lock-terms.ts';
import { openerLeft } from './map-commands.ts';
import { checkLabel, checkSessionTtl, refuse } from './refusal.ts';
import { reservedKind } from './reserved-keys.ts';
import { Session } from './sessions.ts';
import type { RegistryState } from './state.ts';
import type { ByteString, RegistryResult, SessionId } from './types.ts';

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
  endSession(act.state, session, act.node);
  return { type: 'done', revision: act.state.commit() };
}

/** Those that ended meanwhile are passed over. */
export function expireSessions(act: Act, command: CommandOf<'expireSessions'>): RegistryResult {
  const { state, node } = act;
  const ending: Session[] = [];
  for (const id of [...command.sessions].toSorted((a, b) => a - b)) {
    const session = state.store.sessions.get(id);
    if (session !== undefined && session !== ending.at(-1)) ending.push(session);
  }
  // Before any of them ends: one that holds only because another ended with it never knew.
  const delayed = new Set<KeyEntry>();
  for (const session of ending) addDelayed(state, session, delayed);
  for (const session of ending) endSession(state, session, node, delayed);
  return { type: 'done', revision: state.commit() };
}

/** Collects the places that a session holds with a lock-delay. */
function addDelayed(state: RegistryState, session: Session, delayed: Set<KeyEntry>): void {
  for (const entry of session.keys) {
    const place = state.store.locks.heldPlace(entry);
    if (place !== undefined && place.terms.delayMs > 0) delayed.add(entry);
  }
}

const NOTHING_DELAYED: ReadonlySet<KeyEntry> = new Set();

/**
 * Deletes all it owns, in key order, as part of the revision under way. What is delayed stays, with
 * its token, as a key of nobody's that expires by itself.
 */
function endSession(
  state: RegistryState,
  session: Session,
  node: ByteString,
  delayed: ReadonlySet<KeyEntry> = NOTHING_DELAYED,
): void {
  const { store } = state;
  const owned = [...session.keys];
  owned.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const entry of owned) {
    if (!delayed.has(entry)) {
      store.remove(entry, 'sessionEnded', node);
      if (reservedKind(entry.key) === 'opener') openerLeft(state, entry.key, 'sessionEnded', node);
      continue;
    }
    const { key, latest } = entry;
    const expiresAt = store.time + readTerms(latest.stored).terms.delayMs;
    store.put({ key, stored: latest.stored, session: 0 as SessionId, expiresAt, node });
  }
  store.sessions.delete(session.id);
}

export function unknownSession(session: SessionId): RegistryResult {
  return refuse(
    'session-expired',
    `session ${session} is not open: it expired, was closed, or never was`,
  );
}
