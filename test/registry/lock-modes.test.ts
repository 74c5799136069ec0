/** Shared locks, semaphores, lock-delay, and the list of locks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  EXCLUSIVE,
  type CommandHeader,
  type FencingToken,
  type LockTerms,
  type RegistryCommand,
  type SessionId,
} from '../../src/registry/index.ts';
import { mayHold } from './lock-model.ts';
import { answerOf, bytes, NONE, refused, resultOf, Rig } from './rig.ts';

const SHARED: LockTerms = { ...EXCLUSIVE, mode: 'shared' };

function permits(count: number, limit: number): LockTerms {
  return { mode: 'semaphore', permits: count, limit, delayMs: 0 };
}

function delayed(delayMs: number, terms: LockTerms = EXCLUSIVE): LockTerms {
  return { ...terms, delayMs };
}

function queueOf(rig: Rig, name = 'k') {
  return answerOf(rig.ask({ type: 'lockQueue', name, after: 0, limit: 0 }), 'lockQueue').queue;
}

function holdersOf(rig: Rig, name = 'k'): SessionId[] {
  return queueOf(rig, name)
    .filter(({ held }) => held)
    .map(({ session }) => session);
}

function sessions(rig: Rig, count: number): SessionId[] {
  return Array.from({ length: count }, () => rig.open());
}

const none = 0 as SessionId;

test('[LOCK-20] readers hold together; a writer waits for all of them', () => {
  const rig = new Rig();
  const [a, b, writer] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  const first = rig.token('k', a, SHARED);
  const second = rig.token('k', b, SHARED);
  const waiting = resultOf(rig.lock('k', writer), 'lock');
  assert.equal(waiting.held, false);
  assert.deepEqual(holdersOf(rig), [a, b]);
  assert.equal(rig.view('k').lock, undefined, 'nobody holds it alone');
  rig.unlock('k', a, first);
  assert.deepEqual(holdersOf(rig), [b]);
  rig.unlock('k', b, second);
  assert.deepEqual(holdersOf(rig), [writer]);
  assert.equal(rig.view('k').lock?.session, writer);
});

test('[LOCK-21] a waiting writer blocks later readers, who then hold together', () => {
  const rig = new Rig();
  const [reader, writer, ...later] = sessions(rig, 5) as [SessionId, SessionId, ...SessionId[]];
  const first = rig.token('k', reader, SHARED);
  const token = rig.token('k', writer);
  for (const one of later) {
    const answer = resultOf(rig.lock('k', one, true, SHARED), 'lock');
    assert.equal(answer.held, false);
    refused(rig.lock('k', rig.open(), false, SHARED), 'locked');
  }
  rig.unlock('k', reader, first);
  assert.deepEqual(holdersOf(rig), [writer]);
  rig.unlock('k', writer, token);
  assert.deepEqual(holdersOf(rig), later);
});

test('[LOCK-21] a writer that gives up lets the readers behind it in', () => {
  const rig = new Rig();
  const [reader, writer, later] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  rig.token('k', reader, SHARED);
  const token = rig.token('k', writer);
  rig.token('k', later, SHARED);
  rig.unlock('k', writer, token);
  assert.deepEqual(holdersOf(rig), [reader, later]);
});

test('[LOCK-22] a semaphore gives its permits in order; many are not overtaken by few', () => {
  const rig = new Rig();
  const [a, b, big, small] = sessions(rig, 4) as [SessionId, SessionId, SessionId, SessionId];
  const first = rig.token('k', a, permits(2, 3));
  rig.token('k', b, permits(1, 3));
  refused(rig.lock('k', big, false, permits(3, 3)), 'locked');
  rig.token('k', big, permits(2, 3));
  rig.token('k', small, permits(1, 3));
  assert.deepEqual(holdersOf(rig), [a, b]);
  rig.close(b);
  assert.deepEqual(holdersOf(rig), [a], 'one is free, but the next in line wants two');
  rig.unlock('k', a, first);
  assert.deepEqual(holdersOf(rig), [big, small]);
});

test('[LOCK-23] what does not go together is refused, and leaves nothing behind', () => {
  const rig = new Rig();
  const [a, b] = sessions(rig, 2) as [SessionId, SessionId];
  rig.token('k', a, SHARED);
  rig.token('s', a, permits(1, 3));
  const { revision } = rig.machine;
  refused(rig.lock('k', a), 'lock-conflict');
  refused(rig.lock('k', a, true, permits(1, 2)), 'lock-conflict');
  refused(rig.lock('k', b, true, permits(1, 2)), 'lock-conflict');
  refused(rig.lock('s', a, true, permits(2, 3)), 'lock-conflict');
  refused(rig.lock('s', b, true, permits(1, 4)), 'lock-conflict');
  refused(rig.lock('s', b, true, SHARED), 'lock-conflict');
  refused(rig.put('s', 'v', { by: a, lock: true }), 'lock-conflict');
  for (const [count, limit] of [
    [0, 3],
    [4, 3],
    [0, 0],
  ] as const) {
    refused(rig.lock('new', b, true, permits(count, limit)), 'invalid-argument');
  }
  refused(rig.lock('new', b, true, { ...SHARED, permits: 1 }), 'invalid-argument');
  for (const delayMs of [-1, 0.5, NaN, 300_001]) {
    refused(rig.lock('new', b, true, delayed(delayMs)), 'invalid-argument');
  }
  assert.equal(rig.machine.revision, revision);
  assert.equal(resultOf(rig.lock('k', a, true, SHARED), 'lock').held, true, 'the same again');
});

test('[LOCK-24] readers let nobody write the key; holders of permits write, others do not', () => {
  const rig = new Rig();
  const [a, b, other] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  rig.put('k', 'v');
  const first = rig.token('k', a, SHARED);
  for (const by of [a, other, none]) {
    refused(rig.put('k', 'x', { by }), 'locked');
    refused(rig.delete('k', by), 'locked');
    refused(rig.persist('k', by), 'locked');
  }
  rig.unlock('k', a, first);
  rig.token('k', a, permits(1, 2));
  rig.token('k', b, permits(1, 2));
  rig.token('k', other, permits(1, 2));
  resultOf(rig.put('k', 'x', { by: a }), 'key');
  resultOf(rig.put('k', 'y', { by: b }), 'key');
  refused(rig.put('k', 'z', { by: other }), 'locked');
  refused(rig.put('k', 'z'), 'locked');
});

test('[LOCK-25] grants come in the order of tokens, in every mode', () => {
  const rig = new Rig();
  const [a, b, c, d] = sessions(rig, 4) as [SessionId, SessionId, SessionId, SessionId];
  rig.token('k', a);
  rig.token('k', b, SHARED);
  rig.token('k', c, SHARED);
  rig.token('k', d);
  const granted: FencingToken[] = [];
  for (const session of [a, b, c, d]) {
    for (const { held, token } of queueOf(rig)) {
      if (held && !granted.includes(token)) granted.push(token);
    }
    rig.close(session);
  }
  assert.equal(granted.length, 4);
  assert.deepEqual(
    granted,
    [...granted].toSorted((x, y) => x - y),
  );
});

const expire = (rig: Rig, ...ids: SessionId[]) => rig.do({ type: 'expireSessions', sessions: ids });

test('[LOCK-26] after its holder expired, a lock passes on only when its delay is over', () => {
  const rig = new Rig();
  const [holder, next] = sessions(rig, 2) as [SessionId, SessionId];
  rig.put('k', 'v');
  const token = rig.token('k', holder, delayed(500));
  rig.token('k', next);
  expire(rig, holder);
  assert.deepEqual(rig.view('k').lock, { session: holder, token });
  refused(rig.put('k', 'x', { by: next }), 'locked');
  refused(rig.lock('k', rig.open(), false), 'locked');
  const [first] = queueOf(rig);
  assert.deepEqual([first?.delayed, first?.held, first?.remainingMs], [true, true, 500]);
  rig.time += 499;
  rig.tick();
  assert.deepEqual(holdersOf(rig), [holder]);
  const before = rig.machine.revision;
  rig.time += 1;
  rig.tick();
  assert.deepEqual(holdersOf(rig), [next]);
  const [passed] = rig.events(before + 1);
  assert.deepEqual(
    passed?.events.map(({ type, cause }) => [type, cause]),
    [['delete', 'expired']],
  );
});

test('[LOCK-27] a release, a closed session, or a place that only waited has no delay', () => {
  const rig = new Rig();
  const [a, b, c, d] = sessions(rig, 4) as [SessionId, SessionId, SessionId, SessionId];
  const token = rig.token('k', a, delayed(500));
  rig.token('k', b, delayed(500));
  rig.token('k', c, delayed(500));
  rig.token('k', d);
  rig.unlock('k', a, token);
  assert.deepEqual(holdersOf(rig), [b]);
  expire(rig, c);
  assert.equal(queueOf(rig).length, 2, 'a waiter leaves at once');
  rig.close(b);
  assert.deepEqual(holdersOf(rig), [d]);
});

test('[LOCK-27] one that came to hold only as another expired with it has no delay', () => {
  const rig = new Rig();
  const [a, b, c] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  rig.token('k', a);
  rig.token('k', b, delayed(500));
  rig.token('k', c);
  expire(rig, a, b);
  assert.deepEqual(holdersOf(rig), [c]);
});

test('[LOCK-28] a delay can be broken by an operator, and keeps only its own share', () => {
  const rig = new Rig();
  const [a, b, c] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  const token = rig.token('s', a, delayed(500, permits(2, 3)));
  rig.token('s', b, permits(1, 3));
  rig.token('s', c, permits(1, 3));
  expire(rig, a);
  assert.deepEqual(holdersOf(rig, 's'), [a, b]);
  const broken = { type: 'breakLock', name: 's', token, reason: 'it is dead' } as const;
  resultOf(rig.do(broken), 'done');
  assert.deepEqual(holdersOf(rig, 's'), [b, c]);
  refused(rig.do(broken), 'not-held');
});

test('[LOCK-29] a delay is in the snapshot, and the leader asks for its end', () => {
  const rig = new Rig();
  const [holder, next] = sessions(rig, 2) as [SessionId, SessionId];
  rig.token('k', holder, delayed(500));
  rig.token('k', next);
  expire(rig, holder);
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(queueOf(copy), queueOf(rig));
  copy.machine.leaderSide.elected(copy.time);
  assert.equal(copy.machine.leaderSide.due(copy.time + 499), undefined);
  assert.ok(copy.machine.leaderSide.due(copy.time + 500) !== undefined);
  for (const one of [rig, copy]) {
    one.time += 500;
    one.tick();
    assert.deepEqual(holdersOf(one), [next]);
  }
  assert.deepEqual(copy.snapshot(), rig.snapshot());
});

test('[LOCK-30] the list of locks: by name, in pages, with holders and how many wait', () => {
  const rig = new Rig();
  const [a, b, c] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  const lock = (name: string, session: SessionId, text: string, terms = EXCLUSIVE) =>
    rig.do({ type: 'lock', name, wait: true, metadata: bytes(text), terms }, { session });
  lock('jobs/b', a, 'host-1');
  lock('jobs/b', b, '');
  lock('jobs/a', a, '', SHARED);
  lock('jobs/a', b, '', SHARED);
  lock('jobs/c', c, '', permits(2, 5));
  lock('other', c, '');
  rig.unlock('gone', a, rig.token('gone', a));
  const ask = (start: string, end: string | undefined, limit = 0) =>
    answerOf(rig.ask({ type: 'locks', start, end, limit }), 'locks');
  const shown = (answer: ReturnType<typeof ask>) =>
    answer.locks.map(({ name, held, waiting, permits: given }) => [name, held, waiting, given]);
  assert.deepEqual(shown(ask('', undefined)), [
    ['jobs/a', 2, 0, 0],
    ['jobs/b', 1, 1, 0],
    ['jobs/c', 1, 0, 2],
    ['other', 1, 0, 0],
  ]);
  const page = ask('jobs/', 'jobs0', 2);
  assert.deepEqual([page.locks.length, page.more], [2, true]);
  const rest = ask('jobs/b\0', 'jobs0', 2);
  assert.deepEqual([shown(rest), rest.more], [[['jobs/c', 1, 0, 2]], false]);
  const [holder] = ask('jobs/b', undefined, 1).locks[0]!.holders;
  assert.equal(Buffer.from(holder!.metadata).toString(), 'host-1');
  assert.deepEqual([holder!.session, holder!.since, holder!.terms], [a, 1000, EXCLUSIVE]);
  refused(rig.ask({ type: 'locks', start: 'b', end: 'a', limit: 0 }), 'invalid-argument');
});

test('[LOCK-30] a list of large metadata is cut, and never empty', () => {
  const rig = new Rig();
  const session = rig.open();
  const metadata = new Uint8Array(4096);
  for (let at = 0; at < 300; at++) {
    const name = `k${String(at).padStart(3, '0')}`;
    rig.do({ type: 'lock', name, wait: true, metadata, terms: EXCLUSIVE }, { session });
  }
  let start = '';
  let seen = 0;
  for (let pages = 0; ; pages++) {
    const page = answerOf(rig.ask({ type: 'locks', start, end: undefined, limit: 0 }), 'locks');
    seen += page.locks.length;
    if (!page.more) {
      assert.ok(pages > 0, 'it did not fit into one');
      break;
    }
    start = `${page.locks.at(-1)!.name}\0`;
  }
  assert.equal(seen, 300);
});

test('[LOCK-31] the leader tells how long a holder has left; others do not know', () => {
  const rig = new Rig();
  const { leaderSide } = rig.machine;
  leaderSide.elected(rig.time);
  const session = rig.open(5000);
  rig.token('k', session);
  leaderSide.due(rig.time + 1500);
  assert.equal(queueOf(rig)[0]?.remainingMs, 3500);
  const answer = answerOf(
    rig.ask({ type: 'lockQueue', name: 'k', after: 0, limit: 0 }),
    'lockQueue',
  );
  assert.equal(answer.time, rig.time + 1500, 'time goes on while nothing is written');
  leaderSide.deposed();
  assert.equal(queueOf(rig)[0]?.remainingMs, undefined);
});

/** One that comes, goes, or expires, in any mode. */
type Step =
  | { readonly type: 'join'; readonly who: number; readonly terms: LockTerms }
  | { readonly type: 'leave'; readonly who: number }
  | { readonly type: 'expire'; readonly who: number }
  | { readonly type: 'wait'; readonly ms: number };

const who = fc.nat({ max: 5 });
const delayMs = fc.constantFrom(0, 0, 50);

function stepsOf(terms: fc.Arbitrary<LockTerms>): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('join' as const), who, terms }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('leave' as const), who }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('expire' as const), who }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(20, 60) }),
    },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

const readWrite = fc
  .tuple(fc.constantFrom(EXCLUSIVE, SHARED), delayMs)
  .map(([terms, ms]) => delayed(ms, terms));
const counted = fc
  .tuple(fc.integer({ min: 1, max: 4 }), delayMs)
  .map(([count, ms]) => delayed(ms, permits(count, 4)));

/** The queue as it should be: a plain list. */
interface Line {
  readonly session: SessionId;
  readonly terms: LockTerms;
  readonly until: number | undefined;
}

class Queue {
  readonly rig = new Rig();
  readonly sessions: SessionId[] = sessions(this.rig, 6);
  line: Line[] = [];

  take(step: Step): void {
    if (step.type === 'wait') {
      this.rig.time += step.ms;
      this.rig.tick();
    } else {
      this.#act(step, this.sessions[step.who]!);
    }
    const { time } = this.rig;
    this.line = this.line.filter(({ until }) => until === undefined || until > time);
  }

  #act(step: Exclude<Step, { type: 'wait' }>, session: SessionId): void {
    const at = this.line.findIndex((one) => one.session === session);
    const own = this.line[at];
    if (step.type === 'join') {
      const result = this.rig.lock('k', session, true, step.terms);
      if (own === undefined) this.line.push({ session, terms: step.terms, until: undefined });
      else if (result.type === 'error') assert.equal(result.code, 'lock-conflict');
      return;
    }
    const held = own !== undefined && mayHold(this.line.slice(0, at + 1));
    const delay = step.type === 'expire' && held ? own.terms.delayMs : 0;
    if (step.type === 'expire') {
      expire(this.rig, session);
      this.sessions[step.who] = this.rig.open();
    } else if (own !== undefined) {
      const { token } = queueOf(this.rig).find((one) => one.session === session)!;
      resultOf(this.rig.unlock('k', session, token), 'done');
    }
    if (own === undefined) return;
    if (delay > 0) this.line[at] = { ...own, until: this.rig.time + delay };
    else this.line.splice(at, 1);
  }

  check(): void {
    const expected = this.line.map(({ session, terms, until }, at) => {
      const held = mayHold(this.line.slice(0, at + 1));
      return [session, terms, held, until !== undefined];
    });
    const found = queueOf(this.rig);
    assert.deepEqual(
      found.map(({ session, terms, held, delayed: over }) => [session, terms, held, over]),
      expected,
    );
    const held = found.filter((one) => one.held);
    const writers = held.filter(({ terms }) => terms.mode === 'exclusive').length;
    assert.ok(writers === 0 || held.length === 1, 'a writer holds alone');
    assert.ok(held.reduce((sum, { terms }) => sum + terms.permits, 0) <= 4);
    assert.ok(found.length === 0 || held.length > 0, 'somebody always holds');
  }
}

for (const [name, terms] of [
  ['readers and writers', readWrite],
  ['permits', counted],
] as const) {
  test(`[LOCK-32] ${name}: who holds follows from the order of joining alone`, () => {
    fc.assert(
      fc.property(stepsOf(terms), (steps) => {
        const queue = new Queue();
        for (const step of steps) {
          queue.take(step);
          queue.check();
        }
        const copy = queue.rig.restored(queue.rig.snapshot());
        assert.deepEqual(queueOf(copy), queueOf(queue.rig));
      }),
      { numRuns: 150 },
    );
  });
}

test('[LOCK-33] thousands of readers come and go without looking at each other', () => {
  const rig = new Rig({ maxSessions: 20_000 });
  const readers = sessions(rig, 5000);
  const tokens = readers.map((session) => rig.token('k', session, SHARED));
  const writer = rig.open();
  rig.token('k', writer);
  assert.equal(
    answerOf(rig.ask({ type: 'locks', start: '', end: undefined, limit: 0 }), 'locks').locks[0]!
      .holders.length,
    16,
  );
  readers.forEach((session, at) => rig.unlock('k', session, tokens[at]!));
  assert.deepEqual(holdersOf(rig), [writer]);
});

test('[LOCK-34] a retried lock command is answered as before, whatever has changed since', () => {
  const rig = new Rig();
  const [a, b] = sessions(rig, 2) as [SessionId, SessionId];
  const token = rig.token('k', a, SHARED);
  const header: Partial<CommandHeader> = { session: b, sequence: 1 };
  const command: RegistryCommand = {
    type: 'lock',
    name: 'k',
    wait: true,
    metadata: NONE,
    terms: EXCLUSIVE,
  };
  const first = rig.do(command, header);
  rig.unlock('k', a, token);
  assert.deepEqual(rig.do(command, header), first);
  assert.deepEqual(holdersOf(rig), [b]);
});

test('[LOCK-35] a place waits, is held, and goes, and never turns back', () => {
  const rig = new Rig();
  const [a, b, c] = sessions(rig, 3) as [SessionId, SessionId, SessionId];
  const placeOf = (session: SessionId, token: FencingToken): string | boolean => {
    const answer = rig.ask({ type: 'lockPlace', name: 'k', session, token });
    return answer.type === 'error' ? answer.code : answerOf(answer, 'lockPlace').held;
  };
  const first = rig.token('k', a, delayed(1_000));
  const second = rig.token('k', b);
  const third = rig.token('k', c);
  assert.deepEqual([placeOf(a, first), placeOf(b, second)], [true, false]);
  assert.equal(placeOf(a, second), 'not-held', "not another's token");
  rig.unlock('k', b, second);
  assert.equal(placeOf(b, second), 'not-held');
  expire(rig, a);
  assert.equal(queueOf(rig)[0]?.delayed, true);
  assert.equal(placeOf(a, first), 'session-expired', 'for its session, a delay is the end');
  assert.equal(placeOf(c, third), false, 'for the others it is not');
  rig.close(c);
  assert.equal(placeOf(c, third), 'session-expired');
});
