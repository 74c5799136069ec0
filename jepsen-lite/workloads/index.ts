/** Every workload, by the name that `--workload` takes. */
import { appendWorkload } from './append.ts';
import { bankWorkload } from './bank.ts';
import { compareAndSwapWorkload } from './compare-and-swap.ts';
import { electionWorkload } from './election.ts';
import { lockWorkload, unfencedLockWorkload } from './lock.ts';
import { mapsWorkload } from './maps.ts';
import { readWriteLockWorkload } from './read-write-lock.ts';
import { leaseWorkload, registerWorkload } from './register.ts';
import { semaphoreWorkload } from './semaphore.ts';
import { sessionsWorkload } from './sessions.ts';
import { setWorkload } from './set.ts';
import { watchWorkload } from './watch.ts';
import type { CreateWorkload } from './workload.ts';

/** Those of `all` are the ones without `mustFail`. */
export const workloads: Readonly<Record<string, CreateWorkload>> = {
  register: registerWorkload,
  lease: leaseWorkload,
  'compare-and-swap': compareAndSwapWorkload,
  set: setWorkload,
  append: appendWorkload,
  bank: bankWorkload,
  lock: lockWorkload,
  'lock-unfenced': unfencedLockWorkload,
  'read-write-lock': readWriteLockWorkload,
  semaphore: semaphoreWorkload,
  election: electionWorkload,
  watch: watchWorkload,
  sessions: sessionsWorkload,
  maps: mapsWorkload,
};
