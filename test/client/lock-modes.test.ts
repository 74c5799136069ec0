/** Shared locks, semaphores and lock-delay, as a client waits for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lock, LockOptions, Registry } from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';
import { eventually } from './support/wait.ts';

const SHARED: LockOptions = { mode: 'shared' };

/** Starts to lock, each as another client, and notes who got it in which order. */
class Contenders {
  readonly got: string[] = [];
  readonly locks: Map<string, Lock> = new Map();
  readonly #harness: Harness;

  constructor(harnessed: Harness) {
    this.#harness = harnessed;
  }

  /** Resolves once the place in the queue is taken. */
  async join(name: string, options: LockOptions): Promise<Registry> {
    const { cluster, time, another } = this.#harness;
    const places = cluster.count('lock');
    const registry = another();
    void this.#lock(name, registry, options);
    await eventually(time, `the place of ${name}`, () => cluster.count('lock') > places);
    await time.advance(50);
    return registry;
  }

  async #lock(name: string, registry: Registry, options: LockOptions): Promise<void> {
    this.locks.set(name, await registry.lock('n', options));
    this.got.push(name);
  }

  async leave(name: string): Promise<void> {
    const { time } = this.#harness;
    await time.until(this.locks.get(name)!.unlock());
    await time.advance(200);
  }
}

async function queueLength({ time, registry }: Harness): Promise<number> {
  return (await time.until(registry.lockQueue('n'))).length;
}

function countLooks({ cluster }: Harness): () => number {
  let looks = 0;
  cluster.fateOf = (request) => {
    if (request.type === 'query') looks++;
    return { type: 'served' };
  };
  return () => looks;
}

test('[LOCK-80] readers together, then the writer, then the readers that came later', async () => {
  const contenders = new Contenders(harness());
  await contenders.join('r1', SHARED);
  await contenders.join('r2', SHARED);
  await contenders.join('w', {});
  await contenders.join('r3', SHARED);
  await contenders.join('r4', SHARED);
  assert.deepEqual(contenders.got, ['r1', 'r2']);
  assert.equal(contenders.locks.get('r1')?.mode, 'shared');
  await contenders.leave('r2');
  assert.deepEqual(contenders.got, ['r1', 'r2']);
  await contenders.leave('r1');
  assert.deepEqual(contenders.got, ['r1', 'r2', 'w']);
  await contenders.leave('w');
  assert.deepEqual(contenders.got.slice(0, 3), ['r1', 'r2', 'w']);
  assert.deepEqual(contenders.got.slice(3).toSorted(), ['r3', 'r4']);
});

test('[LOCK-81] a semaphore: a release is told to whom it lets in, and nobody asks', async () => {
  const harnessed = harness();
  const contenders = new Contenders(harnessed);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await contenders.join(name, { limit: 2 });
  assert.deepEqual(contenders.got, ['a', 'b']);
  const looks = countLooks(harnessed);
  await contenders.leave('b');
  assert.deepEqual(contenders.got, ['a', 'b', 'c']);
  assert.equal(harnessed.cluster.grantsTold, 1);
  await contenders.leave('a');
  assert.deepEqual(contenders.got, ['a', 'b', 'c', 'd']);
  assert.equal(harnessed.cluster.grantsTold, 2);
  assert.equal(looks(), 0);
});

test('[LOCK-86] many permits given back let in as many as they last for', async () => {
  const contenders = new Contenders(harness());
  await contenders.join('big', { limit: 3, permits: 3 });
  await contenders.join('one', { limit: 3 });
  await contenders.join('two', { limit: 3, permits: 2 });
  await contenders.join('late', { limit: 3 });
  assert.deepEqual(contenders.got, ['big']);
  await contenders.leave('big');
  assert.deepEqual(contenders.got.slice(1).toSorted(), ['one', 'two']);
  await contenders.leave('two');
  assert.equal(contenders.got.at(-1), 'late');
});

for (const [mode, holds, waits] of [
  ['exclusive', {}, {}],
  ['shared', {}, SHARED],
  ['semaphore', { limit: 1 }, { limit: 1 }],
] as const) {
  test(`[LOCK-82] ${mode}: a wait that is over leaves nothing in the queue`, async () => {
    const harnessed = harness();
    const { time, registry, another } = harnessed;
    await time.until(registry.lock('n', holds));
    const late = await failure(time.until(another().lock('n', { ...waits, wait: '2s' })));
    assert.equal(late.code, 'lock-timeout');
    const controller = new AbortController();
    const aborted = failure(another().lock('n', { ...waits, signal: controller.signal }));
    await time.advance(500);
    assert.equal(await queueLength(harnessed), 2);
    controller.abort();
    assert.equal((await aborted).code, 'aborted');
    await time.advance(500);
    assert.equal(await queueLength(harnessed), 1);
    const refused = await failure(time.until(another().lock('n', { ...waits, try: true })));
    assert.equal(refused.code, 'locked');
    assert.equal(await queueLength(harnessed), 1);
  });

  test(`[LOCK-82] ${mode}: when it is unknown whether we queued, the place goes`, async () => {
    const harnessed = harness();
    const { time, cluster, registry, another } = harnessed;
    await time.until(registry.lock('n', holds));
    const other = another();
    await time.until(other.put('warm', ''));
    cluster.fateOf = (request) => ({ type: request.type === 'propose' ? 'cutAfter' : 'served' });
    const controller = new AbortController();
    const waiting = failure(other.lock('n', { ...waits, signal: controller.signal }));
    await eventually(time, 'a place', () => cluster.count('lock') >= 2);
    controller.abort();
    assert.equal((await time.until(waiting)).code, 'aborted');
    await time.advance(2_000);
    cluster.fateOf = () => ({ type: 'served' });
    await time.advance(20_000);
    assert.equal(await queueLength(harnessed), 1);
  });
}

test('[LOCK-83] options that do not go together are refused before anything is sent', async () => {
  const { time, cluster, registry } = harness();
  const mistakes: readonly [LockOptions, RegExp][] = [
    [{ permits: 2 }, /permits need a limit/],
    [{ mode: 'shared', limit: 2 }, /mode or limit, not both/],
    [{ mode: 'semaphore' as 'shared' }, /exclusive or shared/],
    [{ limit: 1.5 }, /limit is 1.5/],
    [{ lockDelay: 'soon' }, /lockDelay/],
  ];
  for (const [options, message] of mistakes) {
    const error = await failure(time.until(registry.lock('n', options)));
    assert.equal(error.code, 'invalid-argument');
    assert.match(error.message, message);
  }
  assert.equal(cluster.count('lock'), 0);
  await time.until(registry.lock('n', SHARED));
  const conflict = await failure(time.until(registry.lock('n')));
  assert.equal(conflict.code, 'lock-conflict');
  const many = await failure(time.until(registry.lock('m', { limit: 2, permits: 3 })));
  assert.equal(many.code, 'invalid-argument');
});

test('[LOCK-84] a dead holder keeps its lock for the delay, then it passes on', async () => {
  const { time, registry, another } = harness();
  const session = await time.until(registry.openSession({ ttl: '2s', keepAlive: false }));
  const first = await time.until(registry.lock('n', { session, lockDelay: '10s' }));
  const since = time.now();
  const next = await time.until(another().lock('n'));
  assert.ok(next.token > first.token);
  const waitedMs = time.now() - since;
  assert.ok(waitedMs >= 12_000, `${waitedMs} ms: the TTL and the delay`);
});

test('[LOCK-84] a body is told of its loss at once, though the delay keeps its place', async () => {
  const { time, registry } = harness();
  const session = await time.until(registry.openSession({ ttl: '2s', keepAlive: false }));
  const options = { session: session.id, lockDelay: '1m' } as const;
  const since = time.now();
  const held = registry.withLock('n', options, ({ signal }) => {
    return new Promise<number>((resolve) => {
      signal.addEventListener('abort', () => resolve(time.now() - since));
    });
  });
  const error = await failure(time.until(held));
  assert.equal(error.code, 'session-expired');
  assert.ok(time.now() - since < 5_000, 'not only when the delay is over');
});

test('[LOCK-85] locks are listed in pages, with holders, metadata, age and time left', async () => {
  const { time, registry, another } = harness();
  await time.until(registry.lock('jobs/a', { metadata: { host: 'one' } }));
  await time.until(registry.lock('jobs/b', SHARED));
  await time.until(another().lock('jobs/b', SHARED));
  await time.until(registry.lock('jobs/c', { limit: 5, permits: 2 }));
  await time.until(registry.lock('other'));
  await time.advance(3_000);
  const first = await time.until(registry.locks({ prefix: 'jobs/', limit: 2 }));
  assert.equal(first.more, true);
  const after = first.locks.at(-1)!.nameBytes;
  const rest = await time.until(registry.locks({ prefix: 'jobs/', limit: 2, after }));
  assert.equal(rest.more, false);
  const shown = [...first.locks, ...rest.locks].map((one) => {
    return [one.name, one.mode, one.held, one.waiting, one.permits, one.limit];
  });
  assert.deepEqual(shown, [
    ['jobs/a', 'exclusive', 1, 0, 0, 0],
    ['jobs/b', 'shared', 2, 0, 0, 0],
    ['jobs/c', 'semaphore', 1, 0, 2, 5],
  ]);
  const [holder] = first.locks[0]!.holders;
  assert.equal(Buffer.from(holder!.metadata).toString(), '{"host":"one"}');
  assert.ok(holder!.ageMs >= 2_800 && holder!.ageMs < 5_000, `${holder!.ageMs}`);
  assert.ok(holder!.remainingMs! > 0 && holder!.remainingMs! <= 15_000);
});

test('[LOCK-80] withLock takes a mode: readers run together', async () => {
  const { time, registry } = harness();
  let inside = 0;
  let most = 0;
  const read = () =>
    registry.withLock('n', SHARED, async () => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => void time.setTimer(500, resolve));
      inside--;
    });
  await time.until(Promise.all([read(), read(), read()]));
  assert.equal(most, 3);
});
