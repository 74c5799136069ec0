/** A lock without tokens, as a sequential object: who holds it must give it back before another. */
import type { Operation } from '../history/operation.ts';
import { holderOf, isAttempt, isGrant } from './holds.ts';
import { checkLinearizable } from './linearizability.ts';
import type { Model } from './model.ts';
import { provesNothing, type Checker } from './verdict.ts';

/** Who holds it; '' for nobody. */
type MutexState = string;

const FREE: MutexState = '';

const mutexModel: Model<MutexState> = {
  name: 'mutex',
  initial: FREE,
  part: (operation) =>
    isAttempt(operation) || isRelease(operation) ? (operation.key ?? '') : undefined,
  step(state, operation) {
    const holder = holderOf(operation);
    if (isAttempt(operation)) return state === FREE ? holder : undefined;
    if (operation.f === 'lost') return state === holder ? FREE : state;
    return state === holder ? FREE : undefined;
  },
  textOf: (state) => (state === FREE ? 'free' : `held by ${state}`),
  kindOf: (operation) => `${operation.f} ${holderOf(operation)}`,
  readsOnly: () => false,
};

function isRelease({ f }: Operation): boolean {
  return f === 'unlock' || f === 'release' || f === 'lost';
}

/**
 * What a holder notes as lost had passed on at some moment since it was granted. A refusal, told as
 * an answer (`false`), changes nothing.
 */
function prepared(history: readonly Operation[]): Operation[] {
  const granted = new Map<string, number>();
  const relevant: Operation[] = [];
  for (const operation of history.toSorted((a, b) => a.call - b.call)) {
    if (operation.output === false) continue;
    const place = `${holderOf(operation)} ${operation.key ?? ''}`;
    if (isGrant(operation)) granted.set(place, operation.return!);
    const since = operation.f === 'lost' ? granted.get(place) : undefined;
    relevant.push(since === undefined ? operation : { ...operation, call: since });
  }
  return relevant;
}

function isGrantedTwice(history: readonly Operation[]): boolean {
  const granted = history.filter((one) => isGrant(one) && one.output !== false);
  return granted.length > new Set(granted.map(({ key }) => key)).size;
}

export const mutex: Checker = {
  name: 'mutex',
  promise: 'a lock has one holder at a time, from lock to unlock',
  check(history, options) {
    const verdict = checkLinearizable(mutexModel, prepared(history), options);
    const isProof = verdict.type !== 'ok' || isGrantedTwice(history);
    return isProof ? verdict : provesNothing('two grants of one lock');
  },
};
