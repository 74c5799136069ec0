/** Every checker, by the name that `--model` takes. */
import { append } from './append.ts';
import { bank } from './bank.ts';
import { election } from './election.ts';
import { exactlyOnce } from './exactly-once.ts';
import { fence, guardedCounter } from './fence.ts';
import { lock, readWriteLock, semaphore } from './lock.ts';
import { map } from './map.ts';
import { mutex } from './mutex.ts';
import { register } from './register.ts';
import { revisions } from './revisions.ts';
import { sessions } from './sessions.ts';
import { set } from './set.ts';
import type { Checker } from './verdict.ts';
import { watch } from './watch.ts';

export const checkers: Readonly<Record<string, Checker>> = Object.fromEntries(
  [
    register,
    set,
    append,
    bank,
    lock,
    mutex,
    readWriteLock,
    semaphore,
    fence,
    guardedCounter,
    election,
    watch,
    sessions,
    map,
    revisions,
    exactlyOnce,
  ].map((checker) => [checker.name, checker]),
);
