/** A semaphore of three permits, taken one or two at a time. */
import { semaphore } from '../checkers/lock.ts';
import { sessions } from '../checkers/sessions.ts';
import { below } from './chance.ts';
import { lockFinish, lockRounds, type LockPlan } from './lock-rounds.ts';
import type { CreateWorkload } from './workload.ts';

const LIMIT = 3;

const plan: LockPlan = {
  keys: ['semaphore/0'],
  terms: (context) => ({ limit: LIMIT, permits: 1 + below(context, 2) }),
  alone: { limit: LIMIT, permits: LIMIT },
};

export const semaphoreWorkload: CreateWorkload = () => ({
  name: 'semaphore',
  promise: 'no more permits are out than there are',
  trustsClocks: true,
  checkers: [semaphore, sessions],
  run: (context) => lockRounds(context, plan),
  finish: (context) => lockFinish(context, plan),
});
