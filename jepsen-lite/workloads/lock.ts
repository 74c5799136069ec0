/** An exclusive lock, and the counter it guards: with a fence, and without one. */
import type { Lock } from '../../src/client/index.ts';
import { fence, guardedCounter } from '../checkers/fence.ts';
import { lock } from '../checkers/lock.ts';
import { sessions } from '../checkers/sessions.ts';
import { GuardedCounter } from './guarded-counter.ts';
import { lockFinish, lockRounds, type LockPlan } from './lock-rounds.ts';
import type { CreateWorkload, WorkloadContext } from './workload.ts';

const KEYS = ['lock/0', 'lock/1'];

export const lockWorkload: CreateWorkload = () => {
  const plan = planWith(true);
  return {
    name: 'lock',
    promise:
      'one holds a lock at a time, and a fenced counter loses no update even to a stalled one',
    trustsClocks: true,
    checkers: [lock, fence, guardedCounter, sessions],
    run: (context) => lockRounds(context, plan),
    finish: (context) => lockFinish(context, plan),
  };
};

/**
 * The same without a fence: holders that stand still for longer than their TTL write all the same,
 * so updates must be lost. This positive control passes when the checker finds that; where it finds
 * nothing, nobody knows whether it would, so the run is `unknown`.
 */
export const unfencedLockWorkload: CreateWorkload = () => {
  const plan = planWith(false);
  return {
    name: 'lock-unfenced',
    promise: 'without a fence a stalled holder overwrites what it did not read, and that is seen',
    mustFail: guardedCounter.name,
    trustsClocks: true,
    checkers: [lock, guardedCounter, sessions],
    run: (context) => lockRounds(context, plan),
    finish: (context) => lockFinish(context, plan),
  };
};

function planWith(hasFence: boolean): LockPlan {
  const counters = new Map(KEYS.map((key) => [key, new GuardedCounter(hasFence)]));
  return {
    keys: KEYS,
    terms: () => ({}),
    alone: {},
    use: (context, held, stall) => increment(context, counters.get(held.name)!, held, stall),
  };
}

/** Does not look at its session after the stall: that is what the fence is for. */
async function increment(
  context: WorkloadContext,
  counter: GuardedCounter,
  { name: key, token }: Lock,
  stall: () => Promise<void>,
): Promise<void> {
  const from = counter.read(token);
  const seen = { accepted: from !== undefined, value: from ?? null };
  context.note('guarded-read', { key, value: { token }, output: seen });
  if (from === undefined) return;
  await stall();
  const to = from + 1;
  const accepted = counter.write(token, to);
  context.note('guarded-write', { key, value: { token, from, to }, output: accepted });
}
