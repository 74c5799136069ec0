import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits, type LockQueueEntry, type SessionInfo } from '../../src/registry/index.ts';
import { answerOf, Rig } from './rig.ts';

/** Page after page, as a client asks. */
function queuePages(rig: Rig, limit: number): (readonly LockQueueEntry[])[] {
  const pages: (readonly LockQueueEntry[])[] = [];
  for (let after = 0, more = true; more;) {
    const answer = answerOf(rig.ask({ type: 'lockQueue', name: 'k', after, limit }), 'lockQueue');
    ({ more } = answer);
    pages.push(answer.queue);
    after = answer.queue.at(-1)?.token ?? 0;
  }
  return pages;
}

function sessionPages(rig: Rig, limit: number): (readonly SessionInfo[])[] {
  const pages: (readonly SessionInfo[])[] = [];
  for (let after = 0, more = true; more;) {
    const answer = answerOf(rig.ask({ type: 'sessions', after, limit }), 'sessions');
    ({ more } = answer);
    pages.push(answer.sessions);
    after = answer.sessions.at(-1)?.id ?? 0;
  }
  return pages;
}

test('[LOCK-100] a queue is read in pages, by limit, each place once and in order', () => {
  const rig = new Rig();
  const order = Array.from({ length: 10 }, () => rig.open());
  for (const session of order) rig.token('k', session);
  for (const limit of [1, 3, 5, 10, 0]) {
    const pages = queuePages(rig, limit);
    assert.equal(pages.length, limit === 0 ? 1 : Math.ceil(10 / limit));
    assert.deepEqual(
      pages.flat().map(({ session }) => session),
      order,
    );
    assert.deepEqual(
      pages.flat().map(({ held }) => held),
      order.map((_, i) => i === 0),
    );
  }
  // Who leaves between two pages is missing, and nobody comes twice.
  const first = answerOf(
    rig.ask({ type: 'lockQueue', name: 'k', after: 0, limit: 4 }),
    'lockQueue',
  );
  rig.close(order[0]!);
  rig.close(order[6]!);
  const after = first.queue.at(-1)!.token;
  const rest = answerOf(rig.ask({ type: 'lockQueue', name: 'k', after, limit: 0 }), 'lockQueue');
  assert.deepEqual(
    rest.queue.map(({ session }) => session),
    [4, 5, 7, 8, 9].map((i) => order[i]),
  );
});

test('[LOCK-100] [SESS-90] queues and lists of sessions are cut at a size', () => {
  const rig = new Rig();
  const metadata = new Uint8Array(defaultLimits.maxLabelBytes).fill(65);
  const count = Math.ceil((2.5 * 1024 * 1024) / metadata.length);
  const open = { type: 'openSession', ttlMs: 60_000, label: '', trapExits: false } as const;
  for (let i = 0; i < count; i++) {
    const result = rig.do({ ...open, metadata });
    assert.ok(result.type === 'session');
    const terms = { mode: 'exclusive', permits: 0, limit: 0, delayMs: 0 } as const;
    rig.do({ type: 'lock', name: 'k', wait: true, metadata, terms }, { session: result.session });
  }
  for (const pages of [queuePages(rig, 0), sessionPages(rig, 0)]) {
    assert.equal(pages.length, 3);
    assert.equal(pages.flat().length, count);
    for (const page of pages) {
      const bytes = page.reduce((sum, one) => sum + one.metadata.length, 0);
      assert.ok(bytes <= 1024 * 1024, `${bytes} bytes in one page`);
    }
  }
});

test('[SESS-90] sessions are listed in pages, by limit, each once and by id', () => {
  const rig = new Rig();
  const all = Array.from({ length: 7 }, () => rig.open());
  for (const limit of [1, 2, 7, 0]) {
    assert.deepEqual(
      sessionPages(rig, limit)
        .flat()
        .map(({ id }) => id),
      all,
    );
  }
});

test('[LOCK-101] who locks again cannot make a lock-delay longer, only keep it', () => {
  const rig = new Rig();
  const session = rig.open();
  const terms = { mode: 'exclusive', permits: 0, limit: 0, delayMs: 5_000 } as const;
  const token = rig.token('k', session, terms);
  assert.equal(rig.token('k', session, { ...terms, delayMs: 0 }), token);
  assert.equal(rig.token('k', session, terms), token);
  const longer = rig.lock('k', session, true, { ...terms, delayMs: 6_000 });
  assert.ok(longer.type === 'error');
  assert.equal(longer.code, 'lock-conflict');
  assert.match(longer.message, /lock-delay of 5000 ms already.*asks for 6000 ms/);
  rig.unlock('k', session, token);
  assert.ok(rig.token('k', session, { ...terms, delayMs: 6_000 }) > token);
});
