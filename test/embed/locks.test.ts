/** Every kind of lock, and elections, on three real nodes, through the client and embedded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type LockOptions, type Registry } from '../../src/index.ts';
import { startCluster } from './support/cluster.ts';

const WAIT = { wait: '10s' };

/** Two hold, a third waits, and gets it when both have left. */
async function passOn(one: Registry, two: Registry, three: Registry, how: LockOptions) {
  const name = `kind/${how.mode ?? 'permits'}`;
  const [first, second] = await Promise.all([
    one.lock(name, { ...WAIT, ...how }),
    two.lock(name, { ...WAIT, ...how }),
  ]);
  const alone = how.limit === undefined ? {} : { limit: how.limit, permits: how.limit };
  const third = three.lock(name, { ...WAIT, ...alone });
  await first.unlock();
  await second.unlock();
  const { token, unlock } = await third.then((lock) => ({
    token: lock.token,
    unlock: () => lock.unlock(),
  }));
  assert.ok(token > first.token && token > second.token);
  await unlock();
}

test('[LOCK-80] [LOCK-85] [LOCK-86] modes and the list, on three nodes', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints });
  const [a, b] = cluster.nodes;
  assert.ok(a !== undefined && b !== undefined);
  await passOn(client.registry, a.registry, b.registry, { mode: 'shared' });
  await passOn(a.registry, b.registry, client.registry, { limit: 2 });
  await b.registry.lock('listed', { mode: 'shared', metadata: 'here' });
  const { locks } = await client.registry.locks({ prefix: 'listed' });
  assert.deepEqual(
    locks.map(({ name, mode, held }) => [name, mode, held]),
    [['listed', 'shared', 1]],
  );
});

test('[LOCK-87] [LOCK-90] an election goes on when the cluster loses its own leader', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '15s' });
  await using other = await connect({ endpoints: cluster.endpoints, requestTimeout: '15s' });
  const first = await client.registry.election('office').campaign('one');
  const waiting = other.registry.election('office').campaign('two');
  await (await cluster.leader()).stop();
  await first.proclaim('still one');
  assert.equal((await other.registry.election('office').leader())?.text(), 'still one');
  await first.resign();
  const second = await waiting;
  assert.ok(second.token > first.token);
  assert.equal((await client.registry.election('office').leader())?.text(), 'two');
  await second.resign();
});
