import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Watch } from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';

/** Takes so many events, as `key=value@revision`. */
async function take(watch: Watch, count: number): Promise<string[]> {
  const seen: string[] = [];
  if (count === 0) return seen;
  const iterator = watch[Symbol.asyncIterator]();
  while (seen.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    const { type, key, record, revision } = next.value;
    seen.push(type === 'put' ? `${key}=${record.text()}@${revision}` : `-${key}@${revision}`);
  }
  return seen;
}

async function write(harnessed: Harness, from: number, to: number): Promise<void> {
  const { time, registry } = harnessed;
  for (let i = from; i <= to; i++) await time.until(registry.put(`w/${i}`, `${i}`));
}

test('[API-30] a watch sees what is written after it started, in order, once', async () => {
  const { time, registry } = harness();
  await time.until(registry.put('w/0', 'before'));
  const watch = registry.watch({ prefix: 'w/' });
  const { revision } = await time.until(watch.started);
  const first = await time.until(registry.put('w/1', 'one'));
  assert.equal(first.modRevision, revision + 1);
  await time.until(registry.put('other', 'x'));
  await time.until(registry.delete('w/0'));
  const seen = await time.until(take(watch, 2));
  assert.deepEqual(seen, [`w/1=one@${revision + 1}`, `-w/0@${revision + 3}`]);
  await watch.close();
});

test('[API-31] a watch may begin in the past and goes on into the present', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  await write(harnessed, 1, 3);
  const from = (await time.until(registry.get('w/2')))?.modRevision ?? 0;
  const watch = registry.watch({ prefix: 'w/', from });
  assert.equal((await time.until(watch.started)).revision, from - 1);
  await write(harnessed, 4, 4);
  const seen = await time.until(take(watch, 3));
  assert.deepEqual(
    seen.map((event) => event.split('@')[0]),
    ['w/2=2', 'w/3=3', 'w/4=4'],
  );
});

test('[API-32] a watch goes on after a lost connection, without gap or repeat', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  await write(harnessed, 1, 2);
  for (const node of cluster.nodes.values()) node.cutAll();
  const other = harnessed.another();
  await time.until(other.put('w/3', '3'));
  cluster.node('a:1').goDown();
  cluster.elect('b:1');
  await time.until(other.put('w/4', '4'));
  await write(harnessed, 5, 5);
  const seen = await time.until(take(watch, 5));
  assert.deepEqual(
    seen.map((event) => event.split('@')[0]),
    ['w/1=1', 'w/2=2', 'w/3=3', 'w/4=4', 'w/5=5'],
  );
});

test('[API-32] a watch does not stay on a node that is cut off from the others', async () => {
  for (const told of [true, false]) {
    const harnessed = harness();
    const { time, cluster, registry } = harnessed;
    const watch = registry.watch({ prefix: 'w/' });
    await time.until(watch.started);
    await write(harnessed, 1, 1);
    // The node lives on and answers, but applies nothing any more, and knows of no leader.
    cluster.node('a:1').heldBackAt = cluster.registry.revision;
    cluster.leader = '';
    cluster.node('a:1').tellLeader();
    if (told) cluster.elect('b:1');
    else cluster.leader = 'b:1';
    const other = harnessed.another();
    await time.until(other.put('w/2', '2'));
    const seen = await time.until(take(watch, 2), 20_000);
    assert.deepEqual(
      seen.map((event) => event.split('@')[0]),
      ['w/1=1', 'w/2=2'],
    );
    await time.until(watch.close());
  }
});

test('[API-32] a watch that a node never begins is asked for again', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  let lost = 0;
  cluster.fateOf = (request) => {
    if (request.type !== 'watch' || lost > 0) return { type: 'served' };
    lost++;
    return { type: 'lost' };
  };
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started, 20_000);
  assert.equal(lost, 1);
  await write(harnessed, 1, 1);
  const seen = await time.until(take(watch, 1));
  assert.deepEqual(
    seen.map((event) => event.split('@')[0]),
    ['w/1=1'],
  );
});

test('[API-130] a watch leaves a node that knows no leader, once another lets it in', async () => {
  const { time, cluster, registry, another } = harness();
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  const lonely = cluster.node('a:1');
  lonely.heldBackAt = cluster.registry.revision;
  cluster.node('b:1').state = 'refusing';
  cluster.node('c:1').state = 'refusing';
  cluster.elect('');
  await time.advance(10_000);
  assert.equal(lonely.channels.size, 1);
  cluster.node('b:1').state = 'up';
  cluster.node('c:1').state = 'up';
  // The lonely node is not told.
  cluster.leader = 'b:1';
  await time.until(another().put('w/1', 'one'));
  await time.advance(10_000);
  assert.equal(lonely.channels.size, 0);
  assert.match((await time.until(take(watch, 1)))[0] ?? '', /^w\/1=one@/);
});

test('[API-33] a node that lags behind is fine for a watch', async () => {
  const harnessed = harness({ followLeader: false, endpoints: ['b:1'] });
  const { time, cluster, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  cluster.node('b:1').heldBackAt = cluster.registry.revision;
  await write(harnessed, 1, 3);
  cluster.node('b:1').cutAll();
  await time.advance(500);
  cluster.node('b:1').heldBackAt = undefined;
  cluster.node('b:1').pump();
  const seen = await time.until(take(watch, 3));
  assert.deepEqual(
    seen.map((event) => event.split('@')[0]),
    ['w/1=1', 'w/2=2', 'w/3=3'],
  );
});

test('[API-34] history that is gone ends the watch, with where to begin again', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  await write(harnessed, 1, 5);
  const { encodeCommand } = await import('../../src/registry/index.ts');
  const header = { session: 0, sequence: 0, acknowledged: 0, node: '' } as never;
  cluster.apply(encodeCommand(header, { type: 'compact', revision: 3 as never }));
  const watch = registry.watch({ from: 2 });
  const error = await failure(time.until(take(watch, 1)));
  assert.equal(error.code, 'compacted');
  assert.equal(error.resumeFrom, 4);
  assert.match(error.message, /may start at revision 4/);
  assert.deepEqual(await time.until(take(watch, 1)), []);
});

test('[API-35] a consumer that does not read stops the flow, and loses nothing', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  const big = new Uint8Array(300_000).fill(65);
  for (let i = 0; i < 12; i++) await time.until(registry.put(`w/${i}`, big));
  // Nobody reads: what was sent is no more than the window and one message over it.
  assert.ok(cluster.sentToWatches < 1_048_576 + 1_000_000, `${cluster.sentToWatches} bytes`);
  for (const node of cluster.nodes.values()) node.cutAll();
  await time.advance(2_000);
  assert.ok(cluster.sentToWatches < 1_048_576 + 1_000_000, `${cluster.sentToWatches} bytes`);
  const seen = await time.until(take(watch, 12));
  assert.deepEqual(
    seen.map((event) => event.split('=')[0]),
    Array.from({ length: 12 }, (_, i) => `w/${i}`),
  );
});

test('[API-36] closing a watch, or its signal, ends the iteration quietly', async () => {
  const { time, registry } = harness();
  const controller = new AbortController();
  const one = registry.watch({ signal: controller.signal });
  const other = registry.watch();
  const both = Promise.all([take(one, 1), take(other, 1)]);
  await time.advance(50);
  controller.abort();
  await other.close();
  assert.deepEqual(await time.until(both), [[], []]);
  const aborted = registry.watch({ signal: controller.signal });
  assert.deepEqual(await time.until(take(aborted, 1)), []);
});

test('[API-37] changes of one revision are marked: the last one says so', async () => {
  const { time, cluster, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '5s' }));
  const watch = registry.watch({ prefix: 'e/' });
  await time.until(watch.started);
  await time.until(registry.put('e/1', 'x', { ephemeral: true, session }));
  await time.until(registry.put('e/2', 'x', { ephemeral: true, session }));
  await time.until(session.close());
  const marks: [string, boolean][] = [];
  const iterator = watch[Symbol.asyncIterator]();
  for (let i = 0; i < 4; i++) {
    const { value } = await time.until(iterator.next());
    if (value !== undefined) marks.push([`${value.type} ${value.cause}`, value.last]);
  }
  assert.deepEqual(marks, [
    ['put request', true],
    ['put request', true],
    ['delete sessionEnded', false],
    ['delete sessionEnded', true],
  ]);
  assert.ok(cluster.registry.revision > 0);
});

test('[API-32] what a node sends again is not told again', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  await write(harnessed, 1, 3);
  for (const node of cluster.nodes.values()) node.rewinds = 2;
  for (const node of cluster.nodes.values()) node.cutAll();
  await write(harnessed, 4, 5);
  const seen = await time.until(take(watch, 5));
  assert.deepEqual(
    seen.map((event) => event.split('@')[0]),
    ['w/1=1', 'w/2=2', 'w/3=3', 'w/4=4', 'w/5=5'],
  );
});

test('[API-38] a new watch does not tell what its user has seen', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  await write(harnessed, 1, 1);
  const node = cluster.node('a:1');
  node.heldBackAt = cluster.registry.revision;
  await write(harnessed, 2, 3);
  const watch = registry.watch({ prefix: 'w/' });
  const { revision } = await time.until(watch.started);
  assert.equal(revision, cluster.registry.revision);
  node.heldBackAt = undefined;
  await write(harnessed, 4, 4);
  assert.deepEqual(await time.until(take(watch, 1)), [`w/4=4@${revision + 1}`]);
});

test('[API-32] a watch alone makes its client leave a node that serves none', async () => {
  const { time, cluster, another, registry } = harness({ followLeader: false });
  cluster.fateOf = (request, node) => {
    if (request.type !== 'watch' || node.address === 'c:1') return { type: 'served' };
    return { type: 'refused', code: 'quarantined' };
  };
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  await time.until(another().put('w/1', 'one'));
  assert.deepEqual(
    (await time.until(take(watch, 1))).map((event) => event.split('@')[0]),
    ['w/1=one'],
  );
  await watch.close();
});
