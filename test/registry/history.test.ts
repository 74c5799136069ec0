import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEvents, encodeEvents, type Revision } from '../../src/registry/index.ts';
import { refused, resultOf, Rig, textOf } from './rig.ts';

function since(rig: Rig, from: number, start: string, end: string | undefined, limit = 1e6) {
  return rig.machine.eventsSince(from as Revision, start, end, limit);
}

test('[WATCH-1] taken events are every revision, once, in order', () => {
  const rig = new Rig();
  assert.deepEqual(rig.machine.takeEvents(), []);
  rig.put('a', '1');
  rig.put('b', '1');
  assert.deepEqual(
    rig.machine.takeEvents().map(({ revision }) => revision),
    [1, 2],
  );
  rig.delete('a');
  rig.delete('absent');
  assert.deepEqual(
    rig.machine.takeEvents().map(({ revision }) => revision),
    [3],
  );
  assert.deepEqual(rig.machine.takeEvents(), []);
});

test('[WATCH-1] what is compacted before it was taken is taken all the same', () => {
  const rig = new Rig();
  rig.put('a', '1', { ttlMs: 10 });
  rig.put('b', '1');
  rig.time += 10;
  // Expires `a` first, as revision 3, and compacts it away in the same step.
  rig.do({ type: 'compact', revision: 3 as Revision });
  assert.deepEqual(
    rig.machine.takeEvents().map(({ revision, events }) => [revision, events[0]?.type]),
    [
      [1, 'put'],
      [2, 'put'],
      [3, 'delete'],
    ],
  );
  assert.equal(since(rig, 3, '', undefined).type, 'compacted');
});

test('[WATCH-1] events that nobody takes are kept no longer than history', () => {
  const rig = new Rig({ historyRevisions: 10 });
  for (let i = 1; i <= 3000; i++) rig.put('k', `${i}`);
  const taken = rig.machine.takeEvents();
  assert.equal(taken.at(-1)?.revision, 3000);
  assert.ok(taken.length < 200, `${taken.length} revisions were kept`);
});

test('[WATCH-2] history from r on begins with r exactly, and tells where it ended', () => {
  const rig = new Rig();
  for (let i = 1; i <= 5; i++) rig.put('k', `${i}`);
  const tail = since(rig, 3, '', undefined);
  assert.equal(tail.type, 'events');
  if (tail.type !== 'events') return;
  assert.deepEqual(
    tail.events.map(({ revision }) => revision),
    [3, 4, 5],
  );
  assert.equal(tail.next, 6);
  assert.deepEqual(since(rig, 6, '', undefined), { type: 'events', events: [], next: 6 });
  assert.deepEqual(since(rig, 9, '', undefined), { type: 'events', events: [], next: 9 });
});

test('[WATCH-3] a compacted start is said to be compacted, never skipped', () => {
  const rig = new Rig();
  for (let i = 1; i <= 5; i++) rig.put('k', `${i}`);
  rig.delete('k');
  rig.do({ type: 'compact', revision: 3 as Revision });
  for (const from of [1, 2, 3]) {
    assert.deepEqual(since(rig, from, '', undefined), { type: 'compacted', compactRevision: 3 });
  }
  const first = rig.events(4)[0]!.events[0]!;
  assert.equal(first.record.modRevision, 4);
  assert.equal(textOf(first.previous), '3');
});

test('[WATCH-4] events carry type, cause, the record and what was there before', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.put('k', '1', { ttlMs: 10 });
  rig.put('k', '2', { ttlMs: 10 });
  rig.time = 2000;
  rig.tick();
  rig.put('e', '', { ephemeral: true, by: session });
  rig.close(session);
  const events = rig.events(1).flatMap((one) => one.events);
  const shape = events.map(({ type, cause, record, previous }) =>
    [type, cause, record.key, textOf(record), textOf(previous)].join(),
  );
  assert.deepEqual(shape, [
    'put,request,k,1,',
    'put,request,k,2,1',
    'delete,expired,k,,2',
    'put,request,e,,',
    'delete,sessionEnded,e,,',
  ]);
  const gone = events[2]!.record;
  assert.deepEqual([gone.modRevision, gone.version, gone.time], [3, 0, 2000]);
});

test('[WATCH-5] a range leaves out other keys and revisions, and keeps the rest whole', () => {
  const rig = new Rig();
  const session = rig.open();
  for (const key of ['a1', 'b', 'a2', 'c']) rig.put(key, '', { ephemeral: true, by: session });
  rig.close(session);
  const keys = (start: string, end?: string) =>
    rig.events(1, start, end).map((one) => one.events.map(({ record }) => record.key).join());
  assert.deepEqual(keys('a', 'b'), ['a1', 'a2', 'a1,a2']);
  assert.deepEqual(keys('b'), ['b', 'c', 'b,c']);
  assert.deepEqual(keys('x'), []);
});

test('[WATCH-6] history goes on over a restore', () => {
  const rig = new Rig();
  const session = rig.open();
  for (let i = 1; i <= 6; i++) rig.put('k', `${i}`, { ephemeral: true, by: session });
  rig.close(session);
  rig.do({ type: 'compact', revision: 2 as Revision });
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(encodeEvents(copy.events(3)), encodeEvents(rig.events(3)));
  assert.equal(since(copy, 2, '', undefined).type, 'compacted');
  assert.deepEqual(copy.machine.takeEvents(), []);
  copy.put('k', 'new');
  assert.deepEqual(
    copy.machine.takeEvents().map(({ revision }) => revision),
    [8],
  );
  assert.deepEqual(
    copy.list('', 5).map(({ record }) => textOf(record)),
    ['5'],
  );
});

test('[WATCH-7] a limit counts revisions given, and next goes on without gap or repeat', () => {
  const rig = new Rig();
  for (let i = 0; i < 40_000; i++) rig.put(i % 1000 === 0 ? 'rare' : 'k', '');
  const seen: number[] = [];
  let from = 1;
  let calls = 0;
  while (from <= rig.machine.revision) {
    const part = since(rig, from, 'rare', undefined, 7);
    assert.equal(part.type, 'events');
    if (part.type !== 'events') return;
    assert.ok(part.events.length <= 7);
    seen.push(...part.events.map(({ revision }) => revision));
    assert.ok(part.next > from);
    from = part.next;
    calls++;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, i) => i * 1000 + 1),
  );
  assert.ok(calls >= 6);
});

test('[WATCH-4] encoded events read back as they were', () => {
  const rig = new Rig();
  const session = rig.open();
  rig.put('k', 'x'.repeat(100), { ttlMs: 10 });
  rig.put('k', '2', { lock: true, by: session });
  rig.time = 9000;
  rig.close(session);
  const events = rig.events(1);
  const read = decodeEvents(encodeEvents(events));
  assert.deepEqual(encodeEvents(read), encodeEvents(events));
  assert.deepEqual(
    read.map(({ revision }) => revision),
    [1, 2, 3],
  );
  assert.equal(textOf(read[1]!.events[1]!.previous), 'x'.repeat(100));
});

test('[REG-21] history is kept within its limits: revisions, age, bytes', () => {
  const byCount = new Rig({ historyRevisions: 10 });
  for (let i = 0; i < 25; i++) byCount.put('k', `${i}`);
  assert.equal(byCount.machine.compactRevision, 15);

  const byAge = new Rig({ historyMs: 100 });
  for (let i = 0; i < 10; i++) {
    byAge.put('k', '');
    byAge.time += 20;
  }
  // At time 1180 what was made at 1080 or before goes: revisions 1 to 5.
  assert.equal(byAge.machine.compactRevision, 5);
  byAge.time += 1000;
  byAge.tick();
  assert.equal(byAge.machine.compactRevision, byAge.machine.revision);

  const byBytes = new Rig({ historyBytes: 1000 });
  for (let i = 0; i < 10; i++) byBytes.put('k', 'x'.repeat(199));
  assert.equal(byBytes.machine.compactRevision, 5);
});

test('[REG-21] compaction never changes what can still be read', () => {
  const rig = new Rig({ historyRevisions: 5 });
  const seen = new Map<number, string>();
  const show = (revision: number) =>
    rig
      .list('', revision)
      .map(({ record }) => `${record!.key}${textOf(record)}`)
      .join();
  for (let i = 0; i < 300; i++) {
    if (i % 3 === 2) rig.delete(`k${i % 7}`);
    else rig.put(`k${i % 7}`, `${i}`);
    seen.set(rig.machine.revision, show(0));
    for (let at = rig.machine.compactRevision; at <= rig.machine.revision; at++) {
      if (at > 0) assert.equal(show(at), seen.get(at));
    }
  }
});

test('[REG-22] compact moves the oldest readable revision up, never down or ahead', () => {
  const rig = new Rig();
  for (let i = 0; i < 5; i++) rig.put('k', `${i}`);
  const compact = (revision: number) => rig.do({ type: 'compact', revision: revision as Revision });
  assert.equal(resultOf(compact(3), 'done').revision, 5);
  assert.equal(rig.machine.compactRevision, 3);
  assert.match(refused(compact(3), 'compacted'), /compacted to revision 3/);
  refused(compact(6), 'invalid-argument');
  resultOf(compact(5), 'done');
  assert.equal(textOf(rig.get('k')), '4');
  assert.equal(rig.machine.revision, 5);
});
