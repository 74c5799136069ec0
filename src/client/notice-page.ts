/** The notices of a session as they lie on the cluster. */
import { HoldfastError } from '../base/index.ts';
import {
  decodeNotice,
  noticeKey,
  noticePrefix,
  type ByteString,
  type ConnectionId,
  type RangeSelection,
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

/** How far notices were read: those of a revision to the end, or to a connection's. */
export interface NoticeCursor {
  readonly revision: number;
  readonly after: ConnectionId | undefined;
}

export const FIRST_NOTICE: NoticeCursor = { revision: 0, after: undefined };

export interface NoticePage {
  readonly pending: readonly PendingNotice[];
  readonly next: NoticeCursor;
  /** False: nothing else had happened when it was read, as of `next.revision`. */
  readonly more: boolean;
}

/**
 * What comes after the cursor, oldest first; what happened in one revision, in the order of the
 * edges' numbers. Linearizable: it has all that anybody could know of by now.
 */
export async function readNotices(
  proposals: Proposals,
  session: SessionId,
  { revision, after }: NoticeCursor,
  limit: number,
  patience: Patience,
): Promise<NoticePage> {
  const [start, end] = noticeRange(session);
  const from =
    after === undefined
      ? { start, end, select: selectOf(revision + 1, 0) }
      : { start: `${noticeKey(session, after)}\0`, end, select: selectOf(revision, revision) };
  const fixed = { type: 'range', keysOnly: false, revision: LATEST, limit } as const;
  const query = await proposals.query({ ...fixed, ...from }, 'linearizable', patience);
  const answer = answerOf(query, 'range');
  const records = answer.views.map(({ record }) => record).filter((one) => one !== undefined);
  const pending = records.map(({ value, createRevision }) => {
    return { notice: decodeNotice(value), revision: createRevision };
  });
  const last = pending.at(-1);
  if (answer.more && last !== undefined) {
    const next = { revision: last.revision, after: last.notice.connection };
    return { pending, next, more: true };
  }
  const through = after === undefined ? answer.revision : revision;
  return { pending, next: { revision: through, after: undefined }, more: after !== undefined };
}

/** Where its notices are. */
export function noticeRange(session: SessionId): readonly [start: ByteString, end: ByteString] {
  const start = noticePrefix(session);
  return [start, prefixEnd(start) ?? start];
}

const LATEST = 0 as Revision;

function selectOf(first: number, last: number): RangeSelection {
  return {
    countOnly: false,
    sortBy: 'createRevision',
    descending: false,
    minModRevision: LATEST,
    maxModRevision: LATEST,
    minCreateRevision: first as Revision,
    maxCreateRevision: last as Revision,
  };
}

/** @throws HoldfastError `session-expired` when there is no such session. */
export async function checkSession(
  proposals: Proposals,
  session: SessionId,
  patience: Patience,
): Promise<void> {
  const query = { type: 'sessions', after: session - 1, limit: 1 } as const;
  const answer = await proposals.query(query, 'linearizable', patience);
  const { sessions } = answerOf(answer, 'sessions');
  if (!sessions.some(({ id }) => id === session)) throw sessionOver(session, undefined);
}

export function sessionOver(session: SessionId, why: unknown): HoldfastError {
  const text = why instanceof Error ? `: ${why.message}` : ', or never was';
  return new HoldfastError('session-expired', `session ${session} is over${text}`);
}
