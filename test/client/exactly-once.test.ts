import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HoldfastError, op, type Registry, type Watch } from '../../src/client/index.ts';
import type { Revision } from '../../src/registry/index.ts';
import type { FakeCluster, Fate } from './support/fake-cluster.ts';
import { ADDRESSES, harness } from './support/harness.ts';
import type { VirtualTime } from './support/virtual-time.ts';

const CLIENTS = 3;
const WRITES = 14;

type Known = 'applied' | 'not-applied' | 'unknown';

/** Anything can happen to any request, and now and then to the whole cluster. */
/** Returns what ends it: without that, every election would renew every session's TTL for ever. */
function makeTrouble(cluster: FakeCluster, time: VirtualTime): () => void {
  let over = false;
  const kinds: readonly (() => Fate)[] = [
    () => ({ type: 'lost' }),
    () => ({ type: 'cutAfter' }),
    () => ({ type: 'cutBefore' }),
    () => ({ type: 'doubted' }),
    () => ({ type: 'repeated', afterMs: time.random() * 3_000 }),
    () => ({ type: 'refused', code: time.random() < 0.5 ? 'no-leader' : 'stopped' }),
  ];
  cluster.latencyMs = () => time.random() * 20;
  cluster.fateOf = () => {
    const kind = time.random() < 0.3 ? kinds[Math.floor(time.random() * kinds.length)] : undefined;
    return kind?.() ?? { type: 'served' };
  };
  const upset = (): void => {
    if (over) return;
    time.setTimer(50 + time.random() * 300, upset);
    const address = ADDRESSES[Math.floor(time.random() * ADDRESSES.length)] ?? '';
    const node = cluster.node(address);
    const dice = time.random();
    if (dice < 0.3) node.cutAll();
    else if (dice < 0.5) cluster.elect(address);
    else if (dice < 0.6) cluster.elect('');
    else if (dice < 0.7) node.goDown();
    else node.state = 'up';
  };
  upset();
  return () => {
    over = true;
    calm(cluster);
  };
}

function calm(cluster: FakeCluster): void {
  cluster.fateOf = () => ({ type: 'served' });
  for (const node of cluster.nodes.values()) node.state = 'up';
  cluster.elect('a:1');
}

async function writeAll(
  registry: Registry,
  name: string,
  known: Map<string, Known>,
): Promise<void> {
  const one = async (i: number): Promise<void> => {
    const value = `${name}.${i}`;
    try {
      const put = op.put(`w/${i % 4}`, value);
      // Half of the writes are transactions that also count themselves.
      if (i % 2 === 0) await registry.put(`w/${i % 4}`, value);
      else await registry.txn().then(put, op.increment('n/txns')).commit();
      known.set(value, 'applied');
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      known.set(value, error.outcome);
    }
  };
  // Some one after another, some together.
  for (let i = 0; i < WRITES; i += 2) await Promise.all([one(i), one(i + 1)]);
}

async function collect(watch: Watch, seen: string[], untilValue: string): Promise<void> {
  for await (const event of watch) {
    seen.push(`${event.record.text()}@${event.revision}`);
    if (event.record.text() === untilValue) return;
  }
}

function history(cluster: FakeCluster, from: number): string[] {
  const part = cluster.registry.eventsSince(from as Revision, 'w/', 'w0', 100_000);
  assert.equal(part.type, 'events');
  return part.events.flatMap(({ revision, events }) =>
    events.map(({ record }) => `${Buffer.from(record.value).toString()}@${revision}`),
  );
}

test('[API-21] [API-32] [API-77] a write happens once and is seen once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (seed) => {
      const { time, cluster, registry, another } = harness({ seed, requestTimeout: '8s' });
      const watch = registry.watch({ prefix: 'w/' });
      const { revision } = await time.until(watch.started);
      const seen: string[] = [];
      const watching = collect(watch, seen, 'the end');
      const endTrouble = makeTrouble(cluster, time);
      const known = new Map<string, Known>();
      const clients = Array.from({ length: CLIENTS }, () => another());
      await time.until(Promise.all(clients.map((one, i) => writeAll(one, `c${i}`, known))));
      endTrouble();
      await time.advance(5_000);
      await time.until(registry.put('w/end', 'the end', { timeout: '60s' }));
      await time.until(watching);
      const happened = history(cluster, revision + 1);
      assert.deepEqual(seen, happened);
      const values = happened.map((event) => event.split('@')[0] ?? '');
      for (const [value, outcome] of known) {
        const times = values.filter((other) => other === value).length;
        const allowed = { applied: [1], 'not-applied': [0], unknown: [0, 1] }[outcome];
        assert.ok(allowed.includes(times), `${value} is ${outcome}, and happened ${times} times`);
      }
      assert.ok([...known.values()].includes('applied'));
      const counted = await time.until(registry.get('n/txns'));
      const txns = values.filter((value) => Number(value.split('.')[1]) % 2 === 1);
      assert.equal(Number(counted?.text() ?? '0'), txns.length);
    }),
    { numRuns: 30 },
  );
});

test('[LOCK-68] whatever is lost, one at a time holds, with growing tokens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (seed) => {
      const { time, cluster, another } = harness({ seed, requestTimeout: '8s' });
      const endTrouble = makeTrouble(cluster, time);
      let holders = 0;
      let completed = 0;
      const tokens: number[] = [];
      const work = async (registry: Registry): Promise<void> => {
        for (let i = 0; i < 3; i++) {
          try {
            await registry.withLock('n', { ttl: '30s', wait: '20s' }, async ({ token, signal }) => {
              holders++;
              assert.ok(holders === 1 || signal.aborted, `${holders} hold the lock`);
              tokens.push(token);
              await new Promise<void>((resolve) => time.setTimer(30, resolve));
              holders--;
            });
            completed++;
          } catch (error) {
            if (!(error instanceof HoldfastError)) throw error;
          }
        }
      };
      const clients = Array.from({ length: CLIENTS }, () => another());
      await time.until(Promise.all(clients.map(work)));
      assert.deepEqual(
        tokens,
        tokens.toSorted((left, right) => left - right),
      );
      assert.equal(new Set(tokens).size, tokens.length);
      endTrouble();
      await time.advance(60_000);
      const queue = await time.until(another({ exactlyOnce: false }).lockQueue('n'));
      assert.deepEqual(queue, []);
      assert.ok(completed > 0);
    }),
    { numRuns: 20 },
  );
});
