/** Notices as a client consumes them: each once, whatever becomes of connections and answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionIds, makeEdges, nextOf, pendingOn, type Edges } from './support/notices.ts';
import type { Notice, Registry } from '../../src/client/index.ts';
import { decodeCommand, decodeQuery } from '../../src/registry/index.ts';
import type { Request } from '../../src/protocol/index.ts';
import type { Fate } from './support/fake-cluster.ts';
import { failure, harness, type Harness } from './support/harness.ts';
import { eventually } from './support/wait.ts';

/** Takes so many, asking for each after the one before. */
async function take(registry: Registry, count: number, session?: number): Promise<Notice[]> {
  const seen: Notice[] = [];
  const whose = session === undefined ? {} : { session };
  for await (const notice of registry.notices(whose)) {
    seen.push(notice);
    if (seen.length >= count) break;
  }
  return seen;
}

/** A third of everything meets some mishap. */
function unkind({ time, cluster }: Harness): void {
  const fates: Fate[] = [
    { type: 'cutAfter' },
    { type: 'cutBefore' },
    { type: 'doubted' },
    { type: 'repeated', afterMs: 30 },
  ];
  cluster.fateOf = (): Fate => {
    const draw = Math.floor(time.random() * fates.length * 3);
    return fates[draw] ?? { type: 'served' };
  };
}

for (const seed of [1, 2, 3]) {
  test(`[TABLE-60] each notice once and in order, whatever is cut (${seed})`, async () => {
    const harnessed = harness({ seed, requestTimeout: '60s', sessionTtl: '10m' });
    const { time, registry, another } = harnessed;
    const edges = await makeEdges(harnessed, 30);
    unkind(harnessed);
    const eraser = another({ exactlyOnce: true });
    const erasing = (async () => {
      const table = await eraser.table('jobs');
      for (const key of edges.keys) await table.erase(key);
    })();
    const seen = await time.until(take(registry, edges.keys.length));
    await time.until(erasing);
    assert.deepEqual(connectionIds(seen), edges.ids);
    assert.ok(seen.every(({ type, reason }) => type === 'down' && reason.type === 'erased'));
    await eventually(time, 'all acknowledged', () => pendingOn(harnessed, edges.session) === 0);
  });
}

test('[TABLE-60] it goes on though there is no leader for longer than a call waits', async () => {
  const harnessed = harness({ requestTimeout: '2s', sessionTtl: '10m' });
  const { time, registry, cluster } = harnessed;
  const { erase, ids } = await makeEdges(harnessed, 4);
  await erase();
  const notices = registry.notices()[Symbol.asyncIterator]();
  const seen = [await nextOf(harnessed, notices)];
  cluster.elect('');
  seen.push(await nextOf(harnessed, notices), await nextOf(harnessed, notices));
  await time.advance(10_000);
  cluster.elect('b:1');
  seen.push(await nextOf(harnessed, notices));
  await time.until(notices.return!());
  assert.deepEqual(connectionIds(seen), ids);
});

test('[TABLE-60] several asked for at once come in order, and then the end', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const { erase, ids } = await makeEdges(harnessed, 2);
  const notices = registry.notices();
  const iterator = notices[Symbol.asyncIterator]();
  const asked = Promise.all([1, 2, 3, 4].map(() => iterator.next()));
  await erase();
  await time.advance(1_000);
  await time.until(notices.close());
  const answers = await time.until(asked);
  const seen = answers.map(({ value }) => (value as Notice | undefined)?.connection.id);
  assert.deepEqual(seen, [...ids, undefined, undefined]);
});

test('[TABLE-61] a notice is acknowledged when the next is asked for, or at the end', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const { erase, session, ids } = await makeEdges(harnessed, 4);
  await erase();
  const notices = registry.notices()[Symbol.asyncIterator]();
  await nextOf(harnessed, notices);
  await time.advance(100);
  assert.equal(pendingOn(harnessed, session), 4, 'the first may still be at work on');
  await nextOf(harnessed, notices);
  await time.advance(100);
  assert.equal(pendingOn(harnessed, session), 3);
  await time.until(notices.return!());
  assert.equal(pendingOn(harnessed, session), 2);
  assert.deepEqual(connectionIds(await time.until(take(registry, 2))), ids.slice(2));
  assert.equal(pendingOn(harnessed, session), 0);
});

test('[TABLE-62] those that come fast are acknowledged together', async () => {
  const harnessed = harness();
  const { time, registry, cluster } = harnessed;
  const { erase } = await makeEdges(harnessed, 100);
  await erase();
  await time.until(take(registry, 100));
  const commands = cluster.count('acknowledgeNotices');
  assert.ok(commands >= 2 && commands <= 4, `${commands} commands`);
});

test('[TABLE-63] a session has one consumer here; the next begins where it ended', async () => {
  const harnessed = harness();
  const { time, registry, cluster } = harnessed;
  const { erase, ids } = await makeEdges(harnessed, 3);
  await erase();
  const notices = registry.notices()[Symbol.asyncIterator]();
  await nextOf(harnessed, notices);
  const refused = await time.until(failure(take(registry, 1)));
  assert.equal(refused.code, 'invalid-argument');
  assert.match(refused.message, /has a consumer of its notices here: end that first/);
  // Its last acknowledgement is under way when the next consumer comes, and takes two attempts.
  let attempts = 0;
  cluster.fateOf = (request): Fate => {
    if (request.type !== 'propose') return { type: 'served' };
    return attempts++ === 0 ? { type: 'refused', code: 'overloaded' } : { type: 'served' };
  };
  const ended = notices.return!();
  const seen = await time.until(take(registry, 2));
  assert.deepEqual(connectionIds(seen), ids.slice(1));
  await time.until(ended);
});

test('[TABLE-63] what one consumer could not acknowledge is not told to the next', async () => {
  const harnessed = harness({ requestTimeout: '2s', sessionTtl: '10m' });
  const { time, registry, cluster } = harnessed;
  const { erase, ids, session } = await makeEdges(harnessed, 3);
  await erase();
  const first = registry.notices()[Symbol.asyncIterator]();
  await nextOf(harnessed, first);
  cluster.elect('');
  await time.until(first.return!());
  // This one is given up before it has even read.
  const second = registry.notices();
  await time.advance(100);
  await time.until(second.close());
  assert.equal(pendingOn(harnessed, session), 3);
  cluster.elect('b:1');
  assert.deepEqual(connectionIds(await time.until(take(registry, 2))), ids.slice(1));
  await eventually(time, 'all acknowledged', () => pendingOn(harnessed, session) === 0);
});

/** The limits of the pages of notices that are asked for. */
function notePages({ cluster }: Harness): number[] {
  const limits: number[] = [];
  cluster.fateOf = (request: Request): Fate => {
    if (request.type !== 'query') return { type: 'served' };
    const query = decodeQuery(request.query);
    if (query.type === 'range') limits.push(query.limit);
    return { type: 'served' };
  };
  return limits;
}

test('[TABLE-64] no more is read ahead than a page, however many there are', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const { erase, ids, table, session } = await makeEdges(harnessed, 600);
  await erase();
  const limits = notePages(harnessed);
  const notices = registry.notices()[Symbol.asyncIterator]();
  const first = await nextOf(harnessed, notices);
  await time.advance(60_000);
  assert.deepEqual(limits, [256]);
  assert.equal(table.flush(session, 'none such'), 0);
  const seen = [first];
  for (let i = 1; i < 600; i++) seen.push(await nextOf(harnessed, notices));
  assert.deepEqual(connectionIds(seen), ids);
  assert.ok(limits.length <= 10, `${limits.length} pages`);
  assert.ok(limits.every((limit) => limit > 0 && limit <= 256));
});

test('[TABLE-64] what one revision told goes on where a page ended', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const { ids, table, session } = await makeEdges(harnessed, 700);
  await time.until(table.drop());
  const seen = await time.until(take(registry, 700));
  assert.deepEqual(connectionIds(seen), ids);
  assert.equal(new Set(seen.map(({ revision }) => revision)).size, 1);
  assert.equal(pendingOn(harnessed, session), 0);
});

test('[TABLE-65] a history that was compacted meanwhile loses nothing', async () => {
  const harnessed = harness();
  const { time, registry, cluster, another } = harnessed;
  const edges = await makeEdges(harnessed, 5);
  const taking = take(registry, 5);
  await time.advance(1_000);
  cluster.fateOf = ({ type }): Fate => ({ type: type === 'watch' ? 'lost' : 'served' });
  for (const node of cluster.nodes.values()) node.cutAll();
  await edges.erase();
  const other = another({ exactlyOnce: false });
  await time.until(other.put('k', 'v'));
  await time.until(other.compact((await time.until(other.revision())) - 1));
  cluster.fateOf = () => ({ type: 'served' });
  assert.deepEqual(connectionIds(await time.until(taking)), edges.ids);
});

test('[TABLE-66] the end of its session ends it, also of one renewed elsewhere', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const session = await time.until(registry.openSession({ ttl: '3s' }));
  const here = failure(take(registry, 1));
  const mine = failure(
    (async () => {
      for await (const _ of registry.notices({ session })) return;
    })(),
  );
  const other = another({ exactlyOnce: false });
  const elsewhere = failure(take(other, 1, session.id));
  await time.advance(1_000);
  await time.until(other.closeSession(session.id));
  for (const ended of [mine, elsewhere]) {
    const { code, message } = await time.until(ended);
    assert.equal(code, 'session-expired');
    assert.match(message, new RegExp(`session ${session.id} is over`));
  }
  assert.equal((await time.until(failure(take(registry, 1, 999)))).code, 'session-expired');
  await time.until(registry.close());
  assert.equal((await here).code, 'closed');
});

test('[TABLE-67] a signal or close ends it without an error, and leaves the rest', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const { erase, ids } = await makeEdges(harnessed, 3);
  await erase();
  const stop = new AbortController();
  const seen: Notice[] = [];
  const loop = (async () => {
    for await (const notice of registry.notices({ signal: stop.signal })) {
      seen.push(notice);
      stop.abort();
    }
  })();
  await time.until(loop);
  const second = registry.notices();
  const taken = second[Symbol.asyncIterator]();
  seen.push(await nextOf(harnessed, taken));
  await time.until(second.close());
  assert.deepEqual(await time.until(taken.next()), { done: true, value: undefined });
  seen.push(...(await time.until(take(registry, 1))));
  assert.deepEqual(connectionIds(seen), ids);
});

/** A consumer that has the first in hand and the rest waiting here. */
async function oneInHand(harnessed: Harness, edges: Edges): Promise<AsyncIterator<Notice>> {
  await edges.erase();
  const notices = harnessed.registry.notices()[Symbol.asyncIterator]();
  await nextOf(harnessed, notices);
  return notices;
}

test('[TABLE-68] flush drops what waits here, at once, and the cluster forgets it', async () => {
  const harnessed = harness();
  const { time } = harnessed;
  const edges = await makeEdges(harnessed, 5);
  const notices = await oneInHand(harnessed, edges);
  const [, second, third, , fifth] = edges.connections;
  assert.equal(edges.table.flush(second!), 1);
  assert.equal(edges.table.flush(second!), 0);
  assert.equal(edges.table.flush('self', third!.key), 1);
  assert.equal(edges.table.flush(edges.session, fifth!.key), 1);
  await time.advance(100);
  assert.equal(pendingOn(harnessed, edges.session), 2);
  assert.equal((await nextOf(harnessed, notices)).connection.id, edges.ids[3]);
});

test('[TABLE-69] what was disconnected is not seen, waiting or on its way', async () => {
  const harnessed = harness();
  const { time, cluster, another } = harnessed;
  const edges = await makeEdges(harnessed, 4);
  const notices = await oneInHand(harnessed, edges);
  await time.until(edges.table.disconnect(edges.connections[1]!));
  await time.until(edges.table.disconnect(edges.connections[1]!));
  for (const i of [2, 3]) {
    assert.equal((await nextOf(harnessed, notices)).connection.id, edges.ids[i]);
  }
  // The page that brings it is older than the disconnect, and arrives after it.
  const last = await time.until(edges.table.connect('monitor', 'self', 'gone'));
  const next = notices.next();
  cluster.fateOf = (request): Fate => {
    if (request.type !== 'query') return { type: 'served' };
    cluster.latencyMs = () => 500;
    return { type: 'served' };
  };
  await eventually(time, 'a page on its way', () => cluster.latencyMs() === 500);
  cluster.latencyMs = () => 1;
  cluster.fateOf = () => ({ type: 'served' });
  await time.until(edges.table.disconnect(last));
  const sentinel = await time.until(edges.table.connect('monitor', 'self', 'gone'));
  const { value } = await time.until(next);
  assert.equal((value as Notice).connection.id, sentinel.id);
  // A table that is gone took the edge along: what is left of it is its notice.
  const table = await time.until(another().table('brief'));
  await time.until(table.store('k', 'v'));
  const down = await time.until(table.connect('monitor', edges.session, 'k'));
  await time.until(table.drop());
  await time.until(table.disconnect(down));
  await time.until(notices.return!());
  assert.equal(pendingOn(harnessed, edges.session), 0);
});

/** Holds back pages of notices and answers to disconnects. */
function holdBack(request: Request): Fate {
  if (request.type === 'query') return { type: 'held' };
  const isDisconnect =
    request.type === 'propose' && decodeCommand(request.command).command.type === 'tableDisconnect';
  return { type: isDisconnect ? 'held' : 'served' };
}

/** More than lie between an answer and whoever waits for what comes of it. */
const MOST_TURNS = 30;

test('[TABLE-69] a page and the answer to a disconnect may come in one moment', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const table = await time.until(registry.table('jobs'));
  const told: (number | string)[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    const notices = registry.notices({ signal: stop.signal });
    for await (const { connection } of notices) told.push(connection.id);
  })();
  await time.advance(1_000);
  const outcomes = new Set<string>();
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    cluster.fateOf = holdBack;
    const connection = await time.until(table.connect('monitor', 'self', 'gone'));
    await eventually(time, 'the page is ready', () => cluster.held.length === 1);
    const disconnecting = table.disconnect(connection).then(() => told.push('disconnected'));
    await eventually(time, 'both answers are ready', () => cluster.held.length === 2);
    cluster.fateOf = () => ({ type: 'served' });
    const [page, answer] = cluster.held.splice(0);
    page!();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    answer!();
    await time.until(disconnecting);
    await time.advance(1_000);
    const outcome = told.splice(0).map((one) => (one === connection.id ? 'notice' : one));
    outcomes.add(outcome.join(', then '));
  }
  stop.abort();
  await time.until(reading);
  assert.deepEqual([...outcomes].toSorted(), ['disconnected', 'notice, then disconnected']);
});
