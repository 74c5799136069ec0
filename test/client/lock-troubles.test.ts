/** Locks when something is full, long, or broken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldLockHandle } from '../../src/client/held-lock.ts';
import { LockClaims } from '../../src/client/lock-claims.ts';
import { Locks } from '../../src/client/locks.ts';
import { NOBODY, Proposals } from '../../src/client/proposals.ts';
import type { HoldfastError } from '../../src/client/index.ts';
import { encodeCommand, decodeResult, type SessionId } from '../../src/registry/index.ts';
import { harness } from './support/harness.ts';

test("[LOCK-102] a lock waits for room in its session's window of answers", async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '60s' });
  await time.until(registry.put('warm', ''));
  const large = new Uint8Array(1_048_576);
  const writes = Array.from({ length: 40 }, (_, i) => registry.put(`k${i}`, large));
  const lock = registry.lock('n');
  await time.until(Promise.all(writes));
  assert.equal((await time.until(lock)).name, 'n');
  assert.ok(cluster.count('lock') > 1, 'it was refused before');
  assert.equal((await time.until(registry.lockQueue('n'))).length, 1);
});

test('[LOCK-103] a lock that nobody can watch over any more is lost', async () => {
  const { time, link } = harness();
  const place = {
    name: 'n',
    session: 7 as SessionId,
    token: 9 as never,
    mode: 'exclusive',
  } as const;
  const locks = new Locks({
    proposals: new Proposals(link, time),
    link,
    patience: () => ({ deadlineMs: time.now() + 1_000, signal: undefined }),
    watchKeys: () => {
      throw new TypeError('broken');
    },
  });
  const claim = await new LockClaims().enter('n', place.session);
  const lock = new HeldLockHandle(locks, NOBODY, claim, { ...place, revision: 1 });
  const losses: HoldfastError[] = [];
  const watching = locks.watchOver(lock, NOBODY, (error) => losses.push(error));
  await time.advance(10);
  assert.deepEqual(
    losses.map(({ code, outcome }) => [code, outcome]),
    [['internal', 'unknown']],
  );
  assert.match(losses[0]?.message ?? '', /lock 'n' can no longer be watched over: broken/);
  watching.dispose();
});

test('[LOCK-100] [SESS-90] long queues are whole, and who waits in one asks nothing', async () => {
  const { time, cluster, registry } = harness();
  const metadata = new Uint8Array(4_096);
  const header = { sequence: 0, acknowledged: 0, node: '' } as const;
  const terms = { mode: 'semaphore', permits: 1, limit: 1, delayMs: 0 } as const;
  const sessions: SessionId[] = [];
  for (let i = 0; i < 300; i++) {
    const open = {
      type: 'openSession',
      ttlMs: 600_000,
      label: '',
      metadata,
      trapExits: false,
    } as const;
    const opened = decodeResult(
      cluster.apply(encodeCommand({ ...header, session: 0 as SessionId }, open)),
    );
    assert.ok(opened.type === 'session');
    const { session } = opened;
    sessions.push(session);
    const lock = { type: 'lock', name: 'n', wait: true, metadata, terms } as const;
    cluster.apply(encodeCommand({ ...header, session }, lock));
  }
  let queries = 0;
  cluster.fateOf = ({ type }) => {
    if (type === 'query') queries++;
    return { type: 'served' };
  };
  const queue = await time.until(registry.lockQueue('n'));
  assert.deepEqual(
    queue.map(({ session }) => session),
    sessions,
  );
  assert.equal(queries, 2, 'pages');
  const listed = await time.until(registry.sessions());
  assert.deepEqual(
    listed.map(({ id }) => id),
    sessions,
  );
  assert.equal(queries, 4);
  const waiting = registry.lock('n', { limit: 1 });
  await time.advance(100);
  for (const session of sessions) {
    const close = { type: 'closeSession', session } as const;
    cluster.apply(encodeCommand({ ...header, session: 0 as SessionId }, close));
  }
  const lock = await time.until(waiting);
  assert.equal(queries, 4);
  assert.ok(lock.token > queue.at(-1)!.token);
});
