/** Watches: each kind of violation by hand. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { watch } from '../../jepsen-lite/checkers/watch.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { assertIllegal as assertFound, assertOk, done, open, seen } from './support/operations.ts';

/** Times do not matter here, only the order. */
let clock = 0;
beforeEach(() => {
  clock = 0;
});

function begin(name: string, options: object = { from: 1 }): Operation {
  return seen(1, 'watch', clock++, { value: { watch: name, ...options } });
}
function told(name: string, key: string, revision: number, output: object = {}): Operation {
  const usual = { type: 'put', value: `v${revision}`, last: true };
  const value = { watch: name };
  return seen(1, 'event', clock++, { key, value, output: { ...usual, ...output }, revision });
}
function mark(name: string, revision: number): Operation {
  return seen(1, 'progress', clock++, { value: { watch: name }, revision });
}
function put(key: string, revision: number, value = `v${revision}`): Operation {
  const call = clock++;
  return done(2, 'put', [call, clock++], { key, value, revision });
}
/** A put whose answer was lost: it is nowhere but in what watches tell. */
function lost(key: string, revision: number): Operation {
  return open(4, 'put', clock++, { key, value: `v${revision}` });
}
function removed(): Operation {
  return done(3, 'delete', [clock++, clock++], { key: 'a' });
}
function compacted(revision: number): Operation {
  const call = clock++;
  return done(3, 'compact', [call, clock++], { value: revision });
}
function ended(name: string, code: string, resumeFrom: number): Operation {
  return seen(1, 'watch-ended', clock++, { value: { watch: name }, output: { code, resumeFrom } });
}

/** Other keys, of later revisions, and watches that were told all of them. */
function others(): Operation[] {
  const now = clock;
  clock = -1_000;
  const before = { value: 'v9001', revision: 9_001 };
  const history = [
    begin('early', { from: 8_990, prefix: 'other' }),
    put('other', 9_001),
    told('early', 'other', 9_001, { previous: null }),
    told('early', 'other/1', 9_002, { last: false, previous: null }),
    told('early', 'other/2', 9_002),
    told('early', 'other', 9_003, { type: 'delete', previous: before }),
    mark('early', 9_010),
    ended('early', 'compacted', 9_020),
    begin('late', {}),
    seen(1, 'watch-started', clock++, { value: { watch: 'late' }, revision: 9_011 }),
    lost('other', 9_012),
    told('late', 'other', 9_012, { previous: null }),
    ended('late', 'overrun', 9_013),
    begin('last', { from: 9_001, events: 'delete' }),
    told('last', 'other', 9_003, { type: 'delete' }),
    mark('last', 9_012),
  ];
  clock = now;
  return history;
}

function assertIllegal(history: readonly Operation[], message: string): void {
  assertFound(watch, history, message, undefined, others());
}

test('[CHECK-19] a watch: what may be, is allowed', () => {
  assertOk(watch, [
    put('a', 3),
    lost('a', 5),
    begin('w'),
    told('w', 'a', 3, { previous: null }),
    told('w', 'a', 5, { last: false, previous: { value: 'v3', revision: 3 } }),
    told('w', 'b', 5),
    mark('w', 9),
    begin('w', { from: 5 }),
    told('w', 'a', 5, { last: false }),
    told('w', 'b', 5),
    put('a', 12),
    begin('only b', { from: 4, prefix: 'b' }),
    told('only b', 'b', 5),
    mark('only b', 20),
    begin('next', {}),
    seen(1, 'watch-started', clock++, { value: { watch: 'next' }, revision: 12 }),
    mark('next', 13),
  ]);
  assert.equal(watch.check([]).type, 'unknown');
  const verdict = watch.check(others());
  const counts = { changes: 5, watches: 3, told: 8 };
  assert.deepEqual(verdict, { type: 'ok', how: 'rules', checked: counts });
});

test('[CHECK-19] a watch that breaks off within a revision need not have told the rest', () => {
  assertOk(watch, [
    put('a', 3),
    begin('w'),
    told('w', 'a', 3, { last: false }),
    begin('v', { from: 1, prefix: 'b' }),
    told('v', 'b', 3),
  ]);
});

test('[CHECK-19] a watch: out of order', () => {
  assertIllegal(
    [begin('w'), told('w', 'a', 5), told('w', 'b', 4)],
    'watch w was told event b {"watch":"w"} by process 1 (at 2.000 ms: ' +
      '{"type":"put","value":"v4","last":true}) after event a {"watch":"w"} by process 1 ' +
      '(at 1.000 ms: {"type":"put","value":"v5","last":true})',
  );
  assertIllegal(
    [begin('w'), mark('w', 5), told('w', 'b', 5)],
    'watch w was told event b {"watch":"w"} by process 1 (at 5.000 ms: ' +
      '{"type":"put","value":"v5","last":true}), though progress {"watch":"w"} by process ' +
      '1 (at 4.000 ms: ok) had closed revision 5',
  );
});

test('[CHECK-19] a watch: told twice', () => {
  const history = [begin('w'), told('w', 'a', 5, { last: false }), told('w', 'a', 5)];
  assertIllegal(
    history,
    'watch w was told twice of event a {"watch":"w"} by process 1 (at 2.000 ms: ' +
      '{"type":"put","value":"v5","last":true})',
  );
});

test('[CHECK-19] a watch: a revision that is closed goes on', () => {
  assertIllegal(
    [begin('w'), told('w', 'a', 5), told('w', 'b', 5)],
    'watch w was told event b {"watch":"w"} by process 1 (at 2.000 ms: ' +
      '{"type":"put","value":"v5","last":true}), though event a {"watch":"w"} by process 1 ' +
      '(at 1.000 ms: {"type":"put","value":"v5","last":true}) had closed revision ' +
      '5',
  );
});

test('[CHECK-19] a watch: half a revision', () => {
  const whole = [begin('x'), told('x', 'a', 5, { last: false }), told('x', 'b', 5)];
  assertIllegal(
    [...whole, begin('w'), told('w', 'a', 5)],
    'watch w was told event a {"watch":"w"} by process 1 (at 4.000 ms: ' +
      '{"type":"put","value":"v5","last":true}), but never of event b {"watch":"x"} by ' +
      'process 1 (at 2.000 ms: {"type":"put","value":"v5","last":true}) at ' +
      'revision 5',
  );
});

test('[CHECK-19] a watch: a gap, before an event or a mark', () => {
  assertIllegal(
    [put('a', 4), begin('w'), told('w', 'a', 5)],
    'watch w was told event a {"watch":"w"} by process 1 (at 3.000 ms: ' +
      '{"type":"put","value":"v5","last":true}), but never of put a "v4" by process 2 ' +
      '(0.000 ms to 1.000 ms: ok) at revision 4',
  );
  assertIllegal(
    [put('a', 4), begin('w'), mark('w', 4)],
    'watch w was told progress {"watch":"w"} by process 1 (at 7.000 ms: ok), ' +
      'but never of put a "v4" by process 2 (4.000 ms to 5.000 ms: ok) at revision 4',
  );
  const pair = done(2, 'txn', [clock++, clock++], {
    value: { put: { a: '1', b: '2' } },
    revision: 4,
  });
  assertIllegal(
    [pair, begin('w'), told('w', 'a', 4, { value: '1' })],
    'watch w was told event a {"watch":"w"} by process 1 (at 11.000 ms: ' +
      '{"type":"put","value":"1","last":true}), but never of txn {"put":{"a":"1","b":"2"}} ' +
      'by process 2 (8.000 ms to 9.000 ms: ok) at revision 4',
  );
});

test('[CHECK-19] a watch: a gap behind the revision it began at', () => {
  const started = (name: string, revision: number): Operation =>
    seen(1, 'watch-started', clock++, { value: { watch: name }, revision });
  assertOk(watch, [put('a', 4), begin('w', {}), started('w', 4), mark('w', 4)]);
  clock = 0;
  assertIllegal(
    [put('a', 5), begin('w', {}), started('w', 4), mark('w', 5)],
    'watch w was told progress {"watch":"w"} by process 1 (at 4.000 ms: ok), ' +
      'but never of put a "v5" by process 2 (0.000 ms to 1.000 ms: ok) at revision 5',
  );
});

test('[CHECK-19] a watch: a gap where it went on elsewhere', () => {
  const first = [begin('w'), told('w', 'a', 3)];
  assertIllegal(
    [...first, put('a', 4), begin('w', { from: 4 }), told('w', 'a', 6)],
    'watch w was told event a {"watch":"w"} by process 1 (at 5.000 ms: ' +
      '{"type":"put","value":"v6","last":true}), but never of put a "v4" by process 2 ' +
      '(2.000 ms to 3.000 ms: ok) at revision 4',
  );
});

test('[CHECK-19] a watch: a change other than the writer, or another watch, tells of', () => {
  assertIllegal(
    [put('a', 4), begin('w'), told('w', 'a', 4, { value: 'else' })],
    'at revision 4, put a "v4" by process 2 (0.000 ms to 1.000 ms: ok) and event a ' +
      '{"watch":"w"} by process 1 (at 3.000 ms: ' +
      '{"type":"put","value":"else","last":true}) tell of different changes',
  );
  const deleted = told('x', 'a', 4, { type: 'delete' });
  assertIllegal(
    [begin('x'), deleted, begin('w'), told('w', 'a', 4)],
    'at revision 4, event a {"watch":"x"} by process 1 (at 4.000 ms: ' +
      '{"type":"delete","value":"v4","last":true}) and event a {"watch":"w"} by process 1 ' +
      '(at 7.000 ms: {"type":"put","value":"v4","last":true}) tell of different ' +
      'changes',
  );
});

test('[CHECK-19] a watch: what was not asked for', () => {
  assertIllegal(
    [begin('w', { from: 1, prefix: 'b' }), told('w', 'a', 5)],
    'watch w, which asked for {"watch":"w","from":1,"prefix":"b"}, was told event a ' +
      '{"watch":"w"} by process 1 (at 1.000 ms: ' +
      '{"type":"put","value":"v5","last":true})',
  );
  assertIllegal(
    [begin('w', { from: 1, key: 'aa' }), told('w', 'a', 5)],
    'watch w, which asked for {"watch":"w","from":1,"key":"aa"}, was told event a ' +
      '{"watch":"w"} by process 1 (at 3.000 ms: ' +
      '{"type":"put","value":"v5","last":true})',
  );
  assertIllegal(
    [begin('w', { from: 1, events: 'delete' }), told('w', 'a', 5)],
    'watch w, which asked for {"watch":"w","from":1,"events":"delete"}, was told event a ' +
      '{"watch":"w"} by process 1 (at 5.000 ms: ' +
      '{"type":"put","value":"v5","last":true})',
  );
  assertIllegal(
    [begin('w', { from: 6 }), told('w', 'a', 5)],
    'watch w, which asked for {"watch":"w","from":6}, was told event a {"watch":"w"} by ' +
      'process 1 (at 7.000 ms: {"type":"put","value":"v5","last":true})',
  );
});

test('[CHECK-19] a watch: what nobody put', () => {
  const unknown = lost('a', 4);
  assertOk(watch, [unknown, begin('w'), told('w', 'a', 6, { value: 'v4' })]);
  assertIllegal(
    [unknown, begin('w'), told('w', 'a', 6)],
    'event a {"watch":"w"} by process 1 (at 4.000 ms: ' +
      '{"type":"put","value":"v6","last":true}) tells of what nobody put',
  );
});

function previous(value: string, revision: number): object {
  return { previous: { value, revision } };
}

test('[CHECK-20] a watch: a value before that was not the last', () => {
  const history = [put('a', 3), put('a', 4), lost('a', 5), begin('w', { from: 5 })];
  assertOk(watch, [...history, told('w', 'a', 5, previous('v4', 4))]);
  assertIllegal(
    [...history, told('w', 'a', 5, previous('v3', 3))],
    'event a {"watch":"w"} by process 1 (at 7.000 ms: ' +
      '{"type":"put","value":"v5","last":true,"previous":{"value":"v3","revision":3}}) ' +
      'tells of a value before it that was not the last: that was put a "v4" by process 2 ' +
      '(2.000 ms to 3.000 ms: ok) at revision 4',
  );
  assertIllegal(
    [...history, told('w', 'a', 5, previous('v3', 4))],
    'event a {"watch":"w"} by process 1 (at 8.000 ms: ' +
      '{"type":"put","value":"v5","last":true,"previous":{"value":"v3","revision":4}}) ' +
      'tells of a value before it that was not the last: that was put a "v4" by process 2 ' +
      '(2.000 ms to 3.000 ms: ok) at revision 4',
  );
  const anew = [...history.slice(0, 3), begin('w', { from: 3 }), told('w', 'a', 3)];
  assertIllegal(
    [...anew, told('w', 'a', 4), told('w', 'a', 5, { previous: null })],
    'event a {"watch":"w"} by process 1 (at 12.000 ms: ' +
      '{"type":"put","value":"v5","last":true,"previous":null}) tells of a value before it ' +
      'that was not the last: that was put a "v4" by process 2 (2.000 ms to 3.000 ms: ok) ' +
      'at revision 4',
  );
  // It may have been deleted before this watch began, or while it was told of puts only.
  assertOk(watch, [removed(), ...history, removed(), told('w', 'a', 5, { previous: null })]);
  const puts = [put('a', 4), lost('a', 5), removed(), begin('w', { from: 1, events: 'put' })];
  assertOk(watch, [...puts, told('w', 'a', 4), told('w', 'a', 5, { previous: null })]);
});

test('[CHECK-20] a watch: a key that somebody removed unseen has nothing before', () => {
  const gone = { previous: null };
  const late = { from: 4 };
  const asked = open(4, 'delete', clock++, { key: 'a' });
  const expires = seen(3, 'expires', clock++, { key: 'a' });
  assertOk(watch, [
    put('a', 3),
    removed(),
    lost('a', 5),
    begin('w', late),
    told('w', 'a', 5, gone),
  ]);
  assertOk(watch, [asked, put('a', 3), lost('a', 5), begin('w', late), told('w', 'a', 5, gone)]);
  assertOk(watch, [expires, put('a', 3), lost('a', 5), begin('w', late), told('w', 'a', 5, gone)]);
  const tells = /tells of a value before it that was not the last/;
  for (const history of [
    [removed(), put('a', 3), lost('a', 5), begin('w', late), told('w', 'a', 5, gone)],
    [put('a', 3), lost('a', 5), begin('w', late), told('w', 'a', 5, gone), removed()],
  ]) {
    const verdict = watch.check(history);
    assert.ok(verdict.type === 'illegal');
    assert.match(verdict.message, tells);
  }
});

test('[CHECK-20] a watch: a deleted key that comes back has nothing before', () => {
  const deleted = [begin('x'), told('x', 'a', 3), told('x', 'a', 4, { type: 'delete' })];
  const history = [...deleted, begin('w', { from: 5 })];
  assertOk(watch, [...history, told('w', 'a', 5, { previous: null })]);
  const stale = { previous: { value: 'v3', revision: 3 } };
  assertIllegal(
    [...history, told('w', 'a', 5, stale)],
    'event a {"watch":"w"} by process 1 (at 5.000 ms: ' +
      '{"type":"put","value":"v5","last":true,"previous":{"value":"v3","revision":3}}) ' +
      'tells of a value before it that was not the last: that was event a {"watch":"x"} by ' +
      'process 1 (at 2.000 ms: {"type":"delete","value":"v4","last":true}) at ' +
      'revision 4',
  );
});

test('[CHECK-21] a watch: began in what was compacted, which it passes over in silence', () => {
  const late = [put('a', 7), put('a', 8), compacted(8), begin('w', { from: 7 })];
  assertIllegal(
    [...late, lost('a', 9), told('w', 'a', 9)],
    'watch w was told event a {"watch":"w"} by process 1 (at 8.000 ms: {"type":"put",' +
      '"value":"v9","last":true}), but never of put a "v7" by process 2 (0.000 ms to 1.000 ms: ' +
      'ok) at revision 7',
  );
  // A node that has not compacted yet may tell all of it, and one that has says so.
  assertOk(watch, [...late, told('w', 'a', 7), told('w', 'a', 8), mark('w', 8)]);
  const resumed = [ended('w', 'compacted', 8), begin('w', { from: 8 }), told('w', 'a', 8)];
  assertOk(watch, [...late, ...resumed, mark('w', 8)]);
  assertIllegal(
    [...late, ended('w', 'compacted', 7)],
    'watch w from revision 7 is to resume no later: watch-ended {"watch":"w"} by process ' +
      '1 (at 16.000 ms: {"code":"compacted","resumeFrom":7})',
  );
});
