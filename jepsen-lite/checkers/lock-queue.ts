/**
 * The queue of a lock as `queue` reads it: places `{ session, token, held }`, in order. Checked
 * against who was granted the lock, and who gave up waiting.
 */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { holderOf, holdsOf, isAttempt, type Hold } from './holds.ts';
import type { Rule } from './rules.ts';
import { byCall, fieldOf, nameOf, numberOf } from './values.ts';

/** What happened around one lock. */
export interface LockHistory {
  readonly holds: readonly Hold[];
  /** Calls that asked for it, in order, whatever came of them. */
  readonly attempts: readonly Operation[];
  readonly queues: readonly QueueRead[];
  /** Holders that stopped renewing: `abandoned`, with `{ session, ttlMs }`. */
  readonly abandoned: readonly Operation[];
  /** From when on nothing was wrong any more; undefined when the history does not say. */
  readonly healedNs: number | undefined;
}
interface QueueRead {
  readonly operation: Operation;
  readonly places: readonly Place[];
}
interface Place {
  readonly session: string;
  readonly token: number;
  readonly held: boolean;
}

/** Each lock on its own. */
export function locksOf(history: readonly Operation[]): ReadonlyMap<string, LockHistory> {
  const healedNs = history.find(({ f }) => f === 'healed')?.call;
  const everywhere = history.filter(({ f }) => f === 'close-session');
  const parts = new Map<string, Operation[]>();
  for (const operation of history) {
    if (operation.key === undefined && !isAttempt(operation)) continue;
    const key = operation.key ?? '';
    if (!parts.has(key)) parts.set(key, []);
    parts.get(key)!.push(operation);
  }
  return new Map(
    [...parts].flatMap(([key, part]) => {
      if (!part.some(isAttempt)) return [];
      const queues = part.filter(({ f, type }) => f === 'queue' && type === 'ok').map(queueOf);
      return [
        [
          key,
          {
            holds: holdsOf([...part, ...everywhere]),
            attempts: byCall(part.filter(isAttempt)),
            queues,
            abandoned: part.filter(({ f }) => f === 'abandoned'),
            healedNs,
          },
        ] as const,
      ];
    }),
  );
}

function queueOf(operation: Operation): QueueRead {
  const list = Array.isArray(operation.output) ? (operation.output as unknown[]) : [];
  const places = list.map((one) => ({
    session: `session ${nameOf(one, 'session') ?? ''}`,
    token: numberOf(one, 'token') ?? 0,
    held: fieldOf(one, 'held') === true,
  }));
  return { operation, places };
}

/** First come, first served: places are in the order of tokens, and those that hold come first. */
export const queueInOrder: Rule<LockHistory> = ({ queues }) => {
  for (const { operation, places } of queues) {
    for (let i = 1; i < places.length; i++) {
      const [ahead, behind] = [places[i - 1]!, places[i]!];
      const what =
        ahead.token >= behind.token
          ? `has token ${ahead.token} before token ${behind.token}`
          : !ahead.held && behind.held
            ? `has ${behind.session} holding behind ${ahead.session}, which waits`
            : undefined;
      if (what === undefined) continue;
      return { message: `${describeOperation(operation)} ${what}`, operations: [operation] };
    }
  }
  return undefined;
};

/** Whoever acts on a lock before and after a look at the queue holds it there. */
export const queueShowsHolders: Rule<LockHistory> = ({ holds, queues }, { skewNs }) => {
  for (const { operation, places } of queues) {
    for (const hold of holds) {
      if (hold.token === undefined || !hold.holder.startsWith('session')) continue;
      if (operation.call < hold.fromNs || operation.return! > hold.toNs - skewNs) continue;
      const place = places.find(({ token }) => token === hold.token);
      if (place?.held === true) continue;
      const how = place === undefined ? 'has no place for' : 'has as waiting';
      const message =
        `${describeOperation(operation)} ${how} ${hold.holder} with token ${hold.token}, ` +
        `which acted on the lock before and afterwards`;
      const operations = [hold.grant, operation, ...(hold.end === undefined ? [] : [hold.end])];
      return { message, operations };
    }
  }
  return undefined;
};

/** Who gave up waiting leaves nothing behind, once the cluster has had the time to hear of it. */
export const noOrphan: Rule<LockHistory> = ({ attempts, queues, healedNs }, { marginNs }) => {
  if (healedNs === undefined) return undefined;
  const last = new Map<string, Operation>();
  for (const attempt of attempts) last.set(holderOf(attempt), attempt);
  for (const { operation, places } of queues) {
    for (const place of places) {
      const attempt = last.get(place.session);
      if (attempt?.type !== 'fail') continue;
      const hadToGoByNs = Math.max(attempt.return!, healedNs) + marginNs;
      if (operation.call <= hadToGoByNs) continue;
      const message =
        `${describeOperation(operation)} still shows ${place.session}, ` +
        `which had given up in ${describeOperation(attempt)}`;
      return { message, operations: [attempt, operation] };
    }
  }
  return undefined;
};

/** What a dead client held is free once its TTL is over, and a cluster has had time to agree. */
export const freedInTime: Rule<LockHistory> = (lock, { marginNs }) => {
  for (const abandoned of lock.abandoned) {
    if (lock.healedNs === undefined || abandoned.call < lock.healedNs) continue;
    const ttlNs = (numberOf(abandoned.value, 'ttlMs') ?? 0) * 1e6;
    const dead = holderOf(abandoned);
    const next = lock.attempts.find(
      (one) => one.call >= abandoned.call && holderOf(one) !== dead && one.return !== null,
    );
    if (next === undefined) continue;
    const latestNs = Math.max(abandoned.call + ttlNs, next.call) + marginNs;
    if (next.return! <= latestNs) continue;
    const lateMs = (next.return! - latestNs) / 1e6;
    const message =
      `${describeOperation(next)} waited ${lateMs.toFixed(3)} ms longer than the TTL and the ` +
      `margin allow, for what ${dead} had abandoned at ${(abandoned.call / 1e6).toFixed(3)} ms`;
    return { message, operations: [abandoned, next] };
  }
  return undefined;
};
