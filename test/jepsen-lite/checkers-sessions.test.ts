/** Sessions, and the edges that tie entries to them: each kind of violation by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessions } from '../../jepsen-lite/checkers/sessions.ts';
import type { CheckOptions } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import {
  assertFine,
  assertIllegal as assertFound,
  assertOk,
  done,
  open,
  seen,
} from './support/operations.ts';

const table = 't';

/** With a TTL of 100 ms. */
function opened(session: number, call: number, trapExits = true): Operation {
  const value = { ttlMs: 100, trapExits };
  return done(1, 'open-session', [call, call + 1], { value, output: session });
}
function renewed(session: number, call: number, end = call + 1): Operation {
  return done(1, 'keep-alive', [call, end], { value: { session } });
}
function closed(session: number, call: number): Operation {
  return done(1, 'close-session', [call, call + 1], { value: { session } });
}
function gone(session: number, when: number): Operation {
  return seen(2, 'session-gone', when, { value: { session } });
}
function living(call: number, ...output: number[]): Operation {
  return done(2, 'sessions', [call, call + 1], { output });
}
/** An entry that is tied to a session; the connection has the number of the call. */
function stored(key: string, type: string, peer: number, call: number): Operation {
  const value = { table, type, peer };
  return done(1, 'store', [call, call + 1], {
    key,
    value,
    output: { stored: true, connection: call },
  });
}
function connected(key: string, type: string, peer: number, call: number): Operation {
  return done(1, 'connect', [call, call + 1], { key, value: { table, type, peer }, output: call });
}
function disconnected(connection: number, call: number): Operation {
  return done(1, 'disconnect', [call, call + 1], { value: { connection } });
}
function maybeDisconnected(connection: number, call: number): Operation {
  return open(1, 'disconnect', call, { value: { connection } });
}
function notDisconnected(connection: number, call: number): Operation {
  return { ...disconnected(connection, call), type: 'fail', error: 'no-leader' };
}
function noticed(connection: number, when: number, type = 'down'): Operation {
  return seen(3, 'notice', when, { value: { connection }, output: { type } });
}
function erased(key: string, call: number): Operation {
  return done(1, 'erase', [call, call + 1], { key, value: { table } });
}
function entries(call: number, ...output: string[]): Operation {
  return done(2, 'entries', [call, call + 1], { value: { table }, output });
}

/** Sessions and edges that came to their ends as they should, before all else. */
function others(): Operation[] {
  return [
    opened(900, -900),
    renewed(900, -850),
    stored('o1', 'link', 900, -840),
    connected('o1', 'monitor', 901, -835),
    connected('o2', 'backward_link', 900, -830),
    connected('o3', 'forward_link', 900, -825),
    disconnected(-825, -823),
    stored('o4', 'monitor', 900, -820),
    erased('o4', -815),
    noticed(-820, -810),
    entries(-805, 'o1'),
    closed(900, -800),
    gone(900, -790),
    noticed(-835, -785),
    opened(902, -780, false),
    stored('o5', 'link', 902, -775),
    gone(902, -770),
    entries(-760),
    done(2, 'ephemeral', [-755, -754], { key: 'o', output: { session: 999 } }),
    done(2, 'ephemeral', [-753, -752], { key: 'o', output: null }),
    opened(903, -750),
    gone(903, -640),
    living(-630, 998),
  ];
}

function assertIllegal(
  history: readonly Operation[],
  message: string,
  options?: CheckOptions,
): void {
  assertFound(sessions, history, message, options, others());
}

test('[CHECK-22] sessions and edges that end as they should', () => {
  const checked = { sessions: 3, edges: 6, notices: 2 };
  assert.deepEqual(sessions.check(others()), { type: 'ok', how: 'rules', checked });
});

test('[CHECK-22] a session: gone before its TTL was over', () => {
  const history = [opened(7, 0), renewed(7, 50, 90)];
  assertIllegal(
    [...history, gone(7, 149)],
    'session-gone {"session":7} by process 2 (at 149.000 ms: ok) shows that ' +
      'session 7 was gone 99.000 ms after keep-alive {"session":7} by process 1 (50.000 ms ' +
      'to 90.000 ms: ok), within its TTL of 100 ms',
  );
  assertIllegal(
    [...history, living(140)],
    'sessions by process 2 (140.000 ms to 141.000 ms: []) shows that session 7 was gone ' +
      '91.000 ms after keep-alive {"session":7} by process 1 (50.000 ms to 90.000 ms: ok), ' +
      'within its TTL of 100 ms',
  );
  assertOk(sessions, [...history, gone(7, 150)]);
  assertOk(sessions, [...history, gone(7, 149)], { skewMs: 1 });
  assertOk(sessions, [...history, closed(7, 60), gone(7, 62)]);
});

test('[CHECK-22] a session: the clock it is counted on may run apart by what is declared', () => {
  const history = [opened(7, 0), renewed(7, 50, 90)];
  assertOk(sessions, [...history, gone(7, 148)], { driftShare: 0.02 });
  assertIllegal(
    [...history, gone(7, 147.9)],
    'session-gone {"session":7} by process 2 (at 147.900 ms: ok) shows that ' +
      'session 7 was gone 97.900 ms after keep-alive {"session":7} by process 1 (50.000 ms ' +
      'to 90.000 ms: ok), within its TTL of 100 ms',
    { driftShare: 0.02 },
  );
});

test('[CHECK-22] a session: a renewal of unknown outcome promises nothing', () => {
  const unknown = open(1, 'keep-alive', 50, { value: { session: 7 } });
  assertOk(sessions, [opened(7, 0), unknown, gone(7, 101)]);
});

test('[CHECK-22] a session: one that an exit notice may end, may end at any time', () => {
  const history = [opened(7, 0, false), stored('k', 'link', 7, 2)];
  assertOk(sessions, [...history, gone(7, 20)]);
  assertIllegal(
    [opened(7, 0, false), stored('k', 'monitor', 7, 2), gone(7, 20)],
    'session-gone {"session":7} by process 2 (at 20.000 ms: ok) shows that ' +
      'session 7 was gone 20.000 ms after open-session {"ttlMs":100,"trapExits":false} by ' +
      'process 1 (0.000 ms to 1.000 ms: 7), within its TTL of 100 ms',
  );
});

test('[CHECK-22] a session: renewed after its end', () => {
  assertIllegal(
    [opened(7, 0), gone(7, 120), renewed(7, 130)],
    'keep-alive {"session":7} by process 1 (130.000 ms to 131.000 ms: ok) was confirmed, ' +
      'though session 7 had ended before by session-gone {"session":7} by process 2 ' +
      '(at 120.000 ms: ok)',
  );
  assertIllegal(
    [opened(7, 0), closed(7, 20), renewed(7, 30)],
    'keep-alive {"session":7} by process 1 (30.000 ms to 31.000 ms: ok) was confirmed, ' +
      'though session 7 had ended before by close-session {"session":7} by process 1 ' +
      '(20.000 ms to 21.000 ms: ok)',
  );
});

test('[CHECK-22] a session: its key is there after its end', () => {
  const read = done(2, 'ephemeral', [30, 31], { key: 'e', output: { session: 7 } });
  assertIllegal(
    [opened(7, 0), closed(7, 20), read],
    'ephemeral e by process 2 (30.000 ms to 31.000 ms: {"session":7}) shows a key of ' +
      'session 7, which had ended before by close-session {"session":7} by process 1 ' +
      '(20.000 ms to 21.000 ms: ok)',
  );
  assertOk(sessions, [opened(7, 0), read]);
});

test('[CHECK-22] a session: listed long after its holder died and everything was healed', () => {
  const died = seen(1, 'abandoned', 10, { value: { session: 7 } });
  const history = [opened(7, 0), died, seen(0, 'healed', 50)];
  assertIllegal(
    [...history, living(651, 7)],
    'sessions by process 2 (651.000 ms to 652.000 ms: [7]) still shows session 7, which ' +
      'nobody renewed after abandoned {"session":7} by process 1 (at 10.000 ms: ' +
      'ok)',
    { marginMs: 500 },
  );
  assertOk(sessions, [...history, living(650, 7)], { marginMs: 500 });
});

test('[CHECK-23] an edge: told of twice, or by a notice of another kind', () => {
  const history = [opened(7, 0), connected('k', 'monitor', 7, 2)];
  assertIllegal(
    [...history, noticed(2, 10), noticed(2, 11)],
    'notice {"connection":2} by process 3 (at 10.000 ms: {"type":"down"}) and ' +
      'notice {"connection":2} by process 3 (at 11.000 ms: {"type":"down"}) tell ' +
      'twice of the end of connection 2',
  );
  assertIllegal(
    [...history, noticed(2, 10, 'exit')],
    'notice {"connection":2} by process 3 (at 10.000 ms: {"type":"exit"}) is ' +
      'of a monitor, whose notices are of type down',
  );
  const silent = [opened(7, 0), connected('k', 'backward_link', 7, 2)];
  assertIllegal(
    [...silent, noticed(2, 10, 'exit')],
    'notice {"connection":2} by process 3 (at 10.000 ms: {"type":"exit"}) is ' +
      'of a backward_link, which is told of to nobody',
  );
});

test('[CHECK-23] an edge: told of after it was disconnected', () => {
  const history = [opened(7, 0), connected('k', 'monitor', 7, 2), disconnected(2, 5)];
  assertIllegal(
    [...history, noticed(2, 10)],
    'notice {"connection":2} by process 3 (at 10.000 ms: {"type":"down"}) came ' +
      'after disconnect {"connection":2} by process 1 (5.000 ms to 6.000 ms: ok)',
  );
  assertOk(sessions, [...history, noticed(2, 5.5)]);
  const unknown = [...history.slice(0, -1), maybeDisconnected(2, 5)];
  assertOk(sessions, [...unknown, noticed(2, 10)]);
});

test('[CHECK-23] an edge: its entry is there after the session that it hangs on', () => {
  const history = [opened(7, 0), stored('k', 'link', 7, 2), closed(7, 5)];
  assertIllegal(
    [...history, entries(10, 'k')],
    'entries {"table":"t"} by process 2 (10.000 ms to 11.000 ms: ["k"]) shows k, which ' +
      'store k {"table":"t","type":"link","peer":7} by process 1 (2.000 ms to 3.000 ms: ' +
      '{"stored":true,"connection":2}) had tied to session 7, over since close-session ' +
      '{"session":7} by process 1 (5.000 ms to 6.000 ms: ok)',
  );
  assertOk(sessions, [...history, entries(10)]);
  assertOk(sessions, [...history, stored('k', 'monitor', 8, 7), entries(10, 'k')]);
  assertOk(sessions, [opened(7, 0), stored('k', 'monitor', 7, 2), closed(7, 5), entries(10, 'k')]);
});

test('[CHECK-23] an edge: a disconnect may have spared its entry, or came too late', () => {
  const history = [opened(7, 0), connected('k', 'link', 7, 2)];
  const after = [closed(7, 5), entries(10, 'k')];
  const shown =
    'entries {"table":"t"} by process 2 (10.000 ms to 11.000 ms: ["k"]) shows k, which ' +
    'connect k {"table":"t","type":"link","peer":7} by process 1 (2.000 ms to 3.000 ms: 2) had ' +
    'tied to session 7, over since close-session {"session":7} by process 1 (5.000 ms to ' +
    '6.000 ms: ok)';
  assertIllegal([...history, ...after], shown);
  assertOk(sessions, [...history, disconnected(2, 4), ...after]);
  assertOk(sessions, [...history, maybeDisconnected(2, 4), ...after]);
  assertIllegal([...history, notDisconnected(2, 4), ...after], shown);
  assertIllegal([...history, disconnected(2, 7), ...after], shown);
});

test('[CHECK-23] an edge: its entry is gone, though nothing ended', () => {
  const history = [opened(7, 0), stored('k', 'link', 7, 2)];
  assertIllegal(
    [...history, entries(10)],
    'entries {"table":"t"} by process 2 (10.000 ms to 11.000 ms: []) misses k of store k ' +
      '{"table":"t","type":"link","peer":7} by process 1 (2.000 ms to 3.000 ms: ' +
      '{"stored":true,"connection":2}), though nobody erased it and no session that it ' +
      'hangs on had ended',
  );
  assertIllegal(
    [opened(7, 0), stored('k', 'monitor', 7, 2), entries(200)],
    'entries {"table":"t"} by process 2 (200.000 ms to 201.000 ms: []) misses k of store ' +
      'k {"table":"t","type":"monitor","peer":7} by process 1 (2.000 ms to 3.000 ms: ' +
      '{"stored":true,"connection":2}), though nobody erased it and no session that it ' +
      'hangs on had ended',
  );
  assertOk(sessions, [...history, erased('k', 8), entries(10)]);
  assertOk(sessions, [...history, entries(101)]);
  assertFine(sessions, [...history, open(4, 'connect', 5, { key: 'k', value: { type: 'link' } })]);
});

test('[CHECK-23] an edge: nobody was told of the end of its entry', () => {
  const history = [
    opened(7, 0),
    stored('k', 'monitor', 7, 2),
    erased('k', 8),
    entries(10),
    seen(0, 'drained', 20, { value: { sessions: [7] } }),
    living(30, 7),
  ];
  assertIllegal(
    history,
    'entries {"table":"t"} by process 2 (10.000 ms to 11.000 ms: []) shows no k any ' +
      'more, and session 7 lives, but it was never told of the end of store k ' +
      '{"table":"t","type":"monitor","peer":7} by process 1 (2.000 ms to 3.000 ms: ' +
      '{"stored":true,"connection":2})',
  );
  assertOk(sessions, [...history, noticed(2, 12)]);
  assertOk(sessions, history.slice(0, -1));
  const atOnce = [...history.slice(0, -1), living(20, 7)];
  assert.equal(sessions.check(atOnce).type, 'illegal', 'looked at in the moment it is drained');
  assert.equal(sessions.check([]).type, 'unknown');
});

test('[CHECK-23] an edge: nobody is told of an end that a disconnect may have come before', () => {
  const history = [
    opened(7, 0),
    connected('k', 'forward_link', 7, 2),
    erased('k', 8),
    entries(10),
    seen(0, 'drained', 20, { value: { sessions: [7] } }),
    living(30, 7),
  ];
  const untold =
    'entries {"table":"t"} by process 2 (10.000 ms to 11.000 ms: []) shows no k any more, and ' +
    'session 7 lives, but it was never told of the end of connect k {"table":"t",' +
    '"type":"forward_link","peer":7} by process 1 (2.000 ms to 3.000 ms: 2)';
  assertIllegal(history, untold);
  assertOk(sessions, [...history, disconnected(2, 4)]);
  assertOk(sessions, [...history, maybeDisconnected(2, 4)]);
  assertIllegal([...history, notDisconnected(2, 4)], untold);
  assertIllegal([...history, maybeDisconnected(3, 4)], untold);
  assertIllegal([...history, disconnected(2, 25)], untold);
});
