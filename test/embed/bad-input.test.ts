/** Every verb given something it cannot take: told the rule, and nothing happens. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  branches,
  compare,
  connect,
  Holdfast,
  HoldfastError,
  MemoryLogStore,
  op,
  type Consistency,
  type ErrorCode,
  type HoldfastClient,
  type HoldfastNode,
  type Registry,
} from '../../src/index.ts';
import { SETTINGS } from './support/cluster.ts';

const LIMITS = {
  maxKeyBytes: 18,
  maxValueBytes: 64,
  maxLabelBytes: 32,
  maxSessions: 3,
  minSessionTtlMs: 1000,
  maxSessionTtlMs: 60_000,
  maxTtlMs: 60_000,
  maxLockDelayMs: 5000,
  maxTxnOps: 4,
  maxTxnDepth: 2,
  maxTxnDeletes: 3,
  maxTxnReadBytes: 400,
  maxTxnScanned: 9,
};
const LONG_KEY = 'k'.repeat(19);
const RESERVED = `/${'0'.repeat(16)}`;
const BIG = 'v'.repeat(65);
const getsOf = (...names: readonly string[]) => names.map((name) => op.get(name));
const putA = branches().then(op.put('a', '1'));

type Row = readonly [
  what: string,
  call: (registry: Registry) => Promise<unknown>,
  code: ErrorCode,
  rule: RegExp,
];

const keys: readonly Row[] = [
  ['put, empty key', (r) => r.put('', 'v'), 'invalid-key', /at least one byte/],
  ['put, long key', (r) => r.put(LONG_KEY, 'v'), 'too-large', /19 bytes.* 18 \(maxKeyBytes\)/],
  ['put, reserved key', (r) => r.put(RESERVED, 'v'), 'invalid-key', /reserved: keys that end/],
  ['put, big value', (r) => r.put('k', BIG), 'too-large', /65 bytes.* 64 \(maxValueBytes\)/],
  ['put, no JSON', (r) => r.put('k', [NaN]), 'invalid-argument', /something JSON can say/],
  ['put, ttl 0', (r) => r.put('k', 'v', { ttl: 0 }), 'invalid-argument', /ttl is 0/],
  ['put, long ttl', (r) => r.put('k', 'v', { ttl: '2m' }), 'invalid-argument', /\(maxTtlMs\)/],
  [
    'put, ttl and persist',
    (r) => r.put('k', 'v', { ttl: '1s', persist: true }),
    'invalid-argument',
    /not both/,
  ],
  [
    'put, unknown session',
    (r) => r.put('k', 'v', { session: 999_999 }),
    'session-expired',
    /session 999999 is not open/,
  ],
  ['get, empty key', (r) => r.get(''), 'invalid-key', /at least one byte/],
  ['get, to come', (r) => r.get('k', { revision: 99_999 }), 'invalid-argument', /99999 is yet to/],
  ['get, compacted', (r) => r.get('k', { revision: 1 }), 'compacted', /oldest that can be read/],
  ['get, half a revision', (r) => r.get('k', { revision: 1.5 }), 'invalid-argument', /whole/],
  [
    'get, unknown consistency',
    (r) => r.get('k', { consistency: 'eventual' as Consistency }),
    'invalid-argument',
    /'eventual': linearizable, lease or local/,
  ],
  ['delete, empty key', (r) => r.delete(''), 'invalid-key', /at least one byte/],
  ['delete, reserved key', (r) => r.delete(RESERVED), 'invalid-key', /reserved/],
  ['delete, long key', (r) => r.delete(LONG_KEY), 'too-large', /maxKeyBytes/],
  ['persist, reserved key', (r) => r.persist(RESERVED), 'invalid-key', /reserved/],
  ['persist, long key', (r) => r.persist(LONG_KEY), 'too-large', /maxKeyBytes/],
];

const ranges: readonly Row[] = [
  ['list, compacted', (r) => r.list({ revision: 1 }), 'compacted', /revision 1 is compacted/],
  ['list, to come', (r) => r.list({ revision: 99_999 }), 'invalid-argument', /yet to come/],
  ['list, limit below 0', (r) => r.list({ limit: -1 }), 'invalid-argument', /limit is -1/],
  [
    'list, after, sorted',
    (r) => r.list({ after: 'k', descending: true }),
    'invalid-argument',
    /aft/,
  ],
  [
    'list, unknown order',
    (r) => r.list({ sortBy: 'age' as 'key' }),
    'invalid-argument',
    /sortBy is 'age'/,
  ],
  ['count, compacted', (r) => r.count({ revision: 1 }), 'compacted', /oldest/],
  ['compact, to come', (r) => r.compact(99_999), 'invalid-argument', /yet to come: the latest/],
  ['compact, again', (r) => r.compact(1), 'compacted', /compacted to revision \d+ already/],
  ['compact, below 0', (r) => r.compact(-1), 'invalid-argument', /revision is -1/],
  ['deletePrefix, too many', (r) => r.deletePrefix('many/'), 'too-large', /\(maxTxnDeletes\)/],
];

const transactions: readonly Row[] = [
  [
    'txn, too many parts',
    (r) =>
      r
        .txn()
        .then(...getsOf('a', 'b', 'c', 'd', 'e'))
        .commit(),
    'too-large',
    /5 compares and operations: the limit is 4 \(maxTxnOps\)/,
  ],
  [
    'txn, too deep',
    (r) =>
      r
        .txn()
        .then(op.txn(branches().then(op.txn(putA))))
        .commit(),
    'too-large',
    /nested 3 deep: the limit is 2 \(maxTxnDepth\)/,
  ],
  [
    'txn, too many keys visited',
    (r) =>
      r
        .txn()
        .if(compare.version({ prefix: 'many/' }).greaterThan(0))
        .then(op.count({ minModRevision: 1 }))
        .commit(),
    'too-large',
    /visit more than 9 keys \(maxTxnScanned\)/,
  ],
  [
    'txn, too much read',
    (r) =>
      r
        .txn()
        .then(...getsOf('many/1', 'many/2', 'many/3', 'many/4'))
        .commit(),
    'too-large',
    /reads \d+ bytes: the limit is 400 \(maxTxnReadBytes\)/,
  ],
  [
    'txn, read compacted',
    (r) =>
      r
        .txn()
        .then(op.put('a', '1'), op.list({ revision: 1 }))
        .commit(),
    'compacted',
    /oldest that can be read/,
  ],
  [
    'txn, compare from after to',
    (r) =>
      r
        .txn()
        .if(compare.version({ from: 'b', to: 'a' }).equals(0))
        .then(op.put('a', '1'))
        .commit(),
    'invalid-argument',
    /end of a range must not be before its start/,
  ],
  [
    'txn, delete from after to',
    (r) => r.txn().then(op.deleteRange('b', 'a')).commit(),
    'invalid-argument',
    /end of a range must not be before its start/,
  ],
  [
    'txn, a key twice',
    (r) => r.txn().then(op.put('a', '1'), op.delete('a')).commit(),
    'invalid-argument',
    /"a" is changed twice/,
  ],
  ['txn, big value', (r) => r.txn().then(op.put('a', BIG)).commit(), 'too-large', /maxValueBytes/],
  [
    'txn, reserved key',
    (r) => r.txn().then(op.put(RESERVED, '')).commit(),
    'invalid-key',
    /reserved/,
  ],
  [
    'increment, no number',
    (r) => r.increment('many/1'),
    'invalid-argument',
    /no whole number below 2\^53 to increment/,
  ],
  ['increment, by half', (r) => r.increment('n', 0.5), 'invalid-argument', /must be a whole/],
  ['compareAndSwap, big value', (r) => r.compareAndSwap('k', 'a', BIG), 'too-large', /maxValueB/],
  ['putIfAbsent, long key', (r) => r.putIfAbsent(LONG_KEY, ''), 'too-large', /maxKeyBytes/],
];

const locks: readonly Row[] = [
  ['lock, empty name', (r) => r.lock(''), 'invalid-key', /name is '': a key is/],
  ['lock, reserved name', (r) => r.lock(RESERVED), 'invalid-key', /reserved/],
  ['lock, long name', (r) => r.lock(LONG_KEY), 'too-large', /maxKeyBytes/],
  [
    'lock, metadata',
    (r) => r.lock('n', { metadata: BIG }),
    'too-large',
    /metadata of 65 bytes: the limit is 32 \(maxLabelBytes\)/,
  ],
  ['lock, long delay', (r) => r.lock('n', { lockDelay: '1m' }), 'invalid-argument', /maxLockDelay/],
  [
    'lock, too many permits',
    (r) => r.lock('n', { limit: 2, permits: 3 }),
    'invalid-argument',
    /3 of/,
  ],
  ['lock, try and wait', (r) => r.lock('n', { try: true, wait: 1 }), 'invalid-argument', /try or/],
  ['unlock, not held', (r) => r.unlock('n', { session: 1, token: 1 }), 'not-held', /nobody holds/],
  ['breakLock, not held', (r) => r.breakLock('n', 1, 'why'), 'not-held', /./],
  ['lockQueue, empty name', (r) => r.lockQueue(''), 'invalid-key', /at least one byte/],
  ['locks, limit below 0', (r) => r.locks({ limit: -1 }), 'invalid-argument', /limit is -1/],
  [
    'session, short ttl',
    (r) => r.openSession({ ttl: 1 }),
    'invalid-argument',
    /\(minSessionTtlMs\)/,
  ],
  ['session, long ttl', (r) => r.openSession({ ttl: '2m' }), 'invalid-argument', /maxSessionTtlMs/],
  ['session, long label', (r) => r.openSession({ label: BIG }), 'too-large', /\(maxLabelBytes\)/],
];

let node: HoldfastNode;
let client: HoldfastClient;

before(async () => {
  const store = new MemoryLogStore();
  const registry = { sessionTtl: '10s' };
  const common = { listen: '127.0.0.1:0', settings: SETTINGS, limits: LIMITS, registry };
  node = await Holdfast.start({ id: 'a', store, ...common });
  await node.waitForLeader({ timeout: '10s' });
  for (const i of [1, 2, 3, 4, 5]) await node.registry.put(`many/${i}`, 'v'.repeat(64));
  await node.registry.compact(4);
  client = await connect({ endpoints: [node.address], ...registry });
});

after(async () => {
  await client.close();
  await node.stop();
});

/** All that there is to be seen. */
async function seen(): Promise<unknown> {
  const { records, revision } = await node.registry.list();
  return { revision, records: records.map(({ key, modRevision }) => [key, modRevision]) };
}

async function failureOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return new Error('it went through');
}

for (const [what, rows] of Object.entries({ keys, ranges, transactions, locks })) {
  test(`[REG-10] [API-123] bad input, of ${what}: the rule is told, nothing happens`, async () => {
    const start = await seen();
    for (const registry of [node.registry, client.registry]) {
      for (const [name, call, code, rule] of rows) {
        const error = await failureOf(() => call(registry));
        assert.ok(error instanceof HoldfastError, `${name}: ${String(error)}`);
        assert.equal(error.code, code, `${name}: ${error.message}`);
        assert.match(error.message, rule, name);
        assert.equal(error.outcome, 'not-applied', name);
      }
    }
    assert.deepEqual(await seen(), start);
  });
}
