import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harness } from './support/harness.ts';

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
