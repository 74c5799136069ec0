import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCommand } from '../../src/registry/index.ts';
import type { LockRef, Registry } from '../../src/client/index.ts';
import { failure, harness, type Harness } from './support/harness.ts';
import { eventually } from './support/wait.ts';

function refOf({ session, token }: LockRef): LockRef {
  return { session, token };
}

async function queueOf({ time, another }: Harness, name: string): Promise<readonly LockRef[]> {
  const onlooker = another({ exactlyOnce: false });
  const queue = await time.until(onlooker.lockQueue(name));
  await time.until(onlooker.close());
  return queue.map(refOf);
}

test('[M4] [LOCK-50] trying takes a free lock, and refuses a held one at once', async () => {
  const { time, registry, another } = harness();
  const lock = await time.until(registry.lock('n', { try: true }));
  const again = await time.until(registry.lock('n', { try: true }));
  assert.equal(again.token, lock.token);
  const other = another();
  const error = await failure(time.until(other.lock('n', { try: true })));
  assert.equal(error.code, 'locked');
  await time.until(lock.unlock());
  await time.until(lock.unlock());
  const next = await time.until(other.lock('n', { try: true }));
  assert.ok(next.token > lock.token);
});

test('[M2] [LOCK-51] the own session holds: its writes pass, those of others do not', async () => {
  const { time, registry, another } = harness();
  const lock = await time.until(registry.lock('n'));
  const record = await time.until(registry.put('n', 'mine'));
  assert.deepEqual(record.lock, { session: lock.session, token: lock.token });
  const other = another();
  for (const write of [other.put('n', 'theirs'), other.delete('n'), other.persist('n')]) {
    assert.equal((await failure(time.until(write))).code, 'locked');
  }
  assert.equal((await time.until(registry.get('n')))?.text(), 'mine');
  assert.deepEqual((await time.until(other.lockQueue('n'))).map(refOf), [record.lock]);
});

test('[M2] a put can take the lock in the same step', async () => {
  const { time, registry, another } = harness();
  const record = await time.until(registry.put('n', 'v', { lock: true }));
  assert.ok(record.lock !== undefined);
  const other = another();
  const refused = await failure(time.until(other.put('n', 'w', { lock: true })));
  assert.equal(refused.code, 'locked');
  await time.until(registry.unlock('n', record.lock));
  await time.until(other.put('n', 'w', { lock: true }));
});

test('[M5] [LOCK-52] only session and token together unlock', async () => {
  const { time, registry, another } = harness();
  const { session, token } = await time.until(registry.lock('n'));
  const other = another();
  const wrongToken = await failure(time.until(other.unlock('n', { session, token: token + 1 })));
  assert.equal(wrongToken.code, 'not-held');
  const wrongSession = await failure(
    time.until(other.unlock('n', { session: session + 1, token })),
  );
  assert.equal(wrongSession.code, 'not-held');
  await time.until(other.unlock('n', { session, token }));
  assert.deepEqual(await time.until(registry.lockQueue('n')), []);
});

test('[LOCK-53] waiters get the lock in turn, each with a larger token', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const first = await time.until(registry.lock('n'));
  const order: number[] = [];
  const tokens: number[] = [first.token];
  const waiters = [1, 2, 3].map(async (number) => {
    await time.until(Promise.resolve());
    const lock = await harnessed.another().lock('n');
    order.push(number);
    tokens.push(lock.token);
    await lock.unlock();
  });
  for (let length = 1; length <= 4; length++) {
    await eventually(time, 'a queue', () => harnessed.cluster.count('lock') >= length);
  }
  await time.until(first.unlock());
  await time.until(Promise.all(waiters));
  assert.deepEqual(
    tokens.toSorted((left, right) => left - right),
    tokens,
  );
  assert.equal(order.length, 3);
});

test('[LOCK-54] a release is told to the one it lets in, who then asks nothing more', async () => {
  const harnessed = harness();
  const { time, cluster, registry } = harnessed;
  const first = await time.until(registry.lock('n'));
  const waiting: Promise<unknown>[] = [];
  for (let i = 0; i < 5; i++) {
    waiting.push(harnessed.another().lock('n'));
    await eventually(time, 'the next in line', () => cluster.count('lock') === i + 2);
  }
  await time.advance(100);
  const requests: string[] = [];
  cluster.fateOf = ({ type }) => {
    if (type !== 'leaderQuery' && type !== 'status') requests.push(type);
    return { type: 'served' };
  };
  await time.until(first.unlock());
  await time.until(waiting[0] ?? Promise.resolve());
  await time.advance(1_000);
  assert.deepEqual(requests, ['propose'], 'the release');
  assert.equal(cluster.grantsTold, 1);
});

test('[LOCK-55] a wait that is over, by time or signal, leaves nothing in the queue', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  const late = await failure(time.until(other.lock('n', { wait: '2s' })));
  assert.equal(late.code, 'lock-timeout');
  const controller = new AbortController();
  const aborted = failure(other.lock('n', { signal: controller.signal }));
  await time.advance(500);
  assert.equal((await queueOf(harnessed, 'n')).length, 2);
  controller.abort();
  assert.equal((await aborted).code, 'aborted');
  await time.advance(500);
  assert.deepEqual(await queueOf(harnessed, 'n'), [
    { session: holder.session, token: holder.token },
  ]);
});

test('[LOCK-56] when it is unknown whether we queued, the place is given up', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  await time.until(other.put('warm', ''));
  cluster.fateOf = (request) => ({ type: request.type === 'propose' ? 'cutAfter' : 'served' });
  const controller = new AbortController();
  const waiting = failure(other.lock('n', { signal: controller.signal }));
  await eventually(time, 'a place', () => cluster.count('lock') >= 2);
  controller.abort();
  assert.equal((await time.until(waiting)).code, 'aborted');
  await time.advance(2_000);
  cluster.fateOf = () => ({ type: 'served' });
  await time.advance(20_000);
  assert.deepEqual(await queueOf(harnessed, 'n'), [
    { session: holder.session, token: holder.token },
  ]);
});

test('[LOCK-57] one caller giving up leaves the place to another of its session', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  const patient = other.lock('n');
  const hasty = failure(other.lock('n', { wait: '1s' }));
  assert.equal((await time.until(hasty)).code, 'lock-timeout');
  await time.advance(1_000);
  await time.until(holder.unlock());
  const lock = await time.until(patient);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, lock.token);
});

test('[LOCK-55] giving up while an earlier release is under way counts as given up', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const other = another();
  const earlier = await time.until(other.lock('n'));
  cluster.latencyMs = () => 200;
  const release = earlier.unlock();
  const hasty = failure(other.lock('n', { wait: 50 }));
  assert.equal((await time.until(hasty)).code, 'lock-timeout');
  await time.until(release);
  cluster.latencyMs = () => 1;
  const holder = await time.until(registry.lock('n'));
  const late = failure(other.lock('n', { wait: '1s' }));
  assert.equal((await time.until(late)).code, 'lock-timeout');
  await time.advance(2_000);
  const only = { session: holder.session, token: holder.token };
  assert.deepEqual(await queueOf(harnessed, 'n'), [only]);
});

test('[LOCK-57] a handle whose lock another caller released holds no place back', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const other = another();
  const first = await time.until(other.lock('n'));
  const second = await time.until(other.lock('n'));
  assert.equal(second.token, first.token, 'one session, one place');
  await time.until(first.unlock());
  assert.equal((await failure(time.until(second.unlock()))).code, 'not-held');
  const holder = await time.until(registry.lock('n'));
  const late = failure(other.lock('n', { wait: '1s' }));
  assert.equal((await time.until(late)).code, 'lock-timeout');
  await time.advance(2_000);
  const only = { session: holder.session, token: holder.token };
  assert.deepEqual(await queueOf(harnessed, 'n'), [only]);
});

test('[LOCK-58] giving up and asking again at once does not lose the new place', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  const controller = new AbortController();
  const first = failure(other.lock('n', { signal: controller.signal }));
  await time.advance(100);
  let delay = true;
  cluster.fateOf = (request) => {
    if (request.type !== 'propose' || !delay) return { type: 'served' };
    delay = decodeCommand(request.command).command.type !== 'unlock';
    return delay ? { type: 'served' } : { type: 'refused', code: 'no-leader' };
  };
  controller.abort();
  await first;
  const second = other.lock('n');
  await time.advance(100);
  await time.until(holder.unlock());
  const lock = await time.until(second);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, lock.token);
});

test('[LOCK-59] a waiter whose session ends is told, and is out of the queue', async () => {
  const harnessed = harness();
  const { time, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  const session = await time.until(other.openSession({ ttl: '2s' }));
  const waiting = failure(other.lock('n', { session }));
  await time.advance(500);
  await time.until(registry.closeSession(session.id));
  const since = time.now();
  assert.equal((await time.until(waiting)).code, 'session-expired');
  assert.ok(time.now() - since < 100, 'at once, not only when it is renewed');
  assert.ok(session.signal.aborted, 'and so is everybody else');
  await time.advance(500);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, holder.token);
});

test('[M9] [LOCK-60] a holder that dies passes the lock on when its session expires', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const session = await time.until(registry.openSession({ ttl: '2s', keepAlive: false }));
  const dead = await time.until(registry.lock('n', { session }));
  await time.until(registry.put('e', 'v', { session, ephemeral: true }));
  const waiting = another().lock('n');
  await time.advance(1_000);
  const lock = await time.until(waiting);
  assert.ok(lock.token > dead.token);
  assert.equal(cluster.count('expireSessions'), 1);
  assert.equal(await time.until(registry.get('e')), undefined);
});

test('[LOCK-61] waiting survives lost connections and a change of leader', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const waiting = another().lock('n');
  await time.advance(100);
  for (const node of cluster.nodes.values()) node.cutAll();
  cluster.node('a:1').goDown();
  cluster.elect('b:1');
  await time.advance(100);
  await time.until(holder.unlock());
  for (const node of cluster.nodes.values()) node.cutAll();
  const lock = await time.until(waiting);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, lock.token);
});

test('[LOCK-61] a waiter whose node was cut off from the cluster still gets its turn', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const other = another();
  const waiting = other.lock('n');
  await time.advance(500);
  // Its node lives on and answers, but hears nothing of what the others commit.
  cluster.node('a:1').heldBackAt = cluster.registry.revision;
  cluster.elect('b:1');
  await time.until(holder.unlock());
  const lock = await time.until(waiting, 30_000);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, lock.token);
});

test('[LOCK-61] a waiter whose node says nothing asks the cluster in the end', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const waiting = another().lock('n');
  await time.advance(500);
  cluster.node('a:1').heldBackAt = cluster.registry.revision;
  await time.until(holder.unlock());
  const lock = await time.until(waiting, 30_000);
  assert.equal(cluster.grantsTold, 0);
  assert.equal((await queueOf(harnessed, 'n'))[0]?.token, lock.token);
});

test('[LOCK-61] a waiter whose node does not serve waits there again, or at another', async () => {
  const { time, cluster, registry, another } = harness();
  const holder = await time.until(registry.lock('n'));
  let refusals = 0;
  cluster.fateOf = ({ type }) => {
    if (type !== 'awaitGrant' || ++refusals > 3) return { type: 'served' };
    return { type: 'refused', code: 'stopped' };
  };
  const waiting = another().lock('n');
  await time.advance(2_000);
  assert.equal(refusals, 4);
  await time.until(holder.unlock());
  await time.until(waiting);
  assert.equal(cluster.grantsTold, 1);
  cluster.fateOf = ({ type }) => {
    return type === 'awaitGrant' ? { type: 'refused', code: 'overloaded' } : { type: 'served' };
  };
  const error = await failure(time.until(registry.lock('n')));
  assert.equal(error.code, 'overloaded', 'too many watches');
});

test('[LOCK-62] withLock holds while its body runs, and releases however that ends', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const result = await time.until(
    registry.withLock('n', { wait: '5s' }, async ({ session, token, signal, name }) => {
      assert.deepEqual((await registry.lockQueue('n')).map(refOf), [{ session, token }]);
      assert.equal(signal.aborted, false);
      assert.equal(name, 'n');
      return 'done';
    }),
  );
  assert.equal(result, 'done');
  assert.deepEqual(await queueOf(harnessed, 'n'), []);
  assert.deepEqual(await time.until(registry.sessions()), []);
  const thrown = new Error('of the body');
  const failing = registry.withLock('n', {}, () => Promise.reject(thrown));
  await assert.rejects(time.until(failing), thrown);
  assert.deepEqual(await queueOf(harnessed, 'n'), []);
  const session = await time.until(registry.openSession());
  await time.until(registry.withLock('n', { session }, async () => undefined));
  assert.deepEqual(await queueOf(harnessed, 'n'), []);
  assert.equal(session.signal.aborted, false);
});

test('[LOCK-63] withLock tells its body of a session in doubt, then its caller', async () => {
  const { time, cluster, registry } = harness();
  let told = 0;
  const working = registry.withLock('n', { ttl: '2s' }, async ({ signal }) => {
    cluster.fateOf = () => ({ type: 'lost' });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    assert.equal(cluster.count('expireSessions'), 0);
    told++;
    return 'too late';
  });
  const error = await failure(time.until(working));
  assert.equal(told, 1);
  assert.equal(error.code, 'session-expired');
  assert.equal(error.outcome, 'unknown');
});

test('[LOCK-64] a body that blocked the loop past the deadline is no success', async () => {
  const { time, registry } = harness();
  const working = registry.withLock('n', { ttl: '2s' }, async ({ signal }) => {
    time.stall(5_000);
    assert.equal(signal.aborted, false);
    return Promise.resolve('believed to be alone');
  });
  assert.equal((await failure(time.until(working))).code, 'session-expired');
});

test('[LOCK-65] an operator who breaks a lock is noticed by its holder', async () => {
  const { time, registry, another } = harness();
  const operator: Registry = another();
  const working = registry.withLock('n', {}, async ({ signal, token }) => {
    await operator.breakLock('n', token, 'stuck');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  const error = await failure(time.until(working));
  assert.equal(error.code, 'not-held');
});

test('[LOCK-66] locks of different names share a session', async () => {
  const { time, cluster, registry } = harness();
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  const locks = await time.until(Promise.all(names.map((name) => registry.lock(name))));
  assert.equal(new Set(locks.map(({ session }) => session)).size, 1);
  assert.equal(new Set(locks.map(({ token }) => token)).size, 20);
  assert.equal(cluster.count('openSession'), 1);
});

test('[LOCK-66] many may wait at once, without a word on stderr', async () => {
  const harnessed = harness();
  const { time, registry } = harnessed;
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  const holder = await time.until(harnessed.another().lock('n'));
  const waiting = Array.from({ length: 30 }, (_, i) => registry.lock(i === 0 ? 'n' : `n${i}`));
  const holding = Array.from({ length: 30 }, () => registry.lock('n'));
  await time.advance(500);
  await time.until(holder.unlock());
  await time.until(Promise.all([...waiting, ...holding]));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
});

test('[LOCK-70] a free lock is one log entry, its release one, and nothing else', async () => {
  const { time, cluster, registry } = harness();
  await time.until(registry.put('warm', ''));
  const requests: string[] = [];
  cluster.fateOf = ({ type }) => {
    if (type !== 'leaderQuery') requests.push(type);
    return { type: 'served' };
  };
  const entries = cluster.applied.length;
  const lock = await time.until(registry.lock('n'));
  await time.until(lock.unlock());
  await time.advance(100);
  assert.deepEqual(requests, ['propose', 'propose']);
  assert.equal(cluster.applied.length, entries + 2);
});

test('[LOCK-67] a lock disposed of out of reach is released later', async () => {
  const harnessed = harness({ requestTimeout: '1s' });
  const { time, cluster, registry } = harnessed;
  const lock = await time.until(registry.lock('n'));
  const node = cluster.node('a:1');
  for (const one of cluster.nodes.values()) one.goDown();
  await time.until(Promise.resolve(lock[Symbol.asyncDispose]()));
  for (const one of cluster.nodes.values()) one.state = 'up';
  assert.equal(node.state, 'up');
  await time.advance(5_000);
  assert.deepEqual(await queueOf(harnessed, 'n'), []);
});

test('[LOCK-69] a waiter ahead that gives up does not make the next one the holder', async () => {
  const harnessed = harness();
  const { time, cluster, registry, another } = harnessed;
  const holder = await time.until(registry.lock('n'));
  const controller = new AbortController();
  const middle = failure(another().lock('n', { signal: controller.signal }));
  await eventually(time, 'the middle one', () => cluster.count('lock') === 2);
  let held = false;
  const last = another().lock('n');
  void last.then(() => (held = true));
  await eventually(time, 'the last one', () => cluster.count('lock') === 3);
  controller.abort();
  await middle;
  await time.advance(3_000);
  assert.equal(held, false);
  await time.until(holder.unlock());
  const lock = await time.until(last);
  assert.ok(lock.token > holder.token);
});
