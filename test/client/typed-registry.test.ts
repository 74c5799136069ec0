import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { codecs, HoldfastError, type TypedRegistry } from '../../src/client/index.ts';
import { failure, harness } from './support/harness.ts';

interface User {
  name: string;
  age: number;
}
const users = codecs.zod(z.object({ name: z.string().min(1), age: z.number().int() }));
const ada: User = { name: 'Ada', age: 36 };

function refusal(work: () => unknown): HoldfastError {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  return assert.fail('it was not refused');
}

test('[API-95] a typed registry puts and reads values of its type', async () => {
  const { time, registry } = harness();
  const typed = registry.as(users);
  const put = await time.until(typed.put('users/1', ada, { ttl: '1h' }));
  assert.deepEqual(put.data, ada);
  assert.notEqual(put.record.expiresAt, undefined);
  const read = await time.until(typed.get('users/1'));
  assert.deepEqual([read?.key, read?.data.name, read?.data], ['users/1', 'Ada', ada]);
  assert.equal(read?.data, read?.data, 'decoded once');
  assert.deepEqual((await time.until(registry.get('users/1')))?.as(users), ada);
  await time.until(typed.put('users/2', { name: 'Bob', age: 7 }));
  const page = await time.until(typed.list({ prefix: 'users/', limit: 1 }));
  assert.deepEqual([page.records.map(({ data }) => data.name), page.more], [['Ada'], true]);
  const all: string[] = [];
  const reading = (async () => {
    for await (const { data } of typed.records({ prefix: 'users/' })) all.push(data.name);
  })();
  await time.until(reading);
  assert.deepEqual(all, ['Ada', 'Bob']);
  assert.deepEqual((await time.until(typed.delete('users/1')))?.data, ada);
  assert.equal(await time.until(typed.get('users/1')), undefined);
  assert.equal(await time.until(typed.delete('users/1')), undefined);
});

test('[API-95] a typed registry swaps by record, by value and by absence', async () => {
  const { time, registry } = harness();
  const typed = registry.as(users);
  const first = await time.until(typed.putIfAbsent('u', ada));
  assert.deepEqual([first.swapped, first.record?.data], [true, ada]);
  const taken = await time.until(typed.putIfAbsent('u', { ...ada, age: 1 }));
  assert.deepEqual([taken.swapped, taken.record?.data], [false, ada]);
  const older = { ...ada, age: 37 };
  assert.equal((await time.until(typed.compareAndSwap('u', first.record, older))).swapped, true);
  assert.equal((await time.until(typed.compareAndSwap('u', first.record, ada))).swapped, false);
  const byValue = await time.until(typed.compareAndSwap('u', { value: older }, ada));
  assert.equal(byValue.swapped, true);
  assert.equal((await time.until(typed.compareAndSwap('u', undefined, ada))).swapped, false);
});

test('[API-95] a value that its codec refuses is not sent, and spoils no reading', async () => {
  const { time, cluster, registry } = harness();
  const typed = registry.as(users);
  const nameless = await failure(time.until(typed.put('u/1', { name: '', age: 1 })));
  assert.deepEqual([nameless.code, nameless.outcome], ['invalid-value', 'not-applied']);
  assert.deepEqual(
    nameless.issues?.map(({ path }) => path),
    [['name']],
  );
  assert.equal(cluster.count('put'), 0);
  const watch = typed.watch({ prefix: 'u/' });
  await time.until(watch.started);
  await time.until(registry.put('u/1', 'no user'));
  await time.until(typed.put('u/2', ada));
  const { records } = await time.until(typed.list({ prefix: 'u/' }));
  assert.equal(refusal(() => records[0]?.data).code, 'invalid-value');
  assert.equal(records[0]?.record.text(), 'no user');
  assert.deepEqual(records[1]?.data, ada);
  const items = watch[Symbol.asyncIterator]();
  const bad = await time.until(items.next());
  assert.equal(refusal(() => bad.value?.data).code, 'invalid-value');
  const good = await time.until(items.next());
  assert.deepEqual(good.value?.data, ada);
});

test('[API-95] a typed watch tells data, what was before, and marks', async () => {
  const { time, registry } = harness();
  const typed = registry.as(users);
  const watch = typed.watch({ key: 'u', progress: true });
  await time.until(watch.started);
  await time.until(typed.put('u', ada));
  await time.until(typed.put('u', { ...ada, age: 37 }));
  await time.until(typed.delete('u'));
  await time.until(registry.put('elsewhere', ''));
  const asked = watch.progress();
  const seen: unknown[] = [];
  const items = watch[Symbol.asyncIterator]();
  while (seen.length < 4) {
    const { value } = await time.until(items.next());
    if (value?.type === 'progress') seen.push(value.revision);
    else seen.push([value?.type, value?.data?.age, value?.previous?.data.age, value?.last]);
  }
  assert.deepEqual(seen.slice(0, 3), [
    ['put', 36, undefined, true],
    ['put', 37, 36, true],
    ['delete', undefined, 37, true],
  ]);
  assert.equal(seen[3], await time.until(asked));
  await items.return?.();
  assert.equal((await items.next()).done, true);
});

/** Whether a call takes an argument of this type: compiled, not run. */
type PutTakes<R, V> = R extends TypedRegistry<infer T> ? (V extends T ? true : false) : never;

test('[API-95] types hold what a typed registry takes and gives', async () => {
  const { time, registry } = harness();
  const typed = registry.as(users);
  const texts = registry.as(codecs.text);
  const takes: [
    PutTakes<typeof typed, User>,
    PutTakes<typeof typed, { name: string }>,
    PutTakes<typeof typed, string>,
    PutTakes<typeof texts, string>,
    PutTakes<typeof texts, number>,
  ] = [true, false, false, true, false];
  assert.equal(takes.length, 5);
  const text: string = (await time.until(texts.put('t', 'text'))).data;
  const age: number | undefined = (await time.until(typed.get('none')))?.data.age;
  assert.deepEqual([text, age], ['text', undefined]);
});

test('[API-96] keys are ordered by their bytes, not by UTF-16', async () => {
  const { time, registry } = harness();
  // U+FFEE sorts after a surrogate pair in UTF-16, and before it in UTF-8.
  const texts = ['a', 'Z', 'ä', '\uffee', '😀', '\u0800', '~', '\u007f'];
  const bytes = [
    Uint8Array.of(0xff),
    Uint8Array.of(0xc3, 0x28),
    Uint8Array.of(1),
    Uint8Array.of(0x61, 0),
  ];
  for (const key of [...texts, ...bytes]) await time.until(registry.put(key, 'x'));
  const { records } = await time.until(registry.list());
  const listed = records.map(({ keyBytes }) => Buffer.from(keyBytes).toString('hex'));
  const expected = [
    ...texts.map((text) => Buffer.from(text)),
    ...bytes.map((one) => Buffer.from(one)),
  ]
    .toSorted((one, other) => Buffer.compare(one, other))
    .map((key) => key.toString('hex'));
  assert.deepEqual(listed, expected);
  const names = records.map(({ key }) => key);
  assert.ok(names.indexOf('\uffee') < names.indexOf('😀'), 'by UTF-8, not by UTF-16');
  const [low, high] = ['\uffee', '😀'].toSorted();
  assert.deepEqual([low, high], ['😀', '\uffee'], 'which is another order');
  const between = registry.watch({ start: '\uffee', end: '😀', from: 1 });
  const { value } = await time.until(between[Symbol.asyncIterator]().next());
  assert.equal(value?.key, '\uffee');
});

test('[API-96] half of a surrogate pair is refused, bytes of any kind are kept', async () => {
  const { time, registry } = harness();
  const key = await failure(time.until(registry.put('a\ud800', 'x')));
  assert.deepEqual([key.code, key.outcome], ['invalid-key', 'not-applied']);
  const value = await failure(time.until(registry.put('a', 'x\udc00')));
  assert.deepEqual([value.code, value.outcome], ['invalid-argument', 'not-applied']);
  assert.match(value.message, /surrogate/);
  await time.until(registry.put(Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xff)));
  const record = await time.until(registry.get(Uint8Array.of(0xed, 0xa0, 0x80)));
  assert.deepEqual(
    [record?.keyBytes, record?.value],
    [Uint8Array.of(0xed, 0xa0, 0x80), Uint8Array.of(0xff)],
  );
  assert.equal(refusal(() => record?.as(codecs.text)).code, 'invalid-value');
});
