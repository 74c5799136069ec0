import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, type ListOptions } from '../../src/client/index.ts';
import { failure, harness } from './support/harness.ts';

test('[API-1] what is put is what is read, by text, bytes and JSON', async () => {
  const { time, registry } = harness();
  await time.until(registry.put('text', 'grüße'));
  await time.until(registry.put('bytes', new Uint8Array([0, 255, 1])));
  await time.until(registry.put('json', { ttl: 5, list: [1, null, true] }));
  await time.until(registry.put('array', [1, 2]));
  await time.until(registry.put('number', 42));
  const text = await time.until(registry.get('text'));
  assert.equal(text?.text(), 'grüße');
  assert.equal(text.key, 'text');
  assert.equal(text.version, 1);
  assert.equal(text.node, 'a:1');
  const bytes = await time.until(registry.get('bytes'));
  assert.deepEqual(bytes?.value, new Uint8Array([0, 255, 1]));
  const json = await time.until(registry.get('json'));
  assert.deepEqual(json?.json(), { ttl: 5, list: [1, null, true] });
  assert.deepEqual((await time.until(registry.get('array')))?.json(), [1, 2]);
  assert.equal((await time.until(registry.get('number')))?.text(), '42');
  assert.equal(await time.until(registry.get('absent')), undefined);
});

test('[M1] [M3] a record tells its revisions, writer and time; delete gives it back', async () => {
  const { time, registry } = harness();
  const first = await time.until(registry.put('k', 'one'));
  const second = await time.until(registry.put('k', 'two'));
  assert.equal(second.createRevision, first.createRevision);
  assert.equal(second.modRevision, first.modRevision + 1);
  assert.equal(second.version, 2);
  assert.equal(second.lock, undefined);
  assert.equal(second.expiresAt, undefined);
  const removed = await time.until(registry.delete('k'));
  assert.equal(removed?.text(), 'two');
  assert.equal(await time.until(registry.delete('k')), undefined);
});

test('[API-2] [M8] input that breaks a rule is refused with the rule', async () => {
  const { registry } = harness();
  const rules: [promise: () => Promise<unknown>, code: string, rule: RegExp][] = [
    [() => registry.get(''), 'invalid-key', /key is '': a key is a string or Uint8Array of at/],
    [() => registry.put(null as unknown as string, 'v'), 'invalid-key', /key is null: a key is/],
    [() => registry.put('k', Number.NaN), 'invalid-argument', /something JSON can say/],
    [() => registry.put('k', { deep: [Infinity] }), 'invalid-argument', /JSON can say/],
    [() => registry.put('k', undefined as unknown as string), 'invalid-argument', /is undefined/],
    [() => registry.put('\ud800', 'v'), 'invalid-key', /half of a surrogate pair has no UTF-8/],
    [() => registry.get('a\udc00b'), 'invalid-key', /half of a surrogate pair/],
    [() => registry.put('k', 'v', { ttl: 0 }), 'invalid-argument', /ttl is 0: a duration is/],
    [() => registry.put('k', 'v', { ttl: -5 }), 'invalid-argument', /ttl is -5/],
    [() => registry.put('k', 'v', { ttl: 'soon' }), 'invalid-argument', /ttl is 'soon'/],
    [() => registry.put('k', 'v', { ttl: '1s', persist: true }), 'invalid-argument', /not both/],
    [() => registry.get('k', { timeout: '0s' }), 'invalid-argument', /timeout is '0s'/],
    [() => registry.list({ limit: -1 }), 'invalid-argument', /limit is -1: it must be a whole/],
    [() => registry.lock('n', { try: true, wait: '1s' }), 'invalid-argument', /try or wait/],
    [() => registry.lock('n', { wait: Number.NaN }), 'invalid-argument', /wait is NaN/],
    [() => registry.unlock('n', { session: 1.5, token: 1 }), 'invalid-argument', /session is 1.5/],
    [() => registry.openSession({ ttl: '400d' }), 'invalid-argument', /at most 365 days/],
  ];
  for (const [call, code, rule] of rules) {
    const error = await failure(call());
    assert.equal(error.code, code);
    assert.match(error.message, rule);
    assert.equal(error.outcome, 'not-applied');
  }
  assert.throws(() => registry.watch({ key: 'a', prefix: 'b' }), /only one of these/);
});

test('[API-2] a value that JSON would falsify or drop is refused; JSON is kept', async () => {
  const { time, registry } = harness();
  const falsified: [value: unknown, rule: RegExp][] = [
    [new Map([[1, 2]]), /it is no plain object but Map/],
    [{ seen: new Set([1]) }, /'seen' is no plain object but Set/],
    [new Date(0), /it is no plain object but Date/],
    [{ bytes: new Uint8Array(2) }, /'bytes' is no plain object but Uint8Array/],
    [new ArrayBuffer(2), /it is no plain object but ArrayBuffer/],
    [new URL('http://a/'), /it is no plain object/],
    [{ gone: undefined }, /'gone' is undefined/],
    [[undefined], /'0' is undefined/],
    [{ run: () => 1 }, /'run' is a function/],
    [() => 1, /it is function/],
    [1n, /BigInt/],
  ];
  for (const [value, rule] of falsified) {
    const error = await failure(registry.put('k', value as string));
    assert.equal(error.code, 'invalid-argument');
    assert.match(error.message, rule);
  }
  const bare: Record<string, number> = Object.create(null);
  bare['a'] = 1;
  const fine = [null, true, 0, '', [], { deep: [{ er: null }], text: '\ud800' }, bare];
  for (const value of fine) {
    const record = await time.until(registry.put('k', value));
    const back = typeof value === 'string' ? record.text() : record.json();
    assert.deepEqual(back, value === bare ? { a: 1 } : value);
  }
});

test('[API-3] durations are numbers of milliseconds or text with a unit', () => {
  assert.equal(parseDuration(250), 250);
  assert.equal(parseDuration(0.2), 1);
  assert.equal(parseDuration('250ms'), 250);
  assert.equal(parseDuration('1.5s'), 1_500);
  assert.equal(parseDuration('5m'), 300_000);
  assert.equal(parseDuration('2h'), 7_200_000);
  assert.equal(parseDuration('1d'), 86_400_000);
  for (const bad of ['', 'ms', '10', '10 s', '-1s', '0s', '1w', '1e3s', Infinity, -1, 0]) {
    assert.throws(() => parseDuration(bad, 'it'), /^HoldfastError: it is .*: a duration is/);
  }
});

test('[M7] a default TTL holds unless the put says otherwise', async () => {
  const { time, cluster, registry } = harness({ defaultTtl: '10s' });
  const plain = await time.until(registry.put('plain', 'v'));
  const kept = await time.until(registry.put('kept', 'v', { persist: true }));
  const longer = await time.until(registry.put('longer', 'v', { ttl: '30s' }));
  assert.equal(Math.round((plain.expiresAt ?? 0) - plain.time), 10_000);
  assert.equal(kept.expiresAt, undefined);
  assert.equal(Math.round((longer.expiresAt ?? 0) - longer.time), 30_000);
  await time.advance(11_000);
  assert.equal(await time.until(registry.get('plain')), undefined);
  assert.equal((await time.until(registry.get('kept')))?.text(), 'v');
  assert.ok(cluster.count('tick') > 0);
});

test('[M6] persist takes the TTL away, and tells of a key that is not there', async () => {
  const { time, registry } = harness();
  await time.until(registry.put('k', 'v', { ttl: '2s' }));
  assert.equal((await time.until(registry.persist('k')))?.expiresAt, undefined);
  assert.equal(await time.until(registry.persist('absent')), undefined);
  await time.advance(5_000);
  assert.equal((await time.until(registry.get('k')))?.text(), 'v');
});

test('[API-4] a list is a page of a prefix; records are all pages as of one revision', async () => {
  const { time, registry } = harness();
  for (const key of ['a', 'p/1', 'p/2', 'p/3', 'p0']) await time.until(registry.put(key, key));
  const page = await time.until(registry.list({ prefix: 'p/', limit: 2 }));
  assert.deepEqual(
    page.records.map((record) => record.key),
    ['p/1', 'p/2'],
  );
  assert.equal(page.more, true);
  const rest = await time.until(registry.list({ prefix: 'p/', after: 'p/2' }));
  assert.deepEqual(
    rest.records.map((record) => record.key),
    ['p/3'],
  );
  const seen: string[] = [];
  const walk = async (): Promise<void> => {
    for await (const record of registry.records({ prefix: 'p/', limit: 3 })) {
      if (seen.length === 0) await registry.put('p/25', 'late');
      seen.push(record.key);
    }
  };
  await time.until(walk());
  assert.deepEqual(seen, ['p/1', 'p/2', 'p/3']);
  const keys = await time.until(
    registry.list({ prefix: 'p/', keysOnly: true, revision: page.revision }),
  );
  assert.deepEqual(
    keys.records.map((record) => [record.key, record.value.length]),
    [
      ['p/1', 0],
      ['p/2', 0],
      ['p/3', 0],
    ],
  );
  const past = await time.until(registry.list({ prefix: 'a', after: 'z' }));
  assert.deepEqual([past.records, past.more], [[], false]);
});

test('[API-4] whatever is written between pages, records are of one revision', async () => {
  const { time, registry } = harness();
  let writes = 0;
  /** Takes all records, and writes another after each. */
  const keysOf = async (options: ListOptions): Promise<string> => {
    const records = registry.records(options)[Symbol.asyncIterator]();
    let keys = '';
    for (;;) {
      const next = await time.until(records.next());
      if (next.done === true) return keys;
      keys += next.value.key;
      await time.until(registry.put(`z${writes++}`, ''));
    }
  };
  for (const key of 'abcdefgh') await time.until(registry.put(key, new Uint8Array(400_000)));
  assert.equal(await keysOf({}), 'abcdefgh');
  const { revision } = await time.until(registry.list({ keysOnly: true }));
  await time.until(registry.put('bb', 'later'));
  assert.equal(await keysOf({ revision }), 'abcdefghz0z1z2z3z4z5z6z7');
});

test('[API-5] a key of any bytes is kept as it is', async () => {
  const { time, registry } = harness();
  const key = new Uint8Array([0xff, 0x00, 0x80]);
  await time.until(registry.put(key, 'v'));
  const [record] = (await time.until(registry.list())).records;
  assert.deepEqual(record?.keyBytes, key);
  assert.equal((await time.until(registry.get(key)))?.text(), 'v');
});
