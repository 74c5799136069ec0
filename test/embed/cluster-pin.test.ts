/** A client keeps to its cluster when another one takes its endpoints over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, Holdfast, MemoryLogStore } from '../../src/index.ts';
import type { HoldfastNode } from '../../src/index.ts';
import { freeAddresses, SETTINGS } from './support/cluster.ts';
import { failure } from './support/failure.ts';

/** A cluster of its own. */
async function startAlone(listen: string): Promise<HoldfastNode> {
  const store = new MemoryLogStore();
  return await Holdfast.start({ id: 'a', listen, store, settings: SETTINGS });
}

test('[API-128] a cluster that took the port over is refused, whatever it is called', async () => {
  const [address] = await freeAddresses(1);
  assert.ok(address !== undefined);
  const first = await startAlone(address);
  await using client = await connect({ endpoints: [address] });
  await client.registry.put('k', 'of the first');
  const { clusterId } = first.status();
  await first.stop();
  await using second = await startAlone(address);
  await second.registry.put('k', 'of the second');
  const error = await failure(client.registry.put('k', 'of the client'));
  assert.equal(error.code, 'wrong-cluster');
  assert.equal(error.outcome, 'not-applied');
  assert.ok(error.message.includes(clusterId) && error.message.includes(second.status().clusterId));
  assert.equal((await second.registry.get('k'))?.text(), 'of the second');
  const [seen] = await client.status();
  assert.equal(seen?.status?.clusterId, second.status().clusterId, 'a status is told of any');
});

test('[API-128] a client told its cluster passes over endpoints of others', async () => {
  const [mine, other] = await freeAddresses(2);
  assert.ok(mine !== undefined && other !== undefined);
  await using own = await startAlone(mine);
  await using foreign = await startAlone(other);
  await own.waitForLeader();
  const { clusterId } = own.status();
  // Which endpoint is tried first is drawn.
  for (let i = 1; i <= 5; i++) {
    await using client = await connect({ endpoints: [other, mine], clusterId });
    assert.equal((await client.registry.put('k', 'v')).version, i);
  }
  assert.equal(await foreign.registry.get('k'), undefined);
  const refused = await failure(connect({ endpoints: [other], clusterId }));
  assert.equal(refused.code, 'wrong-cluster');
});
