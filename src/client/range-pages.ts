/** Ranges that are too much work for one answer: asked on from where each answer ended. */
import type { KeyView, RangeQuery, Revision } from '../registry/index.ts';
import { answerOf, type QueryAnswer } from './proposals.ts';

type Ask = (query: RangeQuery) => Promise<QueryAnswer>;

interface Page {
  readonly views: readonly KeyView[];
  readonly revision: Revision;
  /** Cluster time in ms, of the first answer. */
  readonly time: number;
  readonly more: boolean;
}

/** As much as was asked for, or as fits in an answer; of one revision. */
export async function readPage(query: RangeQuery, ask: Ask): Promise<Page> {
  let answer = answerOf(await ask(query), 'range');
  const { revision, time } = answer;
  const views = [...answer.views];
  while (answer.next !== undefined && views.length < Math.max(query.limit, 1)) {
    const limit = query.limit === 0 ? 0 : query.limit - views.length;
    const rest = { ...restOf(query, answer.next, revision), limit };
    answer = answerOf(await ask(rest), 'range');
    views.push(...answer.views);
  }
  return { views, revision, time, more: answer.more };
}

/** The whole count, as of one revision. */
export async function countAll(query: RangeQuery, ask: Ask): Promise<number> {
  let answer = answerOf(await ask(query), 'count');
  const { revision } = answer;
  let { count } = answer;
  while (answer.next !== undefined) {
    answer = answerOf(await ask(restOf(query, answer.next, revision)), 'count');
    count += answer.count;
  }
  return count;
}

/** What is left of a range from `next` on, as of the revision of its first answer. */
function restOf(query: RangeQuery, next: string, first: Revision): RangeQuery {
  return { ...query, start: next, revision: query.revision === 0 ? first : query.revision };
}
