/** Lists that the server cuts into pages, read to their end. */
import type { Consistency } from '../protocol/index.ts';
import type { ByteString, LockQueueEntry, SessionInfo } from '../registry/index.ts';
import { answerOf, type Patience, type Proposals } from './proposals.ts';

/** A lock's queue. Whoever left it while it was read, page after page, may still be in it. */
export interface WholeQueue {
  readonly queue: readonly LockQueueEntry[];
  /** Cluster time in ms, of the first page. */
  readonly time: number;
  /** Of the first page: what happened to it since then has a later revision. */
  readonly revision: number;
}

export async function wholeQueue(
  proposals: Proposals,
  name: ByteString,
  consistency: Consistency,
  patience: Patience,
): Promise<WholeQueue> {
  const ask = { type: 'lockQueue', name, limit: 0 } as const;
  let page = answerOf(
    await proposals.query({ ...ask, after: 0 }, consistency, patience),
    'lockQueue',
  );
  const { time, revision } = page;
  const queue = [...page.queue];
  while (page.more) {
    const after = queue.at(-1)?.token ?? 0;
    page = answerOf(await proposals.query({ ...ask, after }, consistency, patience), 'lockQueue');
    queue.push(...page.queue);
  }
  return { queue, time, revision };
}

/** Those that end while they are read, page after page, may be among them. */
export async function allSessions(
  proposals: Proposals,
  consistency: Consistency,
  patience: Patience,
): Promise<readonly SessionInfo[]> {
  const sessions: SessionInfo[] = [];
  for (let more = true; more;) {
    const after = sessions.at(-1)?.id ?? 0;
    const query = { type: 'sessions', after, limit: 0 } as const;
    const page = answerOf(await proposals.query(query, consistency, patience), 'sessions');
    sessions.push(...page.sessions);
    ({ more } = page);
  }
  return sessions;
}
