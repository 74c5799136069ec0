/** Locks in every mode: exclusion, tokens, order of arrival, and what is left behind. */
import type { Operation } from '../history/operation.ts';
import { grantedInOrder, noOverlap, tokensAreUnique, tokensGrow, type Holds } from './exclusion.ts';
import { isAttempt, isGrant } from './holds.ts';
import {
  freedInTime,
  locksOf,
  noOrphan,
  queueInOrder,
  queueShowsHolders,
  type LockHistory,
} from './lock-queue.ts';
import { mutex } from './mutex.ts';
import { inEach, ruleChecker, type Rule } from './rules.ts';
import type { Checker } from './verdict.ts';

/** A rule on holds, as one on locks. */
function onHolds(rule: Rule<Holds>): Rule<LockHistory> {
  return ({ holds }, bounds) => rule(holds, bounds);
}

const HOLD_RULES = [noOverlap, tokensAreUnique, grantedInOrder, tokensGrow].map(onHolds);
const QUEUE_RULES = [queueInOrder, queueShowsHolders, noOrphan, freedInTime];

function lockRules(name: string, promise: string): Checker {
  return ruleChecker({
    name,
    promise,
    view: (history) => ({ parts: locksOf(history) }),
    takes: 'two grants of one lock, or a look at its queue',
    couldFail: ({ parts }) =>
      [...parts.values()].some(({ holds, queues }) => holds.length > 1 || queues.length > 0),
    rules: [...HOLD_RULES, ...QUEUE_RULES].map(inEach),
    counts: ({ parts }) => {
      const all = [...parts.values()];
      const holds = all.reduce((sum, part) => sum + part.holds.length, 0);
      return { holds, queues: all.reduce((sum, part) => sum + part.queues.length, 0) };
    },
  });
}

const LOCK_PROMISE =
  'nobody acts on a lock while another does, and tokens grow from grant to grant';
const withTokens = lockRules('lock', LOCK_PROMISE);

/** A history without tokens tells of exclusion only: there it is a mutex that is looked for. */
export const lock: Checker = {
  name: 'lock',
  promise: LOCK_PROMISE,
  check: (history, options) => (isMutex(history) ? mutex : withTokens).check(history, options),
};

function isMutex(history: readonly Operation[]): boolean {
  const tellsTokens = history.some((one) => isGrant(one) && typeof one.output === 'number');
  return !tellsTokens && history.some(isAttempt);
}

export const readWriteLock: Checker = lockRules(
  'read-write-lock',
  'readers hold together, a writer holds alone, and both are served in the order they came',
);

export const semaphore: Checker = lockRules(
  'semaphore',
  'no more permits are out than there are, and all are served in the order they came',
);
