import { HoldfastError } from '../base/index.ts';
import { ClientSession } from './client-session.ts';
import type { HeldLockHandle } from './held-lock.ts';
import type { Locks } from './locks.ts';
import type { Actor } from './proposals.ts';
import type { HeldLock } from './registry.ts';

/**
 * Runs `body` while the lock is held and watched over. When it is lost meanwhile, the body's signal
 * aborts, and once the body has ended the loss is what the caller gets: it may not have been alone.
 */
export async function runHolding<T>(
  locks: Locks,
  lock: HeldLockHandle,
  actor: Actor,
  body: (held: HeldLock) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let loss: HoldfastError | undefined;
  const watching = locks.watchOver(lock, actor, (error) => {
    loss ??= error;
    controller.abort(error);
  });
  const { name, session, token } = lock;
  const { signal } = controller;
  let failure: unknown;
  let result: { readonly value: T } | undefined;
  try {
    result = { value: await body({ name, session, token, signal }) };
  } catch (error) {
    failure = error;
  }
  // A deadline that passed while the body kept the event loop busy has not been noticed yet.
  if (actor instanceof ClientSession) actor.check();
  watching.end(new HoldfastError('aborted', 'the lock is being released'));
  watching.dispose();
  if (loss !== undefined) throw lostError(loss, failure);
  if (result === undefined) throw failure;
  return result.value;
}

function lostError(loss: HoldfastError, failure: unknown): HoldfastError {
  const message = `the lock was lost while its body ran: ${loss.message}`;
  return new HoldfastError(loss.code, message, { cause: failure ?? loss, outcome: 'unknown' });
}
