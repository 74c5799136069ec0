import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holdfast, HoldfastError, MemoryLogStore } from '../../src/index.ts';
import { freeAddresses } from './support/cluster.ts';

test('[REAL-3] a node reaches a peer by its route where its address leads nowhere', async () => {
  const [a, b, nowhere] = await freeAddresses(3);
  const peers = { a: a!, b: nowhere! };
  const [first, second] = await Promise.all([
    Holdfast.start({ id: 'a', listen: a!, peers, routes: { b: b! }, store: new MemoryLogStore() }),
    Holdfast.start({ id: 'b', listen: b!, peers, store: new MemoryLogStore() }),
  ]);
  try {
    await first.registry.put('key', 'value');
    assert.equal((await second.registry.get('key'))?.text(), 'value');
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
});

test('[REAL-3] a route that is no address is named', async () => {
  const store = new MemoryLogStore();
  const start = Holdfast.start({ id: 'a', listen: '127.0.0.1:0', routes: { b: 'there' }, store });
  await assert.rejects(start, (error: unknown) => {
    assert.ok(error instanceof HoldfastError);
    assert.equal(error.code, 'invalid-argument');
    assert.match(error.message, /routes\.b/);
    return true;
  });
});
