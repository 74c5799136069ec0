/** Elections and maps: each kind of violation by hand. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { election } from '../../jepsen-lite/checkers/election.ts';
import { map } from '../../jepsen-lite/checkers/map.ts';
import type { Checker } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { assertIllegal as assertFound, assertOk, done, seen } from './support/operations.ts';

const key = 'office';

function campaign(session: number, token: number, call: number, end: number): Operation {
  const value = { session, value: `said by ${session}` };
  return done(session, 'campaign', [call, end], { key, value, output: token });
}
function leading(session: number, when: number): Operation {
  return seen(session, 'holding', when, { key, value: { session } });
}
function resign(session: number, call: number, end: number): Operation {
  return done(session, 'resign', [call, end], { key, value: { session } });
}
function look(call: number, token?: number, value = `said by ${token}`): Operation {
  const output = token === undefined ? null : { token, value };
  return done(9, 'leader', [call, call + 1], { key, output });
}
function observed(
  when: number,
  type: string,
  token: number,
  value = `said by ${token}`,
): Operation {
  const output = type === 'vacant' ? { type } : { type, token, value };
  return seen(8, 'observed', when, { key, value: { observer: 8 }, output });
}

/** Terms, looks and observers of before, as they should be. */
function others(): Operation[] {
  const early = { key, value: { observer: 7 } };
  return [
    campaign(901, 0.1, -100, -99),
    look(-98, 0.1, 'said by 901'),
    leading(901, -90),
    look(-89),
    done(901, 'close-session', [-88, -87], { value: { session: 901 } }),
    look(-86),
    campaign(902, 0.2, -95, -85),
    seen(7, 'observed', -76, { ...early, output: { type: 'vacant' } }),
    seen(7, 'observed', -75, { ...early, output: { type: 'elected', token: 0.1 } }),
    seen(7, 'observed', -74, { ...early, output: { type: 'elected', token: 0.1 } }),
    done(903, 'proclaim', [-73, -72], { key, value: { session: 902, value: 'more' } }),
    look(-71, 0.2, 'more'),
    look(-70, 0.2, 'more'),
    resign(902, -65, -64),
    look(-63),
    look(-62),
    done(905, 'put', [-60, -59], { key: 'no office', value: 'x' }),
  ];
}

function assertIllegal(checker: Checker, history: readonly Operation[], message: string): void {
  assertFound(checker, history, message, undefined, checker === map ? copies() : others());
}

test('[CHECK-17] an election: how much was looked at is said', () => {
  const checked = { terms: 2, looks: 7 };
  assert.deepEqual(election.check(others()), { type: 'ok', how: 'rules', checked });
});

/** Session 4 leads with token 4 from 2 to 20, session 6 with token 6 from 30 on. */
const TERMS = [
  campaign(4, 4, 0, 2),
  leading(4, 15),
  resign(4, 20, 22),
  campaign(6, 6, 1, 30),
  leading(6, 50),
];

test('[CHECK-17] an election: what may be, is allowed', () => {
  const looks = [look(5, 4), look(21, 4), look(24), look(28, 6), look(40, 6)];
  const told = [observed(3, 'elected', 4), observed(23, 'vacant', 0), observed(31, 'elected', 6)];
  assertOk(election, [...TERMS, ...looks, ...told, observed(32, 'proclaimed', 6)]);
});

test('[CHECK-17] an election: two lead at once', () => {
  assertIllegal(
    election,
    [campaign(4, 4, 0, 2), leading(4, 15), campaign(6, 6, 1, 10)],
    'campaign office {"session":6,"value":"said by 6"} by process 6 (1.000 ms to 10.000 ' +
      'ms: 6) was granted while another, which held it by campaign office ' +
      '{"session":4,"value":"said by 4"} by process 4 (0.000 ms to 2.000 ms: 4), still ' +
      'acted on it',
  );
});

test('[CHECK-17] an election: a token that does not grow', () => {
  assertIllegal(
    election,
    [...TERMS.slice(0, 3), campaign(6, 3, 23, 30)],
    'campaign office {"session":6,"value":"said by 6"} by process 6 (23.000 ms to 30.000 ' +
      'ms: 3) got token 3, though token 4 had been given before by campaign office ' +
      '{"session":4,"value":"said by 4"} by process 4 (0.000 ms to 2.000 ms: 4)',
  );
});

test('[CHECK-17] an election: a look that does not show who leads, or shows who resigned', () => {
  assertIllegal(
    election,
    [...TERMS, look(5)],
    'leader office by process 9 (5.000 ms to 6.000 ms: nothing) does not show token 4, which ' +
      'led before and afterwards since campaign office {"session":4,"value":"said by 4"} ' +
      'by process 4 (0.000 ms to 2.000 ms: 4)',
  );
  assertIllegal(
    election,
    [...TERMS, look(35, 4)],
    'leader office by process 9 (35.000 ms to 36.000 ms: {"token":4,"value":"said by ' +
      '4"}) shows a leader after resign office {"session":4} by process 4 (20.000 ms to ' +
      '22.000 ms: ok)',
  );
  assertIllegal(
    election,
    [...TERMS.slice(0, 3), look(24, 4)],
    'leader office by process 9 (24.000 ms to 25.000 ms: {"token":4,"value":"said by ' +
      '4"}) shows a leader after resign office {"session":4} by process 4 (20.000 ms to ' +
      '22.000 ms: ok)',
  );
});

test('[CHECK-17] an election: a look that goes back', () => {
  const unknown = campaign(5, 5, 0, 1);
  const campaigns = [{ ...unknown, type: 'info', return: null } as const, campaign(4, 4, 0, 1)];
  assertIllegal(
    election,
    [...campaigns, look(5, 5), look(7, 4)],
    'leader office by process 9 (7.000 ms to 8.000 ms: {"token":4,"value":"said by 4"}) ' +
      'shows an older leader than leader office by process 9 (5.000 ms to 6.000 ms: ' +
      '{"token":5,"value":"said by 5"}) before it',
  );
});

test('[CHECK-17] an election: an observer told out of order', () => {
  assertIllegal(
    election,
    [...TERMS, observed(3, 'elected', 6), observed(31, 'elected', 4)],
    'observed office {"observer":8} by process 8 (at 31.000 ms: ' +
      '{"type":"elected","token":4,"value":"said by 4"}) came after observed office ' +
      '{"observer":8} by process 8 (at 3.000 ms: ' +
      '{"type":"elected","token":6,"value":"said by 6"}), which names a later leader',
  );
  assertIllegal(
    election,
    [...TERMS, observed(3, 'elected', 4), observed(31, 'proclaimed', 6)],
    'observed office {"observer":8} by process 8 (at 31.000 ms: ' +
      '{"type":"proclaimed","token":6,"value":"said by 6"}) came after observed office ' +
      '{"observer":8} by process 8 (at 3.000 ms: ' +
      '{"type":"elected","token":4,"value":"said by 4"}), which names another leader',
  );
});

test('[CHECK-17] an election: somebody shows what nobody said', () => {
  assertIllegal(
    election,
    [...TERMS, observed(3, 'elected', 4, 'else')],
    'observed office {"observer":8} by process 8 (at 3.000 ms: ' +
      '{"type":"elected","token":4,"value":"else"}) shows "else", which nobody said',
  );
});

type Shown = Readonly<Record<string, readonly [value: string, revision: number]>>;
function view(replica: string, when: number, revision: number, shown: Shown): Operation {
  const entries = Object.entries(shown).map(([name, [value, at]]) => {
    return [name, { value, revision: at }] as const;
  });
  const output = Object.fromEntries(entries);
  return seen(1, 'view', when, { value: { replica }, output, revision });
}
function put(name: string, value: string, revision: number, end: number): Operation {
  return done(2, 'put', [end - 1, end], { key: name, value, revision });
}

/** Other keys and processes, as they should be. */
function copies(): Operation[] {
  const wrote = { key: 'z', value: { replica: 'q' } };
  return [
    put('z', '1', 0.1, -100),
    view('p', -99, 0.2, { z: ['1', 0.1] }),
    view('p', -98, 0.2, { z: ['1', 0.1], y: ['1', 0.2] }),
    view('p', -97, 0.3, { z: ['1', 0.1], y: ['2', 0.3] }),
    seen(1, 'wrote', -96, { ...wrote, revision: 0.4 }),
    view('q', -95, 0.3, { z: ['2', 0.4] }),
    seen(1, 'wrote', -94, { ...wrote, revision: 0.5 }),
    done(1, 'remove', [-93, -92], { key: 'z' }),
    view('q', -91, 0.6, {}),
    seen(1, 'view', -90, { value: { replica: 'r' }, output: null, revision: 0.7 }),
  ];
}

test('[CHECK-18] a map: what may be, is allowed', () => {
  const wrote = seen(1, 'wrote', 12, { key: 'a', value: { replica: 'x' }, revision: 7 });
  assertOk(map, [
    put('a', '1', 5, 2),
    view('x', 3, 4, {}),
    view('x', 10, 6, { a: ['1', 5] }),
    wrote,
    view('x', 13, 6, { a: ['2', 7] }),
    view('y', 14, 4, {}),
    done(3, 'delete', [15, 16], { key: 'a' }),
    view('x', 20, 9, {}),
  ]);
});

test('[CHECK-18] a map: a view, or a key of it, that goes back', () => {
  assertIllegal(
    map,
    [view('x', 1, 6, {}), view('x', 2, 5, {})],
    'view {"replica":"x"} by process 1 (at 2.000 ms: {}) is as of an older ' +
      'revision than view {"replica":"x"} by process 1 (at 1.000 ms: {}) before it',
  );
  assertIllegal(
    map,
    [view('x', 1, 6, { a: ['2', 6] }), view('x', 2, 6, { a: ['1', 5] })],
    'view {"replica":"x"} by process 1 (at 2.000 ms: ' +
      '{"a":{"value":"1","revision":5}}) shows an older a than view {"replica":"x"} by ' +
      'process 1 (at 1.000 ms: {"a":{"value":"2","revision":6}}) before it',
  );
});

test('[CHECK-18] a map: two values at one revision', () => {
  assertIllegal(
    map,
    [view('x', 1, 6, { a: ['2', 6] }), view('y', 2, 6, { a: ['1', 6] })],
    'view {"replica":"y"} by process 1 (at 2.000 ms: ' +
      '{"a":{"value":"1","revision":6}}) shows a at revision 6 as "1", other than view ' +
      '{"replica":"x"} by process 1 (at 1.000 ms: ' +
      '{"a":{"value":"2","revision":6}})',
  );
  assertIllegal(
    map,
    [put('a', '1', 5, 2), view('x', 3, 6, { a: ['2', 5] })],
    'view {"replica":"x"} by process 1 (at 3.000 ms: ' +
      '{"a":{"value":"2","revision":5}}) shows a at revision 5 as "2", other than put a ' +
      '"1" by process 2 (1.000 ms to 2.000 ms: ok)',
  );
});

test('[CHECK-18] a map: a change that a view should have', () => {
  assertIllegal(
    map,
    [put('a', '1', 5, 2), view('x', 3, 5, {})],
    'view {"replica":"x"} by process 1 (at 3.000 ms: {}) is as of revision 5, ' +
      'but misses put a "1" by process 2 (1.000 ms to 2.000 ms: ok) at revision 5',
  );
  const later = [put('a', '1', 5, 2), put('a', '2', 6, 4)];
  assertIllegal(
    map,
    [...later, view('x', 5, 6, { a: ['1', 5] })],
    'view {"replica":"x"} by process 1 (at 5.000 ms: ' +
      '{"a":{"value":"1","revision":5}}) is as of revision 6, but misses put a "2" by ' +
      'process 2 (3.000 ms to 4.000 ms: ok) at revision 6',
  );
});

test('[CHECK-18] a map: what the same process has put', () => {
  const wrote = seen(1, 'wrote', 2, { key: 'a', value: { replica: 'x' }, revision: 7 });
  assertIllegal(
    map,
    [wrote, view('x', 3, 6, { a: ['1', 5] })],
    'view {"replica":"x"} by process 1 (at 3.000 ms: ' +
      '{"a":{"value":"1","revision":5}}) does not show a as the same process had put it at ' +
      'revision 7',
  );
  assertIllegal(
    map,
    [wrote, view('x', 3, 6, {})],
    'view {"replica":"x"} by process 1 (at 3.000 ms: {}) does not show a as the ' +
      'same process had put it at revision 7',
  );
});
