/** One node is taken out, and installed anew, while the cluster and its clients go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connect,
  Holdfast,
  MemoryLogStore,
  type HoldfastNode,
  type LogStore,
  type OpenOptions,
  type RecoveredLog,
  type Registry,
} from '../../src/index.ts';
import { LevelLogStore } from '../../adapters/level/index.ts';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import {
  freeAddresses,
  SETTINGS,
  startCluster,
  until,
  type TestCluster,
} from './support/cluster.ts';
import { failure } from './support/failure.ts';

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

test('[TREE-51] [TREE-54] stores on disk are emptied too; a stop amid it is no harm', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-reinstall-'));
  const [a, b, c] = await freeAddresses(3);
  const peers = { a: a ?? '', b: b ?? '', c: c ?? '' };
  const start = (id: keyof typeof peers, store: LogStore): Promise<HoldfastNode> =>
    Holdfast.start({ id, listen: peers[id], peers, store, settings: SETTINGS });
  const levelAt = (): LevelLogStore => new LevelLogStore({ path: join(directory, 'c') });
  const nodes = await Promise.all([
    start('a', new MemoryLogStore()),
    start('b', new SqliteLogStore({ path: join(directory, 'b.db') })),
    start('c', levelAt()),
  ]);
  try {
    await using client = await connect({ endpoints: Object.values(peers), requestTimeout: '20s' });
    await client.registry.put('k', 'kept');
    await client.reinstall('b');
    const [one, two, three] = nodes;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    assert.equal((await two.registry.get('k', { consistency: 'local' }))?.text(), 'kept');
    const { storeId } = three.status();
    const reinstalling = client.reinstall('c').catch(() => undefined);
    await until('its store is given up', () => {
      const members = Object.entries(one.status().membership?.members ?? {});
      return members.some(([id, recorded]) => id === 'c' && recorded.storeId !== storeId);
    });
    await three.stop();
    // As its process would do after a crash: on whatever is left there.
    nodes[2] = await start('c', levelAt());
    await reinstalling;
    if (nodes[2].status().storeId === storeId) await client.reinstall('c');
    await until('it votes again', () => one.members().every(({ role }) => role === 'voter'));
    assert.equal((await nodes[2].registry.get('k'))?.text(), 'kept');
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(directory, { recursive: true, force: true });
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

/** Its second life begins when it is told to. */
class WaitingStore extends MemoryLogStore {
  lives = 0;
  begin: () => void = () => undefined;

  override async open(options: OpenOptions): Promise<RecoveredLog> {
    if (++this.lives > 1) {
      await new Promise<void>((resolve) => {
        this.begin = resolve;
      });
    }
    return await super.open(options);
  }
}

test('[TREE-56] a node stopped while it is installed anew did not fail', async () => {
  const endpoints = await freeAddresses(3);
  const peers = Object.fromEntries(['a', 'b', 'c'].map((id, i) => [id, endpoints[i] ?? '']));
  const store = new WaitingStore();
  const nodes = await Promise.all(
    ['a', 'b', 'c'].map((id) => {
      const own = id === 'c' ? store : new MemoryLogStore();
      return Holdfast.start({ id, listen: peers[id] ?? '', peers, store: own, settings: SETTINGS });
    }),
  );
  const c = nodes[2];
  assert.ok(c !== undefined);
  const abort = new AbortController();
  try {
    await using client = await connect({ endpoints, requestTimeout: '20s' });
    const reinstalling = failure(client.reinstall('c', { signal: abort.signal }));
    await until('it begins anew', () => store.lives === 2);
    const stopping = c.stop();
    store.begin();
    await stopping;
    assert.equal(await c.stopped, undefined);
    abort.abort();
    await reinstalling;
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});
