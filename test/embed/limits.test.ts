/** Limits of a cluster: the same on every node, or they refuse each other; changed all at once. */
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

const IDS = ['a', 'b', 'c'];
const key = (bytes: number): string => 'k'.repeat(bytes);

/** Runs the cluster, with this limit, as long as `use` takes. */
async function during(
  at: Place,
  maxKeyBytes: number,
  use: (nodes: readonly HoldfastNode[]) => Promise<void>,
): Promise<void> {
  const nodes = await Promise.all(IDS.map((id) => start(at, id, maxKeyBytes)));
  try {
    await use(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

async function refusal(put: Promise<unknown>): Promise<string> {
  const error: unknown = await put.then(
    () => new Error('it was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, String(error));
  assert.equal(error.code, 'too-large', error.message);
  return error.message;
}

test('[API-126] restarted with other limits, a cluster is under them at once', async () => {
  const at = await place();
  const timeout = '10s';
  await during(at, 100, async ([a, b]) => {
    // Nobody leads yet, and still nothing is judged by other limits than these.
    assert.match(await refusal(a!.registry.put(key(101), '', { timeout })), /limit is 100 /);
    await b!.registry.put(key(90), 'old', { timeout });
  });
  await during(at, 50, async ([a, b, c]) => {
    assert.match(await refusal(b!.registry.put(key(51), '', { timeout })), /limit is 50 /);
    for (const { registry } of [a!, b!, c!]) {
      assert.equal((await registry.get(key(90), { timeout }))?.text(), 'old');
    }
    await a!.registry.put(key(40), 'new', { timeout });
    await c!.registry.delete(key(90), { timeout });
  });
  await during(at, 2000, async ([a, b, c]) => {
    await c!.registry.put(key(1900), 'longer than the default', { timeout });
    assert.equal((await a!.verify()).diverged, false);
    assert.equal(await b!.registry.count({ timeout }), 2);
  });
});
