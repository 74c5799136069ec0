import { lockedBy, type Act, type CommandOf } from './act.ts';
import type { RegistryRefusal } from './codec/error.ts';
import type { LockQueue, Place } from './lock-queue.ts';
import { storeTerms } from './lock-terms.ts';
import { queueKey } from './locks.ts';
import { checkKey, checkLabel, checkTerms, refuse, show } from './refusal.ts';
import type { ByteString, FencingToken, LockTerms, RegistryResult } from './types.ts';

/** Adds the acting session to the lock's queue as part of the revision under way. */
export function joinQueue(
  act: Act,
  name: ByteString,
  terms: LockTerms,
  metadata: Uint8Array,
): FencingToken {
  const { session, node, state } = act;
  const key = queueKey(name, session);
  const stored = storeTerms(terms, metadata);
  const record = state.store.put({ key, stored, session, expiresAt: undefined, node });
  return record.createRevision as number as FencingToken;
}

export function lock(act: Act, command: CommandOf<'lock'>): RegistryResult {
  const { state, session } = act;
  const { name, wait, metadata, terms } = command;
  const { limits } = state;
  const refusal =
    checkKey(name, limits) ?? checkLabel('metadata', metadata, limits) ?? checkTerms(terms, limits);
  if (refusal !== undefined) return refusal;
  if (session === 0) return refuse('invalid-argument', 'lock needs a session to act for');
  const conflict = conflictOf(act, name, terms);
  if (conflict !== undefined) return conflict;
  const queue = state.store.locks.queue(name);
  const place = queue?.find(session);
  const held =
    place === undefined ? queue?.admits(terms) !== false : queue?.granted.has(session) === true;
  // With `wait: false` a session that queued earlier keeps its place, but is told it has no lock.
  if (!wait && !held && queue !== undefined) return lockedBy(queue);
  const token = place?.token ?? joinQueue(act, name, terms, metadata);
  return { type: 'lock', revision: state.commit(), token, held };
}

/** A refusal when the terms do not go with the session's own place, or with the others'. */
export function conflictOf(
  act: Act,
  name: ByteString,
  terms: LockTerms,
): RegistryRefusal | undefined {
  const queue = act.state.store.locks.queue(name);
  const first = queue?.first;
  if (queue === undefined || first === undefined) return undefined;
  const own = queue.find(act.session)?.terms;
  if (own !== undefined && (own.mode !== terms.mode || own.permits !== terms.permits)) {
    return refuse(
      'lock-conflict',
      `session ${act.session} is in the queue of ${show(name)} as ${describe(own)} already: ` +
        `it must leave before it asks for ${describe(terms)}`,
    );
  }
  if (own !== undefined && own.delayMs < terms.delayMs) {
    return refuse(
      'lock-conflict',
      `session ${act.session} is in the queue of ${show(name)} with a lock-delay of ` +
        `${own.delayMs} ms already: it must leave before it asks for ${terms.delayMs} ms`,
    );
  }
  if (first.terms.limit === terms.limit) return undefined;
  return refuse(
    'lock-conflict',
    `${show(name)} is in use as ${describe(first.terms)}, not as ${describe(terms)}`,
  );
}

function describe({ mode, permits, limit }: LockTerms): string {
  return mode === 'semaphore' ? `${permits} of ${limit} permits` : mode;
}

export function unlock(act: Act, command: CommandOf<'unlock'>): RegistryResult {
  const { state, node } = act;
  const { name, session, token } = command;
  const place = state.store.locks.queue(name)?.find(session);
  if (place?.token !== token) {
    return (
      checkKey(name, state.limits) ??
      notHeld(act, name, `session ${session} has no place with token ${token}`)
    );
  }
  state.store.remove(place.entry, 'request', node);
  return { type: 'done', revision: state.commit() };
}

export function breakLock(act: Act, command: CommandOf<'breakLock'>): RegistryResult {
  const { state, node } = act;
  const { name, token, reason } = command;
  const { limits } = state;
  const refusal = checkLabel('reason', reason, limits);
  if (refusal !== undefined) return refusal;
  const place = heldWith(state.store.locks.queue(name), token);
  if (place === undefined) {
    return checkKey(name, limits) ?? notHeld(act, name, `token ${token} is not its holder's`);
  }
  state.store.remove(place.entry, 'broken', node, reason);
  return { type: 'done', revision: state.commit() };
}

function heldWith(queue: LockQueue | undefined, token: FencingToken): Place | undefined {
  for (const place of queue?.granted.values() ?? []) if (place.token === token) return place;
  return undefined;
}

function notHeld(act: Act, name: ByteString, why: string): RegistryResult {
  const holder = act.state.store.locks.queue(name)?.first;
  const now =
    holder === undefined
      ? 'nobody holds it'
      : `session ${holder.session} holds it with token ${holder.token}`;
  return refuse('not-held', `lock ${show(name)}: ${why}; ${now}`);
}
