import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegistryCommand, RegistryResult, SessionId } from '../../src/registry/index.ts';
import { answerOf, bytes, NONE, refused, resultOf, Rig, textOf } from './rig.ts';

const LIMITS = { minSessionTtlMs: 100, maxSessionTtlMs: 1000, maxSessions: 3, maxLabelBytes: 4 };

function numbered(
  rig: Rig,
  session: SessionId,
  sequence: number,
  acknowledged: number,
  text = `v${sequence}`,
): RegistryResult {
  const value = bytes(text);
  const command: RegistryCommand = {
    type: 'put',
    key: `k${sequence}`,
    value,
    ttlMs: 0,
    ephemeral: false,
    lock: false,
  };
  return rig.do(command, { session, sequence, acknowledged });
}

test('[SESS-1] a session is named by the log index that opened it', () => {
  const rig = new Rig();
  rig.put('a', '');
  const session = rig.open(5000);
  assert.equal(session, 2);
  const { sessions } = answerOf(rig.ask({ type: 'sessions', after: 0, limit: 0 }), 'sessions');
  assert.deepEqual(sessions, [
    { id: 2, ttlMs: 5000, label: 'l', metadata: NONE, openedAt: 1000, trapExits: false, keys: 0 },
  ]);
});

test('[SESS-1] [SESS-16] TTL, label, metadata and number of sessions have limits', () => {
  const rig = new Rig(LIMITS);
  const open = (ttlMs: number, label = '', metadata = NONE) =>
    rig.do({ type: 'openSession', ttlMs, label, metadata, trapExits: false });
  for (const ttlMs of [99, 1001, NaN, -1, 0, 100.5]) {
    assert.match(refused(open(ttlMs), 'invalid-argument'), /from 100 .* to 1000 /);
  }
  assert.match(refused(open(100, 'label'), 'too-large'), /label of 5 bytes/);
  assert.match(refused(open(100, '', bytes('12345')), 'too-large'), /metadata of 5 bytes/);
  for (let i = 0; i < 3; i++) resultOf(open(1000), 'session');
  assert.match(refused(open(1000), 'overloaded'), /3 sessions are open \(maxSessions\)/);
});

test('[SESS-2] closing deletes all a session owns in one revision, in key order, once', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.put('z', '', { ephemeral: true, by: session });
  rig.token('m', session);
  rig.put('a', '', { ephemeral: true, by: session });
  rig.put('kept', '', { by: session });
  const { revision } = resultOf(rig.close(session), 'done');
  const [last] = rig.events(revision);
  assert.deepEqual(
    last!.events.map(({ record, cause }) => [record.key, cause]),
    [
      ['a', 'sessionEnded'],
      [`m/${'0'.repeat(15)}1`, 'sessionEnded'],
      ['z', 'sessionEnded'],
    ],
  );
  refused(rig.close(session), 'session-expired');
  assert.equal(rig.machine.revision, revision);
  assert.deepEqual(rig.keys(), ['kept']);
});

test('[SESS-3] expiring ends those still open in one revision, and passes over the others', () => {
  const rig = new Rig();
  const [one, two, three] = [rig.open(), rig.open(), rig.open()];
  rig.put('b', '', { ephemeral: true, by: one });
  rig.put('a', '', { ephemeral: true, by: two });
  rig.put('c', '', { ephemeral: true, by: three });
  const sessions = [two, 77 as SessionId, one, two];
  resultOf(rig.do({ type: 'expireSessions', sessions }), 'done');
  const last = rig.events(rig.machine.revision);
  assert.deepEqual(
    last[0]!.events.map(({ record }) => record.key),
    ['b', 'a'],
  );
  assert.deepEqual(rig.keys(), ['c']);
  const { revision } = rig.machine;
  rig.do({ type: 'expireSessions', sessions });
  assert.equal(rig.machine.revision, revision);
});

test('[SESS-4] nothing is done for a session that is not open', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.close(session);
  const results = [
    rig.put('k', 'v', { by: session }),
    rig.lock('k', session),
    rig.delete('k', session),
    rig.put('k', 'v', { by: 99 as SessionId }),
  ];
  for (const result of results) refused(result, 'session-expired');
  assert.equal(rig.machine.revision, 0);
});

test('[SESS-5] a retry gets the first answer again and is applied once', () => {
  const rig = new Rig();
  const session = rig.open();
  const first = numbered(rig, session, 1, 0);
  rig.put('k1', 'overwritten');
  assert.deepEqual(numbered(rig, session, 1, 0), first);
  assert.equal(textOf(rig.get('k1')), 'overwritten');
  // Refusals are answers too: the same on a retry, though it would succeed by now.
  const holder = rig.open();
  const token = rig.token('k2', holder);
  const refusal = numbered(rig, session, 2, 0);
  refused(refusal, 'locked');
  rig.unlock('k2', holder, token);
  assert.deepEqual(numbered(rig, session, 2, 0), refusal);
});

test("[SESS-5] numbers may arrive out of order, and two sessions' numbers are apart", () => {
  const rig = new Rig();
  const [one, two] = [rig.open(), rig.open()];
  const third = numbered(rig, one, 3, 0);
  const first = numbered(rig, one, 1, 0);
  assert.equal(textOf(rig.get('k1')), 'v1');
  assert.deepEqual(numbered(rig, one, 3, 0), third);
  assert.deepEqual(numbered(rig, one, 1, 0), first);
  assert.notDeepEqual(numbered(rig, two, 3, 0, 'other'), third);
  assert.equal(textOf(rig.get('k3')), 'other');
});

test('[SESS-6] an acknowledged answer is forgotten, and asking again is refused', () => {
  const rig = new Rig();
  const session = rig.open();
  for (let sequence = 1; sequence <= 20; sequence++) numbered(rig, session, sequence, 0);
  numbered(rig, session, 21, 15);
  assert.match(refused(numbered(rig, session, 15, 0), 'sequence-too-old'), /all up to 15 are/);
  resultOf(numbered(rig, session, 16, 0), 'key');
  assert.equal(rig.get('k15')!.version, 1);
  numbered(rig, session, 10_000, 9_999);
  refused(numbered(rig, session, 21, 0), 'sequence-too-old');
  assert.match(
    refused(numbered(rig, session, 10_001, 10_001), 'invalid-argument'),
    /must be below/,
  );
  const without = rig.do({ type: 'tick' }, { sequence: 1 });
  assert.match(refused(without, 'invalid-argument'), /needs a session/);
});

test('[SESS-7] beyond the window a session is told to slow down, and nothing is done', () => {
  const rig = new Rig({ maxWindow: 10 });
  const session = rig.open();
  for (let sequence = 1; sequence <= 10; sequence++) {
    resultOf(numbered(rig, session, sequence, 0), 'key');
  }
  assert.match(refused(numbered(rig, session, 11, 0), 'overloaded'), /maxWindow/);
  assert.equal(rig.get('k11'), undefined);
  resultOf(numbered(rig, session, 11, 1), 'key');
});

test('[SESS-7] large answers fill the window by their bytes', () => {
  const rig = new Rig({ maxWindowBytes: 3000 });
  const session = rig.open();
  const large = 'x'.repeat(2000);
  resultOf(numbered(rig, session, 1, 0, large), 'key');
  resultOf(numbered(rig, session, 2, 0, large), 'key');
  assert.match(refused(numbered(rig, session, 3, 0), 'overloaded'), /maxWindowBytes/);
  resultOf(numbered(rig, session, 3, 1), 'key');
  resultOf(numbered(rig, session, 4, 3), 'key');
});

test('[SESS-8] a restored replica still knows which retries were answered, and how', () => {
  const rig = new Rig({ maxWindow: 10 });
  const session = rig.open();
  for (let sequence = 1; sequence <= 9; sequence++) numbered(rig, session, sequence, 0);
  const ninth = numbered(rig, session, 9, 4);
  rig.put('k9', 'overwritten');
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(numbered(copy, session, 9, 4), ninth);
  assert.equal(textOf(copy.get('k9')), 'overwritten');
  refused(numbered(copy, session, 4, 0), 'sequence-too-old');
  refused(numbered(copy, session, 15, 0), 'overloaded');
  resultOf(numbered(copy, session, 14, 0), 'key');
});
