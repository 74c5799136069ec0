/** The notices of a session as they lie on the cluster. */
import { HoldfastError } from '../base/index.ts';
import {
  decodeNotice,
  noticePrefix,
  type ByteString,
  type RangeQuery,
  type Revision,
  type SessionId,
  type TableNotice,
} from '../registry/index.ts';
import { prefixEnd } from './edge.ts';
import { answerOf, type Patience, type Proposals } from './proposals.ts';

export interface PendingNotice {
  readonly notice: TableNotice;
  /** In which the edge ended. */
  readonly revision: number;
}

export interface NoticePage {
  readonly pending: readonly PendingNotice[];
  /** As of which it was read. */
  readonly revision: number;
  readonly more: boolean;
}

/** The oldest, linearizably: what was acknowledged before is not among them. */
export async function readNotices(
  proposals: Proposals,
  session: SessionId,
  limit: number,
  patience: Patience,
): Promise<NoticePage> {
  const answer = await proposals.query(oldest(session, limit), 'linearizable', patience);
  const { views, revision, more } = answerOf(answer, 'range');
  const records = views.map(({ record }) => record).filter((record) => record !== undefined);
  const pending = records.map(({ value, createRevision }) => {
    return { notice: decodeNotice(value), revision: createRevision };
  });
  return { pending, revision, more };
}

/** Where its notices are. */
export function noticeRange(session: SessionId): readonly [start: ByteString, end: ByteString] {
  const start = noticePrefix(session);
  return [start, prefixEnd(start) ?? start];
}

const ANY = 0 as Revision;
/** In the order of occurrence; those of one revision by their edges' numbers. */
const OLDEST_FIRST = {
  countOnly: false,
  sortBy: 'createRevision',
  descending: false,
  minModRevision: ANY,
  maxModRevision: ANY,
  minCreateRevision: ANY,
  maxCreateRevision: ANY,
} as const;

function oldest(session: SessionId, limit: number): RangeQuery {
  const [start, end] = noticeRange(session);
  const fixed = { type: 'range', keysOnly: false, revision: ANY, select: OLDEST_FIRST } as const;
  return { ...fixed, start, end, limit };
}

/** @throws HoldfastError `session-expired` when there is no such session. */
export async function checkSession(
  proposals: Proposals,
  session: SessionId,
  patience: Patience,
): Promise<void> {
  const answer = await proposals.query({ type: 'sessions' }, 'linearizable', patience);
  const { sessions } = answerOf(answer, 'sessions');
  if (!sessions.some(({ id }) => id === session)) throw sessionOver(session, undefined);
}

export function sessionOver(session: SessionId, why: unknown): HoldfastError {
  const text = why instanceof Error ? `: ${why.message}` : ', or never was';
  return new HoldfastError('session-expired', `session ${session} is over${text}`);
}
