import { refuseIfLocked, viewOf, type Act, type CommandOf } from './act.ts';
import { conflictOf, joinQueue } from './lock-commands.ts';
import { storeValue } from './key-version.ts';
import { EXCLUSIVE } from './lock-terms.ts';
import { checkKey, checkKnownKey, checkTtl, checkValue, refuse } from './refusal.ts';
import type { RegistryResult, SessionId } from './types.ts';

const NO_METADATA = new Uint8Array(0);

export function put(act: Act, command: CommandOf<'put'>): RegistryResult {
  const { state, session, node } = act;
  const { limits, store } = state;
  const { key, value, ttlMs } = command;
  const refusal =
    checkKey(key, limits) ??
    checkValue(value, limits) ??
    checkTtl(ttlMs, limits) ??
    checkPutSession(act, command) ??
    refuseIfLocked(act, key);
  if (refusal !== undefined) return refusal;
  if (command.lock && store.locks.holder(key) === undefined) {
    const conflict = conflictOf(act, key, EXCLUSIVE);
    if (conflict !== undefined) return conflict;
    joinQueue(act, key, EXCLUSIVE, NO_METADATA);
  }
  const record = store.put({
    key,
    stored: storeValue(value),
    session: command.ephemeral ? session : (0 as SessionId),
    expiresAt: ttlMs === 0 ? undefined : store.time + ttlMs,
    node,
  });
  const revision = state.commit();
  return { type: 'key', revision, view: { record, lock: store.locks.holder(key) } };
}

function checkPutSession(act: Act, command: CommandOf<'put'>): RegistryResult | undefined {
  if (act.session !== 0 || (!command.ephemeral && !command.lock)) return undefined;
  const option = command.lock ? 'lock' : 'ephemeral';
  return refuse('invalid-argument', `put with "${option}" needs a session to act for`);
}

/** Answers with the view before. A key that is not there is no error: nothing changes. */
export function remove(act: Act, command: CommandOf<'delete'>): RegistryResult {
  const { state, node } = act;
  const { key } = command;
  const entry = state.store.find(key);
  const isThere = entry?.live !== undefined;
  const refusal = checkKnownKey(key, state.limits, isThere) ?? refuseIfLocked(act, key);
  if (refusal !== undefined) return refusal;
  const view = viewOf(act, key);
  if (isThere) state.store.remove(entry, 'request', node);
  return { type: 'key', revision: state.commit(), view };
}

/** Takes the TTL away. A key without one, or not there, is no error: nothing changes. */
export function persist(act: Act, command: CommandOf<'persist'>): RegistryResult {
  const { state, node } = act;
  const { key } = command;
  const record = state.store.find(key)?.live;
  const refusal =
    checkKnownKey(key, state.limits, record !== undefined) ?? refuseIfLocked(act, key);
  if (refusal !== undefined) return refusal;
  if (record?.expiresAt !== undefined) {
    const { stored, session } = record;
    state.store.put({ key, stored, session, expiresAt: undefined, node });
  }
  const revision = state.commit();
  return { type: 'key', revision, view: viewOf(act, key) };
}
