/** Watches on three nodes over the network: their options, and where to go on after an end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, HoldfastError, type HoldfastClient, type Watch } from '../../src/index.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';

const MAX_FRAME_BYTES = 65_536;

let cluster: TestCluster;
let client: HoldfastClient;
/** Of a follower, too: it serves watches from what it has applied. */
let other: HoldfastClient;

before(async () => {
  cluster = await startCluster({ serviceLimits: { maxFrameBytes: MAX_FRAME_BYTES } });
  await cluster.leader();
  client = await connect({ endpoints: cluster.endpoints });
  other = await connect({ endpoints: cluster.endpoints.slice(1) });
});

after(async () => {
  await other.close();
  await client.close();
  await cluster[Symbol.asyncDispose]();
});

async function take<Item>(watch: Watch<Item>, count: number): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of watch) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

async function failureOf(watch: Watch): Promise<HoldfastError> {
  const error: unknown = await take(watch, 1).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HoldfastError, `no HoldfastError: ${String(error)}`);
  return error;
}

test('[API-92] filters, ranges and previous values, over the network', async () => {
  const { registry } = client;
  const { modRevision: from } = await registry.put('f/a', '1');
  await registry.put('f/b', '1');
  await registry.put('f/b', '2');
  await registry.delete('f/b');
  for (const reader of [registry, other.registry]) {
    const watch = reader.watch({ start: 'f/b', end: 'f/c', events: 'delete', from });
    const [event] = await take(watch, 1);
    assert.deepEqual([event?.type, event?.previous?.text()], ['delete', '2']);
  }
  const bare = await take(registry.watch({ key: 'f/b', previous: false, from }), 3);
  assert.deepEqual(
    bare.map(({ type }) => type),
    ['put', 'put', 'delete'],
  );
  assert.ok(bare.every(({ previous }) => previous === undefined));
});

test('[API-93] progress sees what was acknowledged before it, on every node', async () => {
  for (const reader of [other.registry, ...cluster.nodes.map((node) => node.registry)]) {
    const watch = reader.watch({ prefix: 'quiet/' });
    const { modRevision } = await client.registry.put('loud', '');
    assert.ok((await watch.progress()) >= modRevision);
    await watch.close();
  }
});

test('[WATCH-53] compacted says where to go on, over the network, and it works', async () => {
  const { registry } = client;
  const revision = await registry.revision();
  await registry.put('c/1', '1');
  await registry.compact(revision + 1);
  const error = await failureOf(registry.watch({ prefix: 'c/', from: revision }));
  assert.equal(error.code, 'compacted');
  assert.equal(error.resumeFrom, revision + 2);
  await registry.put('c/2', '2');
  const [event] = await take(registry.watch({ prefix: 'c/', from: error.resumeFrom }), 1);
  assert.equal(event?.key, 'c/2');
});

test('[WATCH-58] overrun says where to go on, over the network, and it works', async () => {
  const { registry } = client;
  const session = await registry.openSession();
  const name = 'x'.repeat(900);
  const own = { session, ephemeral: true } as const;
  await Promise.all(Array.from({ length: 80 }, (_, i) => registry.put(`o/${i}/${name}`, '', own)));
  const from = (await registry.revision()) + 1;
  const deletes = registry.watch({ prefix: 'o/', from, events: 'delete' });
  await deletes.started;
  await session.close();
  const error = await failureOf(deletes);
  assert.equal(error.code, 'overrun');
  assert.equal(error.resumeFrom, from + 1);
  await registry.put('o/next', '');
  const [event] = await take(registry.watch({ prefix: 'o/', from: error.resumeFrom }), 1);
  assert.equal(event?.key, 'o/next');
  const [put] = await take(registry.watch({ prefix: 'o/', from, events: 'put' }), 1);
  assert.equal(put?.key, 'o/next', 'whom the large revision does not concern goes past it');
});
