/** Named maps on three real nodes, through an embedded node and through the network client. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import {
  connect,
  Holdfast,
  HoldfastError,
  MemoryLogStore,
  type HoldfastClient,
  type MapEvent,
  type MapSubscription,
  type Registry,
} from '../../src/index.ts';
import {
  freeAddresses,
  SETTINGS,
  startCluster,
  until,
  type TestCluster,
} from './support/cluster.ts';

/** So few that the log is cut and history forgotten while the tests run. */
const HISTORY_REVISIONS = 60;
const limits = { historyRevisions: HISTORY_REVISIONS };
const settings = { ...SETTINGS, snapshotEveryEntries: 50, trailingEntries: 5 };

const schema = z.object({
  enabled: z.boolean(),
  share: z.number().min(0).max(1).default(1),
});

let cluster: TestCluster;
let client: HoldfastClient;

before(async () => {
  cluster = await startCluster({ limits, settings });
  client = await connect({ endpoints: cluster.endpoints, requestTimeout: '15s' });
});
after(async () => {
  await client.close();
  await cluster[Symbol.asyncDispose]();
});

function embedded(i: number): Registry {
  const node = cluster.nodes[i];
  assert.ok(node !== undefined);
  return node.registry;
}

/** Once acting on an embedded node while the network client looks on, once the other way round. */
async function bothWays(
  run: (one: Registry, two: Registry, name: string) => Promise<void>,
): Promise<void> {
  await run(embedded(0), client.registry, 'by a node');
  await run(client.registry, embedded(1), 'by a client');
}

async function failure(promise: Promise<unknown>, code: string): Promise<HoldfastError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HoldfastError, `no HoldfastError: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}

async function take<T>(subscription: MapSubscription<T>, count: number): Promise<MapEvent<T>[]> {
  const seen: MapEvent<T>[] = [];
  if (count === 0) return seen;
  for await (const event of subscription) if (seen.push(event) === count) break;
  return seen;
}

test('[B1] opening again is the same map; conflicting options are refused everywhere', () =>
  bothWays(async (one, two, name) => {
    const [map, again] = await Promise.all([one.map(name, { schema }), one.map(name, { schema })]);
    assert.equal(again, map);
    assert.equal(await one.map(name, { schema }), map);
    const other = await failure(one.map(name, { schema, prune: true }), 'map-conflict');
    assert.match(other.message, /open here with prune false, not true/);
    const typed = await failure(one.map(name, { schema: z.string() }), 'map-conflict');
    assert.match(typed.message, /another schema/);
    const remote = await failure(two.map(name, { persist: false }), 'map-conflict');
    assert.match(remote.message, /created with persist true, not false/);
    assert.equal((await two.map(name, { schema: z.unknown() })).name, name);
    await map.drop();
  }));

test('[B2] detach is for this process, drop for the whole cluster', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name), await two.map(name)];
    await mine.put('k', 1);
    await mine.detach();
    await mine.detach();
    assert.throws(() => mine.get('k'), { code: 'closed' });
    await until('the entry', () => theirs.get('k') === 1);
    const mineAgain = await one.map(name);
    assert.notEqual(mineAgain, mine);
    assert.equal(mineAgain.get('k'), 1);
    await mineAgain.drop();
    await until('the end there', () => theirs.signal.aborted);
    assert.throws(() => theirs.get('k'), { code: 'no-such-map' });
    assert.ok((await one.maps()).every((map) => map.name !== name));
  }));

test('[B3] a put is checked, and then one command; the last write wins', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name, { schema }), await two.map(name, { schema })];
    const start = await one.revision();
    const first = await mine.put('new-checkout', { enabled: true });
    assert.deepEqual(first, {
      key: 'new-checkout',
      value: { enabled: true, share: 1 },
      revision: start + 1,
    });
    const { revision } = await theirs.put('new-checkout', { enabled: false, share: 0.5 });
    assert.equal(revision, start + 2);
    assert.deepEqual(await mine.fetch('new-checkout'), { enabled: false, share: 0.5 });
    await mine.drop();
  }));

test('[B4] removing is fine for a missing key, which is no event', () =>
  bothWays(async (one, two, name) => {
    const map = await one.map(name);
    const subscription = (await two.map(name)).subscribe();
    await subscription.started;
    await map.put('k', 1);
    const put = await one.revision();
    assert.equal(await map.remove('missing'), false);
    assert.equal(await one.revision(), put);
    assert.equal(await map.remove('k'), true);
    assert.equal(await map.delete('k'), false);
    await map.put('end', 2);
    const told = (await take(subscription, 3)).map(({ type, key }) => `${type} ${key}`);
    assert.deepEqual(told, ['put k', 'remove k', 'put end']);
    await map.drop();
  }));

test('[B5] local reads give values at once; fetch sees what was acknowledged anywhere', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name, { schema }), await two.map(name, { schema })];
    for (const key of ['b', '\u{1f600}', 'a', '\uffee']) {
      await mine.put(key, { enabled: true });
      assert.equal(mine.get(key)?.enabled, true, 'what was put shows here');
      assert.equal((await theirs.fetch(key))?.enabled, true);
    }
    const inOrder = ['a', 'b', '\uffee', '\u{1f600}'];
    assert.deepEqual(mine.keys(), inOrder);
    assert.deepEqual([mine.size, mine.has('a'), mine.has('c')], [4, true, false]);
    await until('them all', () => theirs.size === 4);
    assert.deepEqual(theirs.entries(), mine.entries());
    assert.deepEqual(await theirs.fetchAll(), mine.entries());
    assert.deepEqual([...new Map(theirs.toList()).keys()], inOrder);
    assert.equal(await theirs.fetch('c'), undefined);
    const value = theirs.get('a');
    assert.ok(value !== undefined && value === theirs.get('a'), 'decoded once');
    assert.throws(() => (value.enabled = false), TypeError);
    await mine.remove('a');
    assert.equal(mine.get('a'), undefined, 'what was removed is gone here');
    await mine.drop();
  }));

test('[B6] subscriptions begin with a snapshot or at a revision, and miss and repeat nothing', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name), await two.map(name)];
    const { revision } = await mine.put('n0', 0);
    const writing = (async () => {
      for (let i = 1; i < 30; i++) await mine.put(`n${i % 7}`, i);
      await mine.remove('n0');
    })();
    await using whole = theirs.subscribe({ initial: true });
    await using since = theirs.subscribe({ from: revision });
    const all = await take(since, 31);
    assert.deepEqual(
      all.map((event) => (event.type === 'put' ? event.value : event.type)),
      [...Array(30).keys(), 'remove'],
    );
    await writing;
    // The snapshot and what follows come to the same map, in growing revisions after it.
    const { revision: asOf } = await whole.started;
    const built = new Map<string, unknown>();
    let last = 0;
    for await (const event of whole) {
      if (event.revision > asOf) assert.ok(event.revision > last);
      last = event.revision;
      if (event.type === 'put') built.set(event.key, event.value);
      else built.delete(event.key);
      if (event.type === 'remove') break;
    }
    assert.deepEqual(built, new Map(await theirs.fetchAll().then(pairs)));
    const again = await take(theirs.subscribe({ from: all[9]!.revision }), 2);
    assert.deepEqual(again, all.slice(9, 11));
    const until7 = new AbortController();
    const ended = take(theirs.subscribe({ signal: until7.signal }), 1);
    until7.abort();
    assert.deepEqual(await ended, []);
    await mine.drop();
    assert.deepEqual(await take(since, 1), []);
  }));

function pairs<T>(entries: readonly { readonly key: string; readonly value: T }[]): [string, T][] {
  return entries.map(({ key, value }) => [key, value]);
}

test('[B7] the schema refuses what is put with its issues, and what is stored is not served', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name, { schema }), await two.map(name, { schema })];
    const start = await one.revision();
    const refused = await failure(mine.put('k', { enabled: true, share: 7 }), 'invalid-value');
    assert.deepEqual(
      refused.issues?.map(({ path }) => path),
      [['share']],
    );
    assert.match(refused.message, /map 'by a .*', key 'k': share: .*<=1/);
    assert.equal(await one.revision(), start, 'nothing was sent');
    // Another version, or a tool, knows of no schema.
    await mine.put('k', { enabled: true });
    await one.rawMap(name).put('k', { enabled: 'yes' });
    await one.rawMap(name).put('torn', '{"enabled":');
    await until('both', () => theirs.invalid().length === 2);
    assert.deepEqual([theirs.get('k'), theirs.size, theirs.keys()], [undefined, 0, []]);
    const [bad] = theirs.invalid();
    assert.deepEqual([bad?.key, bad?.issues[0]?.path], ['k', ['enabled']]);
    assert.deepEqual((await failure(theirs.fetch('k'), 'invalid-value')).issues, bad?.issues);
    assert.deepEqual(await theirs.fetchAll(), []);
    const told = await take(theirs.subscribe({ initial: true }), 2);
    assert.deepEqual(
      told.map(({ type, key }) => `${type} ${key}`),
      ['invalid k', 'invalid torn'],
    );
    await mine.drop();
  }));

function validate(value: unknown): value is number {
  if (value === 13) throw new Error('unlucky');
  return typeof value === 'number';
}

test('[B7] a validate function refuses by anything but true, also by throwing', () =>
  bothWays(async (one, _two, name) => {
    const map = await one.map(name, { validate });
    const { value } = await map.put('k', 7);
    assert.equal(value + 1, 8);
    await failure(map.put('k', 'seven' as unknown as number), 'invalid-value');
    assert.match((await failure(map.put('k', 13), 'invalid-value')).message, /unlucky/);
    assert.equal(map.get('k'), 7);
    await map.drop();
  }));

test('[B8] changes are remembered for watchers until compaction; an open map outlives it', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name), await two.map(name)];
    const { revision } = await mine.put('n', 0);
    for (let i = 1; i <= HISTORY_REVISIONS + 5; i++) await mine.put('n', i);
    const late = take(theirs.subscribe({ from: revision }), 1);
    const forgotten = await failure(late, 'compacted');
    const { resumeFrom } = forgotten;
    assert.ok(resumeFrom !== undefined && resumeFrom > revision);
    const [first] = await take(theirs.subscribe({ from: resumeFrom }), 1);
    assert.equal(first?.revision, resumeFrom);
    await until('the last', () => theirs.get('n') === HISTORY_REVISIONS + 5);
    await mine.drop();
  }));

test('[B9] [B10] entries go with a session that is renewed no more, though nobody writes', () =>
  bothWays(async (one, two, name) => {
    const mine = await one.map(name, { prune: true });
    const theirs = await two.map(name, { prune: true });
    const { id: session } = await one.openSession({ ttl: '1s', keepAlive: false });
    await mine.put('of a session that ends', 1, { session });
    await mine.put('taken over', 1, { session });
    await theirs.put('taken over', 2);
    await mine.put('of mine', 3);
    await until('its end', () => theirs.has('of mine') && !theirs.has('of a session that ends'));
    assert.deepEqual(theirs.keys(), ['of mine', 'taken over']);
    await mine.drop();
  }));

test('[B11] without persist a map lives as long as someone has it open', () =>
  bothWays(async (one, two, name) => {
    const options = { persist: false } as const;
    const mine = await one.map(name, options);
    const theirs = await two.map(name, options);
    await mine.put('k', 1);
    await mine.detach();
    assert.equal(await theirs.fetch('k'), 1);
    await theirs.detach();
    await failure(one.rawMap(name).get('k'), 'no-such-map');
    const anew = await one.map(name, options);
    assert.equal(anew.size, 0);
    await using session = await two.openSession();
    const ofSession = await two.map(name, { ...options, session });
    await anew.detach();
    assert.equal(ofSession.signal.aborted, false);
    await session.close();
    assert.throws(() => ofSession.size, { code: 'session-expired' });
    await failure(one.rawMap(name).details(), 'no-such-map');
  }));

test('[B12] after a drop by anyone everything about the map says so', () =>
  bothWays(async (one, two, name) => {
    const [mine, theirs] = [await one.map(name), await two.map(name)];
    const subscription = theirs.subscribe();
    await subscription.started;
    await mine.put('k', 1);
    await mine.drop();
    const told = await take(subscription, 2);
    assert.deepEqual(
      told.map(({ type, key }) => `${type} ${key}`),
      ['put k'],
    );
    const calls: readonly (() => Promise<unknown>)[] = [
      () => mine.put('k', 1),
      () => theirs.put('k', 1),
      () => theirs.remove('k'),
      () => theirs.fetch('k'),
      () => theirs.fetchAll(),
      () => theirs.drop(),
    ];
    for (const call of calls) await failure(call(), 'no-such-map');
    assert.equal((theirs.signal.reason as HoldfastError).code, 'no-such-map');
    assert.throws(() => theirs.subscribe(), { code: 'no-such-map' });
    await failure(one.rawMap(name).put('k', 1), 'no-such-map');
    for (const bad of ['', 'a\0b', 'x'.repeat(256)]) {
      await failure(one.map(bad), 'invalid-argument');
    }
    const next = await one.map(name);
    await failure(next.put('', 1), 'invalid-key');
    await failure(theirs.put('k', 1), 'no-such-map');
    await next.drop();
  }));

test('[B13] a node that joins late has the map, from a snapshot and the log', async () => {
  const map = await client.registry.map('late', { schema });
  for (let i = 0; i < 60; i++) await map.put(`k${i % 5}`, { enabled: i % 2 === 0 });
  await until('a snapshot', async () =>
    (await client.status()).some(({ status }) => (status?.snapshotIndex ?? 0) > 0),
  );
  const [address] = await freeAddresses(1);
  assert.ok(address !== undefined);
  await client.addMember({ id: 'd', address });
  await using joining = await Holdfast.start({
    id: 'd',
    listen: address,
    peers: {},
    store: new MemoryLogStore(),
    settings,
    limits,
  });
  await until('d to vote', async () =>
    (await client.members()).some(({ id, role }) => id === 'd' && role === 'voter'),
  );
  assert.ok(joining.status().snapshotIndex > 0, 'it was sent a snapshot');
  const there = await joining.registry.map('late', { schema });
  assert.deepEqual(there.entries(), map.entries());
  const raw: string[] = [];
  const local = joining.registry.rawMap('late').records({ consistency: 'local' });
  for await (const record of local) raw.push(record.key);
  assert.deepEqual(raw, map.keys());
  await client.removeMember('d');
});
