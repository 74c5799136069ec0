import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeResult } from '../../src/protocol/index.ts';
import { encodeCommand, type SessionId } from '../../src/registry/index.ts';
import { describeEvents, encoded, put, remove } from './support/registry.ts';
import { HUB_OPTIONS, WatchModel } from './support/watch-model.ts';

const ALL = { start: '', end: undefined };
const UNDER_A = { start: 'a/', end: 'a0' };

test('[WATCH-53] a watch from before history ends at once and never starts', () => {
  const model = new WatchModel({ historyRevisions: 8 });
  for (let i = 1; i <= 40; i++) model.apply(put('a', String(i)));
  model.hub.dispatch();
  const first = model.registry.compactRevision + 1;
  const old = model.watch(ALL, first - 1);
  assert.equal(old.target.started, undefined);
  assert.equal(old.target.ended?.code, 'compacted');
  assert.equal(old.target.ended?.resumeFrom, first);
  const oldest = model.watch(ALL, first);
  model.settle();
  assert.equal(oldest.target.revisions[0]?.revision, first);
});

test('[SRV-24] what changes no key does not pass for a state that was replaced', () => {
  const model = new WatchModel();
  model.apply(put('a', '1'));
  assert.equal(model.hub.dispatch()?.length, 1);
  model.apply(remove('none'));
  assert.deepEqual(model.hub.dispatch(), []);
});

test('[WATCH-55] watchers of one range share one encoding, live and out of history', () => {
  const model = new WatchModel();
  const first = model.watch(UNDER_A);
  const second = model.watch(UNDER_A);
  const other = model.watch(ALL);
  model.apply(put('a/1', 'x'), put('b', 'y'));
  model.hub.dispatch();
  assert.equal(first.target.payloads[0], second.target.payloads[0]);
  assert.notEqual(first.target.payloads[0], other.target.payloads[0]);
  assert.deepEqual(describeEvents(first.target.revisions), ['1:put:a/1=x']);

  const third = model.watch(UNDER_A, 1);
  const fourth = model.watch(UNDER_A, 1);
  model.schedule.drain();
  assert.equal(third.target.payloads.length, 1);
  assert.equal(third.target.payloads[0], fourth.target.payloads[0]);
});

test('[WATCH-55] watchers of one range and filter share one encoding, wherever they stand', () => {
  const model = new WatchModel();
  for (let i = 1; i <= 12; i++) model.apply(put('a/1', 'x'.repeat(100)), put('b', 'y'));
  model.hub.dispatch();
  const deletes = { types: 'delete', causes: [], previous: true } as const;
  const bare = { types: 'all', causes: [], previous: false } as const;
  // In turn, as if many had come back at once.
  const runs = [0, 1, 2].flatMap(() => [
    model.watch(UNDER_A, 1),
    model.watch(UNDER_A, 1, bare),
    model.watch(ALL, 1),
    model.watch(UNDER_A, 1, deletes),
  ]);
  model.settle();
  model.apply(put('a/1', 'last'));
  model.hub.dispatch();
  const encodings = new Set(runs.flatMap((run) => run.target.payloads));
  const first = runs.slice(0, 4).reduce((sum, run) => sum + run.target.payloads.length, 0);
  const marks = runs.filter(({ target }) => target.revisions.length === 0);
  assert.equal(marks.length, 3, 'nothing was deleted');
  const told = first - marks[0]!.target.payloads.length;
  const sent = [...encodings].filter((payload) => payload.length > 10).length;
  assert.equal(sent, told, 'each slice was encoded once, though three watches were sent it');
  for (const run of runs) model.check(run);
});

test('[WATCH-66] what a filter leaves out is not sent, and does not cost credit', () => {
  const model = new WatchModel();
  const onlyA = { start: 'a', end: 'a\0' };
  const deletes = model.watch(onlyA, 0, { types: 'delete', causes: [], previous: false });
  const expired = model.watch(ALL, 0, { types: 'all', causes: ['expired'], previous: true });
  for (let i = 1; i <= 30; i++) model.apply(put('a', 'x'.repeat(100)), put('b', 'y', 5));
  model.hub.dispatch();
  assert.deepEqual(deletes.target.revisions, []);
  model.apply(remove('a'));
  model.hub.dispatch();
  const told = describeEvents(deletes.target.revisions).at(-1);
  assert.match(told ?? '', /:delete:a=$/);
  assert.ok(expired.target.revisions.every(({ events }) => events[0]?.record.key === 'b'));
  for (const run of model.runs) model.check(run);
});

test('[WATCH-68] a mark that was asked for comes once everything up to it was sent', () => {
  const model = new WatchModel();
  const idle = model.watch({ start: 'x', end: 'y' });
  const slow = model.watch(ALL);
  for (let i = 1; i <= 30; i++) model.apply(put('a', 'x'.repeat(200)));
  model.hub.dispatch();
  for (const run of [idle, slow]) model.askForMark(run, 30);
  assert.deepEqual(idle.target.marks, [{ revision: 30, told: 0 }], 'at once');
  assert.deepEqual(slow.target.marks, [], 'not before the events');
  model.askForMark(idle, 32);
  model.apply(put('a', '1'));
  model.hub.dispatch();
  assert.equal(idle.target.marks.length, 1);
  model.apply(put('a', '2'));
  model.hub.dispatch();
  assert.deepEqual(idle.target.marks[1], { revision: 32, told: 0 }, 'when it is reached');
  model.settle();
  assert.ok(slow.target.newest >= 30);
  for (const run of model.runs) model.check(run);
  // Asked for without end, it costs what the window allows.
  for (let i = 0; i < 1000; i++) model.askForMark(idle, 1);
  assert.ok(idle.target.unacknowledged <= HUB_OPTIONS.windowBytes + 10);
});

test('[WATCH-56] when the state jumped, watchers go on out of history', () => {
  const model = new WatchModel();
  const all = model.watch(ALL);
  const later = model.watch(ALL, 40);
  model.apply(put('a', '1'));
  model.hub.dispatch();
  for (let i = 2; i <= 30; i++) model.apply(put('a', String(i)));
  model.loseEvents();
  model.apply(put('a', '31'));
  model.hub.dispatch();
  assert.equal(all.target.newest, 1, 'nothing is sent across the gap');
  model.settle();
  assert.equal(all.target.newest, 31);
  model.check(all);
  for (let i = 32; i <= 45; i++) model.apply(put('a', String(i)));
  model.settle();
  model.check(later);
  assert.equal(later.target.revisions[0]?.revision, 40);
});

test('[WATCH-56] a watch open while a snapshot is restored sees what the snapshot skipped', () => {
  const lagging = new WatchModel({ historyRevisions: 30 });
  const ahead = new WatchModel({ historyRevisions: 30 });
  for (const model of [lagging, ahead]) {
    for (let i = 1; i <= 10; i++) model.apply(put('a', String(i)));
    model.hub.dispatch();
  }
  const reached = lagging.watch(ALL);
  const slow = lagging.watch(ALL, 2);
  slow.target.writable = false;
  for (let i = 11; i <= 35; i++) ahead.apply(put('a', String(i)));
  const restorer = lagging.registry.restorer();
  for (const chunk of ahead.registry.snapshotChunks()) restorer.push(chunk);
  restorer.finish();
  lagging.hub.dispatch();
  lagging.settle();
  assert.deepEqual(describeEvents(reached.target.revisions, true), ahead.expected(reached, 35));
  assert.equal(reached.target.newest, 35);
  assert.equal(slow.target.ended?.code, 'compacted');
  assert.equal(slow.target.ended?.resumeFrom, lagging.registry.compactRevision + 1);
});

test('[WATCH-57] a watch that sees no events is told how far it is', () => {
  const model = new WatchModel({ historyRevisions: 60 });
  const idle = model.watch({ start: 'x', end: 'y' });
  for (let i = 1; i <= 120; i++) {
    model.apply(put('a', String(i)));
    model.hub.dispatch();
  }
  assert.equal(idle.target.newest, 100);
  assert.equal(idle.target.revisions.length, 0);
  assert.ok(idle.target.payloads.length <= 4);
  const resumed = model.watch(idle.range, idle.target.newest + 1);
  assert.equal(resumed.target.ended, undefined, 'history still reaches back to the mark');
});

test('[WATCH-57] a watch without events can be resumed however history is shortened', () => {
  for (const limits of [{ historyMs: 200 }, { historyBytes: 60 }, { historyRevisions: 20 }]) {
    const model = new WatchModel(limits);
    const idle = model.watch({ start: 'x', end: 'y' });
    for (let i = 1; i <= 120; i++) {
      model.apply(put('a', String(i % 10)));
      model.hub.dispatch();
      if (i < 40) continue;
      const resumed = model.watch(idle.range, idle.target.newest + 1);
      assert.equal(resumed.target.ended, undefined, `${Object.keys(limits)[0]} at ${i}`);
      model.settle();
    }
    assert.ok(idle.target.payloads.length < 20, 'told now and then, not each time');
  }
});

test('[WATCH-57] a watch that found nothing in history is told how far that was', () => {
  const model = new WatchModel();
  for (let i = 1; i <= 30; i++) model.apply(put('a', String(i)));
  model.hub.dispatch();
  const idle = model.watch({ start: 'x', end: 'y' }, 1);
  model.settle();
  assert.equal(idle.target.newest, 30);
  assert.equal(idle.target.payloads.length, 1);
});

test('[WATCH-58] a revision too large for a message loses old values, or ends the watch', () => {
  const model = new WatchModel({}, { maxPayloadBytes: 5000 });
  const all = model.watch(ALL);
  model.apply(put('a', new Uint8Array(3000)));
  model.hub.dispatch();
  model.apply(put('a', new Uint8Array(3000)));
  model.settle();
  assert.equal(all.target.revisions.length, 2);
  assert.equal(all.target.revisions[1]?.events[0]?.previous, undefined);
  model.apply(put('b', new Uint8Array(6000)), put('c', 'next'));
  model.settle();
  assert.equal(all.target.ended?.code, 'overrun');
  assert.equal(all.target.ended?.resumeFrom, 4);
  assert.match(all.target.ended?.message ?? '', /revision 3 changed more than fits in 5000 bytes/);
});

test('[WATCH-59] all changes of a revision come in one message, however many', () => {
  const model = new WatchModel();
  const opened = encoded({
    type: 'openSession',
    ttlMs: 60_000,
    label: '',
    metadata: NO_BYTES,
    trapExits: false,
  });
  const context = { index: 1_000, term: 1, time: 0 };
  const result = decodeResult(model.registry.apply(opened, context));
  assert.equal(result.type, 'session');
  const header = { session: result.session, sequence: 0, acknowledged: 0, node: 'test' };
  const own = { type: 'put', ttlMs: 0, ephemeral: true, lock: false } as const;
  for (let i = 0; i < 40; i++) {
    const value = new Uint8Array(50);
    const command = encodeCommand(header, { ...own, key: `s/${i}`, value });
    model.registry.apply(command, { index: 1_001 + i, term: 1, time: 0 });
  }
  model.hub.dispatch();
  const all = model.watch(ALL);
  const session: SessionId = result.session;
  const closed = encoded({ type: 'closeSession', session });
  model.registry.apply(closed, { index: 2_000, term: 1, time: 0 });
  model.hub.dispatch();
  assert.equal(all.target.payloads.length, 1);
  assert.ok(all.target.payloads[0]!.length > HUB_OPTIONS.sliceBytes);
  assert.equal(all.target.revisions.length, 1);
  assert.equal(all.target.revisions[0]?.events.length, 40);
});

test('[WATCH-60] history is read in bounded steps with room for other work between them', () => {
  const model = new WatchModel({}, { windowBytes: 1_000_000 });
  for (let i = 1; i <= 500; i++) model.apply(put(`a/${i}`, 'x'.repeat(100)));
  model.hub.dispatch();
  const behind = model.watch(ALL, 1);
  let steps = 0;
  let before = 0;
  while (model.schedule.step()) {
    steps++;
    const sent = behind.target.unacknowledged - before;
    before = behind.target.unacknowledged;
    assert.ok(sent <= HUB_OPTIONS.sliceBytes * 5, `${sent} bytes in one step`);
    // What is committed meanwhile follows in its place.
    if (steps % 10 === 0) {
      model.apply(put('b', String(steps)));
      model.hub.dispatch();
    }
  }
  assert.ok(steps > 20, `${steps} steps`);
  model.settle();
  model.check(behind);
});

test('[WATCH-61] a slow watcher stops costing anything until it grants credit', () => {
  const model = new WatchModel();
  const slow = model.watch(ALL);
  const fast = model.watch(ALL);
  for (let i = 1; i <= 200; i++) {
    model.apply(put('a', 'x'.repeat(100)));
    model.hub.dispatch();
    model.acknowledge(fast);
    model.schedule.drain();
  }
  assert.equal(model.schedule.pending, 0);
  assert.equal(fast.target.newest, 200);
  assert.ok(slow.target.newest < 20);
  model.settle();
  model.check(slow);
  assert.equal(slow.target.newest, 200);
});

test('[WATCH-62] when the node stops, every watch learns where to go on', () => {
  const model = new WatchModel();
  const live = model.watch(ALL);
  const ahead = model.watch(ALL, 90);
  const quiet = model.watch({ start: 'x', end: 'y' });
  for (let i = 1; i <= 40; i++) model.apply(put('a', 'x'.repeat(100)));
  model.hub.dispatch();
  const behind = model.watch(ALL, 7);
  const idle = model.watch(UNDER_A);
  model.hub.stop();
  model.schedule.drain();
  for (const run of model.runs) {
    assert.equal(run.target.ended?.code, 'stopped');
    model.check(run);
  }
  assert.equal(behind.target.ended?.resumeFrom, 7);
  assert.equal(idle.target.ended?.resumeFrom, 41);
  assert.equal(quiet.target.ended?.resumeFrom, 41, 'nothing before is asked of history again');
  assert.equal(ahead.target.ended?.resumeFrom, 90);
  assert.equal(live.target.ended?.resumeFrom, live.target.newest + 1);
});

const NO_BYTES = new Uint8Array(0);
