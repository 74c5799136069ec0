import { lockedBy, type Act, type CommandOf } from './act.ts';
import { storeValue, type StoredValue } from './key-version.ts';
import { queueKey } from './locks.ts';
import { checkKey, checkLabel, refuse, show } from './refusal.ts';
import type { ByteString, FencingToken, LockHolder, RegistryResult } from './types.ts';

/** Told of in an answer, at most. */
const MAX_AHEAD = 16;

/** Adds the acting session to the lock's queue as part of the revision under way. */
export function joinQueue(act: Act, name: ByteString, stored: StoredValue): FencingToken {
  const { session, node, state } = act;
  const key = queueKey(name, session);
  const record = state.store.put({ key, stored, session, expiresAt: undefined, node });
  return record.createRevision as number as FencingToken;
}

export function lock(act: Act, command: CommandOf<'lock'>): RegistryResult {
  const { state, session } = act;
  const { name, wait, metadata } = command;
  const refusal = checkKey(name, state.limits) ?? checkLabel('metadata', metadata, state.limits);
  if (refusal !== undefined) return refusal;
  if (session === 0) return refuse('invalid-argument', 'lock needs a session to act for');
  const holders = state.store.locks.holders(name);
  const place = holders.findIndex((holder) => holder.session === session);
  const holder = holders[0];
  // With `wait: false` a session that queued earlier keeps its place, but is told it has no lock.
  if (!wait && holder !== undefined && place !== 0) return lockedBy(name, holder);
  const token = place < 0 ? joinQueue(act, name, storeValue(metadata)) : holders[place]!.token;
  const ahead = whoIsAhead(place < 0 ? holders : holders.slice(0, place));
  return { type: 'lock', revision: state.commit(), token, held: ahead.length === 0, ahead };
}

/** All of them would take memory in the square of the queue's length. */
function whoIsAhead(ahead: LockHolder[]): readonly LockHolder[] {
  return ahead.length <= MAX_AHEAD ? ahead : [ahead[0]!, ahead.at(-1)!];
}

export function unlock(act: Act, command: CommandOf<'unlock'>): RegistryResult {
  const { state, node } = act;
  const { name, session, token } = command;
  const refusal = checkKey(name, state.limits);
  if (refusal !== undefined) return refusal;
  const entry = state.store.locks.queue(name)?.waiting.get(session);
  if (entry === undefined || (entry.latest.createRevision as number) !== token) {
    return notHeld(act, name, `session ${session} has no place with token ${token}`);
  }
  state.store.remove(entry, 'request', node);
  return { type: 'done', revision: state.commit() };
}

export function breakLock(act: Act, command: CommandOf<'breakLock'>): RegistryResult {
  const { state, node } = act;
  const { name, token, reason } = command;
  const refusal = checkKey(name, state.limits) ?? checkLabel('reason', reason, state.limits);
  if (refusal !== undefined) return refusal;
  const queue = state.store.locks.queue(name);
  if (queue?.holder?.token !== token) {
    return notHeld(act, name, `token ${token} is not its holder's`);
  }
  state.store.remove(queue.waiting.get(queue.holder.session)!, 'broken', node, reason);
  return { type: 'done', revision: state.commit() };
}

function notHeld(act: Act, name: ByteString, why: string): RegistryResult {
  const holder = act.state.store.locks.holder(name);
  const now =
    holder === undefined
      ? 'nobody holds it'
      : `session ${holder.session} holds it with token ${holder.token}`;
  return refuse('not-held', `lock ${show(name)}: ${why}; ${now}`);
}
