/** From a cluster under load to a backup, and from the backup to a new cluster. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LevelLogStore } from '../../adapters/level/index.ts';
import { SqliteLogStore } from '../../adapters/sqlite/index.ts';
import {
  connect,
  Holdfast,
  inspectBackup,
  MemoryLogStore,
  op,
  restoreBackup,
  saveBackup,
  type HoldfastNode,
  type LogStore,
} from '../../src/index.ts';
import { freeAddresses, SETTINGS, startCluster, until } from './support/cluster.ts';
import { failure } from './support/failure.ts';

const IDS = ['a', 'b', 'c'];
const BALANCE = 100;
const ACCOUNTS = 10;

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-restore-'));
});
after(() => rm(directory, { recursive: true }));

function startNode(
  id: string,
  peers: Readonly<Record<string, string>>,
  store: LogStore,
  log: string[] = [],
): Promise<HoldfastNode> {
  const listen = peers[id] ?? '';
  return Holdfast.start({
    id,
    listen,
    peers,
    store,
    settings: SETTINGS,
    log: (_level, line) => log.push(line),
  });
}

async function total(node: HoldfastNode): Promise<number> {
  let sum = 0;
  for await (const record of node.registry.records({ prefix: 'accounts/' })) {
    sum += Number(record.text());
  }
  return sum;
}

/** Moves money about until told to stop; resolves to how often. */
async function transfers(node: HoldfastNode, stop: AbortSignal): Promise<number> {
  let count = 0;
  for (; !stop.aborted; count++) {
    const [from, to] = [count % ACCOUNTS, (count * 7 + 3) % ACCOUNTS];
    if (from === to) continue;
    const move = [op.increment(`accounts/${from}`, -1), op.increment(`accounts/${to}`, 1)];
    await node.registry
      .txn()
      .then(...move)
      .commit();
  }
  return count;
}

test('[BACKUP-1] [BACKUP-4] [BACKUP-5] a cluster is restored on other stores', async () => {
  await using old = await startCluster();
  const [source] = old.nodes;
  assert.ok(source !== undefined);
  const { registry } = source;
  for (let i = 0; i < ACCOUNTS; i++) await registry.put(`accounts/${i}`, `${BALANCE}`);
  for (let i = 0; i < 50; i++) await registry.put(`filler/${i}`, new Uint8Array(20_000));
  await registry.put('ttl', 'v', { ttl: '1h' });
  const lock = await registry.lock('job');
  await registry.put('ephemeral', 'v', { ephemeral: true });
  const stop = new AbortController();
  const busy = transfers(source, stop.signal);
  const file = join(directory, 'bank.hfb');
  await using client = await connect({ endpoints: old.endpoints });
  await saveBackup(client.backup(), file);
  stop.abort();
  assert.ok((await busy) > 0, 'there was a load');
  const report = await inspectBackup(file);
  assert.equal(report.clusterId, source.status().clusterId);
  assert.equal(report.keys, ACCOUNTS + 50 + 3);
  // The old cluster goes on, and is lost with what it does then.
  await lock.unlock();
  const late = await registry.lock('job', { session: await registry.openSession() });

  const addresses = await freeAddresses(3);
  const peers = Object.fromEntries(IDS.map((id, i) => [id, addresses[i] ?? '']));
  const stores = [
    new SqliteLogStore({ path: join(directory, 'a.db') }),
    new LevelLogStore({ path: join(directory, 'b') }),
    new MemoryLogStore(),
  ];
  for (const [i, store] of stores.entries()) {
    const restored = await restoreBackup({ file, store, id: IDS[i] ?? '', peers });
    assert.equal(restored.keys, ACCOUNTS + 50 + 1);
    assert.equal(restored.clusterName, 'holdfast');
    assert.ok(restored.endedSessions > 0);
  }
  const nodes = await Promise.all(stores.map((store, i) => startNode(IDS[i] ?? '', peers, store)));
  try {
    const [a, b, c] = nodes;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    for (const node of nodes) assert.equal(await total(node), ACCOUNTS * BALANCE);
    assert.notEqual(a.status().clusterId, source.status().clusterId);
    assert.deepEqual(await b.registry.sessions(), []);
    assert.equal(await c.registry.get('ephemeral'), undefined);
    assert.ok((await a.registry.get('ttl'))?.expiresAt !== undefined);
    const next = await b.registry.lock('job', { try: true });
    assert.ok(next.token > late.token + 900_000_000, `${next.token} after ${late.token}`);
    assert.ok(next.session > late.session);
    const compacted = await failure(c.registry.watch({ prefix: '', from: 5 }).started);
    assert.equal(compacted.code, 'compacted');
    const gone = await failure(a.registry.put('x', 'v', { session: late.session }));
    assert.equal(gone.code, 'session-expired');
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});

test('[BACKUP-7] nodes of the old cluster cannot talk to the restored one', async () => {
  const [where = '', elsewhere = ''] = await freeAddresses(2);
  const log: string[] = [];
  const store = new MemoryLogStore();
  const first = await startNode('a', { a: where }, store);
  await first.registry.put('k', 'v');
  const file = join(directory, 'one.hfb');
  await saveBackup(first.backup(), file);
  await first.addMember({ id: 'b', address: elsewhere, promote: false });
  const { clusterId } = first.status();
  await first.stop();

  const restoredStore = new MemoryLogStore();
  const peers = { b: elsewhere };
  await restoreBackup({ file, store: restoredStore, id: 'b', peers });
  const old = await startNode('a', { a: where }, store, log);
  const restored = await startNode('b', peers, restoredStore);
  try {
    assert.notEqual(restored.status().clusterId, clusterId);
    await restored.registry.put('k', 'new');
    await until('the old node is told', () => log.some((line) => /refused.*cluster id/.test(line)));
    assert.equal((await restored.registry.get('k'))?.text(), 'new');
    assert.equal((await old.registry.get('k'))?.text(), 'v');
  } finally {
    await Promise.all([old.stop(), restored.stop()]);
  }
});

test('[BACKUP-11] a restore that is refused has not touched the store', async () => {
  const node = await startNode('a', { a: (await freeAddresses(1))[0] ?? '' }, new MemoryLogStore());
  await node.registry.put('k', 'v');
  const file = join(directory, 'small.hfb');
  await saveBackup(node.backup(), file);
  await node.stop();
  const peers = { a: '127.0.0.1:7400' };
  const store = new MemoryLogStore();
  const refused: [Record<string, unknown>, string, RegExp][] = [
    [{ file: join(directory, 'absent') }, 'invalid-argument', /ENOENT/],
    [{ id: 'not an id' }, 'invalid-argument', /id: a node id is made of/],
    [{ id: 'z' }, 'invalid-argument', /peers names every node of the new cluster: 'z' is not in a/],
    [{ peers: { a: 'nowhere' } }, 'invalid-argument', /peers.a: an address is host:port/],
    [{ bumpRevision: 0 }, 'invalid-argument', /bumpRevision is at least 1/],
    [{ bumpRevision: 2 ** 53 - 1 }, 'invalid-argument', /above 2\^53 - 1/],
  ];
  for (const [overrides, code, message] of refused) {
    const options = { file, store, id: 'a', peers, ...overrides };
    const error = await failure(restoreBackup(options));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    await assert.rejects(() => store.dump(), 'the store was not opened');
  }
  const restored = await restoreBackup({ file, store, id: 'a', peers, bumpRevision: 7 });
  assert.equal(restored.revision, 1 + 7 + 0);
  assert.match(
    (await failure(restoreBackup({ file, store, id: 'a', peers }))).message,
    /without data/,
  );
});

test('[BACKUP-3] an aborted backup ends, and endpoints that are away are passed over', async () => {
  await using cluster = await startCluster();
  const [a] = cluster.nodes;
  assert.ok(a !== undefined);
  for (let i = 0; i < 20; i++) await a.registry.put(`k${i}`, new Uint8Array(100_000));
  const [away = ''] = await freeAddresses(1);
  await using client = await connect({ endpoints: [away, ...cluster.endpoints] });
  const abort = new AbortController();
  let pieces = 0;
  const reading = (async () => {
    for await (const piece of client.backup({ signal: abort.signal })) {
      assert.ok(piece.length > 0);
      if (++pieces === 2) abort.abort();
    }
  })();
  assert.equal((await failure(reading)).code, 'aborted');
  const left = client.backup()[Symbol.asyncIterator]();
  assert.equal((await left.next()).done, false);
  await left.return?.();
  await saveBackup(client.backup({ consistency: 'local' }), join(directory, 'third.hfb'));
  const file = join(directory, 'fourth.hfb');
  await saveBackup(a.backup(), file);
  assert.equal((await inspectBackup(file)).keys, 20);
});
