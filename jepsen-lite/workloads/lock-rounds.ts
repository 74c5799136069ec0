/** What all workloads about locks do: take one, act on it for a while, and give it back, or not. */
import type { Lock, LockOptions, Session } from '../../src/client/index.ts';
import { below, pick } from './chance.ts';
import {
  closeSession,
  isBelievedIn,
  openSession,
  renew,
  SETTLE_MS,
  TTL_MS,
} from './session-use.ts';
import type { WorkloadContext } from './workload.ts';

/** How the lock is asked for; what of it the history needs is in `value` too. */
export type LockTerms = Pick<LockOptions, 'mode' | 'limit' | 'permits'>;

export interface LockPlan {
  readonly keys: readonly string[];
  terms(context: WorkloadContext): LockTerms;
  /** What excludes everybody else. */
  readonly alone: LockTerms;
  /** What is done with it, before and after the stall that may outlast the session. */
  use?(context: WorkloadContext, lock: Lock, stall: () => Promise<void>): Promise<void>;
}

const PATIENT_MS = 5_000;
const IMPATIENT_MS = 60;
const MAX_PAUSE_MS = 40;
const ROUNDS_PER_SESSION = 4;
/** In how many rounds a holder that does not renew in the background stands still for too long. */
const STALLS = 0.15;
const LONG_STALL_MS = 1.5 * TTL_MS;
/** In how many rounds somebody releases with a token of before. */
const LATE_RELEASES = 0.15;
/** How many dead holders the end of a run looks at. */
const ABANDONED = 2;

/** Until the run is over. */
export async function lockRounds(context: WorkloadContext, plan: LockPlan): Promise<void> {
  while (!context.stopped()) {
    const keepAlive = context.random() < 0.5;
    const session = await openSession(context, { keepAlive });
    if (session === undefined) {
      await context.pause(MAX_PAUSE_MS);
      continue;
    }
    for (let round = 0; round < ROUNDS_PER_SESSION && !context.stopped(); round++) {
      await lockRound(context, plan, session, keepAlive);
      await context.pause(context.random() * MAX_PAUSE_MS);
      if (session.signal.aborted) break;
    }
    // What nobody renews, and nobody closes, ends by itself.
    if (keepAlive || context.random() < 0.8) await closeSession(context, session);
  }
}

async function lockRound(
  context: WorkloadContext,
  plan: LockPlan,
  session: Session,
  keepAlive: boolean,
): Promise<void> {
  const key = pick(context, plan.keys);
  if (context.random() < 0.15) await readQueue(context, key);
  if (!keepAlive && !(await renew(context, session))) return;
  const wait = pick(context, [PATIENT_MS, PATIENT_MS, PATIENT_MS, IMPATIENT_MS, 'try'] as const);
  const options = wait === 'try' ? { try: true } : { wait: keepAlive ? wait : IMPATIENT_MS };
  const lock = await take(context, key, session, plan.terms(context), options);
  if (lock === undefined) return;
  const value = { session: session.id };
  if (context.random() < LATE_RELEASES) await releaseLate(context, lock);
  const isLong = !keepAlive && context.random() < STALLS;
  const stall = (): Promise<void> =>
    context.pause(isLong ? LONG_STALL_MS : context.random() * MAX_PAUSE_MS);
  for (let step = 1 + below(context, 3); step > 0; step--) {
    if (!(await isHeld(context, key, session))) return;
    if (plan.use === undefined) await stall();
    else await plan.use(context, lock, stall);
    if (!keepAlive && !isLong) await renew(context, session);
  }
  if (!(await isHeld(context, key, session))) return;
  await context.invoke('unlock', { key, value }, () => lock.unlock());
}

/** As a release of an earlier hold would, which comes late: it must not end this one. */
async function releaseLate(context: WorkloadContext, lock: Lock): Promise<void> {
  const { name: key, session, token } = lock;
  const stale = { session, token: token - 1 };
  await context.invoke('late-unlock', { key, value: stale }, () =>
    context.registry.unlock(key, stale),
  );
}

/** Looks, and says in the history what it found. */
async function isHeld(context: WorkloadContext, key: string, session: Session): Promise<boolean> {
  const isBelieved = await isBelievedIn(context, session);
  context.note(isBelieved ? 'holding' : 'lost', { key, value: { session: session.id } });
  return isBelieved;
}

async function take(
  context: WorkloadContext,
  key: string,
  session: Session,
  terms: LockTerms,
  waiting: LockOptions,
): Promise<Lock | undefined> {
  const mode = terms.limit === undefined ? terms.mode : 'semaphore';
  return context.invoke(
    'lock',
    { key, value: { session: session.id, ...terms, ...(mode !== undefined && { mode }) } },
    () => context.registry.lock(key, { session, ...terms, ...waiting }),
    ({ token }) => ({ output: token }),
  );
}

async function readQueue(context: WorkloadContext, key: string): Promise<void> {
  await context.invoke(
    'queue',
    { key },
    () => context.registry.lockQueue(key),
    (places) => ({ output: places.map(({ session, token, held }) => ({ session, token, held })) }),
  );
}

/**
 * When all is healed: what a dead holder held becomes free in time, and nobody who gave up is left
 * in a queue.
 */
export async function lockFinish(context: WorkloadContext, plan: LockPlan): Promise<void> {
  context.note('healed', {});
  for (let i = 0; i < ABANDONED; i++) await outliveHolder(context, plan, pick(context, plan.keys));
  const gaveUp = await waitInVain(context, plan, pick(context, plan.keys));
  await context.pause(SETTLE_MS + TTL_MS);
  for (const key of plan.keys) await readQueue(context, key);
  for (const session of gaveUp) await closeSession(context, session);
}

/** Gives up while another holds it; whoever gave up lives on, so that a place left behind shows. */
async function waitInVain(
  context: WorkloadContext,
  plan: LockPlan,
  key: string,
): Promise<readonly Session[]> {
  const [holder, other] = [
    await openSession(context, { keepAlive: true }),
    await openSession(context, { keepAlive: true }),
  ];
  if (holder === undefined || other === undefined) return [];
  const lock = await take(context, key, holder, plan.alone, { wait: PATIENT_MS });
  const inVain = await take(context, key, other, plan.alone, { wait: IMPATIENT_MS });
  if (lock !== undefined) {
    const value = { session: holder.id };
    await context.invoke('unlock', { key, value }, () => lock.unlock());
  }
  if (inVain !== undefined) {
    const value = { session: other.id };
    await context.invoke('unlock', { key, value }, () => inVain.unlock());
  }
  return [holder, other];
}

/**
 * A holder that stands still in the middle of its work for as long as another needs to wait for its
 * end and to do the same: only a fence keeps the first from finishing what it had begun.
 */
async function outliveHolder(context: WorkloadContext, plan: LockPlan, key: string): Promise<void> {
  const dying = await openSession(context, { keepAlive: false });
  if (dying === undefined) return;
  const lock = await take(context, key, dying, plan.alone, { wait: TTL_MS / 2 });
  if (lock === undefined) return;
  context.note('abandoned', { key, value: { session: dying.id, ttlMs: TTL_MS } });
  const inherited = (): Promise<void> => inherit(context, plan, key);
  if (plan.use === undefined) await inherited();
  else await plan.use(context, lock, inherited);
}

async function inherit(context: WorkloadContext, plan: LockPlan, key: string): Promise<void> {
  const heir = await openSession(context, { keepAlive: true });
  if (heir === undefined) return;
  const patience = { wait: TTL_MS + SETTLE_MS + PATIENT_MS };
  const lock = await take(context, key, heir, plan.alone, patience);
  if (lock !== undefined) {
    await plan.use?.(context, lock, () => context.pause(0));
    const value = { session: heir.id };
    await context.invoke('unlock', { key, value }, () => lock.unlock());
  }
  await closeSession(context, heir);
}
