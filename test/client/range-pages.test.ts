import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryAnswer } from '../../src/client/proposals.ts';
import { countAll, readPage } from '../../src/client/range-pages.ts';
import type { KeyView, RangeQuery, Revision } from '../../src/registry/index.ts';

const NOW = 9 as Revision;
const query: RangeQuery = {
  type: 'range',
  start: 'a',
  end: 'z',
  limit: 0,
  keysOnly: false,
  revision: 0 as Revision,
};
const view: KeyView = { record: undefined, lock: undefined };

/** Answers in turn, and writes down what was asked. */
function answering(...answers: readonly QueryAnswer[]) {
  const asked: RangeQuery[] = [];
  const ask = (one: RangeQuery): Promise<QueryAnswer> => {
    const answer = answers[asked.length];
    asked.push(one);
    return answer === undefined
      ? Promise.reject(new Error('asked again'))
      : Promise.resolve(answer);
  };
  return { asked, ask };
}

function page(views: number, next: string | undefined, revision = NOW): QueryAnswer {
  const more = next !== undefined;
  const some = Array.from({ length: views }, () => view);
  return { type: 'range', revision, time: 0, views: some, more, next };
}

test('[API-121] a page is filled by as many answers as it takes, of one revision', async () => {
  const { asked, ask } = answering(page(0, 'd'), page(2, 'g', 11 as Revision), page(1, 'k'));
  const read = await readPage({ ...query, limit: 3 }, ask);
  assert.deepEqual([read.views.length, read.revision, read.more], [3, NOW, true]);
  assert.deepEqual(
    asked.map(({ start, limit, revision }) => [start, limit, revision]),
    [
      ['a', 3, 0],
      ['d', 3, NOW],
      ['g', 1, NOW],
    ],
  );
});

test('[API-121] without a limit a page is the first answer that has something', async () => {
  const { asked, ask } = answering(page(0, 'd'), page(2, 'g'));
  const read = await readPage({ ...query, revision: 5 as Revision }, ask);
  assert.deepEqual([read.views.length, read.more], [2, true]);
  assert.deepEqual(
    asked.map(({ revision }) => revision),
    [5, 5],
  );
});

test('[API-121] a count is added up from parts of one revision', async () => {
  const count = (part: number, next: string | undefined): QueryAnswer => {
    return { type: 'count', revision: NOW, count: part, next };
  };
  const { asked, ask } = answering(count(100, 'd'), count(0, 'g'), count(7, undefined));
  assert.equal(await countAll(query, ask), 107);
  assert.deepEqual(
    asked.map(({ start, end, revision }) => [start, end, revision]),
    [
      ['a', 'z', 0],
      ['d', 'z', NOW],
      ['g', 'z', NOW],
    ],
  );
});
