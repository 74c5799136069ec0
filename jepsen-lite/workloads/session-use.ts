/** Sessions as workloads use them, and what of them the history says. */
import type { Session } from '../../src/client/index.ts';
import type { WorkloadContext } from './workload.ts';

/** The shortest TTL that the registry allows by default is a second. */
export const TTL_MS = 2_000;
/** How long a cluster may take to settle once all is healed: the margin that checkers allow. */
export const SETTLE_MS = 10_000;

export interface SessionChoice {
  /** In the background; else only by `renew`. */
  readonly keepAlive: boolean;
  readonly trapExits?: boolean;
}

export async function openSession(
  context: WorkloadContext,
  { keepAlive, trapExits = false }: SessionChoice,
): Promise<Session | undefined> {
  return context.invoke(
    'open-session',
    { value: { ttlMs: TTL_MS, trapExits } },
    () => context.registry.openSession({ ttl: TTL_MS, keepAlive, trapExits }),
    (session) => ({ output: session.id }),
  );
}

/** Whether it was confirmed. */
export async function renew(context: WorkloadContext, session: Session): Promise<boolean> {
  const value = { session: session.id };
  const renewed = await context.invoke('keep-alive', { value }, async () => {
    await session.keepAlive();
    return true;
  });
  return renewed === true;
}

export async function closeSession(context: WorkloadContext, session: Session): Promise<void> {
  await context.invoke('close-session', { value: { session: session.id } }, () => session.close());
}

/**
 * Whether its holder may still believe in it. What was due while everything stood still comes
 * first, the session's own deadline too.
 */
export async function isBelievedIn(context: WorkloadContext, session: Session): Promise<boolean> {
  await context.pause(0);
  return !session.signal.aborted;
}
