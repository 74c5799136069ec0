/** The hash tree's parts, through the network and through an embedded node, on three nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  connect,
  type HashTree,
  type HoldfastClient,
  type PrefixHash,
  type Registry,
  type TreeDifference,
} from '../../src/index.ts';
import { until } from './support/cluster.ts';
import { failure } from './support/failure.ts';
import { divergingCluster, type DivergingCluster } from './support/diverging.ts';

let cluster: DivergingCluster;
let client: HoldfastClient;

before(async () => {
  cluster = await divergingCluster({ c: { 'good value': 'evil value' } });
  client = await connect({ endpoints: cluster.endpoints, requestTimeout: '20s' });
});
after(async () => {
  await client.close();
  await cluster[Symbol.asyncDispose]();
});

/** Runs the same over the network and in a node's own process. */
async function bothWays(body: (registry: Registry, how: string) => Promise<void>): Promise<void> {
  await body(client.registry, 'remote');
  await body(cluster.node('b').registry, 'embedded');
}

type Known = Extract<PrefixHash, { type: 'ok' }>;

/** The hash once the node's tree stands for the index. */
async function hashAt(
  tree: HashTree,
  node: string,
  index: number,
  path: [] | [string] | [string, string],
): Promise<Known> {
  let found: PrefixHash | undefined;
  await until(`${node} is hashed`, async () => {
    found = await tree.prefixHash(path, { node });
    return found.type === 'ok' && found.index === index;
  });
  assert.ok(found?.type === 'ok');
  return found;
}

async function locked(tree: HashTree): Promise<number> {
  const result = await tree.lock();
  assert.ok(result.type === 'ok', result.type);
  return result.index;
}

test('[H1] [H2] what is written is in the hash from the next lock on, on every node', async () => {
  await bothWays(async (registry, how) => {
    const { hashTree } = registry;
    await registry.put(`${how}/one/1`, 'v');
    const first = await locked(hashTree);
    const hashes = new Set<string | undefined>();
    for (const node of cluster.ids) {
      const { hash, index, keys } = await hashAt(hashTree, node, first, [how]);
      assert.equal(index, first);
      assert.ok(keys > 0);
      hashes.add(hash);
    }
    assert.equal(hashes.size, 1, 'all the same');
    await registry.put(`${how}/one/1`, 'w');
    assert.ok(hashes.has((await hashAt(hashTree, 'a', first, [how])).hash), 'not rehashed yet');
    const unknown = await hashAt(hashTree, 'a', first, ['nothing here']);
    assert.equal(unknown.hash, undefined);
    const second = await hashTree.update();
    assert.ok(second.type === 'ok' && second.index > first);
    assert.ok(!hashes.has((await hashAt(hashTree, 'a', second.index, [how])).hash));
    assert.equal((await hashTree.release()).type, 'ok');
  });
});

test('[H3] [H4] buckets name the prefixes and segments, segments the keys', async () => {
  await bothWays(async (registry, how) => {
    const { hashTree } = registry;
    await registry.put(`${how}-b/s/1`, 'v');
    await registry.put(`${how}-b/s/2`, 'v');
    const index = await locked(hashTree);
    const node = 'a';
    await hashAt(hashTree, node, index, []);
    const namesUnder = async (path: [] | [string]): Promise<string[]> => {
      const buckets = await hashTree.bucket(path, 0, 0, { node });
      assert.ok(buckets.type === 'ok');
      const names: string[] = [];
      for (const { name } of buckets.hashes) {
        const children = await hashTree.bucket(path, 1, Number(name), { node });
        assert.ok(children.type === 'ok');
        for (const child of children.hashes) names.push(child.name);
      }
      return names;
    };
    assert.ok((await namesUnder([])).includes(`${how}-b`));
    assert.deepEqual(await namesUnder([`${how}-b`]), ['s']);
    const keys: string[] = [];
    let segments: Awaited<ReturnType<HashTree['bucket']>> | undefined;
    await until('its keys are listed', async () => {
      segments = await hashTree.bucket([`${how}-b`, 's'], 0, 0, { node });
      return segments.type === 'ok';
    });
    assert.ok(segments?.type === 'ok');
    for (const { name } of segments.hashes) {
      const found = await hashTree.keyHashes([`${how}-b`, 's'], Number(name), { node });
      assert.ok(found.type === 'ok');
      assert.equal(found.index, index);
      for (const one of found.hashes) {
        assert.match(one.hash, /^[0-9a-f]{16}$/);
        keys.push(one.name);
      }
    }
    assert.deepEqual(keys.toSorted(), [`${how}-b/s/1`, `${how}-b/s/2`]);
    const none = await hashTree.bucket(['nothing here'], 0, 0, { node });
    assert.ok(none.type === 'ok' && none.hashes.length === 0);
    await hashTree.release();
    assert.equal((await hashTree.bucket([], 0, 0, { node })).type, 'not_locked');
  });
});

test('[H5] the lock is one for all, of a session, on behalf of any, and goes with it', async () => {
  await bothWays(async ({ hashTree }, how) => {
    const other = how === 'remote' ? cluster.node('b').registry : client.registry;
    assert.equal((await hashTree.release()).type, 'not_locked');
    await using holder = await other.openSession({ ttl: '30s' });
    const first = await hashTree.lock({ session: holder.id });
    assert.ok(first.type === 'ok');
    assert.deepEqual(await hashTree.lock({ session: holder.id }), first, 'as it is');
    assert.deepEqual(await hashTree.lock(), { type: 'locked', holder: holder.id });
    assert.deepEqual(await hashTree.release(), { type: 'not_allowed', holder: holder.id });
    assert.deepEqual(await hashTree.update(), { type: 'not_allowed', holder: holder.id });
    await holder.close();
    await locked(hashTree);
    assert.equal((await hashTree.release()).type, 'ok');
    assert.equal((await hashTree.release()).type, 'not_locked');
  });
});

test('[H6] an update needs the lock; writes go on meanwhile', async () => {
  await bothWays(async (registry, how) => {
    const { hashTree } = registry;
    assert.equal((await hashTree.update()).type, 'not_locked');
    await locked(hashTree);
    const writing = Promise.all(
      Array.from({ length: 50 }, (_, i) => registry.put(`${how}-u/${i}`, 'v')),
    );
    const points = [await hashTree.update(), await hashTree.update()];
    await writing;
    const last = await hashTree.update();
    assert.ok(last.type === 'ok' && points.every(({ type }) => type === 'ok'));
    const hashes = new Set<string | undefined>();
    for (const node of cluster.ids) {
      hashes.add((await hashAt(hashTree, node, last.index, [])).hash);
    }
    assert.equal(hashes.size, 1);
    await hashTree.release();
  });
});

/** Everything found, as text. */
function collect(found: TreeDifference, all: readonly string[]): readonly string[] {
  if (found.type === 'missingPrefix') return [...all, `${found.side} ${found.path.join('/')}`];
  return [...all, ...found.diffs.map(({ type, key }) => `${type} ${key}`)];
}

function count(_found: TreeDifference, counted: number): Promise<number> {
  return Promise.resolve(counted + 1);
}

test('[H7] a comparison folds over the differences, or says why it cannot', async () => {
  await client.registry.put('jobs/x', 'good value');
  await client.registry.put('good value/y', '');
  await cluster.restart('c');
  const expected = [
    'different jobs/x',
    'local evil value',
    'missing evil value/y',
    'remote good value',
    'remoteMissing good value/y',
  ];
  await bothWays(async ({ hashTree }) => {
    const pair = { local: 'a', remote: 'c' };
    const unlocked = await failure(hashTree.compare(pair, collect, []));
    assert.ok(['not-held', 'not-built'].includes(unlocked.code), unlocked.code);
    const index = await locked(hashTree);
    for (const node of cluster.ids) await hashAt(hashTree, node, index, []);
    const found = await hashTree.compare(pair, collect, []);
    assert.deepEqual(found.toSorted(), expected);
    assert.deepEqual(await hashTree.compare({ local: 'a', remote: 'b' }, collect, []), []);
    assert.ok((await hashTree.compare(pair, count, 0)) > 0);
    await hashTree.release();
    const nobody = await failure(hashTree.compare({ local: 'a', remote: 'z' }, collect, []));
    assert.equal(nobody.code, 'invalid-argument');
  });
});

test('[H8] [TREE-57] a tree is built anew by scanning, after the lock if any', async () => {
  await bothWays(async ({ hashTree }) => {
    const index = await locked(hashTree);
    const first = await hashAt(hashTree, 'a', index, []);
    assert.deepEqual(await hashTree.reset({ node: 'a' }), { type: 'postponed' });
    assert.equal((await hashAt(hashTree, 'a', index, [])).hash, first.hash, 'still there');
    await hashTree.release();
    assert.deepEqual(await hashTree.reset({ node: 'a' }), { type: 'ok' });
    const again = await locked(hashTree);
    const local = await hashAt(hashTree, 'a', again, []);
    assert.equal((await hashAt(hashTree, 'b', again, [])).hash, local.hash);
    await hashTree.release();
  });
});

test('[H9] a restarted node has a tree of its own from the next lock on', async () => {
  await cluster.restart('a');
  await bothWays(async ({ hashTree }) => {
    const index = await locked(hashTree);
    const a = await hashAt(hashTree, 'a', index, []);
    assert.equal(a.hash, (await hashAt(hashTree, 'b', index, [])).hash);
    await hashTree.release();
  });
});

test('[TREE-47] bad input is refused with the rule', async () => {
  await bothWays(async ({ hashTree }) => {
    const path = ['a', 'b', 'c'] as unknown as ['a'];
    const deep = await failure(hashTree.prefixHash(path, { node: 'a' }));
    assert.equal(deep.code, 'invalid-argument');
    assert.match(deep.message, /a path is \[\], \[prefix\] or \[prefix, subPrefix\]/);
    const bucket = await failure(hashTree.bucket([], 1, 1024, { node: 'a' }));
    assert.equal(bucket.code, 'invalid-argument');
    assert.match(bucket.message, /0 to 1023/);
    const segment = await failure(hashTree.keyHashes(['a', 'b'], -1, { node: 'a' }));
    assert.match(segment.message, /whole number/);
    const stranger = await failure(hashTree.reset({ node: 'nobody' }));
    assert.match(stranger.message, /nobody is no member/);
  });
});
