import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError, op } from '../../src/client/index.ts';
import type { RegistryClient } from '../../src/client/registry-client.ts';
import { failure, harness } from './support/harness.ts';

test('[SESS-50] a session is kept alive in the background, a third of its TTL apart', async () => {
  const { time, cluster, registry } = harness();
  const renewals: number[] = [];
  cluster.fateOf = (request) => {
    if (request.type === 'leaderQuery') renewals.push(time.now());
    return { type: 'served' };
  };
  const session = await time.until(registry.openSession({ ttl: '3s', label: 'worker' }));
  await time.advance(10_000);
  assert.equal(session.signal.aborted, false);
  assert.ok(renewals.length >= 9 && renewals.length <= 10, `${renewals.length} renewals`);
  const [details] = await time.until(registry.sessions());
  assert.deepEqual([details?.id, details?.ttlMs, details?.label], [session.id, 3_000, 'worker']);
});

test('[SESS-51] without a renewal the signal aborts before the cluster ends it', async () => {
  const { time, cluster, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '3s' }));
  const openedAt = time.now();
  cluster.fateOf = (request) => ({ type: request.type === 'leaderQuery' ? 'lost' : 'served' });
  let abortedAt = 0;
  session.signal.addEventListener('abort', () => {
    abortedAt = time.now();
    assert.equal(cluster.count('expireSessions'), 0);
  });
  await time.advance(6_000);
  assert.ok(abortedAt > openedAt + 2_800 && abortedAt < openedAt + 3_000, `${abortedAt}`);
  assert.equal(cluster.count('expireSessions'), 1);
  assert.ok(session.signal.reason instanceof HoldfastError);
  assert.equal((await failure(session.keepAlive())).code, 'session-expired');
});

test('[SESS-52] the deadline counts from when a renewal was sent, not answered', async () => {
  const { time, cluster, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '3s', keepAlive: false }));
  await time.advance(1_000);
  const sentAt = time.now();
  cluster.latencyMs = () => 400;
  await time.until(session.keepAlive());
  cluster.latencyMs = () => 1;
  const expected = sentAt + 3_000 * (1 - 1 / 64);
  await time.advance(expected - time.now() - 1);
  assert.equal(session.signal.aborted, false);
  await time.advance(2);
  assert.equal(session.signal.aborted, true);
});

test('[SESS-53] after a stall the session is over before anything else is told', async () => {
  const { time, cluster, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '3s' }));
  const order: string[] = [];
  session.signal.addEventListener('abort', () => order.push('aborted'));
  const read = registry.get('k', { timeout: '60s' }).then(() => order.push('answered'));
  cluster.latencyMs = () => 0;
  await time.advance(0);
  // The answer lies ready when the loop comes back; timers come after it.
  const channel = [...cluster.nodes.values()].flatMap((node) => [...node.channels])[0];
  time.stall(10_000);
  channel?.tellLeader();
  assert.deepEqual(order, ['aborted']);
  await time.until(read);
  assert.deepEqual(order, ['aborted', 'answered']);
});

test('[SESS-54] a session that ended on the cluster is noticed with the next renewal', async () => {
  const { time, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '6s' }));
  await time.until(registry.closeSession(session.id));
  assert.equal(session.signal.aborted, false);
  await time.advance(2_100);
  assert.equal(session.signal.aborted, true);
  const error = await failure(time.until(registry.put('k', 'v', { session, ephemeral: true })));
  assert.equal(error.code, 'session-expired');
  await time.until(session.close());
});

test('[SESS-55] closing a session is idempotent and takes what it owns along', async () => {
  const { time, cluster, registry } = harness();
  const session = await time.until(registry.openSession());
  await time.until(registry.put('e', 'v', { session, ephemeral: true }));
  assert.equal((await time.until(registry.get('e')))?.session, session.id);
  let cut = true;
  cluster.fateOf = () => {
    const fate = cut ? 'cutAfter' : 'served';
    cut = false;
    return { type: fate };
  };
  await time.until(Promise.all([session.close(), session.close()]));
  assert.equal(await time.until(registry.get('e')), undefined);
  assert.equal(session.signal.aborted, true);
});

test('[SESS-56] the first write opens the own session, the next ones share it', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.get('k'));
  assert.equal(cluster.count('openSession'), 0);
  await time.until(Promise.all([registry.put('a', '1'), registry.put('b', '2')]));
  await time.until(registry.put('c', '3'));
  assert.equal(cluster.count('openSession'), 1);
  const puts = cluster.applied.filter(({ command }) => command.type === 'put');
  assert.deepEqual(
    puts.map(({ header }) => header.sequence),
    [1, 2, 3],
  );
  assert.equal(puts[2]?.header.acknowledged, 2);
  await time.until(registry.close());
  assert.equal(cluster.count('closeSession'), 1);
});

test('[SESS-56] a first write without a quorum tells of that, and is not applied', async () => {
  const { time, cluster, registry } = harness();
  cluster.elect('');
  const error = await failure(time.until(registry.put('k', 'v')));
  assert.equal(error.code, 'no-quorum');
  assert.equal(error.outcome, 'not-applied');
  const controller = new AbortController();
  const waiting = failure(registry.put('k', 'v', { signal: controller.signal }));
  await time.advance(4_700);
  controller.abort();
  assert.equal((await time.until(waiting)).code, 'aborted');
});

test('[SESS-57] after the own session ended, later writes get a new one', async () => {
  const { time, cluster, registry } = harness({ sessionTtl: '2s', requestTimeout: '10s' });
  await time.until(registry.put('k', 'one'));
  // Applied, its answer lost; then nobody answers until the session has expired.
  cluster.fateOf = (request) => ({ type: request.type === 'propose' ? 'cutAfter' : 'served' });
  const write = failure(registry.put('k', 'two'));
  await time.advance(1);
  cluster.fateOf = () => ({ type: 'cutBefore' });
  await time.advance(5_000);
  cluster.fateOf = () => ({ type: 'served' });
  const error = await time.until(write);
  assert.equal(error.code, 'session-expired');
  assert.equal(error.outcome, 'unknown');
  const record = await time.until(registry.put('k', 'three'));
  assert.equal(record.version, 3);
  assert.equal(cluster.count('openSession'), 2);
});

test("[SESS-58] a write refused for its session's end goes with a new one", async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'one'));
  const [opened] = await time.until(registry.sessions());
  await time.until(registry.closeSession(opened?.id ?? 0));
  assert.equal((await time.until(registry.put('k', 'two'))).version, 2, 'with a new one');
  assert.equal(cluster.count('openSession'), 2);
});

test('[SESS-58] what may have relied on the session that ended goes with no other', async () => {
  const reliances: ((registry: RegistryClient) => Promise<unknown>)[] = [
    (registry) => registry.lock('n'),
    (registry) => registry.put('n', '', { lock: true }),
    (registry) => registry.put('mine', '', { ephemeral: true }),
    (registry) =>
      registry
        .txn()
        .then(op.put('mine', '', { ephemeral: true }))
        .commit(),
  ];
  for (const rely of reliances) {
    const { time, registry } = harness();
    await time.until(rely(registry));
    const [opened] = await time.until(registry.sessions());
    await time.until(registry.closeSession(opened?.id ?? 0));
    const error = await failure(time.until(registry.put('n', 'two')));
    assert.deepEqual([error.code, error.outcome], ['session-expired', 'not-applied']);
    assert.equal((await time.until(registry.put('n', 'three'))).text(), 'three');
  }
});

test('[SESS-58] a write that itself needs the session is told that it ended', async () => {
  const { time, registry } = harness();
  await time.until(registry.put('k', 'one'));
  const [opened] = await time.until(registry.sessions());
  await time.until(registry.closeSession(opened?.id ?? 0));
  const error = await failure(time.until(registry.put('k', 'two', { ephemeral: true })));
  assert.deepEqual([error.code, error.outcome], ['session-expired', 'not-applied']);
});

test('[SESS-59] unanswered writes of a session stay within the window', async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '60s' });
  await time.until(registry.put('warm', ''));
  let held = true;
  cluster.fateOf = (request) => {
    if (request.type !== 'propose' || !held) return { type: 'served' };
    held = false;
    return { type: 'cutAfter' };
  };
  const writes = Array.from({ length: 5_000 }, (_, i) => registry.put(`k${i % 7}`, `${i}`));
  await time.until(Promise.all(writes));
  for (const { header } of cluster.applied) {
    assert.ok(header.sequence - header.acknowledged <= 4_096);
  }
  const versions = await time.until(registry.list({ prefix: 'k' }));
  const total = versions.records.reduce((sum, record) => sum + record.version, 0);
  assert.equal(total, 5_000);
});

test('[SESS-59] writes whose answers are too much to keep at once all go through', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('warm', ''));
  const large = new Uint8Array(1_048_576);
  const writes = Array.from({ length: 40 }, (_, i) => registry.put(`k${i}`, large));
  await time.until(Promise.all(writes));
  const { records } = await time.until(registry.list({ prefix: 'k', keysOnly: true }));
  assert.deepEqual([...new Set(records.map(({ version }) => version))], [1]);
  assert.equal(records.length, 40);
  assert.ok(cluster.count('put') < 200, 'without many attempts in vain');
});
