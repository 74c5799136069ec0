/** Locks in every mode: each kind of violation by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fence, guardedCounter } from '../../jepsen-lite/checkers/fence.ts';
import { lock, readWriteLock, semaphore } from '../../jepsen-lite/checkers/lock.ts';
import type { CheckOptions, Checker } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import {
  assertFine,
  assertIllegal as assertFound,
  assertOk,
  done,
  open,
  seen,
} from './support/operations.ts';

const key = 'l';

/** A grant with its token, of a session that is numbered as its process. */
function grant(
  session: number,
  token: number,
  [call, end]: [number, number],
  more = {},
): Operation {
  return done(session, 'lock', [call, end], { key, value: { session, ...more }, output: token });
}
function holding(session: number, when: number): Operation {
  return seen(session, 'holding', when, { key, value: { session } });
}
function release(session: number, call: number, end: number): Operation {
  return done(session, 'unlock', [call, end], { key, value: { session } });
}
function queue(
  call: number,
  ...places: [session: number, token: number, held: boolean][]
): Operation {
  const output = places.map(([session, token, held]) => ({ session, token, held }));
  return done(99, 'queue', [call, call + 1], { key, output });
}

/** The same lock before, and another one, as they should be. */
function others(): Operation[] {
  const other = { key: 'other', value: { session: 904 } };
  return [
    grant(901, 0.1, [-100, -99]),
    holding(901, -95),
    { ...queue(-94), output: [{ session: 901, token: 0.1, held: true }] },
    release(901, -90, -89),
    grant(902, 0.2, [-98, -89]),
    seen(902, 'lost', -80, { key, value: { session: 902 } }),
    { ...grant(903, 0, [-97, -79]), type: 'fail', output: null },
    grant(903, 0.3, [-78, -77]),
    done(903, 'close-session', [-70, -69], { value: { session: 903 } }),
    done(904, 'lock', [-60, -59], { ...other, output: 0.4 }),
    seen(904, 'holding', 1_000, other),
  ];
}

function assertIllegal(
  checker: Checker,
  history: readonly Operation[],
  message: string,
  options?: CheckOptions,
): void {
  const isPlain = history.every(({ value }) => value === undefined);
  assertFound(checker, history, message, options, isPlain ? [] : others());
}

test('[CHECK-10] a lock: what may be, is allowed', () => {
  const checked = { holds: 4, queues: 1 };
  assert.deepEqual(lock.check(others()), { type: 'ok', how: 'rules', checked });
});

test('[CHECK-10] a lock: two act on it at once', () => {
  const history = [grant(1, 5, [0, 2]), holding(1, 30), grant(2, 6, [3, 20]), holding(2, 25)];
  assertIllegal(
    lock,
    history,
    'lock l {"session":2} by process 2 (3.000 ms to 20.000 ms: 6) was granted while ' +
      'another, which held it by lock l {"session":1} by process 1 (0.000 ms to 2.000 ms: ' +
      '5), still acted on it: for 5.000 ms both did',
  );
  // Clocks that are that far apart explain it.
  assertOk(lock, history, { skewMs: 10 });
  assertIllegal(
    lock,
    history,
    'lock l {"session":2} by process 2 (3.000 ms to 20.000 ms: 6) was granted while ' +
      'another, which held it by lock l {"session":1} by process 1 (0.000 ms to 2.000 ms: ' +
      '5), still acted on it: for 5.000 ms both did',
    { skewMs: 9 },
  );
});

test('[CHECK-10] a lock: a release counts as acting, one that was refused does not', () => {
  const both = [grant(1, 5, [0, 2]), grant(2, 6, [3, 20])];
  assertIllegal(
    lock,
    [...both, release(1, 30, 31)],
    'lock l {"session":2} by process 2 (3.000 ms to 20.000 ms: 6) was granted while ' +
      'another, which held it by lock l {"session":1} by process 1 (0.000 ms to 2.000 ms: ' +
      '5), still acted on it',
  );
  assertOk(lock, [...both, { ...release(1, 30, 31), type: 'fail' }]);
  assertOk(lock, [...both, seen(1, 'lost', 30, { key, value: { session: 1 } })]);
});

test('[CHECK-10] a lock: granted again after its release, or to another of another name', () => {
  const first = [grant(1, 5, [0, 2]), holding(1, 8), release(1, 10, 12)];
  assertOk(lock, [...first, grant(2, 6, [3, 12]), holding(2, 13)]);
  assertFine(lock, [...first, { ...grant(2, 5, [3, 4]), key: 'other' }]);
  // The same session once more: the same lock, and the same token.
  assertOk(lock, [grant(1, 5, [0, 2]), grant(1, 5, [3, 4]), release(1, 10, 12)]);
  const unknown = open(1, 'unlock', 3, { key, value: { session: 1 } });
  assertOk(lock, [grant(1, 5, [0, 2]), unknown, grant(1, 5, [4, 5])]);
  // A place that an earlier attempt has left is found by the next one.
  const timedOut: Operation = { ...grant(1, 0, [0, 1]), type: 'fail', output: null };
  const other = [{ ...grant(2, 9, [2, 3]), key: 'other' }, grant(2, 6, [2, 3], { mode: 'shared' })];
  assertOk(readWriteLock, [timedOut, ...other, grant(1, 5, [4, 5], { mode: 'shared' })]);
});

test('[CHECK-11] a lock: a token that does not grow', () => {
  const first = [grant(1, 5, [0, 2]), release(1, 4, 6)];
  assertIllegal(
    lock,
    [...first, grant(2, 4, [7, 8])],
    'lock l {"session":2} by process 2 (7.000 ms to 8.000 ms: 4) got token 4, though ' +
      'token 5 had been given before by lock l {"session":1} by process 1 (0.000 ms to ' +
      '2.000 ms: 5)',
  );
  assertIllegal(
    lock,
    [...first, grant(2, 5, [7, 8])],
    'lock l {"session":1} by process 1 (0.000 ms to 2.000 ms: 5) and lock l ' +
      '{"session":2} by process 2 (7.000 ms to 8.000 ms: 5) were given the same token, 5',
  );
  assertIllegal(
    lock,
    [...first, grant(1, 5, [7, 8])],
    'lock l {"session":1} by process 1 (7.000 ms to 8.000 ms: 5) got token 5, though ' +
      'token 5 had been given before by lock l {"session":1} by process 1 (0.000 ms to ' +
      '2.000 ms: 5)',
  );
});

test('[CHECK-11] a lock: granted to who came later', () => {
  const first = [grant(1, 6, [0, 4]), release(1, 6, 7)];
  assertIllegal(
    lock,
    [...first, grant(2, 5, [0, 9])],
    'lock l {"session":2} by process 2 (0.000 ms to 9.000 ms: 5) got token 5, though ' +
      'token 6 had been given before by lock l {"session":1} by process 1 (0.000 ms to ' +
      '4.000 ms: 6)',
  );
});

test('[CHECK-12] a lock: a queue out of order, or led by one that waits', () => {
  const holds = [grant(1, 5, [0, 2]), release(1, 50, 51)];
  assertIllegal(
    lock,
    [...holds, queue(60, [2, 9, true], [3, 8, false])],
    'queue l by process 99 (60.000 ms to 61.000 ms: ' +
      '[{"session":2,"token":9,"held":true},{"session":3,"token":8,"held":false}]) has ' +
      'token 9 before token 8',
  );
  assertIllegal(
    lock,
    [...holds, queue(60, [2, 8, false], [3, 9, true])],
    'queue l by process 99 (60.000 ms to 61.000 ms: ' +
      '[{"session":2,"token":8,"held":false},{"session":3,"token":9,"held":true}]) has ' +
      'session 3 holding behind session 2, which waits',
  );
});

test('[CHECK-12] a lock: a queue that does not show who acts on it before and afterwards', () => {
  const held = [grant(1, 5, [0, 2]), holding(1, 20)];
  assertIllegal(
    lock,
    [...held, queue(10, [3, 8, true])],
    'queue l by process 99 (10.000 ms to 11.000 ms: ' +
      '[{"session":3,"token":8,"held":true}]) has no place for session 1 with token 5, ' +
      'which acted on the lock before and afterwards',
  );
  assertIllegal(
    lock,
    [...held, queue(10, [1, 5, false])],
    'queue l by process 99 (10.000 ms to 11.000 ms: ' +
      '[{"session":1,"token":5,"held":false}]) has as waiting session 1 with token 5, ' +
      'which acted on the lock before and afterwards',
  );
  assertOk(lock, [...held, queue(10, [1, 5, true], [3, 8, false]), queue(30)]);
});

test('[CHECK-12] a lock: who gave up is still in the queue, long after all was healed', () => {
  const gaveUp: Operation = { ...grant(7, 0, [0, 9]), type: 'fail', output: null };
  const history = [gaveUp, seen(0, 'healed', 50), queue(10_100, [7, 3, true])];
  assertIllegal(
    lock,
    [grant(1, 1, [0, 1]), release(1, 2, 3), ...history],
    'queue l by process 99 (10100.000 ms to 10101.000 ms: ' +
      '[{"session":7,"token":3,"held":true}]) still shows session 7, which had given up in ' +
      'lock l {"session":7} by process 7 (0.000 ms to 9.000 ms: fail)',
  );
  const earlier = [grant(1, 1, [0, 1]), release(1, 2, 3)];
  assertOk(lock, [...earlier, gaveUp, seen(0, 'healed', 5_000), queue(10_100, [7, 3, true])]);
  assertOk(lock, [...earlier, ...history, { ...gaveUp, type: 'info', return: null, call: 5e6 }]);
});

test('[CHECK-13] a lock: a dead holder keeps it for longer than its TTL and the margin', () => {
  const dead = seen(1, 'abandoned', 100, { key, value: { session: 1, ttlMs: 1_000 } });
  const history = [seen(0, 'healed', 50), grant(1, 5, [60, 70]), dead];
  assertIllegal(
    lock,
    [...history, grant(2, 6, [110, 1_701])],
    'lock l {"session":2} by process 2 (110.000 ms to 1701.000 ms: 6) waited 1.000 ms ' +
      'longer than the TTL and the margin allow, for what session 1 had abandoned at ' +
      '100.000 ms',
    { marginMs: 600 },
  );
  assertOk(lock, [...history, grant(2, 6, [110, 1_700])], { marginMs: 600 });
  const unhealed = history.slice(1);
  assertOk(lock, [...unhealed, grant(2, 6, [110, 9_000])], { marginMs: 600 });
});

test('[CHECK-14] readers and writers: a writer beside a reader, a reader beside a writer', () => {
  const shared = { mode: 'shared' };
  const readers = [grant(1, 5, [0, 2], shared), grant(2, 6, [0, 3], shared), holding(1, 20)];
  assertOk(readWriteLock, [...readers, holding(2, 20)]);
  assertIllegal(
    readWriteLock,
    [...readers, grant(3, 7, [4, 15])],
    'lock l {"session":3} by process 3 (4.000 ms to 15.000 ms: 7) was granted while ' +
      'another, which held it by lock l {"session":1,"mode":"shared"} by process 1 (0.000 ' +
      'ms to 2.000 ms: 5), still acted on it',
  );
  const writer = [grant(1, 5, [0, 2]), holding(1, 20)];
  assertIllegal(
    readWriteLock,
    [...writer, grant(2, 6, [4, 15], shared)],
    'lock l {"session":2,"mode":"shared"} by process 2 (4.000 ms to 15.000 ms: 6) was ' +
      'granted while another, which held it by lock l {"session":1} by process 1 (0.000 ms ' +
      'to 2.000 ms: 5), still acted on it',
  );
});

function permits(count: number): object {
  return { mode: 'semaphore', limit: 3, permits: count };
}

test('[CHECK-14] a semaphore: more permits than there are', () => {
  const two = [grant(1, 5, [0, 2], permits(2)), holding(1, 20)];
  assertOk(semaphore, [...two, grant(2, 6, [0, 3], permits(1)), holding(2, 20)]);
  assertIllegal(
    semaphore,
    [...two, grant(2, 6, [0, 3], permits(2)), holding(2, 20)],
    'lock l {"session":2,"mode":"semaphore","limit":3,"permits":2} by process 2 (0.000 ' +
      'ms to 3.000 ms: 6) was granted while others acted on theirs, with which 4 permits ' +
      'of 3 were out',
  );
});

/** Neither sessions nor tokens: what any program may write. */
function plain(process: number, f: string, call: number, end: number): Operation {
  return done(process, f, [call, end], { key });
}

test('[CHECK-15] without tokens it is a mutex: from lock to unlock there is one holder', () => {
  const first = [plain(1, 'lock', 0, 5), plain(1, 'unlock', 10, 20)];
  assertOk(lock, [...first, plain(2, 'lock', 3, 12), plain(2, 'unlock', 30, 31)]);
  assertIllegal(
    lock,
    [...first, plain(2, 'lock', 3, 9)],
    'l: no order explains it: after one operation the state is held by process 1, and ' +
      'lock l by process 2 (3.000 ms to 9.000 ms: ok) fits nowhere',
  );
  assertIllegal(
    lock,
    [plain(1, 'lock', 0, 5), plain(2, 'unlock', 10, 20)],
    'l: no order explains it: after one operation the state is held by process 1, and ' +
      'unlock l by process 2 (10.000 ms to 20.000 ms: ok) fits nowhere',
  );
  // A refusal that is told as an answer, and a lock of unknown outcome, exclude nobody.
  const refused = { ...plain(2, 'lock', 3, 4), output: false };
  assertFine(lock, [plain(1, 'lock', 0, 5), refused, open(3, 'lock', 1, { key })]);
  const found = seen(1, 'lost', 30, { key });
  assertOk(lock, [plain(1, 'lock', 0, 5), plain(2, 'lock', 6, 20), found]);
});

test('[CHECK-15] a history without a lock is not judged', () => {
  assert.equal(lock.check([plain(1, 'put', 0, 1)]).type, 'unknown');
});

function access(f: string, token: number, when: number, rest: object = {}): Operation {
  return seen(token, f, when, { key, value: { token, ...rest }, output: true });
}

test('[CHECK-16] a fence: an older token is accepted', () => {
  const reads = [access('guarded-read', 5, 0), access('guarded-read', 7, 1)];
  assertIllegal(
    fence,
    [...reads, access('guarded-write', 5, 2, { from: 0, to: 1 })],
    'guarded-write l {"token":5,"from":0,"to":1} by process 5 (at 2.000 ms: ' +
      'true) was accepted with token 5, after token 7 in guarded-read l {"token":7} by ' +
      'process 7 (at 1.000 ms: true)',
  );
  const refused = { ...access('guarded-write', 5, 2, { from: 0, to: 1 }), output: false };
  assertOk(fence, [...reads, refused]);
  assert.equal(fence.check([refused]).type, 'unknown');
});

function write(token: number, from: number, when: number): Operation {
  return access('guarded-write', token, when, { from, to: from + 1 });
}

test('[CHECK-16] a guarded counter: an update is lost', () => {
  assertOk(guardedCounter, [write(5, 0, 1), write(7, 1, 2)]);
  assertIllegal(
    guardedCounter,
    [write(7, 0, 1), write(5, 0, 2)],
    'guarded-write l {"token":5,"from":0,"to":1} by process 5 (at 2.000 ms: ' +
      'true) wrote over 1, having read 0: the update of guarded-write l ' +
      '{"token":7,"from":0,"to":1} by process 7 (at 1.000 ms: true) is lost',
  );
});

test('[CHECK-10] lock: a history without any is not judged, and told so', () => {
  const why = 'the history has nothing of what is checked: holds, queues';
  assert.deepEqual(lock.check([]), { type: 'unknown', why });
});
