/** Readers and writers of one lock. */
import { readWriteLock } from '../checkers/lock.ts';
import { sessions } from '../checkers/sessions.ts';
import { lockFinish, lockRounds, type LockPlan } from './lock-rounds.ts';
import type { CreateWorkload } from './workload.ts';

const READERS = 0.7;

const plan: LockPlan = {
  keys: ['read-write/0'],
  terms: (context) => ({ mode: context.random() < READERS ? 'shared' : 'exclusive' }),
  alone: { mode: 'exclusive' },
};

export const readWriteLockWorkload: CreateWorkload = () => ({
  name: 'read-write-lock',
  promise: 'readers hold together, a writer holds alone',
  trustsClocks: true,
  checkers: [readWriteLock, sessions],
  run: (context) => lockRounds(context, plan),
  finish: (context) => lockFinish(context, plan),
});
