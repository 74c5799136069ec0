/** One node is taken out, and installed anew, while the cluster and its clients go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, HoldfastError, type HoldfastNode, type Registry } from '../../src/index.ts';
import { startCluster, until, type TestCluster } from './support/cluster.ts';

async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HoldfastError, `no HoldfastError: ${String(error)}`);
  return error;
}

function votes(node: HoldfastNode, id: string): boolean {
  return node.members().some((member) => member.id === id && member.role === 'voter');
}

/** Writes one after another until told to stop; resolves to how many were acknowledged. */
function keepWriting(registry: Registry): { readonly stop: () => Promise<number> } {
  const state = { stopped: false };
  const writing = (async (): Promise<number> => {
    let written = 0;
    while (!state.stopped) {
      await registry.put(`w/${written % 50}`, `${written}`);
      await registry.increment('w/count');
      written++;
    }
    return written;
  })();
  return {
    stop: () => {
      state.stopped = true;
      return writing;
    },
  };
}

async function follower(cluster: TestCluster): Promise<HoldfastNode> {
  const leader = await cluster.leader();
  const found = cluster.nodes.find((node) => node !== leader);
  assert.ok(found !== undefined);
  return found;
}

test('[TREE-50] a quarantined leader hands over and sends clients elsewhere', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
  const leader = await cluster.leader();
  await leader.registry.put('k', '1');
  const watch = client.registry.watch({ prefix: 'k' });
  await watch.started;
  await client.quarantine(leader.id);
  await until('another leads', () => {
    const { leader: now } = leader.status();
    return now !== undefined && now !== leader.id;
  });
  assert.match(leader.status().unhealthy ?? '', /quarantined/);
  // The client was connected to it.
  await client.registry.put('k', '2');
  for await (const event of watch) {
    assert.equal(event.record.text(), '2');
    break;
  }
  for (const call of [
    () => leader.registry.get('k', { consistency: 'local', timeout: 200 }),
    () => leader.registry.put('k', '3', { timeout: 200 }),
  ]) {
    const error = await failure(call());
    assert.equal(error.code, 'quarantined');
    assert.match(error.message, /ask another/);
  }
  await client.endQuarantine(leader.id);
  assert.equal(leader.status().unhealthy, undefined);
  assert.equal((await leader.registry.get('k'))?.text(), '2');
});

test('[TREE-51] [TREE-52] a node is installed anew while writes go on', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
  for (const pick of [follower, (all: TestCluster) => all.leader()]) {
    const node = await pick(cluster);
    await using session = await node.registry.openSession({ ttl: '30s' });
    const lock = await node.registry.lock('held', { session });
    const { storeId } = node.status();
    const writing = keepWriting(client.registry);
    const before = Number((await client.registry.get('w/count'))?.text() ?? 0);
    let written: number;
    try {
      await client.reinstall(node.id);
    } finally {
      written = await writing.stop();
    }
    assert.ok(written > 0, 'writes went on');
    assert.notEqual(node.status().storeId, storeId);
    assert.ok(cluster.nodes.every((one) => votes(one, node.id)));
    // Everything acknowledged is there, once; also what was written before.
    const count = await node.registry.get('w/count');
    assert.equal(Number(count?.text()), before + written);
    assert.equal((await node.registry.get('held'))?.lock?.token, undefined);
    await lock.unlock();
    await node.registry.put('after', node.id);
  }
});

test('[TREE-53] nobody is installed anew while another is away, or alone', async () => {
  await using cluster = await startCluster();
  await using client = await connect({ endpoints: cluster.endpoints, requestTimeout: '5s' });
  const [one, two] = cluster.nodes;
  assert.ok(one !== undefined && two !== undefined);
  await client.registry.put('k', '1');
  await two.stop();
  await until('the others go on', async () => {
    const written = await client.registry.put('k', '2', { timeout: '5s' }).catch(() => undefined);
    return written !== undefined;
  });
  await until('it is missed', async () => {
    const error = await failure(client.reinstall(one.id));
    if (error.code !== 'membership-refused') return false;
    assert.match(error.message, new RegExp(`${two.id} cannot be reached`));
    return true;
  });
  // It was refused, so it serves on.
  assert.equal((await one.registry.get('k'))?.text(), '2');
  const unknown = await failure(client.reinstall('zz'));
  assert.match(unknown.message, /zz is no member: there are a, b, c/);
});
