/** What histories must look like, and hold, for each model to judge them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkers } from '../../jepsen-lite/checkers/index.ts';
import { shapeFault } from '../../jepsen-lite/checkers/shapes.ts';
import { HistoryError, type LineRule } from '../../jepsen-lite/history/format.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { parseHistory } from '../../jepsen-lite/history/read.ts';
import { done, seen } from './support/operations.ts';

/** A model's operation, and fields that make it none with the rule that then is broken. */
type Row = readonly [good: object, ...wrong: readonly (readonly [object, string])[]];

const put: Row = [
  { f: 'put', key: 'k', value: '7' },
  [{ value: undefined }, 'put: value is any value, and is missing'],
];
const cas: Row = [
  { f: 'cas', key: 'k', value: ['7', '8'], output: true },
  [{ value: '7' }, 'cas: value is a pair: [from, to], not "7"'],
  [{ value: ['7'] }, 'cas: value is a pair: [from, to], not ["7"]'],
  [{ value: ['7', '8', '9'] }, 'cas: value is a pair: [from, to], not ["7","8","9"]'],
  [{ output: '7' }, 'cas: output is true, false or null, not "7"'],
];
const increment: Row = [
  { f: 'increment', key: 'k', value: 1, output: 4 },
  [{ value: '1' }, 'increment: value is the number it goes up by, not "1"'],
  [{ output: '4' }, 'increment: output is the sum, a number, not "4"'],
];
const list = (f: string): Row => [
  { f, output: [1, 2] },
  [{ output: '1,2' }, `${f}: output is a list of all elements, not "1,2"`],
  [{ output: undefined }, `${f}: output is a list of all elements, and is missing`],
];
const lock: Row = [
  {
    f: 'lock',
    key: 'l',
    value: { session: 7, mode: 'semaphore', permits: 1, limit: 3 },
    output: 9,
  },
  [{ value: 7 }, 'lock: value is an object, not 7'],
  [{ value: { session: true } }, 'lock: value.session is a name or a number, not true'],
  [{ value: { mode: 'write' } }, 'lock: value.mode is exclusive, shared or semaphore, not "write"'],
  [{ value: { permits: '2' } }, 'lock: value.permits is a whole number, not "2"'],
  [{ value: { limit: 0 } }, 'lock: value.limit is at least 1, not 0'],
  [
    { output: '9' },
    'lock: output is the token, a number; without tokens true, false or null, not "9"',
  ],
];
const unlock: Row = [
  { f: 'unlock', key: 'l', value: { session: 7 } },
  [{ value: 'l' }, 'unlock: value is an object, not "l"'],
];
const queue: Row = [
  { f: 'queue', key: 'l', output: [{ session: 7, token: 9, held: true }] },
  [{ output: null }, 'queue: output is a list of places, not null'],
  [{ output: [{ session: 7, token: 9 }] }, 'queue: output.0.held is true or false, and is missing'],
];
const abandoned: Row = [
  { f: 'abandoned', key: 'l', value: { session: 7, ttlMs: 100 } },
  [{ value: { session: 7 } }, 'abandoned: value.ttlMs is a number, and is missing'],
];
const locks: readonly Row[] = [lock, unlock, queue, abandoned];
const event: Row = [
  { f: 'event', key: 'k', value: { watch: 'w' }, output: { type: 'put', value: '7' }, revision: 3 },
  [{ value: undefined }, 'event: value is an object, and is missing'],
  [{ key: undefined }, 'event: key is text, and is missing'],
  [{ output: { type: 'set' } }, 'event: output.type is put or delete, not "set"'],
  [
    { output: { type: 'put', previous: 4 } },
    'event: output.previous is { value, revision }, or null, not 4',
  ],
  [{ revision: undefined }, 'event: revision is a whole number, and is missing'],
];
const guarded: Row = [
  { f: 'guarded-write', key: 'l', value: { token: 3, from: 0, to: 1 }, output: true },
  [
    { output: 'ok' },
    'guarded-write: output is true or false: whether the resource took it, not "ok"',
  ],
];

const rows: Readonly<Record<string, readonly Row[]>> = {
  register: [
    put,
    cas,
    increment,
    [
      { f: 'get', key: 'k', output: null },
      [{ output: undefined }, 'get: output is any value, and is missing'],
    ],
  ],
  set: [
    [
      { f: 'add', value: 4 },
      [{ value: undefined }, 'add: value is any value, and is missing'],
      [{ output: 4 }, 'add: output is true, false or null, not 4'],
    ],
    list('read'),
  ],
  append: [
    [
      { f: 'append', value: 4 },
      [{ value: undefined }, 'append: value is any value, and is missing'],
    ],
    list('read'),
  ],
  bank: [
    [
      { f: 'accounts', value: { a: 4 } },
      [{ value: { a: '4' } }, 'accounts: value.a is a number, not "4"'],
    ],
    [
      { f: 'transfer', value: { from: 'a', to: 'b', amount: 1 }, output: true },
      [{ value: '1' }, 'transfer: value is an object: { from, to, amount }, not "1"'],
      [
        { value: { from: 'a', to: 'b', amount: '1' } },
        'transfer: value.amount is a number, not "1"',
      ],
      [
        { value: { from: 'a', to: 'b', amount: -1 } },
        'transfer: value.amount is not below 0, not -1',
      ],
      [{ value: { from: 'a', amount: 1 } }, 'transfer: value.to is text, and is missing'],
      [{ output: 1 }, 'transfer: output is true, false or null, not 1'],
    ],
    [
      { f: 'read', output: { a: 4 } },
      [{ output: [4] }, 'read: output is an object: { name: balance }, not [4]'],
    ],
  ],
  lock: locks,
  'read-write-lock': locks,
  semaphore: locks,
  mutex: [lock, unlock],
  fence: [
    guarded,
    [
      { f: 'guarded-read', value: { token: 3 }, output: { accepted: true } },
      [{ value: {} }, 'guarded-read: value.token is a number, and is missing'],
    ],
  ],
  'guarded-counter': [
    guarded,
    [
      { f: 'guarded-write', value: { from: 0, to: 1 }, output: true },
      [{ value: { from: 0, to: '1' } }, 'guarded-write: value.to is a number, not "1"'],
    ],
  ],
  election: [
    [
      { f: 'campaign', key: 'e', value: { session: 7, value: 'me' }, output: 9 },
      [
        { output: 'me' },
        'campaign: output is the token, a number; without tokens true, false or null, not "me"',
      ],
    ],
    [
      { f: 'proclaim', key: 'e', value: { value: 'me' } },
      [{ value: 'me' }, 'proclaim: value is an object: { value }, not "me"'],
    ],
    [
      { f: 'leader', key: 'e', output: { token: 9, value: 'me' } },
      [{ output: 'me' }, 'leader: output is { token, value }, or null, not "me"'],
    ],
    [
      { f: 'observed', key: 'e', value: { observer: 'o' }, output: { type: 'vacant' } },
      [{ value: {} }, 'observed: value.observer is a name or a number, and is missing'],
    ],
  ],
  watch: [
    put,
    cas,
    event,
    [
      { f: 'txn', value: { put: { k: '7' } }, revision: 2 },
      [{ value: { put: 'k' } }, 'txn: value.put is an object: { key: value }, not "k"'],
    ],
    [
      { f: 'watch', value: { watch: 'w', from: 3 } },
      [{ value: { watch: 'w', from: '3' } }, 'watch: value.from is a whole number, not "3"'],
    ],
    [
      { f: 'progress', value: { watch: 'w' }, revision: 3 },
      [{ revision: undefined }, 'progress: revision is a whole number, and is missing'],
    ],
    [
      { f: 'watch-ended', value: { watch: 'w' }, output: { code: 'compacted', resumeFrom: 4 } },
      [{ output: { resumeFrom: 4 } }, 'watch-ended: output.code is text, and is missing'],
    ],
  ],
  sessions: [
    [
      { f: 'open-session', value: { ttlMs: 9 }, output: 7 },
      [{ value: { ttl: 9 } }, 'open-session: value.ttlMs is a number, and is missing'],
      [{ output: '7' }, 'open-session: output is the id, a number, not "7"'],
    ],
    [
      { f: 'keep-alive', value: { session: 7 } },
      [{ value: { session: '7' } }, 'keep-alive: value.session is a number, not "7"'],
    ],
    [
      { f: 'sessions', output: [7, { id: 8 }] },
      [{ output: ['7'] }, 'sessions: output.0 is an id, not "7"'],
    ],
    [
      { f: 'ephemeral', key: 'k', output: null },
      [{ output: 7 }, 'ephemeral: output is { session }, or null, not 7'],
    ],
    [
      {
        f: 'store',
        key: 'k',
        value: { table: 't', type: 'link', peer: 7 },
        output: { stored: true },
      },
      [
        { value: { table: 't', type: 'edge' } },
        'store: value.type is one of link, forward_link, backward_link, monitor, not "edge"',
      ],
    ],
    [
      { f: 'connect', key: 'k', value: { table: 't', type: 'link', peer: 7 }, output: 3 },
      [{ output: true }, 'connect: output is the connection, a number, not true'],
    ],
    [
      { f: 'notice', value: { connection: 3 } },
      [{ value: {} }, 'notice: value.connection is a number, and is missing'],
    ],
    [
      { f: 'entries', value: { table: 't' }, output: ['k'] },
      [{ output: [1] }, 'entries: output.0 is text, not 1'],
    ],
    [
      { f: 'drained', value: { sessions: [7] } },
      [{ value: { sessions: 7 } }, 'drained: value.sessions is a list of ids, not 7'],
    ],
  ],
  map: [
    put,
    [
      { f: 'view', value: { replica: 1 }, output: { k: { value: '7', revision: 3 } }, revision: 3 },
      [{ output: { k: '7' } }, 'view: output.k is { value, revision }, not "7"'],
      [{ revision: undefined }, 'view: revision is a whole number, and is missing'],
    ],
    [
      { f: 'wrote', key: 'k', value: { replica: 1 }, revision: 3 },
      [{ value: null }, 'wrote: value is an object, not null'],
    ],
  ],
  revisions: [[{ f: 'anything', value: 7, revision: 3 }]],
  'exactly-once': [put, increment, event],
};

function line(operation: object): string {
  return JSON.stringify({ process: 1, call: 5, return: 5, type: 'ok', ...operation });
}

function ruleOf(model: string): LineRule {
  return (operation) => shapeFault(model, operation);
}

for (const model of Object.keys(checkers)) {
  test(`[CHECK-31] ${model} refuses what does not have the shape of its operations`, () => {
    const rule = ruleOf(model);
    for (const [good, ...wrong] of rows[model]!) {
      assert.equal(parseHistory(`${line(good)}\n`, rule).length, 1);
      for (const [fields, broken] of wrong) {
        const bad = line({ ...good, ...fields });
        assert.throws(
          () => parseHistory(`${line(good)}\n${bad}\n`, rule),
          (error: unknown) => {
            assert.ok(error instanceof HistoryError);
            assert.equal(error.message, `line 2: ${broken} (model ${model})`);
            return true;
          },
        );
        // Of what was not answered nobody asks for an answer.
        if ('output' in fields) parseHistory(line({ ...good, ...fields, type: 'fail' }), rule);
      }
    }
  });
}

/** A model's acts, and a look at them without which they prove nothing. */
const acts: Readonly<Record<string, readonly [acts: readonly Operation[], look: Operation]>> = {
  register: [
    [done(1, 'put', [0, 1], { key: 'k', value: 7 }), done(1, 'delete', [2, 3], { key: 'k' })],
    done(2, 'get', [4, 5], { key: 'k' }),
  ],
  set: [[done(1, 'add', [0, 1], { value: 7 })], done(2, 'read', [4, 5], { output: [7] })],
  append: [[done(1, 'append', [0, 1], { value: 7 })], done(2, 'read', [4, 5], { output: [7] })],
  bank: [
    [
      done(1, 'accounts', [0, 1], { value: { a: 1, b: 0 } }),
      done(1, 'transfer', [2, 3], { value: { from: 'a', to: 'b', amount: 1 }, output: true }),
    ],
    done(2, 'read', [4, 5], { output: { a: 0, b: 1 } }),
  ],
  lock: [[granted(1, 3, 0)], done(2, 'queue', [4, 5], { key: 'l', output: [] })],
  'read-write-lock': [[granted(1, 3, 0)], done(2, 'queue', [4, 5], { key: 'l', output: [] })],
  semaphore: [[granted(1, 3, 0)], granted(2, 4, 9)],
  mutex: [
    [done(1, 'lock', [0, 1], { key: 'l' }), done(1, 'unlock', [2, 3], { key: 'l' })],
    done(2, 'lock', [4, 5], { key: 'l' }),
  ],
  fence: [[wrote(1, 0, 0)], wrote(2, 1, 1)],
  'guarded-counter': [[wrote(1, 0, 0)], wrote(2, 1, 1)],
  election: [
    [done(1, 'campaign', [0, 1], { key: 'e', value: { session: 1, value: 'me' }, output: 3 })],
    done(2, 'leader', [4, 5], { key: 'e', output: { token: 3, value: 'me' } }),
  ],
  watch: [
    [seen(1, 'watch', 0, { value: { watch: 'w' } }), dated(1, 3, 0)],
    seen(1, 'event', 5, {
      key: 'k',
      revision: 3,
      value: { watch: 'w' },
      output: { type: 'put', value: 7 },
    }),
  ],
  sessions: [
    [done(1, 'open-session', [0, 1], { value: { ttlMs: 9 }, output: 7 })],
    done(1, 'keep-alive', [2, 3], { value: { session: 7 } }),
  ],
  map: [
    [dated(1, 3, 0)],
    seen(1, 'view', 5, {
      value: { replica: 1 },
      output: { k: { value: 7, revision: 3 } },
      revision: 3,
    }),
  ],
  revisions: [[dated(1, 3, 0)], dated(1, 4, 2)],
  'exactly-once': [
    [done(1, 'increment', [0, 1], { key: 'k', value: 1 })],
    done(2, 'get', [4, 5], { key: 'k', output: 1 }),
  ],
};

function granted(session: number, token: number, at: number): Operation {
  return done(session, 'lock', [at, at + 1], { key: 'l', value: { session }, output: token });
}

function wrote(token: number, from: number, at: number): Operation {
  const value = { token, from, to: from + 1 };
  return seen(token, 'guarded-write', at, { key: 'l', value, output: true });
}

function dated(process: number, revision: number, at: number): Operation {
  return done(process, 'put', [at, at + 1], { key: 'k', value: 7, revision });
}

for (const [model, checker] of Object.entries(checkers)) {
  test(`[CHECK-32] to ${model}, acts that nobody looked at prove nothing`, () => {
    const [alone, look] = acts[model]!;
    const verdict = checker.check(alone);
    assert.equal(verdict.type, 'unknown');
    assert.match(verdict.why, /^nothing in the history could have shown a violation: that takes /);
    assert.equal(checker.check([...alone, look]).type, 'ok');
    assert.equal(checker.check([look, ...alone]).type, 'ok');
  });
}
