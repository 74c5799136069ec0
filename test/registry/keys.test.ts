import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCommand, type Revision, type SessionId } from '../../src/registry/index.ts';
import { answerOf, bytes, refused, resultOf, Rig, textOf } from './rig.ts';

const SMALL = { maxKeyBytes: 8, maxValueBytes: 4, maxTtlMs: 1000, maxLabelBytes: 5 };

test('[REG-1] [REG-2] revisions and versions count as etcd counts them', () => {
  const rig = new Rig();
  rig.put('a', '1');
  rig.put('b', '1');
  rig.put('a', '2');
  const shape = (key: string) => {
    const { createRevision, modRevision, version } = rig.get(key)!;
    return [createRevision, modRevision, version];
  };
  assert.deepEqual(shape('a'), [1, 3, 2]);
  assert.deepEqual(shape('b'), [2, 2, 1]);
  rig.delete('a');
  assert.equal(rig.machine.revision, 4);
  rig.put('a', '3');
  assert.deepEqual(shape('a'), [5, 5, 1]);
});

test('[REG-1] what changes no key leaves the revision alone', () => {
  const rig = new Rig();
  rig.put('a', '1');
  const session = rig.open();
  rig.delete('absent');
  rig.persist('a');
  rig.tick();
  rig.put('', 'refused');
  rig.close(session);
  rig.applyBytes(bytes('garbage'));
  assert.equal(rig.machine.revision, 1);
  assert.equal(rig.events(1).length, 1);
});

test('[REG-3] delete answers with the record before; an absent key is no error', () => {
  const rig = new Rig();
  rig.put('k', 'v');
  const removed = resultOf(rig.delete('k'), 'key');
  assert.equal(textOf(removed.view.record), 'v');
  assert.equal(removed.revision, 2);
  const absent = resultOf(rig.delete('k'), 'key');
  assert.deepEqual([absent.view.record, absent.revision], [undefined, 2]);
});

test('[REG-6] what is due goes by its time, then by its key, before the command', () => {
  const rig = new Rig();
  rig.put('late', '', { ttlMs: 300 });
  rig.put('b', '', { ttlMs: 200 });
  rig.put('a', '', { ttlMs: 200 });
  rig.put('moved', '', { ttlMs: 100 });
  rig.put('moved', '', { ttlMs: 10_000 });
  rig.time = 1300;
  const { revision, view } = resultOf(rig.put('late', 'new'), 'key');
  assert.equal(view.record?.version, 1);
  const [expiry, put] = rig.events(6);
  assert.deepEqual(
    expiry!.events.map(({ record }) => record.key),
    ['a', 'b', 'late'],
  );
  assert.ok(expiry!.events.every(({ cause, type }) => cause === 'expired' && type === 'delete'));
  assert.equal(put!.revision, revision);
});

test('[REG-6] a key is there up to the ms before it is due', () => {
  const rig = new Rig();
  rig.put('k', '', { ttlMs: 1 });
  rig.time = 1000.9;
  rig.tick();
  assert.notEqual(rig.get('k'), undefined);
  rig.time = 1001;
  rig.tick();
  assert.equal(rig.get('k'), undefined);
});

test('[REG-7] very many keys due at once expire in several revisions, all in one command', () => {
  const rig = new Rig();
  for (let i = 0; i < 2500; i++) rig.put(`k${i}`, '', { ttlMs: 10 });
  rig.time += 10;
  rig.tick();
  assert.equal(rig.stats().keys, 0);
  assert.deepEqual(
    rig.events(2501).map(({ events }) => events.length),
    [1024, 1024, 452],
  );
});

test('[REG-8] a read at an old revision shows the keys as they were then', () => {
  const rig = new Rig();
  rig.put('a', '1');
  rig.put('b', '1');
  rig.put('a', '2');
  rig.delete('b');
  const at = (revision: number) =>
    rig.list('', revision).map(({ record }) => `${record!.key}=${textOf(record)}`);
  assert.deepEqual(at(1), ['a=1']);
  assert.deepEqual(at(2), ['a=1', 'b=1']);
  assert.deepEqual(at(3), ['a=2', 'b=1']);
  assert.deepEqual(at(4), ['a=2']);
});

test('[REG-8] a compacted revision and one yet to come are refused by name', () => {
  const rig = new Rig();
  for (let i = 0; i < 5; i++) rig.put('k', `${i}`);
  rig.do({ type: 'compact', revision: 3 as Revision });
  const ask = (revision: number) =>
    rig.ask({
      type: 'range',
      start: '',
      end: undefined,
      limit: 0,
      keysOnly: false,
      revision: revision as Revision,
    });
  assert.match(refused(ask(2), 'compacted'), /oldest that can be read is 3/);
  assert.equal(textOf(answerOf(ask(3), 'range').views[0]!.record), '2');
  assert.match(refused(ask(6), 'invalid-argument'), /yet to come: the latest is 5/);
});

test('[REG-9] ranges come in key order, from start to before end, with limit and more', () => {
  const rig = new Rig();
  for (const key of ['b', 'a/2', 'a', 'a/1', 'c', 'a0']) rig.put(key, key);
  const ask = (start: string, end: string | undefined, limit = 0, keysOnly = false) => {
    const query = { type: 'range', start, end, limit, keysOnly, revision: 0 as Revision } as const;
    const { views, more } = answerOf(rig.ask(query), 'range');
    return [views.map(({ record }) => record!.key).join(), more];
  };
  assert.deepEqual(ask('', undefined), ['a,a/1,a/2,a0,b,c', false]);
  assert.deepEqual(ask('a/', 'a0'), ['a/1,a/2', false]);
  assert.deepEqual(ask('a', 'c', 2), ['a,a/1', true]);
  assert.deepEqual(ask('b', 'c', 1), ['b', false]);
  assert.deepEqual(ask('b', 'b'), ['', false]);
  assert.deepEqual(ask('', undefined, 2, true), ['a,a/1', true]);
  const query = { type: 'range', start: 'b', end: 'a', limit: 0, keysOnly: true } as const;
  const backwards = rig.ask({ ...query, revision: 0 as Revision });
  assert.match(refused(backwards, 'invalid-argument'), /end of a range must not be before/);
});

test('[REG-9] an answer too large is cut, with more set, and never empty', () => {
  const rig = new Rig();
  const value = 'x'.repeat(600_000);
  for (const key of ['a', 'b', 'c']) rig.put(key, value);
  const query = { type: 'range', end: undefined, limit: 0, revision: 0 as Revision } as const;
  const first = answerOf(rig.ask({ ...query, start: '', keysOnly: false }), 'range');
  assert.deepEqual([first.views.length, first.more], [1, true]);
  const bare = answerOf(rig.ask({ ...query, start: '', keysOnly: true }), 'range');
  assert.deepEqual([bare.views.length, bare.more], [3, false]);
  assert.equal(bare.views[0]!.record!.value.length, 0);
});

test('[REG-10] each limit is named by the refusal', () => {
  const rig = new Rig(SMALL);
  const session = rig.open();
  const rows: [ReturnType<Rig['do']>, string, RegExp][] = [
    [rig.put('123456789', ''), 'too-large', /key of 9 bytes: the limit is 8 \(maxKeyBytes\)/],
    [rig.delete('123456789'), 'too-large', /maxKeyBytes/],
    [rig.lock('123456789', session), 'too-large', /maxKeyBytes/],
    [rig.put('k', '12345'), 'too-large', /value of 5 bytes: the limit is 4 \(maxValueBytes\)/],
    [rig.put('k', '', { ttlMs: -1 }), 'invalid-argument', /ttl must be .* not -1/],
    [rig.put('k', '', { ttlMs: NaN }), 'invalid-argument', /not NaN/],
    [rig.put('k', '', { ttlMs: 0.5 }), 'invalid-argument', /whole number of ms/],
    [rig.put('k', '', { ttlMs: Infinity }), 'invalid-argument', /not Infinity/],
    [rig.put('k', '', { ttlMs: 1001 }), 'invalid-argument', /to 1000 \(maxTtlMs\)/],
    [rig.put('k', '', { ephemeral: true }), 'invalid-argument', /"ephemeral" needs a session/],
    [rig.lock('k', 0 as SessionId), 'invalid-argument', /lock needs a session/],
    [rig.do({ type: 'tick' }, { node: 'toolong' }), 'too-large', /node name of 7 bytes/],
  ];
  for (const [result, code, message] of rows) assert.match(refused(result, code), message);
  resultOf(rig.put('12345678', '1234', { ttlMs: 1000 }), 'key');
});

test('[REG-13] keys of the shape of a lock queue are written by lock and unlock only', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.token('job', session);
  const key = `job/${session.toString(16).padStart(16, '0')}`;
  const acts = [
    rig.put(key, ''),
    rig.put(key, '', { by: session }),
    rig.delete(key, session),
    rig.persist(key, session),
    rig.lock(key, session),
    rig.put(`/${'0'.repeat(16)}`, ''),
  ];
  for (const result of acts) assert.match(refused(result, 'invalid-key'), /reserved/);
  for (const near of [`job/${'0'.repeat(15)}`, `job/${'A'.repeat(16)}`, `job.${'0'.repeat(16)}`]) {
    resultOf(rig.put(near, ''), 'key');
  }
});

test('[REG-14] a value is copied out of the buffer it came in, a Node Buffer too', () => {
  const rig = new Rig();
  for (const length of [0, 1, 64, 65, 5000]) {
    const value = new Uint8Array(length).fill(1);
    const header = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
    const command = {
      type: 'put',
      key: 'k',
      value,
      ttlMs: 0,
      ephemeral: false,
      lock: false,
    } as const;
    const frame = Buffer.from(encodeCommand(header, command));
    rig.applyBytes(frame);
    frame.fill(9);
    assert.deepEqual(rig.get('k')!.value, value);
  }
});

test('[REG-24] cluster time never goes back', () => {
  const rig = new Rig();
  rig.time = 5000;
  rig.put('a', '');
  rig.time = 100;
  rig.put('b', '', { ttlMs: 10 });
  assert.deepEqual([rig.get('b')!.time, rig.get('b')!.expiresAt], [5000, 5010]);
});

test("[REG-26] an ephemeral key is its session's; a put without that makes it anybody's", () => {
  const rig = new Rig();
  const [one, two] = [rig.open(), rig.open()];
  rig.put('a', '', { ephemeral: true, by: one });
  rig.put('b', '', { ephemeral: true, by: one });
  rig.put('b', '', { by: one });
  rig.put('c', '', { ephemeral: true, by: one });
  rig.put('c', '', { ephemeral: true, by: two });
  assert.equal(rig.get('a')!.session, one);
  rig.close(one);
  assert.deepEqual(rig.keys(), ['b', 'c']);
  rig.close(two);
  assert.deepEqual(rig.keys(), ['b']);
});
