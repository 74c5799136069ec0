/** Sessions live as long as their holders were promised, and end once. */
import { describeOperation } from '../history/describe.ts';
import type { Operation } from '../history/operation.ts';
import { edgeRules, edgesOf, type EdgeHistory } from './edges.ts';
import { ruleChecker, type Rule } from './rules.ts';
import { sessionLives } from './session-lives.ts';
import type { Checker } from './verdict.ts';
import { endOf, numberOf } from './values.ts';

interface SessionHistory extends EdgeHistory {
  readonly ephemerals: readonly Operation[];
  readonly healedNs: number | undefined;
}

/**
 * From the call of a confirmed renewal on, it lives for its TTL, unless it is ended. The TTL is
 * counted on the clock of whoever leads.
 */
const noEarlyEnd: Rule<SessionHistory> = ({ lives }, { skewNs, driftShare }) => {
  for (const { id, ttlNs, renewals, endings, signs, isClosable } of lives.values()) {
    const leastNs = ttlNs * (1 - driftShare) - skewNs;
    for (const sign of isClosable ? [] : signs) {
      const seenNs = endOf(sign);
      if (endings.some((one) => one.call <= seenNs)) continue;
      const renewal = renewals.findLast(({ call }) => call <= seenNs);
      if (renewal === undefined || seenNs >= renewal.call + leastNs) continue;
      const message =
        `${describeOperation(sign)} shows that session ${id} was gone ` +
        `${((seenNs - renewal.call) / 1e6).toFixed(3)} ms after ${describeOperation(renewal)}, ` +
        `within its TTL of ${ttlNs / 1e6} ms`;
      return { message, operations: [renewal, sign] };
    }
  }
  return undefined;
};

/** What has ended is not renewed. */
const noRevival: Rule<SessionHistory> = ({ lives }) => {
  for (const { id, renewals, endings, signs } of lives.values()) {
    const ends = [
      ...signs,
      ...endings.filter(({ type, f }) => f === 'close-session' && type === 'ok'),
    ];
    for (const end of ends) {
      const renewal = renewals.find(({ call }) => call > endOf(end));
      if (renewal === undefined) continue;
      const message =
        `${describeOperation(renewal)} was confirmed, ` +
        `though session ${id} had ended before by ${describeOperation(end)}`;
      return { message, operations: [end, renewal] };
    }
  }
  return undefined;
};

/** A key that lives with a session is there while that lives, and not afterwards. */
const ephemeralsGo: Rule<SessionHistory> = ({ lives, ephemerals }) => {
  for (const read of ephemerals) {
    const session = numberOf(read.output, 'session');
    const life = session === undefined ? undefined : lives.get(session);
    if (life === undefined) continue;
    const signs = [
      ...life.signs,
      ...life.endings.filter(({ type, f }) => type === 'ok' && f !== 'exit'),
    ];
    const end = signs.find((one) => endOf(one) < read.call);
    if (end === undefined) continue;
    const message =
      `${describeOperation(read)} shows a key of session ${session}, ` +
      `which had ended before by ${describeOperation(end)}`;
    return { message, operations: [end, read] };
  }
  return undefined;
};

/** Nobody renews it any more: after its TTL, and time for an election, it is over. */
const endsInTime: Rule<SessionHistory> = ({ lives, healedNs, sessionLists }, { marginNs }) => {
  if (healedNs === undefined) return undefined;
  for (const list of sessionLists) {
    for (const { session, ttlNs, lastNs, last } of abandonedIn(list, lives)) {
      const overNs = Math.max(lastNs + ttlNs, healedNs + ttlNs) + marginNs;
      if (list.call <= overNs) continue;
      const message =
        `${describeOperation(list)} still shows session ${session}, ` +
        `which nobody renewed after ${describeOperation(last)}`;
      return { message, operations: [last, list] };
    }
  }
  return undefined;
};

interface Abandoned {
  readonly session: number;
  readonly ttlNs: number;
  readonly lastNs: number;
  readonly last: Operation;
}

/** Sessions that a list shows, and that were noted as `abandoned` before it. */
function abandonedIn(list: Operation, lives: SessionHistory['lives']): Abandoned[] {
  const shown = Array.isArray(list.output) ? (list.output as unknown[]) : [];
  return shown.flatMap((id) => {
    const life = typeof id === 'number' ? lives.get(id) : undefined;
    const last = life?.abandoned;
    if (life === undefined || last === undefined || last.call > list.call) return [];
    return [{ session: life.id, ttlNs: life.ttlNs, lastNs: last.call, last }];
  });
}

export const sessions: Checker = ruleChecker({
  name: 'sessions',
  promise: 'no session ends before its TTL, and what hangs on one is resolved once, when it ends',
  view: (history) => {
    const lives = sessionLives(history);
    return {
      ephemerals: history.filter(({ f, type }) => f === 'ephemeral' && type === 'ok'),
      healedNs: history.find(({ f }) => f === 'healed')?.call,
      ...edgesOf(history, lives),
    };
  },
  takes: 'word of a session after it was opened, from a keep-alive on',
  couldFail: ({ lives, ephemerals, sessionLists, tableLists, notices }) =>
    ephemerals.length + sessionLists.length + tableLists.length + notices.length > 0 ||
    [...lives.values()].some(({ renewals, signs }) => renewals.length > 1 || signs.length > 0),
  rules: [noEarlyEnd, noRevival, ephemeralsGo, endsInTime, ...edgeRules],
  counts: ({ lives, edges, notices }) => ({
    sessions: lives.size,
    edges: edges.length,
    notices: notices.length,
  }),
});
