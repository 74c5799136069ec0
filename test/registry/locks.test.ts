import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXCLUSIVE, type SessionId } from '../../src/registry/index.ts';
import { answerOf, bytes, refused, resultOf, Rig } from './rig.ts';

function queueOf(rig: Rig, name: string): [session: number, token: number][] {
  const { queue } = answerOf(rig.ask({ type: 'lockQueue', name, after: 0, limit: 0 }), 'lockQueue');
  return queue.map(({ session, token }) => [session, token]);
}

test("[LOCK-1] the token is the queue key's createRevision, and grows with each holder", () => {
  const rig = new Rig();
  let last = 0;
  for (let round = 0; round < 5; round++) {
    const session = rig.open();
    const token = rig.token('k', session);
    const key = `k/${session.toString(16).padStart(16, '0')}`;
    assert.equal(rig.get(key)!.createRevision, token);
    assert.equal(rig.get(key)!.session, session);
    assert.ok(token > last);
    last = token;
    if (round % 2 === 0) rig.unlock('k', session, token);
    else rig.close(session);
  }
});

test('[LOCK-2] the lock passes on in the order of joining, not of session ids', () => {
  const rig = new Rig();
  const [a, b, c, d] = [rig.open(), rig.open(), rig.open(), rig.open()];
  const order = [c, a, d, b];
  const tokens = order.map((session) => rig.token('k', session));
  assert.deepEqual(
    queueOf(rig, 'k'),
    order.map((session, at) => [session, tokens[at]]),
  );
  order.forEach((session, at) => {
    assert.deepEqual(rig.view('k').lock, { session, token: tokens[at] });
    rig.unlock('k', session, tokens[at]!);
  });
  assert.equal(rig.view('k').lock, undefined);
});

test('[LOCK-3] a session in the queue that locks again keeps its token and its place', () => {
  const rig = new Rig();
  const [first, second, third] = [rig.open(), rig.open(), rig.open()];
  rig.token('k', first);
  const token = rig.token('k', second);
  rig.token('k', third);
  const { revision } = rig.machine;
  const again = resultOf(rig.lock('k', second), 'lock');
  assert.deepEqual([again.token, again.held], [token, false]);
  assert.equal(rig.machine.revision, revision);
  // Left and joined anew: at the end, with a new token.
  rig.unlock('k', second, token);
  assert.ok(rig.token('k', second) > token);
  assert.deepEqual(
    queueOf(rig, 'k').map(([session]) => session),
    [first, third, second],
  );
});

test("[LOCK-4] a try against another's lock is refused and leaves nothing behind", () => {
  const rig = new Rig();
  const [holder, other] = [rig.open(), rig.open()];
  const token = rig.token('k', holder);
  const { revision } = rig.machine;
  const message = refused(rig.lock('k', other, false), 'locked');
  assert.match(message, new RegExp(`"k" is locked by session ${holder} with token ${token}`));
  assert.equal(rig.machine.revision, revision);
  assert.equal(queueOf(rig, 'k').length, 1);
  assert.equal(resultOf(rig.lock('k', holder, false), 'lock').held, true);
  assert.equal(resultOf(rig.lock('free', other, false), 'lock').held, true);
});

test('[LOCK-5] one who waits leaves the queue by unlocking, with its own token only', () => {
  const rig = new Rig();
  const [holder, waiter] = [rig.open(), rig.open()];
  const held = rig.token('k', holder);
  const token = rig.token('k', waiter);
  refused(rig.unlock('k', waiter, held), 'not-held');
  resultOf(rig.unlock('k', waiter, token), 'done');
  assert.deepEqual(queueOf(rig, 'k'), [[holder, held]]);
  const message = refused(rig.unlock('k', waiter, token), 'not-held');
  assert.match(message, new RegExp(`session ${holder} holds it`));
});

test('[LOCK-7] while a name is held, only its holder writes the key; reads go on', () => {
  const rig = new Rig();
  const [holder, waiter] = [rig.open(), rig.open()];
  rig.put('k', 'v');
  const token = rig.token('k', holder);
  rig.token('k', waiter);
  for (const by of [waiter, 0 as SessionId]) {
    refused(rig.put('k', 'x', { by }), 'locked');
    refused(rig.delete('k', by), 'locked');
    refused(rig.persist('k', by), 'locked');
  }
  resultOf(rig.put('k/child', 'x', { by: waiter }), 'key');
  rig.unlock('k', holder, token);
  refused(rig.put('k', 'x', { by: holder }), 'locked');
  resultOf(rig.put('k', 'x', { by: waiter }), 'key');
});

test("[LOCK-9] a session's end releases what it holds and leaves what it waits for", () => {
  const rig = new Rig();
  const [one, two, three] = [rig.open(), rig.open(), rig.open()];
  rig.token('a', one);
  rig.token('a', two);
  rig.token('b', three);
  rig.token('b', one);
  rig.close(one);
  assert.deepEqual(
    queueOf(rig, 'a').map(([session]) => session),
    [two],
  );
  assert.deepEqual(
    queueOf(rig, 'b').map(([session]) => session),
    [three],
  );
});

test('[LOCK-10] a restored replica knows the same holders and queues', () => {
  const rig = new Rig();
  const [a, b, c] = [rig.open(), rig.open(), rig.open()];
  for (const session of [c, a, b]) rig.token('k', session);
  rig.token('other', b);
  for (let i = 0; i < 10; i++) rig.put('pad', `${i}`);
  rig.do({ type: 'compact', revision: rig.machine.revision });
  rig.put('pad', 'more');
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(queueOf(copy, 'k'), queueOf(rig, 'k'));
  assert.deepEqual(
    queueOf(copy, 'k').map(([session]) => session),
    [c, a, b],
  );
  assert.deepEqual(copy.view('other').lock, rig.view('other').lock);
  refused(copy.put('k', 'x', { by: a }), 'locked');
  copy.close(c);
  assert.equal(copy.view('k').lock?.session, a);
});

test('[LOCK-11] a read at an old revision names the holder of that revision', () => {
  const rig = new Rig();
  const [one, two] = [rig.open(), rig.open()];
  rig.put('k', 'v');
  const token = rig.token('k', one);
  const second = rig.token('k', two);
  const held = rig.machine.revision;
  rig.unlock('k', one, token);
  const passed = rig.machine.revision;
  rig.close(two);
  const lockAt = (revision: number) => rig.list('k', revision)[0]!.lock;
  assert.equal(lockAt(1), undefined);
  assert.deepEqual(lockAt(held), { session: one, token });
  assert.deepEqual(lockAt(passed), { session: two, token: second });
  assert.equal(lockAt(rig.machine.revision), undefined);
});

test("[LOCK-12] the queue shows each one's metadata and since when it waits", () => {
  const rig = new Rig();
  const [one, two] = [rig.open(), rig.open()];
  const join = (session: SessionId, text: string) =>
    rig.do(
      { type: 'lock', name: 'k', wait: true, metadata: bytes(text), terms: EXCLUSIVE },
      { session },
    );
  join(one, 'host-1');
  rig.time = 2000;
  join(two, '');
  const { queue } = answerOf(
    rig.ask({ type: 'lockQueue', name: 'k', after: 0, limit: 0 }),
    'lockQueue',
  );
  assert.deepEqual(
    queue.map(({ metadata, since }) => [Buffer.from(metadata).toString(), since]),
    [
      ['host-1', 1000],
      ['', 2000],
    ],
  );
  assert.deepEqual(queueOf(rig, 'nobody'), []);
});
