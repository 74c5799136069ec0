import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeResult,
  encodeCommand,
  type CompareOperator,
  type RangeQuery,
  type RegistryResult,
  type Revision,
  type SessionId,
  type TxnCommand,
  type TxnCompare,
  type TxnOp,
  type TxnOpResult,
} from '../../src/registry/index.ts';
import { anyLog, anyRange } from './generate.ts';
import { answerOf, bytes, refused, resultOf, Rig, textOf } from './rig.ts';
import { select } from './txn-model.ts';

type Target = TxnCompare['target'];

function compare(
  target: Target,
  start: string,
  operator: CompareOperator,
  operand: number | string,
  end: string | undefined = `${start}\0`,
): TxnCompare {
  const range = { start, end, operator };
  return target === 'value'
    ? { ...range, target, operand: bytes(String(operand)) }
    : { ...range, target, operand: Number(operand) };
}

const op = {
  put: (key: string, text: string, more: { ttlMs?: number; ephemeral?: boolean } = {}): TxnOp => ({
    type: 'put',
    key,
    value: bytes(text),
    ttlMs: 0,
    ephemeral: false,
    ...more,
  }),
  increment: (key: string, by = 1): TxnOp => ({ type: 'increment', key, by }),
  delete: (key: string): TxnOp => ({ type: 'delete', key }),
  deleteRange: (start: string, end?: string): TxnOp => ({ type: 'deleteRange', start, end }),
  get: (key: string): TxnOp => ({ type: 'get', key }),
  range: (start: string, end?: string, more: Partial<RangeQuery> = {}): TxnOp => ({
    type: 'range',
    start,
    end,
    limit: 0,
    keysOnly: false,
    revision: 0 as Revision,
    ...more,
  }),
};

function txn(
  compares: readonly TxnCompare[],
  success: readonly TxnOp[],
  failure: readonly TxnOp[] = [],
): TxnCommand {
  return { type: 'txn', compares, success, failure };
}

function run(rig: Rig, ops: readonly TxnOp[], by = 0 as SessionId): RegistryResult {
  return rig.do(txn([], ops), { session: by });
}

function resultsOf(result: RegistryResult): readonly TxnOpResult[] {
  return resultOf(result, 'txn').results;
}

/** A result in a few words. */
function tell(result: TxnOpResult): string {
  if ('view' in result) return `${result.type} ${textOf(result.view.record) ?? '-'}`;
  if (result.type === 'range') {
    const keys = result.views.map(({ record }) => record!.key).join();
    return `range ${keys}${result.more ? '...' : ''}`;
  }
  if (result.type === 'count') return `count ${result.count}`;
  if (result.type === 'deleteRange') return `deleted ${result.deleted}`;
  return `txn ${result.succeeded} (${result.results.map(tell).join('; ')})`;
}

/** a: version 3, created at 1, changed at 4, value "m". b: version 1, at 2, of session 1. */
function sample(): Rig {
  const rig = new Rig();
  const session = rig.open();
  assert.equal(session, 1);
  rig.put('a', '1');
  rig.put('b', 'b', { ephemeral: true, by: session });
  rig.put('a', '2');
  rig.put('a', 'm');
  return rig;
}

const HOLDS: Record<CompareOperator, readonly [below: boolean, same: boolean, above: boolean]> = {
  equal: [false, true, false],
  notEqual: [true, false, true],
  less: [false, false, true],
  greater: [true, false, false],
};

const FACTS: readonly [
  Target,
  string,
  readonly [number | string, number | string, number | string],
][] = [
  ['version', 'a', [2, 3, 4]],
  ['createRevision', 'b', [1, 2, 3]],
  ['modRevision', 'a', [3, 4, 5]],
  ['session', 'b', [0, 1, 2]],
  ['value', 'a', ['l\xff', 'm', 'm0']],
];

for (const [target, key, operands] of FACTS) {
  test(`[REG-51] compares of ${target}, with every operator below, at and above`, () => {
    const rig = sample();
    for (const [operator, expected] of Object.entries(HOLDS)) {
      const found = operands.map((operand) => {
        const one = compare(target, key, operator as CompareOperator, operand);
        return resultOf(rig.do(txn([one], [])), 'txn').succeeded;
      });
      assert.deepEqual(found, expected, `${target} ${operator}`);
    }
  });
}

test('[REG-51] an absent key counts as 0 in every number, and no value compares with it', () => {
  const rig = sample();
  rig.put('gone', 'x');
  rig.delete('gone');
  for (const key of ['absent', 'gone']) {
    const holds = (...args: [Target, CompareOperator, number | string]) =>
      resultOf(rig.do(txn([compare(args[0], key, args[1], args[2])], [])), 'txn').succeeded;
    for (const target of ['version', 'createRevision', 'modRevision', 'session'] as const) {
      assert.ok(holds(target, 'equal', 0));
      assert.ok(holds(target, 'less', 1));
      assert.ok(!holds(target, 'greater', 0));
    }
    for (const operator of ['equal', 'notEqual', 'less', 'greater'] as const) {
      assert.ok(!holds('value', operator, ''));
      assert.ok(!holds('value', operator, 'x'));
    }
  }
});

function versions(operator: CompareOperator, operand: number, start: string, end?: string) {
  return { ...compare('version', start, operator, operand), end };
}

test('[REG-52] a compare of a range holds when it does for every key; several all must', () => {
  const rig = sample();
  const holds = (...compares: TxnCompare[]) => resultOf(rig.do(txn(compares, [])), 'txn').succeeded;
  assert.ok(holds(versions('greater', 0, '')));
  assert.ok(!holds(versions('greater', 1, '')));
  assert.ok(holds(versions('greater', 1, 'a', 'b')));
  assert.ok(holds(versions('equal', 0, 'x')), 'a range without keys is as an absent key');
  assert.ok(!holds(versions('greater', 0, 'x')));
  assert.ok(!holds(versions('equal', 3, 'a', 'b'), versions('equal', 9, 'b', 'c')));
  assert.ok(holds());
  assert.match(
    refused(rig.do(txn([versions('equal', 1, 'b', 'a')], [])), 'invalid-argument'),
    /end/,
  );
});

test('[REG-53] every operation, and its result', () => {
  const rig = sample();
  const result = run(rig, [
    op.put('c', 'new'),
    op.get('c'),
    op.increment('n', 5),
    op.delete('b'),
    op.delete('absent'),
    op.range('', undefined),
    op.range('', undefined, { limit: 1, keysOnly: true }),
    op.range('', undefined, { revision: 2 as Revision }),
    op.range('', undefined, { select: { ...ALL, countOnly: true } }),
    op.deleteRange('a', 'b'),
    op.deleteRange('a', 'b'),
    txn([compare('version', 'a', 'equal', 3)], [op.get('a')], [op.get('c')]),
  ]);
  assert.deepEqual(resultsOf(result).map(tell), [
    'put new',
    'get new',
    'put 5',
    'delete b',
    'delete -',
    'range a,c,n',
    'range a...',
    'range a,b',
    'count 3',
    'deleted 1',
    'deleted 0',
    'txn true (get -)',
  ]);
  assert.deepEqual(rig.keys(), ['c', 'n']);
});

const ALL = {
  countOnly: false,
  sortBy: 'key',
  descending: false,
  minModRevision: 0 as Revision,
  maxModRevision: 0 as Revision,
  minCreateRevision: 0 as Revision,
  maxCreateRevision: 0 as Revision,
} as const;

test('[REG-54] all changes have one revision and come as one; none leaves it alone', () => {
  const rig = sample();
  const result = run(rig, [op.put('x', '1'), op.delete('a'), op.increment('n')]);
  assert.equal(resultOf(result, 'txn').revision, 5);
  const [events, ...more] = rig.events(5);
  assert.deepEqual(more, []);
  assert.deepEqual(
    events!.events.map(({ type, record }) => `${type} ${record.key} ${record.modRevision}`),
    ['put x 5', 'delete a 5', 'put n 5'],
  );
  assert.equal(resultOf(run(rig, [op.get('x'), op.delete('a')]), 'txn').revision, 5);
  assert.equal(rig.machine.revision, 5);
});

test('[REG-55] else runs when a compare fails; compares see what was before, nested too', () => {
  const rig = sample();
  const inner = txn([compare('version', 'x', 'equal', 0)], [op.get('x')], [op.put('y', 'wrong')]);
  const outer = txn(
    [compare('version', 'a', 'equal', 9)],
    [op.put('z', '')],
    [op.put('x', '1'), inner],
  );
  const result = resultOf(rig.do(outer), 'txn');
  assert.equal(result.succeeded, false);
  assert.deepEqual(result.results.map(tell), ['put 1', 'txn true (get 1)']);
  assert.deepEqual(rig.keys(), ['a', 'b', 'x']);
});

const nest = (then: TxnOp[], otherwise: TxnOp[] = []): TxnOp => txn([], then, otherwise);

test('[REG-56] a key changed twice on any way through the branches is refused', () => {
  const twice: readonly (readonly TxnOp[])[] = [
    [op.put('k', '1'), op.put('k', '2')],
    [op.put('k', '1'), op.increment('k')],
    [op.put('k', '1'), op.delete('k')],
    [op.delete('k'), op.put('k', '1')],
    [op.put('k', '1'), op.deleteRange('j', 'l')],
    [op.deleteRange('', undefined), op.increment('k')],
    [op.put('k', '1'), nest([op.put('k', '2')])],
    [op.put('k', '1'), nest([], [op.put('k', '2')])],
    [nest([op.put('k', '1')]), nest([], [op.put('k', '2')])],
    [nest([op.deleteRange('k', undefined)]), nest([nest([], [op.put('k', '2')])])],
    [nest([op.put('k', '1'), op.put('k', '1')])],
  ];
  for (const ops of twice) {
    for (const [then, otherwise] of [
      [ops, []],
      [[], ops],
    ]) {
      const rig = sample();
      const message = refused(rig.do(txn([], then!, otherwise)), 'invalid-argument');
      assert.match(message, /key "k" is changed twice/);
      assert.equal(rig.machine.revision, 4);
    }
  }
});

test('[REG-56] what only looks like a key changed twice is not refused', () => {
  const once: readonly (readonly TxnOp[])[] = [
    [nest([op.put('k', '1')], [op.put('k', '2')])],
    [op.delete('k'), op.delete('k'), op.deleteRange('', undefined)],
    [op.put('k', '1'), op.deleteRange('l', undefined), op.deleteRange('', 'k')],
    [op.put('k', '1'), op.get('k'), op.range('', undefined)],
    [nest([op.put('k', '1')], [op.put('j', '')]), nest([op.put('i', '')], [op.put('h', '')])],
  ];
  for (const ops of once) resultOf(run(sample(), ops), 'txn');
});

test('[REG-57] one locked key refuses the whole transaction, but not its holder', () => {
  const rig = sample();
  const [holder, other] = [rig.open(), rig.open()];
  rig.put('k', 'v', { lock: true, by: holder });
  rig.put('key', 'v');
  const { revision } = rig.machine;
  const acts: readonly TxnOp[] = [
    op.put('k', ''),
    op.increment('k'),
    op.delete('k'),
    op.deleteRange('k', undefined),
    nest([op.delete('k')]),
  ];
  for (const act of acts) {
    for (const by of [0 as SessionId, other]) {
      assert.match(refused(run(rig, [op.put('b', ''), act], by), 'locked'), /"k" is locked/);
    }
  }
  assert.equal(rig.machine.revision, revision);
  resultOf(rig.do(txn([], [op.get('k')], [op.put('k', '')])), 'txn');
  const [put] = resultsOf(run(rig, [op.put('k', 'mine')], holder));
  assert.equal(put?.type === 'put' && put.view.lock?.session, holder);
});

test('[REG-58] the keys of lock queues are refused, and passed over by ranges', () => {
  const rig = sample();
  const holder = rig.open();
  rig.token('job', holder);
  const queue = `job/${holder.toString(16).padStart(16, '0')}`;
  for (const act of [
    op.put(queue, ''),
    op.increment(queue),
    op.delete(queue),
    nest([op.delete(queue)]),
  ]) {
    for (const ops of [
      [[act], []],
      [[], [act]],
    ]) {
      assert.match(refused(rig.do(txn([], ops[0]!, ops[1])), 'invalid-key'), /reserved/);
    }
  }
  const results = resultsOf(run(rig, [op.deleteRange('', undefined), op.range('', undefined)]));
  assert.deepEqual(results.map(tell), ['deleted 2', `range ${queue}`]);
  assert.equal(rig.view('job').lock?.session, holder);
});

test('[REG-59] every limit of a transaction is named by its refusal', () => {
  const limits = { maxTxnOps: 3, maxTxnDepth: 2, maxTxnDeletes: 2, maxTxnReadBytes: 500 };
  const rig = new Rig({ ...limits, maxKeyBytes: 8, maxValueBytes: 300 });
  for (const key of ['a', 'b', 'c']) rig.put(key, 'x'.repeat(300));
  const gets = ['a', 'b', 'c', 'd'].map((key) => op.get(key));
  const rows: readonly [RegistryResult, string, RegExp][] = [
    [run(rig, gets), 'too-large', /4 compares and operations: the limit is 3 \(maxTxnOps\)/],
    [run(rig, [nest([op.get('a')], gets.slice(1))]), 'too-large', /of 5 .*maxTxnOps/],
    [run(rig, [nest([nest([])])]), 'too-large', /3 deep: the limit is 2 \(maxTxnDepth\)/],
    [run(rig, [op.deleteRange('', undefined)]), 'too-large', /more than 2 keys.*maxTxnDeletes/],
    [run(rig, [op.put('x', ''), op.get('a'), op.delete('b')]), 'too-large', /maxTxnReadBytes/],
    [run(rig, [op.put('d', 'x'.repeat(300)), op.get('d'), op.get('a')]), 'too-large', /ReadBytes/],
    [run(rig, [op.put('123456789', '')]), 'too-large', /maxKeyBytes/],
    [run(rig, [op.put('k', 'x'.repeat(301))]), 'too-large', /maxValueBytes/],
    [run(rig, [op.put('k', '', { ttlMs: -1 })]), 'invalid-argument', /ttl/],
    [run(rig, [op.put('k', '', { ephemeral: true })]), 'invalid-argument', /needs a session/],
    [run(rig, [op.get('')]), 'invalid-key', /empty/],
    [run(rig, [op.deleteRange('b', 'a')]), 'invalid-argument', /end of a range/],
    [run(rig, [op.range('b', 'a')]), 'invalid-argument', /end of a range/],
    [run(rig, [op.range('', 'a', { revision: 9 as Revision })]), 'invalid-argument', /to come/],
  ];
  for (const [result, code, message] of rows) assert.match(refused(result, code), message);
  assert.equal(rig.machine.revision, 3);
  const cut = resultsOf(run(rig, [op.range('', undefined), op.range('', undefined)])).map(tell);
  assert.deepEqual(cut, ['range a...', 'range ...']);
  assert.throws(() => new Rig({ maxTxnDepth: 33 }), /maxTxnDepth must not be above 32/);
});

test('[REG-59] a read at a compacted revision refuses the whole transaction', () => {
  const rig = sample();
  rig.do({ type: 'compact', revision: 3 as Revision });
  const ops = [op.put('x', ''), op.range('', undefined, { revision: 2 as Revision })];
  assert.match(refused(run(rig, ops), 'compacted'), /oldest that can be read is 3/);
  assert.equal(rig.machine.revision, 4);
});

test('[REG-60] an increment adds to decimal text, keeping TTL and session', () => {
  const rig = sample();
  const session = rig.open();
  rig.put('n', '41', { ttlMs: 5000, ephemeral: true, by: session });
  const before = rig.get('n')!;
  assert.deepEqual(resultsOf(run(rig, [op.increment('n')])).map(tell), ['put 42']);
  const after = rig.get('n')!;
  assert.deepEqual([after.session, after.expiresAt], [session, before.expiresAt]);
  assert.deepEqual(resultsOf(run(rig, [op.increment('n', -50)])).map(tell), ['put -8']);
  for (const [text, by] of [
    ['', 1],
    ['1.5', 1],
    [' 1', 1],
    ['x', 1],
    ['9007199254740992', -5],
    ['9007199254740991', 1],
    ['-9007199254740991', -1],
    ['1', 0.5],
    ['1', NaN],
  ] as const) {
    rig.put('n', text);
    refused(run(rig, [op.put('other', ''), op.increment('n', by)]), 'invalid-argument');
    assert.equal(textOf(rig.get('n')), text);
  }
  assert.equal(rig.get('other'), undefined);
});

test('[REG-61] a transaction sent again is answered as the first time, after a restore too', () => {
  const rig = sample();
  const session = rig.open();
  rig.put('big', 'x'.repeat(200));
  const ops = [op.increment('n'), op.get('big'), op.range('', undefined), nest([op.delete('b')])];
  const header = { session, sequence: 1, acknowledged: 0, node: 'a' };
  const command = encodeCommand(header, txn([compare('version', 'n', 'equal', 0)], ops));
  const first = Buffer.from(rig.applyBytes(command));
  assert.deepEqual(Buffer.from(rig.applyBytes(command)), first);
  const copy = rig.restored(rig.snapshot());
  assert.deepEqual(Buffer.from(copy.applyBytes(command)), first);
  assert.equal(textOf(rig.get('n')), '1');
  assert.deepEqual(copy.snapshot(), rig.snapshot());
});

test('[REG-62] bytes that nest deeper than any limit allows are refused, not recursed into', () => {
  const rig = new Rig();
  const header = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'a' };
  const empty = encodeCommand(header, txn([], []));
  // A transaction without compares whose one operation is a transaction, and so on.
  const level = Buffer.from(encodeCommand(header, txn([], [nest([])]))).subarray(-7, -4);
  const levels = Array.from({ length: 100_000 }, () => level);
  const result = rig.applyBytes(Buffer.concat([empty.subarray(0, -3), ...levels]));
  assert.match(refused(decodeResult(result), 'invalid-command'), /nested deeper than 32/);
});

test('[REG-63] a range is selected, sorted, then cut, as a plain list would be', () => {
  fc.assert(
    fc.property(anyLog(40), fc.array(anyRange, { minLength: 5, maxLength: 5 }), (log, queries) => {
      const rig = new Rig();
      for (const { header, command } of log) rig.do(command, header);
      for (const query of queries) {
        if (query.revision > rig.machine.revision) continue;
        if (query.revision !== 0 && query.revision < rig.machine.compactRevision) continue;
        if (query.end !== undefined && query.end < query.start) continue;
        const all = rig.list('', query.revision).map(({ record }) => record!);
        const expected = select(query, all);
        const answer = rig.ask(query);
        if (query.select?.countOnly === true) {
          assert.equal(answerOf(answer, 'count').count, expected.length);
          continue;
        }
        const { views, more } = answerOf(answer, 'range');
        const cut = query.limit === 0 ? expected : expected.slice(0, query.limit);
        assert.deepEqual(
          views.map(({ record }) => record!.key),
          cut.map(({ key }) => key),
        );
        assert.equal(more, cut.length < expected.length);
      }
    }),
    { numRuns: 150 },
  );
});
