import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeNode } from './support/fake-cluster.ts';
import { failure, harness } from './support/harness.ts';

test('[API-10] writes go to the leader, wherever it moves', async () => {
  const { time, cluster, registry } = harness({ seed: 3 });
  const served: string[] = [];
  cluster.fateOf = (request, node) => {
    if (request.type === 'propose') served.push(node.address);
    return { type: 'served' };
  };
  await time.until(registry.put('k', '1'));
  await time.until(registry.put('k', '2'));
  cluster.elect('c:1');
  await time.advance(50);
  await time.until(registry.put('k', '3'));
  assert.equal(served.at(-2), 'a:1');
  assert.equal(served.at(-1), 'c:1');
});

test('[API-11] a lost connection is replaced, and numbered writes are applied once', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'first'));
  let cuts = 3;
  cluster.fateOf = (request) => {
    if (request.type === 'propose' && cuts-- > 0) return { type: 'cutAfter' };
    return { type: 'served' };
  };
  const record = await time.until(registry.put('k', 'second'));
  assert.equal(record.version, 2);
  assert.equal((await time.until(registry.get('k')))?.version, 2);
  assert.equal(cluster.count('put'), 5);
});

test('[API-12] a write without a number whose answer is lost is unknown; reads go on', async () => {
  const { time, cluster, registry } = harness({ exactlyOnce: false });
  let cut = true;
  cluster.fateOf = () => {
    const fate = cut ? 'cutAfter' : 'served';
    cut = false;
    return { type: fate };
  };
  const error = await failure(time.until(registry.put('k', 'v')));
  assert.equal(error.code, 'connection-lost');
  assert.equal(error.outcome, 'unknown');
  assert.equal(cluster.count('openSession'), 0);
  assert.equal(cluster.count('put'), 1);
  cut = true;
  assert.equal((await time.until(registry.get('k')))?.text(), 'v');
});

test('[API-12] without numbers a write that was certainly not applied is tried again', async () => {
  const { time, cluster, registry } = harness({ exactlyOnce: false });
  let refusals = 5;
  cluster.fateOf = () =>
    refusals-- > 0 ? { type: 'refused', code: 'no-leader' } : { type: 'served' };
  assert.equal((await time.until(registry.put('k', 'v'))).version, 1);
  refusals = 1;
  cluster.fateOf = () => ({ type: 'refused', code: 'overloaded' });
  const error = await failure(time.until(registry.put('k', 'v')));
  assert.equal(error.code, 'overloaded');
});

test('[API-13] without a quorum a call ends in time, and says so', async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '3s' });
  await time.until(registry.put('k', 'v'));
  cluster.elect('');
  const before = time.now();
  const error = await failure(time.until(registry.get('k')));
  assert.equal(error.code, 'no-quorum');
  assert.equal(error.outcome, 'not-applied');
  assert.ok(time.now() - before <= 3_000);
  const write = await failure(time.until(registry.put('k', 'w')));
  assert.equal(write.code, 'no-quorum');
  assert.equal(write.outcome, 'not-applied');
});

test('[API-14] endpoints out of reach are named with what each said', async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '2s' });
  cluster.node('b:1').state = 'silent';
  for (const address of ['a:1', 'c:1']) cluster.node(address).state = 'refusing';
  const error = await failure(time.until(registry.get('k')));
  assert.equal(error.code, 'connection-lost');
  assert.match(error.message, /a:1: connection refused; b:1: no answer within 500 ms; c:1: conn/);
});

test('[API-14] a cluster of another name is told at once', async () => {
  const { time, cluster, registry } = harness();
  for (const node of cluster.nodes.values()) node.state = 'wrong-cluster';
  const before = time.now();
  const error = await failure(time.until(registry.put('k', 'v')));
  assert.equal(error.code, 'wrong-cluster');
  assert.ok(time.now() - before < 1_000);
});

test('[API-15] one endpoint is enough to find the leader, and to outlive its loss', async () => {
  const { time, cluster, registry } = harness({ endpoints: ['b:1'] });
  await time.until(registry.put('k', 'v'));
  assert.equal(cluster.node('a:1').channels.size, 1);
  assert.equal(cluster.node('b:1').channels.size, 0);
  cluster.node('a:1').goDown();
  cluster.elect('c:1');
  assert.equal((await time.until(registry.get('k')))?.text(), 'v');
});

test('[API-16] a node that falls silent is given up for another', async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '10s' });
  await time.until(registry.put('k', 'v'));
  cluster.node('a:1').state = 'silent';
  cluster.leader = 'b:1';
  const before = time.now();
  assert.equal((await time.until(registry.put('k', 'w'))).version, 2);
  assert.ok(time.now() - before < 4_000);
});

test('[API-16] a node that answers no call is given up, lively or not', async () => {
  const { time, cluster, registry } = harness({ requestTimeout: '1s' });
  await time.until(registry.put('k', 'v'));
  cluster.leader = 'b:1';
  cluster.fateOf = ({ type }, node) => ({
    type: node.address === 'a:1' && type !== 'status' ? 'lost' : 'served',
  });
  for (let i = 0; i < 2; i++) {
    assert.equal((await failure(time.until(registry.get('k')))).code, 'timeout');
  }
  await time.advance(50);
  assert.equal((await time.until(registry.get('k')))?.text(), 'v');
});

test('[API-16] calls of little patience do not speak against a node', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'v'));
  cluster.latencyMs = () => 100;
  for (let i = 0; i < 5; i++) {
    assert.equal(
      (await failure(time.until(registry.get('k', { timeout: '50ms' })))).code,
      'timeout',
    );
  }
  await time.until(registry.get('k'));
  assert.equal(cluster.node('a:1').channels.size, 1);
  assert.equal(cluster.node('b:1').channels.size + cluster.node('c:1').channels.size, 0);
});

test('[API-17] an event loop that stalled does not blame the node', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'v'));
  const channel = [...cluster.node('a:1').channels][0];
  cluster.latencyMs = () => 200;
  cluster.fateOf = (request) => ({ type: request.type === 'query' ? 'lost' : 'served' });
  const read = failure(registry.get('k', { timeout: '40s' }));
  // A sign of life has been asked for and is on its way when we stop listening.
  await time.advance(1_100);
  time.stall(30_000);
  await time.advance(1_000);
  assert.ok(channel !== undefined && cluster.node('a:1').channels.has(channel));
  await time.until(read);
});

test('[API-18] no more than maxInFlight calls are under way', async () => {
  const { time, registry } = harness({ maxInFlight: 3 });
  await time.until(registry.get('warm'));
  const calls = Array.from({ length: 5 }, () => registry.get('k'));
  const results = await time.until(Promise.allSettled(calls));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  const error = await failure(calls[4] ?? Promise.resolve());
  assert.equal(error.code, 'overloaded');
  assert.match(error.message, /maxInFlight of 3/);
});

test('[API-18] sessions are renewed however many calls are under way', async () => {
  const { time, cluster, registry } = harness({ maxInFlight: 5, requestTimeout: '60s' });
  const session = await time.until(registry.openSession({ ttl: '3s' }));
  cluster.fateOf = ({ type }) => ({ type: type === 'query' ? 'lost' : 'served' });
  const stuck = Array.from({ length: 5 }, () => failure(registry.get('k')));
  await time.advance(10_000);
  assert.equal(session.signal.aborted, false);
  await time.until(registry.close());
  await time.until(Promise.all(stuck));
});

test('[API-19] a signal ends the waiting, and says what is known of the write', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'v'));
  cluster.fateOf = () => ({ type: 'lost' });
  const controller = new AbortController();
  const write = registry.put('k', 'w', { signal: controller.signal });
  const read = registry.get('k', { signal: controller.signal });
  await time.advance(10);
  controller.abort();
  const [writeError, readError] = [await failure(write), await failure(read)];
  assert.deepEqual([writeError.code, writeError.outcome], ['aborted', 'unknown']);
  assert.deepEqual([readError.code, readError.outcome], ['aborted', 'not-applied']);
  const late = await failure(registry.get('k', { signal: controller.signal }));
  assert.equal(late.code, 'aborted');
});

test('[API-20] closing rejects what waits, and leaves no timer and no connection', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('k', 'v'));
  const session = await time.until(registry.openSession({ ttl: '5s' }));
  const watch = registry.watch({ prefix: 'k' });
  const next = watch[Symbol.asyncIterator]().next();
  const nothing = failure(next);
  const waiting = failure(
    registry.lock('n', { session, wait: '1h' }).then(() => registry.lock('n')),
  );
  await time.advance(100);
  await time.until(registry.close());
  assert.equal((await nothing).code, 'closed');
  assert.equal((await waiting).code, 'closed');
  assert.equal((await failure(registry.get('k'))).code, 'closed');
  assert.equal(session.signal.aborted, true);
  const nodes: FakeNode[] = [...cluster.nodes.values()];
  assert.deepEqual(
    nodes.map((node) => node.channels.size),
    [0, 0, 0],
  );
  await time.advance(10);
  // The cluster's own tick is the one timer left.
  assert.equal(time.timers, 1);
  await time.until(registry.close());
});
