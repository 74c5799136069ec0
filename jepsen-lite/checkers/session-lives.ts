/**
 * Lives of sessions, as holders and others saw them: `open-session` with `{ ttlMs }` (output: the
 * id), `keep-alive`, `close-session` and `abandoned` with `{ session }`, `sessions` (output: the
 * ids that live), `exit`, noted by who was closed by an exit notice, and `session-gone`, noted by
 * whoever saw what only its end can bring about.
 */
import type { Operation } from '../history/operation.ts';
import { byCall, fieldOf, numberOf } from './values.ts';

export interface SessionLife {
  readonly id: number;
  readonly ttlNs: number;
  readonly opened: Operation;
  /** The opening, and every renewal that was confirmed; in order of their calls. */
  readonly renewals: readonly Operation[];
  /** What may have ended it before its TTL: a close, or an exit notice. */
  readonly endings: readonly Operation[];
  /** Signs that it was gone, when they were seen. */
  readonly signs: readonly Operation[];
  /** An exit notice may end it at any time: it does not trap them, and has edges that send some. */
  readonly isClosable: boolean;
  /** When its holder stopped renewing it, without a close. */
  readonly abandoned: Operation | undefined;
}

const NS_PER_MS = 1e6;

export function sessionLives(history: readonly Operation[]): ReadonlyMap<number, SessionLife> {
  const ordered = byCall(history);
  const bySession = new Map<number, Operation[]>();
  for (const operation of ordered) {
    const id = numberOf(operation.value, 'session');
    if (id === undefined) continue;
    const own = bySession.get(id);
    if (own === undefined) bySession.set(id, [operation]);
    else own.push(operation);
  }
  const linked = new Set(ordered.filter(sendsExits).map(({ value: to }) => numberOf(to, 'peer')));
  const lists = ordered.filter(({ f, type }) => f === 'sessions' && type === 'ok');
  const lives = new Map<number, SessionLife>();
  for (const opened of ordered) {
    const { f, type, output, value } = opened;
    if (f !== 'open-session' || type !== 'ok' || typeof output !== 'number') continue;
    const own = bySession.get(output) ?? [];
    const missing = lists.filter((list) => list.call > opened.return! && !isIn(list, output));
    lives.set(output, {
      id: output,
      ttlNs: (numberOf(value, 'ttlMs') ?? 0) * NS_PER_MS,
      opened,
      renewals: [opened, ...own.filter((one) => one.f === 'keep-alive' && one.type === 'ok')],
      endings: own.filter((one) => one.f === 'close-session' || one.f === 'exit'),
      isClosable: fieldOf(value, 'trapExits') !== true && linked.has(output),
      abandoned: own.find((one) => one.f === 'abandoned'),
      signs: [...own.filter((one) => one.f === 'session-gone'), ...missing],
    });
  }
  return lives;
}

function sendsExits({ f, value }: Operation): boolean {
  const type = fieldOf(value, 'type');
  return (f === 'connect' || f === 'store') && (type === 'link' || type === 'forward_link');
}

function isIn({ output }: Operation, id: number): boolean {
  return Array.isArray(output) && output.some((one) => one === id || fieldOf(one, 'id') === id);
}
