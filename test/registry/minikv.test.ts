/** The registry-side rows of table M in SEEDS.md, and the faults known there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOf, bytes, refused, resultOf, Rig, textOf } from './rig.ts';

test('[M1] get gives the record with revisions, expiry, lock, node and time, or nothing', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.put('k', 'v', { ttlMs: 500, lock: true, by: session });
  const { record, lock } = rig.view('k');
  assert.deepEqual(record, {
    key: 'k',
    value: bytes('v'),
    createRevision: 1,
    modRevision: 1,
    version: 1,
    session: 0,
    expiresAt: 1500,
    node: 'a',
    time: 1000,
  });
  assert.deepEqual(lock, { session, token: 1 });
  assert.deepEqual(rig.view('other'), { record: undefined, lock: undefined });
});

test('[M1] [REG-6] expiry happens in the log: a read changes nothing, the next entry does', () => {
  const rig = new Rig();
  rig.put('k', 'v', { ttlMs: 500 });
  rig.time = 1499;
  rig.tick();
  assert.notEqual(rig.get('k'), undefined);
  rig.time = 1500;
  assert.notEqual(rig.get('k'), undefined);
  assert.equal(rig.machine.revision, 1);
  rig.tick();
  assert.equal(rig.get('k'), undefined);
  assert.equal(rig.machine.revision, 2);
});

test('[M2] [LOCK-7] put is refused to everyone but the holder, whose put keeps the lock', () => {
  const rig = new Rig();
  const [holder, other] = [rig.open(), rig.open()];
  rig.put('k', 'before');
  const token = rig.token('k', holder);
  const message = refused(rig.put('k', 'x', { by: other }), 'locked');
  assert.match(message, new RegExp(`session ${holder} with token ${token}`));
  refused(rig.put('k', 'x'), 'locked');
  const { view } = resultOf(rig.put('k', 'mine', { by: holder }), 'key');
  assert.equal(textOf(view.record), 'mine');
  assert.deepEqual(view.lock, { session: holder, token });
  assert.deepEqual(rig.view('k').lock, { session: holder, token });
});

test('[M2] [LOCK-8] put with lock takes the lock in the same revision, or does neither', () => {
  const rig = new Rig();
  const [first, second] = [rig.open(), rig.open()];
  const { revision, view } = resultOf(rig.put('k', '1', { lock: true, by: first }), 'key');
  assert.deepEqual(view.lock, { session: first, token: revision });
  assert.equal(rig.events(1).length, 1);
  assert.equal(rig.events(1)[0]!.events.length, 2);
  refused(rig.put('k', '2', { lock: true, by: second }), 'locked');
  assert.equal(textOf(rig.get('k')), '1');
  assert.deepEqual(rig.keys(), ['k', `k/${first.toString(16).padStart(16, '0')}`]);
  // By the holder again: the lock and its token stay.
  const again = resultOf(rig.put('k', '3', { lock: true, by: first }), 'key');
  assert.deepEqual(again.view.lock, { session: first, token: revision });
  // One who waits in the queue does not hold: refused as well.
  rig.lock('k', second);
  refused(rig.put('k', '4', { lock: true, by: second }), 'locked');
  assert.match(refused(rig.put('q', '', { lock: true }), 'invalid-argument'), /"lock" needs a ses/);
});

test('[M3] delete gives what it removed, nothing for an absent key, and respects the lock', () => {
  const rig = new Rig();
  const [holder, other] = [rig.open(), rig.open()];
  rig.put('k', 'v');
  rig.token('k', holder);
  refused(rig.delete('k', other), 'locked');
  refused(rig.delete('k'), 'locked');
  const removed = resultOf(rig.delete('k', holder), 'key');
  assert.equal(textOf(removed.view.record), 'v');
  assert.equal(rig.get('k'), undefined);
  const { revision } = rig.machine;
  assert.equal(resultOf(rig.delete('k', holder), 'key').view.record, undefined);
  assert.equal(rig.machine.revision, revision);
});

test('[M4] lock works on absent keys, gives a token, and again to its holder the same', () => {
  const rig = new Rig();
  const [first, second, third] = [rig.open(), rig.open(), rig.open()];
  const lock = resultOf(rig.lock('absent', first), 'lock');
  assert.equal(lock.held, true);
  assert.equal(lock.token, lock.revision);
  assert.equal(rig.token('absent', first), lock.token);
  refused(rig.lock('absent', second, false), 'locked');
  const waiting = resultOf(rig.lock('absent', third), 'lock');
  assert.equal(waiting.held, false);
  assert.ok(waiting.token > lock.token);
  assert.equal(rig.get('absent'), undefined);
});

test('[M5] unlock is for the session and token that hold; else not-held', () => {
  const rig = new Rig();
  const [first, second] = [rig.open(), rig.open()];
  const token = rig.token('k', first);
  refused(rig.unlock('k', second, token), 'not-held');
  refused(rig.unlock('k', first, (token + 1) as typeof token), 'not-held');
  refused(rig.unlock('other', first, token), 'not-held');
  resultOf(rig.unlock('k', first, token), 'done');
  assert.match(refused(rig.unlock('k', first, token), 'not-held'), /nobody holds it/);
});

test('[M5] [LOCK-6] breakLock releases the present holder by token, and says so in history', () => {
  const rig = new Rig();
  const [first, second] = [rig.open(), rig.open()];
  const token = rig.token('k', first);
  const next = rig.token('k', second);
  const act = (which: typeof token) =>
    rig.do({ type: 'breakLock', name: 'k', token: which, reason: 'stuck host' }, { node: 'ops' });
  refused(act(next), 'not-held');
  resultOf(act(token), 'done');
  assert.deepEqual(rig.view('k').lock, { session: second, token: next });
  const event = rig.events(rig.machine.revision)[0]!.events[0]!;
  assert.equal(event.type, 'delete');
  assert.equal(event.cause, 'broken');
  assert.equal(event.record.node, 'ops');
  assert.equal(textOf(event.record), 'stuck host');
  refused(act(token), 'not-held');
});

test("[M6] [REG-4] persist takes the TTL away, and is refused under another's lock", () => {
  const rig = new Rig();
  const [holder, other] = [rig.open(), rig.open()];
  rig.put('k', 'v', { ttlMs: 500 });
  rig.token('k', holder);
  refused(rig.persist('k', other), 'locked');
  refused(rig.persist('k'), 'locked');
  const kept = resultOf(rig.persist('k', holder), 'key');
  assert.equal(kept.view.record?.expiresAt, undefined);
  assert.equal(kept.view.record?.version, 2);
  rig.time = 5000;
  rig.tick();
  assert.equal(textOf(rig.get('k')), 'v');
  const { revision } = rig.machine;
  assert.equal(resultOf(rig.persist('k', holder), 'key').view.record?.version, 2);
  assert.equal(resultOf(rig.persist('absent'), 'key').view.record, undefined);
  assert.equal(rig.machine.revision, revision);
});

test('[M7] [REG-5] a put with ttl 0 never expires, whatever TTL the key had before', () => {
  const rig = new Rig();
  rig.put('k', '1', { ttlMs: 500 });
  rig.put('k', '2');
  assert.equal(rig.get('k')!.expiresAt, undefined);
  rig.put('j', '1');
  rig.put('j', '2', { ttlMs: 700 });
  assert.equal(rig.get('j')!.expiresAt, 1700);
  rig.time = 1e9;
  rig.tick();
  assert.deepEqual(rig.keys(), ['k']);
});

test('[M8] [REG-10] an empty key is refused with the rule in the message, by every verb', () => {
  const rig = new Rig();
  const session = rig.open();
  const results = [
    rig.put('', 'v'),
    rig.delete(''),
    rig.persist(''),
    rig.lock('', session),
    rig.unlock('', session, rig.token('k', session)),
    rig.ask({ type: 'get', key: '' }),
    rig.ask({ type: 'lockQueue', name: '', after: 0, limit: 0 }),
  ];
  for (const result of results) assert.match(refused(result, 'invalid-key'), /must not be empty/);
});

test("[M9] [LOCK-9] a dead session's locks pass on and its keys go, nothing is inherited", () => {
  const rig = new Rig();
  const [dead, next] = [rig.open(), rig.open()];
  rig.put('mine', 'v', { ephemeral: true, by: dead });
  rig.put('plain', 'v', { by: dead });
  const token = rig.token('job', dead);
  const waiting = rig.token('job', next);
  rig.do({ type: 'expireSessions', sessions: [dead] });
  assert.deepEqual(rig.view('job').lock, { session: next, token: waiting });
  assert.ok(waiting > token);
  assert.equal(rig.get('mine'), undefined);
  assert.equal(textOf(rig.get('plain')), 'v');
  refused(rig.unlock('job', dead, token), 'not-held');
});

test('[M10] a new replica catches up by snapshot and log to the same state', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.token('job', session);
  rig.put('k', '1');
  const late = rig.restored(rig.snapshot());
  for (const replica of [rig, late]) {
    replica.put('k', '2');
    replica.close(session);
  }
  assert.deepEqual(late.snapshot(), rig.snapshot());
});

test('[M4] known fault: two sessions never both acquire', () => {
  const rig = new Rig();
  const sessions = Array.from({ length: 8 }, () => rig.open());
  const held = sessions.map((session) => resultOf(rig.lock('k', session), 'lock').held);
  assert.deepEqual(held, [true, ...held.slice(1).map(() => false)]);
  const queue = answerOf(
    rig.ask({ type: 'lockQueue', name: 'k', after: 0, limit: 0 }),
    'lockQueue',
  ).queue;
  assert.deepEqual(
    queue.map(({ session }) => session),
    sessions,
  );
});

test('[M4] [M6] known fault: persist, lock and put with lock revive no expired key', () => {
  for (const act of ['persist', 'lock', 'put'] as const) {
    const rig = new Rig();
    const session = rig.open();
    rig.put('k', 'v', { ttlMs: 500 });
    rig.time = 1500;
    if (act === 'persist') {
      assert.equal(resultOf(rig.persist('k'), 'key').view.record, undefined);
    } else if (act === 'lock') {
      rig.lock('k', session);
    } else {
      const { view } = resultOf(rig.put('k', 'new', { lock: true, by: session }), 'key');
      assert.equal(view.record?.version, 1);
      assert.equal(view.record?.createRevision, view.record?.modRevision);
    }
    assert.equal(textOf(rig.get('k')), act === 'put' ? 'new' : undefined);
  }
});

test("[M2] [M5] known fault: the holder's put without lock leaves the lock to unlock", () => {
  const rig = new Rig();
  const session = rig.open();
  const token = rig.token('k', session);
  rig.put('k', 'v', { lock: false, by: session });
  resultOf(rig.unlock('k', session, token), 'done');
  assert.equal(textOf(rig.get('k')), 'v');
  assert.equal(rig.view('k').lock, undefined);
});
