import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branches, compare, op, type Registry } from '../../src/client/index.ts';
import { failure, harness } from './support/harness.ts';

interface Room {
  readonly registry: Registry;
  readonly other: Registry;
  /** Lets time pass until the promise is settled. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
}

function room(): Room {
  const { registry, another, time } = harness();
  return { registry, other: another(), run: (promise) => time.until(promise) };
}

test('[API-74] one branch runs, and its results have the types of its operations', async () => {
  const { registry, run } = room();
  await run(registry.put('a', '1'));
  await run(registry.put('p/1', 'x'));
  await run(registry.put('p/2', 'y'));
  const move = registry
    .txn()
    .if(compare.value('a').equals('1'), compare.absent('b'))
    .then(op.put('b', { n: 1 }), op.delete('a'))
    .then(op.increment('n', 2), op.deletePrefix('p/'))
    .then(op.get('b'), op.count())
    .then(op.list({ limit: 1 }))
    .else(op.get('a'), op.get('b'));
  const moved = await run(move.commit());
  assert.ok(moved.succeeded);
  const [put, removed, sum, deleted, got, count, page] = moved.results;
  assert.deepEqual([put.json(), removed?.text(), sum.text()], [{ n: 1 }, '1', '2']);
  assert.deepEqual([deleted, got?.modRevision, count], [2, moved.revision, 2]);
  assert.deepEqual([page.records.map(({ key }) => key), page.more], [['b'], true]);
  const again = await run(move.commit());
  assert.ok(!again.succeeded);
  assert.deepEqual([again.results[0], again.results[1]?.version], [undefined, 1]);
  assert.equal(again.revision, moved.revision);
});

test('[API-74] every compare a client can make, of keys and of ranges', async () => {
  const { registry, run } = room();
  const session = await run(registry.openSession());
  await run(registry.put('k/1', 'm'));
  await run(registry.put('k/1', 'm'));
  await run(registry.put('k/2', 'n', { session, ephemeral: true }));
  const { createRevision, modRevision } = (await run(registry.get('k/1')))!;
  const holding = [
    compare.version('k/1').equals(2),
    compare.version({ prefix: 'k/' }).greaterThan(0),
    compare.version({ from: 'k/2' }).lessThan(2),
    compare.createRevision('k/1').equals(createRevision),
    compare.modRevision('k/1').notEquals(modRevision - 1),
    compare.modRevision({ from: 'k/1', to: 'k/2' }).equals(modRevision),
    compare.value('k/1').lessThan('n'),
    compare.session('k/2').equals(session),
    compare.session('k/1').equals(0),
    compare.exists({ prefix: 'k/' }),
    compare.absent('x'),
  ];
  const all = await run(
    registry
      .txn()
      .if(...holding)
      .commit(),
  );
  assert.ok(all.succeeded);
  for (const failing of [
    compare.version('k/1').lessThan(2),
    compare.version({ prefix: 'k/' }).equals(2),
    compare.value('x').notEquals('y'),
    compare.absent({ prefix: 'k/' }),
  ]) {
    const outcome = await run(
      registry
        .txn()
        .if(...holding)
        .if(failing)
        .commit(),
    );
    assert.ok(!outcome.succeeded);
  }
});

test('[API-75] branches nest, and a transaction may be gone on with several times', async () => {
  const { registry, run } = room();
  const begun = registry.txn().then(op.put('a', '1'));
  const inner = branches().if(compare.exists('a')).then(op.get('a')).else(op.put('b', '2'));
  const first = await run(begun.then(op.txn(inner)).commit());
  assert.ok(first.succeeded);
  assert.equal(first.results[1].succeeded, false);
  const second = await run(begun.then(op.txn(inner)).commit());
  assert.ok(second.succeeded && second.results[1].succeeded);
  assert.equal(second.results[1].results[0]?.version, 2);
  const plain = await run(begun.commit());
  assert.equal(plain.results.length, 1);
});

test('[API-75] to await a transaction without commit is an error, not for ever', async () => {
  const { registry } = room();
  const forgotten: unknown = registry.txn().then(op.put('a', '1'));
  await assert.rejects(async () => {
    await (forgotten as Promise<unknown>);
  }, /no promise: send it with commit/);
});

test('[API-76] input that breaks a rule is refused where it is given', async () => {
  const { registry, run } = room();
  assert.throws(() => op.put('', 'x'), { code: 'invalid-key' });
  assert.throws(() => op.put('k', 'x', { ttl: '1s', persist: true }), /ttl or persist/);
  assert.throws(() => op.increment('k', 0.5), /whole number/);
  assert.throws(() => op.deletePrefix(''), { code: 'invalid-key' });
  assert.throws(() => op.list({ limit: -1 }), /limit is -1/);
  assert.throws(() => compare.version('k').equals(-1), /version is -1/);
  assert.throws(() => compare.value({ from: '' }), { code: 'invalid-key' });
  const twice = registry.txn().then(op.put('k', '1'), op.delete('k')).commit();
  assert.match((await failure(run(twice))).message, /"k" is changed twice/);
  const many = Array.from({ length: 257 }, (_, i) => op.get(`k${i}`));
  const big = await failure(
    run(
      registry
        .txn()
        .then(...many)
        .commit(),
    ),
  );
  assert.deepEqual([big.code, big.outcome], ['too-large', 'not-applied']);
  assert.match(big.message, /257 .*256 \(maxTxnOps\)/);
  const backwards = op.deleteRange('b', 'a');
  assert.match((await failure(run(registry.txn().then(backwards).commit()))).message, /end of a/);
});

test('[API-84] locks hold in transactions; a registry default TTL and sessions apply', async () => {
  const { another, time } = harness({ defaultTtl: '1m' });
  const [registry, other] = [another(), another()];
  const run = <T>(promise: Promise<T>): Promise<T> => time.until(promise);
  await run(registry.lock('k'));
  const refused = await failure(run(other.txn().then(op.put('x', ''), op.put('k', '')).commit()));
  assert.equal(refused.code, 'locked');
  assert.equal(await run(other.get('x')), undefined);
  const { results } = await run(
    registry
      .txn()
      .then(op.put('k', 'own'), op.put('e', '', { ephemeral: true, persist: true }))
      .commit(),
  );
  assert.notEqual(results[0]?.expiresAt, undefined);
  assert.equal(results[1]?.expiresAt, undefined);
  assert.ok((results[1]?.session ?? 0) > 0);
  await run(registry.close());
  assert.equal(await run(other.get('e')), undefined);
});

test('[API-78] compareAndSwap by value, by record, by absence', async () => {
  const { registry, run } = room();
  const made = await run(registry.compareAndSwap('k', undefined, 'one'));
  assert.deepEqual([made.swapped, made.record?.text()], [true, 'one']);
  const late = await run(registry.putIfAbsent('k', 'two'));
  assert.deepEqual([late.swapped, late.record?.text()], [false, 'one']);
  assert.ok((await run(registry.compareAndSwap('k', 'one', { n: 1 }))).swapped);
  assert.ok((await run(registry.compareAndSwap('k', { value: { n: 1 } }, 'three'))).swapped);
  const record = await run(registry.get('k'));
  assert.ok((await run(registry.compareAndSwap('k', record, 'four'))).swapped);
  const stale = await run(registry.compareAndSwap('k', record, 'five'));
  assert.deepEqual([stale.swapped, stale.record?.text()], [false, 'four']);
  assert.ok(!(await run(registry.compareAndSwap('absent', '', 'x'))).swapped);
  const odd = registry.compareAndSwap('k', 7 as unknown as string, 'x');
  assert.match((await failure(run(odd))).message, /expected is 7/);
});

test('[API-79] increments of several clients at once all count', async () => {
  const { registry, other, run } = room();
  const sums = await run(
    Promise.all([registry, other, registry, other].map((one) => one.increment('n', 5))),
  );
  assert.deepEqual(
    sums.toSorted((a, b) => a - b),
    [5, 10, 15, 20],
  );
  assert.equal(await run(registry.increment('n', -21)), -1);
  await run(registry.put('word', 'x'));
  assert.match((await failure(run(registry.increment('word')))).message, /no whole number/);
});

test('[API-80] deletePrefix removes in one revision and says how many; count counts', async () => {
  const { registry, run } = room();
  for (const key of ['p/a', 'p/b', 'p/c', 'q']) await run(registry.put(key, ''));
  await run(registry.lock('p/lock'));
  const before = await run(registry.revision());
  assert.equal(await run(registry.count({ prefix: 'p/', maxModRevision: before - 1 })), 3);
  assert.equal(await run(registry.deletePrefix('p/')), 3);
  assert.equal(await run(registry.revision()), before + 1);
  assert.equal(await run(registry.deletePrefix('p/')), 0);
  assert.equal(await run(registry.count({ prefix: 'q' })), 1);
  assert.equal(await run(registry.count({ prefix: 'p/', revision: 2 })), 2);
});

test('[API-81] reads at a revision, until it is compacted', async () => {
  const { registry, run } = room();
  const revisions: number[] = [];
  for (const text of ['1', '2', '3']) {
    revisions.push((await run(registry.put('k', text))).modRevision);
  }
  const at = (revision: number) => run(registry.get('k', { revision }));
  assert.equal((await at(revisions[0]!))?.text(), '1');
  assert.equal(await run(registry.get('x', { revision: revisions[0]! })), undefined);
  await run(registry.compact(revisions[1]!));
  assert.equal((await at(revisions[1]!))?.text(), '2');
  assert.equal((await failure(at(revisions[0]!))).code, 'compacted');
  assert.equal((await failure(run(registry.compact(revisions[0]!)))).code, 'compacted');
  assert.match((await failure(run(registry.compact(1e6)))).message, /yet to come/);
  assert.match((await failure(run(registry.compact(-1)))).message, /revision is -1/);
});

test('[API-82] a list is sorted and filtered where it is asked for', async () => {
  const { registry, run } = room();
  for (const [key, text] of [
    ['a', '2'],
    ['b', '3'],
    ['c', '1'],
    ['a', '2'],
  ] as const) {
    await run(registry.put(key, text));
  }
  const keys = async (options: Parameters<Registry['list']>[0]): Promise<string> =>
    (await run(registry.list(options))).records.map(({ key }) => key).join('');
  assert.equal(await keys({ sortBy: 'value' }), 'cab');
  assert.equal(await keys({ sortBy: 'value', descending: true, limit: 2 }), 'ba');
  assert.equal(await keys({ sortBy: 'version' }), 'bca');
  assert.equal(await keys({ sortBy: 'modRevision' }), 'bca');
  assert.equal(await keys({ sortBy: 'createRevision', descending: true }), 'cba');
  assert.equal(await keys({ descending: true }), 'cba');
  assert.equal(await keys({ minModRevision: 3 }), 'ac');
  assert.equal(await keys({ minCreateRevision: 2, maxModRevision: 2 }), 'b');
  const sorted = registry.list({ sortBy: 'value', after: 'a' });
  assert.match((await failure(run(sorted))).message, /key order only/);
  const odd = registry.list({ sortBy: 'colour' as 'key' });
  assert.match((await failure(run(odd))).message, /sortBy is 'colour'/);
  const everything = registry.records({ descending: true })[Symbol.asyncIterator]();
  assert.match((await failure(run(everything.next()))).message, /key order/);
});

test('[API-83] pages of a filtered list go on as of one revision', async () => {
  const { registry, run } = room();
  const value = 'x'.repeat(400_000);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await run(registry.put(key, value));
  const seen: string[] = [];
  const pages = registry.records({ minModRevision: 2 })[Symbol.asyncIterator]();
  for (;;) {
    const next = await run(pages.next());
    if (next.done === true) break;
    seen.push(next.value.key);
    await run(registry.put('c0', value));
    await run(registry.put('e', value));
  }
  assert.deepEqual(seen, ['b', 'c', 'd', 'e']);
});
