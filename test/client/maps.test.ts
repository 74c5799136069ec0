/** Open maps where connections, nodes and sessions fail, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Request } from '../../src/protocol/index.ts';
import {
  decodeCommand,
  encodeCommand,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';
import { codecs, type MapEvent, type MapSubscription } from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';
import { eventually } from './support/wait.ts';

const NOBODY = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: '' };

/** Puts past every client. */
function putRaw({ cluster }: Harness, map: string, key: string, text: string): void {
  const value = new Uint8Array(Buffer.from(text));
  const put = { type: 'mapPut', map, created: 0 as Revision, key, value } as const;
  cluster.apply(encodeCommand(NOBODY, put));
}

async function take<T>(subscription: MapSubscription<T>, count: number): Promise<MapEvent<T>[]> {
  const seen: MapEvent<T>[] = [];
  if (count === 0) return seen;
  for await (const event of subscription) if (seen.push(event) === count) break;
  return seen;
}

/** The client reaches nobody for so long that its sessions end; the cluster goes on. */
async function cutOff({ cluster, time }: Harness, forMs: number): Promise<void> {
  for (const node of cluster.nodes.values()) node.goDown();
  await time.advance(forMs);
  for (const node of cluster.nodes.values()) node.state = 'up';
}

test('[MAP-30] an open map goes on over lost connections and a change of leader', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const map = await time.until(registry.map<number>('m'));
  await time.until(map.put('a', 1));
  for (const node of cluster.nodes.values()) node.cutAll();
  putRaw(harnessed, 'm', 'b', '2');
  cluster.node('a:1').goDown();
  cluster.elect('b:1');
  putRaw(harnessed, 'm', 'c', '3');
  await eventually(time, 'the last', () => map.size === 3);
  await time.until(map.put('d', 4));
  assert.deepEqual(map.toList().flat(), ['a', 1, 'b', 2, 'c', 3, 'd', 4]);
});

test('[MAP-31] an open map overtaken by compaction is listed anew and goes on', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const map = await time.until(registry.map<number>('m'));
  await time.until(map.put('gone', 1));
  await time.advance(100);
  for (const node of cluster.nodes.values()) node.goDown();
  const { revision } = cluster.registry;
  const key = { map: 'm', created: 0 as Revision, key: 'gone' };
  cluster.apply(encodeCommand(NOBODY, { type: 'mapRemove', ...key }));
  putRaw(harnessed, 'm', 'new', '2');
  const compact = { type: 'compact', revision: (revision + 2) as Revision } as const;
  cluster.apply(encodeCommand(NOBODY, compact));
  assert.equal(map.get('gone'), 1, 'until then it serves what it has');
  for (const node of cluster.nodes.values()) node.state = 'up';
  await eventually(time, 'the list', () => map.has('new'));
  assert.equal(map.has('gone'), false);
  putRaw(harnessed, 'm', 'newer', '3');
  await eventually(time, 'the watch', () => map.has('newer'));
});

test('[MAP-32] what was done here is read here, though the watch lags behind', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const map = await time.until(registry.map<number>('m'));
  await time.until(map.put('b', 0));
  await time.advance(100);
  for (const node of cluster.nodes.values()) node.heldBackAt = cluster.registry.revision;
  putRaw(harnessed, 'm', 'a', '1');
  await time.until(map.put('a', 2));
  await time.until(map.remove('b'));
  assert.deepEqual([map.get('a'), map.has('b'), map.size], [2, false, 1]);
  putRaw(harnessed, 'm', 'b', '3');
  putRaw(harnessed, 'm', 'a', '4');
  await time.advance(100);
  assert.deepEqual([map.get('a'), map.has('b')], [2, false]);
  for (const node of cluster.nodes.values()) {
    node.heldBackAt = undefined;
    node.pump();
  }
  await eventually(time, 'the others', () => map.get('a') === 4);
  assert.equal(map.get('b'), 3);
});

test("[MAP-33] after the end of the registry's session a map is open for the next", async () => {
  const harnessed = harness({ sessionTtl: '2s' });
  const { time, cluster, registry, another } = harnessed;
  const map = await time.until(registry.map<number>('m', { prune: true }));
  await time.until(map.put('a', 1));
  await cutOff(harnessed, 5_000);
  await eventually(time, 'the new session', () => cluster.count('openMap') === 2);
  await time.advance(100);
  assert.equal(map.signal.aborted, false);
  assert.equal(map.has('a'), false, 'it was of the session that ended');
  await time.until(map.put('b', 2));
  assert.deepEqual(await time.until(another().map<number>('m', { prune: true })).then(listOf), [
    ['b', 2],
  ]);
});

function listOf<T>(map: { toList(): T }): T {
  return map.toList();
}

test('[MAP-33] one that is not to persist ends, and is not made anew by the way', async () => {
  const harnessed = harness({ sessionTtl: '2s' });
  const { time, cluster, registry } = harnessed;
  const map = await time.until(registry.map<number>('m', { persist: false }));
  await time.until(map.put('a', 1));
  // It learns of its end by opening the map for the next session, not by the watch.
  cluster.fateOf = ({ type }) => (type === 'watch' ? { type: 'lost' } : { type: 'served' });
  await cutOff(harnessed, 5_000);
  await eventually(time, 'the end', () => map.signal.aborted);
  assert.throws(() => map.get('a'), { code: 'no-such-map' });
  await time.advance(5_000);
  assert.deepEqual(await time.until(registry.maps()), []);
  cluster.fateOf = () => ({ type: 'served' });
  const anew = await time.until(registry.map<number>('m', { persist: false }));
  assert.ok(anew.createRevision > map.createRevision && anew.size === 0);
  assert.ok(cluster.count('openMap') >= 2);
});

test('[MAP-34] a map opened for a session ends with it', async () => {
  const { time, registry } = harness();
  const session = await time.until(registry.openSession());
  const map = await time.until(registry.map<number>('m', { session, prune: true }));
  await time.until(map.put('a', 1));
  const following = take(map.subscribe({ from: map.createRevision }), 2);
  await time.advance(100);
  await time.until(session.close());
  assert.throws(() => map.size, { code: 'session-expired' });
  assert.equal((await time.until(following)).length, 1, 'subscriptions end');
  assert.equal((await time.until(registry.rawMap('m').details())).name, 'm');
});

test('[MAP-35] a put whose answer is lost happens once', async () => {
  const { time, cluster, registry } = harness();
  const map = await time.until(registry.map<number>('m'));
  let lost = 0;
  cluster.fateOf = ({ type }) =>
    type === 'propose' && lost++ < 2 ? { type: 'cutAfter' } : { type: 'served' };
  const { revision } = await time.until(map.put('a', 1));
  assert.deepEqual(map.entries(), [{ key: 'a', value: 1, revision }]);
  const record = await time.until(registry.rawMap('m').get('a'));
  assert.deepEqual([record?.version, record?.modRevision], [1, revision]);
});

test('[MAP-36] an opening that failed is tried anew by the next call', async () => {
  const { time, cluster, registry } = harness();
  const before = cluster.leader;
  cluster.leader = '';
  const calls = [registry.map('m'), registry.map('m')].map(failure);
  for (const { code } of await time.until(Promise.all(calls))) assert.match(code, /^no-/);
  cluster.leader = before;
  assert.equal((await time.until(registry.map('m'))).size, 0);
  const controller = new AbortController();
  controller.abort();
  const aborted = registry.map('other', { signal: controller.signal });
  assert.equal((await failure(time.until(aborted))).code, 'aborted');
});

test('[MAP-37] closing the registry ends its maps and leaves nothing running', async () => {
  const { time, registry, another } = harness();
  const closing = another();
  const map = await time.until(closing.map('m'));
  const subscription = map.subscribe();
  await time.until(subscription.started);
  const following = take(subscription, 1);
  await time.until(closing.close());
  assert.equal((map.signal.reason as { code: string }).code, 'closed');
  assert.deepEqual(await time.until(following), []);
  assert.equal((await failure(closing.map('m'))).code, 'closed');
  assert.deepEqual(await time.until(registry.maps()).then((maps) => maps.length), 1);
});

test('[MAP-38] a subscriber that does not read holds no more than a watch does', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const value = 'x'.repeat(100_000);
  const map = await time.until(registry.map<string>('m'));
  const raw = another({ exactlyOnce: false }).rawMap('m');
  const slow = raw.subscribe({ from: 1 });
  await time.until(slow.started);
  const before = cluster.sentToWatches;
  for (let i = 0; i < 60; i++) putRaw(harnessed, 'm', `k${i}`, JSON.stringify(value));
  await eventually(time, 'the map', () => map.size === 60);
  // The open map took all six million; what the slow one was sent is its window.
  const sent = cluster.sentToWatches - before - 60 * 100_000;
  assert.ok(sent < 2.5 * 1_048_576, `${sent} bytes`);
  const all = await time.until(take(slow, 60));
  assert.equal(new Set(all.map(({ key }) => key)).size, 60);
});

test('[MAP-39] a subscription whose history is gone says so; a dropped one ends', async () => {
  for (const dropped of [false, true]) {
    const harnessed = harness();
    const { time, cluster, registry, another } = harnessed;
    const map = await time.until(registry.map<number>('m'));
    const subscription = another().rawMap('m').subscribe();
    await time.until(subscription.started);
    for (const node of cluster.nodes.values()) node.goDown();
    putRaw(harnessed, 'm', 'a', '1');
    const ref = { map: 'm', created: map.createRevision as Revision };
    if (dropped) cluster.apply(encodeCommand(NOBODY, { type: 'dropMap', ...ref }));
    const { revision } = cluster.registry;
    cluster.apply(encodeCommand(NOBODY, { type: 'compact', revision }));
    for (const node of cluster.nodes.values()) node.state = 'up';
    if (dropped) {
      assert.deepEqual(await time.until(take(subscription, 1)), []);
      await eventually(time, 'its end', () => map.signal.aborted);
      continue;
    }
    const error = await failure(time.until(take(subscription, 1)));
    assert.deepEqual([error.code, error.resumeFrom], ['compacted', revision + 1]);
  }
});

test('[MAP-40] what a subscription has told can be read from the map', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  let watches = 0;
  // The map's own watch is asked for again only after a while.
  cluster.fateOf = ({ type }) =>
    type === 'watch' && watches++ === 0 ? { type: 'lost' } : { type: 'served' };
  const map = await time.until(registry.map<number>('m'));
  await time.advance(100);
  const subscription = map.subscribe({ initial: true });
  await time.until(subscription.started);
  const iterator = subscription[Symbol.asyncIterator]();
  for (const text of ['1', '2']) {
    putRaw(harnessed, 'm', 'a', text);
    const { value: event } = await time.until(iterator.next());
    assert.ok(event !== undefined && event.type === 'put');
    assert.deepEqual([map.get('a'), event.value], [Number(text), Number(text)]);
  }
  await time.until(subscription.close());
  assert.equal((await time.until(iterator.next())).done, true);
});

test('[MAP-41] options and keys that break a rule are refused, and nothing is sent', async () => {
  const { time, cluster, registry } = harness();
  const map = await time.until(registry.map<number>('m'));
  const before = cluster.applied.length;
  const loose = registry as { map(name: unknown, options?: object): Promise<unknown> };
  const cases: readonly (readonly [string, RegExp, () => unknown])[] = [
    ['invalid-argument', /persist is true or false/, () => loose.map('x', { persist: 'no' })],
    ['invalid-argument', /no schema of zod 4/, () => loose.map('x', { schema: {} })],
    [
      'invalid-argument',
      /schema or validate, not both/,
      () => loose.map('x', { schema: z.any(), validate: () => true }),
    ],
    ['invalid-argument', /1 to 255 bytes/, () => loose.map('')],
    ['invalid-argument', /1 to 255 bytes/, () => loose.map(7)],
    ['invalid-key', /half of a surrogate pair/, () => map.put('\ud800', 1)],
    ['invalid-key', /is text/, () => map.put(7 as unknown as string, 1)],
    ['invalid-value', /NaN is no JSON number/, () => map.put('k', NaN)],
    ['invalid-argument', /initial or from/, () => map.subscribe({ initial: true, from: 1 })],
    ['invalid-argument', /whole number/, () => map.subscribe({ from: -1 })],
  ];
  for (const [code, message, call] of cases) {
    const error = await failure(Promise.resolve().then(call));
    assert.deepEqual([error.code, error.outcome], [code, 'not-applied'], error.message);
    assert.match(error.message, message);
  }
  assert.equal(cluster.applied.length, before);
});

test('[MAP-42] keys that are no text, and values the codec refuses, are not served', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const told: string[] = [];
  const map = await time.until(
    registry.map('m', {
      onInvalid: ({ key, issues }) => told.push(`${key}: ${issues[0]?.message}`),
    }),
  );
  putRaw(harnessed, 'm', '\xff', '1');
  putRaw(harnessed, 'm', '\xfe', '2');
  await time.until(map.put('\ufffd', 3));
  putRaw(harnessed, 'm', 'torn', '{');
  await eventually(time, 'all of them', () => told.length === 3);
  assert.deepEqual(map.toList(), [['\ufffd', 3]]);
  assert.deepEqual(told.slice(0, 2), Array(2).fill('\ufffd: the key is not UTF-8 text'));
  assert.match(told[2] ?? '', /^torn: the value is not JSON/);
  assert.equal(map.invalid().length, 3);
});

test('[MAP-43] values are typed by schema or codec, and come back as they are read', async () => {
  const { time, registry } = harness();
  const schema = z.object({ at: z.coerce.date(), tags: z.array(z.string()).default([]) });
  const dated = await time.until(registry.map('dated', { schema }));
  const { value } = await time.until(dated.put('k', { at: '2020-02-02' }));
  const at: Date = value.at;
  const tags: string[] = value.tags;
  assert.deepEqual([at.getUTCFullYear(), tags], [2020, []]);
  assert.ok(Object.isFrozen(value.tags));
  type Put = Parameters<typeof dated.put>[1];
  const takesNumbers: { at: string; tags: number[] } extends Put ? true : false = false;
  const takesNoTags: { at: string } extends Put ? true : false = true;
  assert.ok(takesNoTags && !takesNumbers);
  const wrong = failure(time.until(dated.put('k', { tags: [7] } as never)));
  assert.deepEqual(
    (await wrong).issues?.map(({ path }) => path[0]),
    ['at', 'tags'],
  );

  const bytes = await time.until(registry.map('bytes', { codec: codecs.bytes }));
  const stored: Uint8Array = (await time.until(bytes.put('k', Uint8Array.of(1)))).value;
  assert.deepEqual([...stored], [1]);

  const options = { validate: (given: string) => given.startsWith('x'), codec: codecs.text };
  const plain = await time.until(registry.map('plain', options));
  const text: string | undefined = (await time.until(plain.put('k', 'xy'))).value;
  assert.equal(text, plain.get('k'));
  assert.equal((await failure(plain.put('k', 'y'))).code, 'invalid-value');

  // Accepted as given, but not as it would come back from its JSON.
  const date = await time.until(registry.map('date', { schema: z.date() }));
  assert.equal((await failure(date.put('k', new Date(0)))).code, 'invalid-value');
  const waits = z.string().refine(() => Promise.resolve(true));
  const waiting = await time.until(registry.map('waiting', { schema: waits }));
  assert.equal((await failure(waiting.put('k', 'v'))).code, 'invalid-value');
});

test('[MAP-44] opening again never gives a map that others have dropped', async () => {
  const { time, cluster, registry, another } = harness();
  const map = await time.until(registry.map('m'));
  await time.advance(100);
  for (const node of cluster.nodes.values()) node.heldBackAt = cluster.registry.revision;
  await time.until(another().rawMap('m').drop());
  assert.equal(map.signal.aborted, false, 'it does not know yet');
  const anew = await time.until(registry.map('m'));
  assert.ok(anew !== map && anew.createRevision > map.createRevision);
  assert.throws(() => map.size, { code: 'no-such-map' });
  await time.until(anew.put('k', 1));
});

/** What a request commands; undefined when it is no command. */
function commanded(request: Request): string | undefined {
  return request.type === 'propose' ? decodeCommand(request.command).command.type : undefined;
}

test('[MAP-45] opening again waits for the detaching before it', async () => {
  const { time, cluster, registry } = harness();
  const options = { persist: false };
  const map = await time.until(registry.map<number>('m', options));
  await time.advance(100);
  let refusals = 0;
  cluster.fateOf = (request) =>
    commanded(request) === 'detachMap' && refusals++ < 3
      ? { type: 'refused', code: 'no-leader' }
      : { type: 'served' };
  const detaching = map.detach();
  const anew = await time.until(registry.map<number>('m', options));
  await time.until(detaching);
  await time.until(anew.put('k', 1));
  await time.advance(1_000);
  assert.equal(anew.signal.aborted, false);
  assert.deepEqual([anew.get('k'), anew.createRevision > map.createRevision], [1, true]);
});

test('[MAP-45] one detached while a new session opens it is left by that one too', async () => {
  const harnessed = harness({ sessionTtl: '2s' });
  const { time, cluster, registry, another } = harnessed;
  const options = { persist: false };
  const other = await time.until(another({ sessionTtl: '60s' }).map<number>('m', options));
  const map = await time.until(registry.map<number>('m', options));
  let detaching: Promise<void> | undefined;
  cluster.fateOf = (request) => {
    if (commanded(request) === 'openMap') detaching ??= map.detach();
    return { type: 'served' };
  };
  for (const node of cluster.nodes.values()) node.goDown();
  await time.advance(5_000);
  for (const node of cluster.nodes.values()) node.state = 'up';
  await eventually(time, 'the opening for the next session', () => detaching !== undefined);
  await time.until(detaching!);
  await time.until(other.detach());
  await time.advance(100);
  assert.deepEqual(await time.until(registry.maps()), []);
});

test('[MAP-45] one of which not all could be read is not left open', async () => {
  const { time, cluster, registry } = harness();
  cluster.fateOf = ({ type }) => (type === 'query' ? { type: 'lost' } : { type: 'served' });
  const options = { persist: false, timeout: '1s' };
  assert.equal((await failure(time.until(registry.map('m', options)))).code, 'timeout');
  assert.equal(cluster.count('openMap'), 1);
  cluster.fateOf = () => ({ type: 'served' });
  await time.advance(100);
  assert.deepEqual(await time.until(registry.maps()), []);
  await time.until(registry.map('m', options));
});

test('[MAP-46] who joins an opening is bound by its own signal and timeout only', async () => {
  const { time, cluster, registry } = harness();
  cluster.fateOf = ({ type }) => (type === 'query' ? { type: 'lost' } : { type: 'served' });
  const controller = new AbortController();
  const first = failure(registry.map('m', { signal: controller.signal }));
  const joined = registry.map('m');
  const hurried = failure(registry.map('m', { timeout: '1s' }));
  assert.equal((await time.until(hurried)).code, 'timeout');
  cluster.fateOf = () => ({ type: 'served' });
  controller.abort();
  assert.equal((await time.until(first)).code, 'aborted');
  const map = await time.until(joined);
  await time.until(map.put('k', 1));
  assert.equal(await time.until(registry.map('m')), map);
});
