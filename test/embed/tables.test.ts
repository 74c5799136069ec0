/** Tables with edges on three real nodes, through one in this process and over the network. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  connect,
  type Connection,
  type EdgeType,
  type HoldfastClient,
  type Notice,
  type Notices,
  type Registry,
  type Table,
} from '../../src/index.ts';
import { startCluster, until, type TestCluster } from './support/cluster.ts';

const EDGE_TYPES: readonly EdgeType[] = ['link', 'forward_link', 'backward_link', 'monitor'];

let cluster: TestCluster;
let client: HoldfastClient;

before(async () => {
  cluster = await startCluster();
  client = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
});

after(async () => {
  await client.close();
  await cluster[Symbol.asyncDispose]();
});

/** A registry, the table of a test's own, and one to reach it by from elsewhere. */
interface Place {
  readonly registry: Registry;
  readonly table: Table;
  readonly elsewhere: Registry;
}

/** The same test through either registry. */
function everyWay(name: string, body: (place: Place) => Promise<void>): void {
  for (const way of ['embedded', 'network'] as const) {
    test(`${name} (${way})`, async () => {
      const near = cluster.nodes[1]!.registry;
      const registry = way === 'embedded' ? near : client.registry;
      const elsewhere = way === 'embedded' ? client.registry : near;
      const table = await registry.table(`${name} ${way}`.slice(0, 200));
      await body({ registry, table, elsewhere });
    });
  }
}

/** The next so many notices, one after the other. */
async function take(notices: AsyncIterator<Notice>, count: number): Promise<Notice[]> {
  const seen: Notice[] = [];
  while (seen.length < count) {
    const next = await notices.next();
    if (next.done === true) throw new Error('the notices ended');
    seen.push(next.value);
  }
  return seen;
}

/** A session that traps exits, and what it is told; nothing of earlier tests. */
async function listener(registry: Registry): Promise<{
  readonly id: number;
  readonly notices: AsyncIterator<Notice>;
  readonly end: () => Promise<void>;
}> {
  const session = await registry.openSession({ trapExits: true, ttl: '30s' });
  const stream: Notices = registry.notices({ session });
  const end = async (): Promise<void> => {
    await stream.close();
    await session.close();
  };
  return { id: session.id, notices: stream[Symbol.asyncIterator](), end };
}

function keysOf(records: readonly { readonly key: string }[]): string[] {
  return records.map(({ key }) => key);
}

/** What a notice says, in short. */
function told({ type, connection, reason }: Notice): unknown[] {
  return [type, connection.type, connection.key, connection.id, reason];
}

everyWay('[T1] a table is opened once; tied to its opener it goes with it', async (place) => {
  const { registry, elsewhere, table } = place;
  assert.equal(table.existed, false);
  assert.equal((await elsewhere.table(table.name)).existed, true);
  await using opener = await registry.openSession({ ttl: '30s' });
  const linked = await registry.table(`${table.name}!`, { session: opener, link: true });
  await linked.store('k', 'v');
  const { id, notices, end } = await listener(elsewhere);
  const connection = await linked.connect('link', id, 'k');
  await opener.close();
  const [notice] = await take(notices, 1);
  const reason = { type: 'tableDown', why: 'closed' };
  assert.deepEqual(told(notice!), ['exit', 'link', 'k', connection.id, reason]);
  await assert.rejects(linked.find('k'), { code: 'no-such-table' });
  await end();
});

everyWay(
  '[T2] store puts where nothing is, and tells what is there',
  async ({ table, elsewhere }) => {
    const first = await table.store('k', 'one');
    assert.ok(first.stored);
    assert.equal(first.record.key, 'k');
    const second = await (await elsewhere.table(table.name)).store('k', 'two');
    assert.ok(!second.stored);
    assert.equal(second.current.text(), 'one');
    assert.equal((await table.find('k'))?.text(), 'one');
  },
);

everyWay('[T3] store and connect are one step, or neither', async ({ registry, table }) => {
  const { id, notices, end } = await listener(registry);
  const stored = await table.storeConnect('monitor', id, 'k', 'v');
  assert.ok(stored.stored && stored.connection?.peer === id);
  const refused = await table.storeConnect('monitor', id, 'k', 'other');
  assert.equal(refused.stored, false);
  await table.erase('k');
  const sentinel = await table.connect('monitor', id, 'k');
  const seen = await take(notices, 2);
  assert.deepEqual(
    seen.map(({ connection }) => connection.id),
    [stored.connection?.id, sentinel.id],
  );
  await end();
});

everyWay('[T4] find and list, in the order of keys', async ({ table, elsewhere }) => {
  for (const key of ['b', 'a', 'c']) await table.store(key, `of ${key}`);
  const there = await elsewhere.table(table.name);
  assert.deepEqual(keysOf(await there.toList()), ['a', 'b', 'c']);
  assert.equal((await there.find('b'))?.text(), 'of b');
  assert.equal(await there.find('d'), undefined);
  assert.deepEqual(keysOf(await there.toList({ prefix: 'c', consistency: 'lease' })), ['c']);
});

everyWay('[T5] erase takes an entry, or none; notices name who did it', async (place) => {
  const { registry, table } = place;
  const { id, notices, end } = await listener(registry);
  await using eraser = await registry.openSession({ ttl: '30s' });
  await table.erase('k', { session: eraser });
  await table.storeConnect('monitor', id, 'k', 'v');
  await table.erase('k', { session: eraser });
  const [notice] = await take(notices, 1);
  assert.deepEqual(notice?.reason, { type: 'erased', by: eraser.id });
  assert.equal(await table.find('k'), undefined);
  await end();
});

everyWay('[T6] connect always gives a reference, each told of on its own', async (place) => {
  const { registry, table } = place;
  const { id, notices, end } = await listener(registry);
  const absent: Connection[] = [];
  for (const type of EDGE_TYPES) absent.push(await table.connect(type, id, 'absent'));
  await table.store('k', 'v');
  const twice = [await table.connect('monitor', id, 'k'), await table.connect('link', id, 'k')];
  await table.erase('k');
  const seen = await take(notices, 5);
  const expected = [absent[0], absent[1], absent[3], ...twice];
  assert.deepEqual(
    seen.map(({ connection }) => connection),
    expected,
  );
  assert.deepEqual(seen.slice(0, 3).map(told), [
    ['exit', 'link', 'absent', absent[0]?.id, { type: 'noentry' }],
    ['exit', 'forward_link', 'absent', absent[1]?.id, { type: 'noentry' }],
    ['down', 'monitor', 'absent', absent[3]?.id, { type: 'noentry' }],
  ]);
  await end();
  for (const type of EDGE_TYPES) {
    await table.store(type, 'v');
    const { peer } = await table.connect(type, id, type);
    assert.equal(peer, id);
  }
  assert.deepEqual(keysOf(await table.toList()), ['forward_link', 'monitor']);
});

everyWay('[T7] disconnect is idempotent, and nothing more is seen of it', async (place) => {
  const { registry, table } = place;
  const { id, notices, end } = await listener(registry);
  await table.store('k', 'v');
  const kept = await table.connect('monitor', id, 'k');
  const early = await table.connect('monitor', id, 'k');
  const waiting = await table.connect('monitor', id, 'k');
  await table.disconnect(early);
  await table.disconnect(early);
  await table.erase('k');
  // The first is in hand now, and the next waits here or on the cluster.
  const seen = await take(notices, 1);
  await table.disconnect(waiting);
  const sentinel = await table.connect('monitor', id, 'k');
  seen.push(...(await take(notices, 1)));
  assert.deepEqual(
    seen.map(({ connection }) => connection.id),
    [kept.id, sentinel.id],
  );
  await end();
});

everyWay("[T8] disconnectAll ends all of one session's edges on a key", async (place) => {
  const { registry, table, elsewhere } = place;
  const one = await listener(registry);
  const other = await listener(elsewhere);
  await table.store('k', 'v');
  await table.store('l', 'v');
  const mine = [
    await table.connect('monitor', one.id, 'k'),
    await table.connect('link', one.id, 'k'),
  ];
  const others = await table.connect('monitor', other.id, 'k');
  const elsewhereToo = await table.connect('monitor', one.id, 'l');
  assert.deepEqual(
    await table.disconnectAll(one.id, 'k'),
    mine.map(({ id }) => id),
  );
  assert.deepEqual(await table.disconnectAll(one.id, 'k'), []);
  await table.erase('k');
  await table.erase('l');
  assert.equal((await take(one.notices, 1))[0]?.connection.id, elsewhereToo.id);
  assert.equal((await take(other.notices, 1))[0]?.connection.id, others.id);
  await one.end();
  await other.end();
});

everyWay('[T9] flush drops what has come and waits here', async ({ registry, table }) => {
  const { id, notices, end } = await listener(registry);
  for (const key of ['a', 'b', 'c', 'd']) await table.storeConnect('monitor', id, key, 'v');
  const b = await table.connect('monitor', id, 'b');
  for (const key of ['a', 'b', 'c', 'd']) await table.erase(key);
  await take(notices, 1);
  await until('b waits here, and is flushed', () => table.flush(b) === 1);
  await until('so does c', () => table.flush(id, 'c') === 1);
  const seen = await take(notices, 2);
  assert.deepEqual(
    seen.map(({ connection }) => connection.key),
    ['b', 'd'],
  );
  await end();
});

everyWay('[T10] an exit notice closes a session that does not trap exits', async (place) => {
  const { registry, table, elsewhere } = place;
  const { id, notices, end } = await listener(elsewhere);
  const session = await registry.openSession({ ttl: '30s' });
  await table.storeConnect('link', session, 'mine', 'v');
  await table.storeConnect('backward_link', session, 'also mine', 'v');
  const watched = await table.connect('monitor', id, 'also mine');
  const exit = await table.connect('link', id, 'mine');
  await table.erase('mine');
  const seen = await take(notices, 2);
  const cause = { type: 'exit', peer: session.id, why: 'exit' };
  assert.deepEqual(told(seen[0]!), ['down', 'monitor', 'also mine', watched.id, cause]);
  assert.deepEqual(told(seen[1]!).slice(0, 4), ['exit', 'link', 'mine', exit.id]);
  assert.equal(seen[0]?.revision, seen[1]?.revision, 'all of it is one revision');
  assert.deepEqual(await table.toList(), []);
  await assert.rejects(session.keepAlive(), { code: 'session-expired', message: /exit notice/ });
  assert.ok(session.signal.aborted);
  await assert.rejects(table.store('k', 'v', { session }), { code: 'session-expired' });
  await end();
});

everyWay('[T11] every reason, as its notice gives it', async ({ registry, table, elsewhere }) => {
  const { id, notices, end } = await listener(registry);
  const closing = await elsewhere.openSession({ ttl: '30s' });
  await table.storeConnect('link', closing, 'closes', 'v');
  await table.connect('monitor', id, 'closes');
  await closing.close();
  await table.storeConnect('monitor', id, 'unknown', 'v');
  await table.connect('link', closing, 'unknown');
  await table.storeConnect('forward_link', id, 'erased', 'v');
  await table.erase('erased', { session: id });
  await table.connect('monitor', id, 'absent');
  await table.storeConnect('forward_link', id, 'dropped', 'v');
  await table.drop();
  const seen = await take(notices, 5);
  assert.deepEqual(
    seen.map(({ reason }) => reason),
    [
      { type: 'exit', peer: closing.id, why: 'closed' },
      { type: 'exit', peer: closing.id, why: 'unknown' },
      { type: 'erased', by: id },
      { type: 'noentry' },
      { type: 'tableDown', why: 'dropped' },
    ],
  );
  await end();
});

async function expire(registry: Registry, name: string): Promise<void> {
  const table = await registry.table(name);
  const { id, notices, end } = await listener(registry);
  const session = await registry.openSession({ ttl: '2s', keepAlive: false });
  await table.storeConnect('backward_link', session, 'k', 'v');
  await table.connect('monitor', id, 'k');
  const [notice] = await take(notices, 1);
  assert.deepEqual(notice?.reason, { type: 'exit', peer: session.id, why: 'expired' });
  await end();
}

test('[T11] a session that expires is the reason too, through either registry', async () => {
  await Promise.all([
    expire(client.registry, 'expiry/network'),
    expire(cluster.nodes[0]!.registry, 'expiry/embedded'),
  ]);
});

test('[T10] [TABLE-57] the own session of a registry is told, not closed', async () => {
  const { registry } = client;
  const table = await registry.table('own');
  const { stored } = await table.storeConnect('link', 'self', 'k', 'v');
  assert.ok(stored);
  await registry.put('mine', 'v', { ephemeral: true });
  const notices = registry.notices();
  await table.erase('k');
  const [notice] = await take(notices[Symbol.asyncIterator](), 1);
  assert.equal(notice?.type, 'exit');
  await notices.close();
  assert.equal((await registry.get('mine'))?.session, notice?.connection.peer);
});

// Last: it leaves two nodes.
test('[T10] [TABLE-70] notices come once though the node their client talks to stops', async () => {
  const count = 60;
  const leader = await cluster.leader();
  const other = cluster.nodes.find((node) => node !== leader)!;
  const consumer = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
  const table = await consumer.registry.table('moving');
  const ids: number[] = [];
  const keys = Array.from({ length: count }, (_, i) => `k${i}`);
  for (const key of keys) {
    await table.store(key, 'v');
    ids.push((await table.connect('link', 'self', key)).id);
  }
  const elsewhere = await other.registry.table('moving');
  const stream = consumer.registry.notices();
  const notices = stream[Symbol.asyncIterator]();
  const erase = async (some: readonly string[]): Promise<void> => {
    for (const key of some) await elsewhere.erase(key, { timeout: '20s' });
  };
  await erase(keys.slice(0, 20));
  const seen = await take(notices, 10);
  const stopping = leader.stop();
  const erasing = erase(keys.slice(20));
  seen.push(...(await take(notices, count - 10)));
  await Promise.all([stopping, erasing]);
  const sentinel = await table.connect('link', 'self', 'sentinel');
  seen.push(...(await take(notices, 1)));
  assert.deepEqual(
    seen.map(({ connection }) => connection.id),
    [...ids, sentinel.id],
  );
  await stream.close();
  await consumer.close();
});
