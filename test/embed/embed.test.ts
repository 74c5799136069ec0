import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, Holdfast, MemoryLogStore } from '../../src/index.ts';
import { freeAddresses, SETTINGS, startCluster, until } from './support/cluster.ts';
import { failure } from './support/failure.ts';

test('[API-50] [M10] three embedded nodes: write at one, read at the others', async () => {
  await using cluster = await startCluster();
  const [a, b, c] = cluster.nodes;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const leader = await a.waitForLeader();
  assert.ok(['a', 'b', 'c'].includes(leader));
  const watch = c.registry.watch({ prefix: 'config/' });
  const { revision } = await watch.started;
  const written = await a.registry.put('config/rate', '100', { ttl: '10m' });
  assert.equal(written.modRevision, revision + 1);
  assert.equal((await b.registry.get('config/rate'))?.text(), '100');
  for await (const event of watch) {
    assert.equal(event.type, 'put');
    assert.equal(event.record.text(), '100');
    break;
  }
  const token = await b.registry.withLock('jobs/nightly', { wait: '5s' }, async (lock) => {
    const refused = await failure(a.registry.lock('jobs/nightly', { try: true }));
    assert.equal(refused.code, 'locked');
    assert.equal(lock.signal.aborted, false);
    return lock.token;
  });
  const next = await a.registry.lock('jobs/nightly', { wait: '5s' });
  assert.ok(next.token > token);
  assert.equal((await c.registry.get('config/rate', { consistency: 'local' }))?.version, 1);
});

test('[API-51] a network client and the embedded registry see the same', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, clusterName: 'holdfast' });
  const [a] = cluster.nodes;
  assert.ok(a !== undefined);
  await client.registry.put('k', 'from the client');
  const record = await a.registry.get('k');
  assert.equal(record?.text(), 'from the client');
  assert.ok(['a', 'b', 'c'].includes(record.node));
  const lock = await client.registry.lock('k');
  const locked = await failure(a.registry.put('k', 'x'));
  assert.equal(locked.code, 'locked');
  await lock.unlock();
  const statuses = await client.status();
  assert.deepEqual(
    statuses.map(({ endpoint }) => endpoint),
    cluster.endpoints,
  );
  assert.equal(statuses.filter(({ status }) => status?.role === 'leader').length, 1);
  const members = await client.members();
  assert.deepEqual(members.map(({ id, role }) => `${id} ${role}`).toSorted(), [
    'a voter',
    'b voter',
    'c voter',
  ]);
  assert.deepEqual(a.members(), members);
});

test('[API-52] a client goes on when the leader stops, and misses nothing', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '15s' });
  const watch = client.registry.watch({ prefix: 'n/' });
  const { revision } = await watch.started;
  const lock = await client.registry.lock('kept');
  const leader = await cluster.leader();
  const writes: Promise<{ readonly version: number }>[] = [];
  for (let i = 0; i < 200; i++) {
    writes.push(client.registry.put(`n/${i % 10}`, `${i}`));
    if (i === 100) writes.push(leader.stop().then(() => ({ version: 0 })));
  }
  await Promise.all(writes);
  const { records } = await client.registry.list({ prefix: 'n/' });
  assert.equal(
    records.reduce((sum, record) => sum + record.version, 0),
    200,
  );
  const seen = new Set<string>();
  let last = revision;
  for await (const event of watch) {
    assert.ok(event.revision > last);
    last = event.revision;
    seen.add(event.record.text());
    if (seen.size === 200) break;
  }
  const [holder] = await client.registry.lockQueue('kept');
  assert.deepEqual([holder?.session, holder?.token], [lock.session, lock.token]);
  const statuses = await client.status();
  const away = statuses.filter(({ status }) => status === undefined);
  assert.equal(away.length, 1);
  assert.ok(away[0]?.error !== undefined && away[0].error !== '');
});

test('[API-53] without a quorum a read says no-quorum', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '1s' });
  await client.registry.put('k', 'v', { timeout: '10s' });
  const [a, b, c] = cluster.nodes;
  await Promise.all([a?.stop(), b?.stop()]);
  const read = await failure(client.registry.get('k'));
  assert.equal(read.code, 'no-quorum');
  assert.equal(read.outcome, 'not-applied');
  const embedded = await failure(c?.registry.get('k', { timeout: '1s' }) ?? Promise.resolve());
  assert.equal(embedded.code, 'no-quorum');
  const stale = await c?.registry.get('k', { consistency: 'local' });
  assert.equal(stale?.text(), 'v');
});

test('[API-54] leadership is handed over on request', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints });
  const leader = await cluster.leader();
  const target = cluster.nodes.find((node) => node !== leader);
  assert.ok(target !== undefined);
  await client.transfer(target.id);
  await until('the new leader', () => target.status().role === 'leader');
  await client.registry.put('k', 'v');
});

test('[API-55] a node is added through a client, and removed again', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '15s' });
  await client.registry.put('k', 'v');
  const [address] = await freeAddresses(1);
  assert.ok(address !== undefined);
  await client.addMember({ id: 'd', address });
  await using joining = await Holdfast.start({
    id: 'd',
    listen: address,
    peers: {},
    store: new MemoryLogStore(),
    settings: SETTINGS,
  });
  await until('d to vote', async () =>
    (await client.members()).some(({ id, role }) => id === 'd' && role === 'voter'),
  );
  assert.equal((await joining.registry.get('k'))?.text(), 'v');
  await client.removeMember('d');
  await until('d to be gone', async () => (await client.members()).every(({ id }) => id !== 'd'));
});

test('[API-56] another cluster is refused, and an address nobody listens on is named', async () => {
  await using cluster = await startCluster();
  const wrong = await failure(
    connect({ endpoints: cluster.endpoints, clusterName: 'other', requestTimeout: '10s' }),
  );
  assert.equal(wrong.code, 'wrong-cluster');
  assert.match(wrong.message, /'holdfast', not 'other'/);
  const [nobody] = await freeAddresses(1);
  assert.ok(nobody !== undefined);
  const away = await failure(connect({ endpoints: [nobody], requestTimeout: '300ms' }));
  assert.equal(away.code, 'connection-lost');
  assert.match(away.message, /ECONNREFUSED/);
  assert.ok(away.message.includes(nobody));
  await using found = await connect({ endpoints: [nobody, ...cluster.endpoints] });
  await found.registry.put('k', 'v');
});
