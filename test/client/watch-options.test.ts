import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  HoldfastError,
  type WatchEvent,
  type WatchOptions,
  type WatchProgress,
} from '../../src/client/index.ts';
import { countQuery, listQuery } from '../../src/client/list-query.ts';
import { watchSubject } from '../../src/client/watch-request.ts';
import { failure, harness, type Harness } from './support/harness.ts';

async function take<Item>(
  { time }: Harness,
  watch: AsyncIterable<Item>,
  count: number,
): Promise<Item[]> {
  const items: Item[] = [];
  const iterator = watch[Symbol.asyncIterator]();
  while (items.length < count) {
    const next = await time.until(iterator.next());
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
}

function describe(item: WatchEvent | WatchProgress): string {
  if (item.type === 'progress') return `mark@${item.revision}`;
  const was = item.previous === undefined ? '' : ` was ${item.previous.text()}`;
  return `${item.type} ${item.key}=${item.record.text()}${was}`;
}

test('[API-92] a watch of a range is told of keys from its start to before its end', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const range = registry.watch({ start: 'b', end: 'd', from: 1 });
  const rest = registry.watch({ start: 'c', from: 1 });
  const beginning = registry.watch({ end: 'b', from: 1 });
  for (const key of ['a', 'b', 'c', 'cz', 'd', 'e']) await time.until(registry.put(key, '1'));
  assert.deepEqual((await take(harnessed, range, 3)).map(describe), [
    'put b=1',
    'put c=1',
    'put cz=1',
  ]);
  assert.equal((await take(harnessed, rest, 4)).at(-1)?.key, 'e');
  assert.deepEqual((await take(harnessed, beginning, 1)).map(describe), ['put a=1']);
});

test('[API-92] a watch is sent only the types and causes it asks for', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const deletes = registry.watch({ prefix: 'k', events: 'delete' });
  const puts = registry.watch({ prefix: 'k', events: 'put', causes: ['request'] });
  const expired = registry.watch({ causes: ['expired', 'sessionEnded'] });
  for (const watch of [deletes, puts, expired]) await time.until(watch.started);
  await time.until(registry.put('k', '1', { ttl: '1s' }));
  await time.advance(2_000);
  await time.until(registry.put('k', '2'));
  await time.until(registry.delete('k'));
  const seen = await take(harnessed, deletes, 2);
  assert.deepEqual(
    seen.map(({ cause }) => cause),
    ['expired', 'request'],
  );
  assert.deepEqual((await take(harnessed, puts, 2)).map(describe), ['put k=1', 'put k=2']);
  assert.deepEqual((await take(harnessed, expired, 1)).map(describe), ['delete k= was 1']);
  assert.ok(cluster.sentToWatches > 0);
});

test('[API-92] options of a watch that break a rule are refused at once', () => {
  const { registry } = harness();
  const cases: readonly (readonly [WatchOptions, string, RegExp])[] = [
    [{ key: 'a', prefix: 'b' }, 'invalid-argument', /only one of these/],
    [{ key: 'a', end: 'b' }, 'invalid-argument', /only one of these/],
    [{ prefix: '', start: 'b' }, 'invalid-argument', /only one of these/],
    [{ start: 'b', end: 'a' }, 'invalid-argument', /ends after it starts/],
    [{ start: 'b', end: 'b' }, 'invalid-argument', /ends after it starts/],
    [{ start: '' }, 'invalid-key', /start is ''/],
    [{ start: 'a', end: '' }, 'invalid-key', /end is ''/],
    [{ events: 'puts' as 'put' }, 'invalid-argument', /'puts': put or delete/],
    [{ causes: [] }, 'invalid-argument', /at least one cause/],
    [{ causes: ['ttl' as 'expired'] }, 'invalid-argument', /'ttl': request, expired/],
    [{ from: -1 }, 'invalid-argument', /from is -1/],
  ];
  for (const [options, code, message] of cases) {
    assert.throws(
      () => registry.watch(options),
      (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

test('[API-92] what a key was before comes unless it is not wanted', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const whole = registry.watch({ key: 'k' });
  const bare = registry.watch({ key: 'k', previous: false });
  for (const watch of [whole, bare]) await time.until(watch.started);
  await time.until(registry.put('k', 'one'));
  await time.until(registry.put('k', 'two'));
  assert.deepEqual((await take(harnessed, whole, 2)).map(describe), [
    'put k=one',
    'put k=two was one',
  ]);
  assert.deepEqual((await take(harnessed, bare, 2)).map(describe), ['put k=one', 'put k=two']);
});

test('[API-93] progress tells how far a watch is, also when nothing happens in it', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const quiet = registry.watch({ prefix: 'quiet/', progress: true });
  const busy = registry.watch({ prefix: 'busy/' });
  for (let i = 1; i <= 3; i++) await time.until(registry.put(`busy/${i}`, `${i}`));
  const latest = await time.until(registry.revision());
  const reading = take(harnessed, quiet, 1);
  assert.equal(await time.until(quiet.progress()), latest);
  assert.deepEqual(await reading, [{ type: 'progress', revision: latest }]);
  // What nobody has taken yet is not behind us.
  const told: string[] = [];
  const asked = busy.progress().then((revision) => told.push(`all@${revision}`));
  await time.advance(100);
  assert.equal(told.length, 0);
  const iterator = busy[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) {
    const { value } = await time.until(iterator.next());
    await time.advance(100);
    told.push(value?.key ?? 'nothing');
  }
  const next = iterator.next();
  await time.until(asked);
  assert.deepEqual(told, ['busy/1', 'busy/2', 'busy/3', `all@${latest}`]);
  assert.equal(await time.until(busy.progress()), latest, 'again, and nothing need be sent');
  await busy.close();
  assert.equal((await next).done, true);
});

test('[API-93] marks come as items of a watch that wants them, and only there', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/', progress: true });
  await time.until(registry.put('w/1', '1'));
  await time.until(registry.put('other', 'x'));
  const asked = watch.progress();
  const items = await take(harnessed, watch, 2);
  const [first, mark] = items;
  assert.equal(first?.type, 'put');
  assert.deepEqual(mark, { type: 'progress', revision: first.revision + 1 });
  assert.equal(await time.until(asked), mark.revision);
  await time.until(registry.put('w/2', '2'));
  const resumed = registry.watch({ prefix: 'w/', from: mark.revision + 1 });
  assert.deepEqual((await take(harnessed, resumed, 1)).map(describe), ['put w/2=2']);
});

test('[API-93] progress survives the loss of the node it was asked of', async () => {
  const harnessed = harness({ endpoints: ['b:1', 'c:1'], followLeader: false });
  const { time, cluster, registry } = harnessed;
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(watch.started);
  for (const node of cluster.nodes.values()) node.heldBackAt = cluster.registry.revision;
  await time.until(registry.put('other', 'x'));
  const asked = watch.progress();
  await time.advance(20);
  for (const node of cluster.nodes.values()) {
    node.heldBackAt = undefined;
    node.cutAll();
  }
  assert.equal(await time.until(asked), cluster.registry.revision);
});

test('[API-93] progress ends with its time, its signal, and its watch', async () => {
  const { time, registry } = harness();
  const watch = registry.watch({ prefix: 'w/' });
  await time.until(registry.put('w/1', '1'));
  const late = await failure(time.until(watch.progress({ timeout: '1s' })));
  assert.equal(late.code, 'timeout');
  assert.match(late.message, /not consumed/);
  const controller = new AbortController();
  const aborted = failure(watch.progress({ signal: controller.signal }));
  await time.advance(20);
  controller.abort();
  assert.equal((await time.until(aborted)).code, 'aborted');
  const closed = failure(watch.progress());
  await time.advance(20);
  await watch.close();
  assert.equal((await time.until(closed)).code, 'closed');
  assert.equal((await failure(time.until(watch.progress()))).code, 'closed');
});

test('[API-94] without a prefix, reads and watches begin behind the reserved keys', () => {
  const first = '\x01';
  assert.equal(listQuery({}).start, first);
  assert.equal(listQuery({ prefix: '' }).start, first);
  assert.equal(listQuery({ prefix: new Uint8Array(0) }).start, first);
  assert.equal(countQuery({}).start, first);
  assert.equal(watchSubject({}).start, first);
  assert.equal(watchSubject({ prefix: '' }).start, first);
  assert.equal(watchSubject({ end: 'z' }).start, first);
  assert.equal(listQuery({ after: 'k' }).start, 'k\0');
});
