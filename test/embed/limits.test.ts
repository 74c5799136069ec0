/** Replicas given different limits would part without a word, so they refuse each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holdfast, HoldfastError, MemoryLogStore, type HoldfastNode } from '../../src/index.ts';
import { freeAddresses, SETTINGS, until } from './support/cluster.ts';

interface Place {
  readonly peers: Readonly<Record<string, string>>;
  readonly stores: Readonly<Record<string, MemoryLogStore>>;
  readonly lines: string[];
}

async function place(): Promise<Place> {
  const ids = ['a', 'b', 'c'];
  const addresses = await freeAddresses(ids.length);
  return {
    peers: Object.fromEntries(ids.map((id, i) => [id, addresses[i] ?? ''])),
    stores: Object.fromEntries(ids.map((id) => [id, new MemoryLogStore()])),
    lines: [],
  };
}

function start({ peers, stores, lines }: Place, id: string, maxKeyBytes = 1024) {
  return Holdfast.start({
    id,
    listen: peers[id] ?? '',
    peers,
    store: stores[id] ?? new MemoryLogStore(),
    settings: SETTINGS,
    limits: { maxKeyBytes },
    log: (_level, line) => lines.push(line),
  });
}

test('[API-120] nodes with different limits found no cluster, and name the limit', async () => {
  const at = await place();
  const starts = [start(at, 'a'), start(at, 'b', 99)];
  for (const outcome of await Promise.allSettled(starts)) {
    assert.equal(outcome.status, 'rejected');
    if (outcome.status !== 'rejected') return;
    const error: unknown = outcome.reason;
    assert.ok(error instanceof HoldfastError);
    assert.equal(error.code, 'configuration-mismatch');
    assert.match(error.message, /limits\.maxKeyBytes=1024 on a/);
    assert.match(error.message, /limits\.maxKeyBytes=99 on b/);
    assert.doesNotMatch(error.message, /maxValueBytes/);
  }
});

test('[API-120] a member back with other limits gets nothing until it has theirs', async () => {
  const at = await place();
  const nodes: HoldfastNode[] = await Promise.all(['a', 'b', 'c'].map((id) => start(at, id)));
  const [a, b, c] = nodes;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  try {
    await a.registry.put('before', '1', { timeout: '10s' });
    await c.stop();
    const other = await start(at, 'c', 99);
    nodes[2] = other;
    await until('the refusal is told', () =>
      at.lines.some((line) => /maxKeyBytes=\d+ on .*maxKeyBytes=\d+ on/.test(line)),
    );
    await b.registry.put('between', '2', { timeout: '10s' });
    assert.equal(await other.registry.get('between', { consistency: 'local' }), undefined);
    await other.stop();
    const mended = await start(at, 'c');
    nodes[2] = mended;
    assert.equal((await mended.registry.get('between', { timeout: '10s' }))?.text(), '2');
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});
