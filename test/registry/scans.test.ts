/** What ranges may visit: no command or query holds others up for long, however many keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_QUERY_SCANNED } from '../../src/registry/query.ts';
import type {
  RangeQuery,
  RangeSelection,
  RegistryResult,
  Revision,
  TxnCompare,
  TxnOp,
} from '../../src/registry/index.ts';
import { answerOf, bytes, refused, resultOf, Rig } from './rig.ts';

const EVERYTHING: RangeSelection = {
  countOnly: false,
  sortBy: 'key',
  descending: false,
  minModRevision: 0 as Revision,
  maxModRevision: 0 as Revision,
  minCreateRevision: 0 as Revision,
  maxCreateRevision: 0 as Revision,
};

function range(more: Partial<RangeQuery> = {}): RangeQuery {
  const whole = { start: '', end: undefined, limit: 0, keysOnly: true };
  return { type: 'range', ...whole, revision: 0 as Revision, ...more };
}

function selected(more: Partial<RangeSelection>, query: Partial<RangeQuery> = {}): RangeQuery {
  return range({ ...query, select: { ...EVERYTHING, ...more } });
}

const sortedByAge = selected({ sortBy: 'createRevision' });
const counted = selected({ countOnly: true });
const countedSince = selected({ countOnly: true, minModRevision: 1 as Revision });

function run(rig: Rig, ops: readonly TxnOp[], compares: readonly TxnCompare[] = []) {
  return rig.do({ type: 'txn', compares, success: ops, failure: [] });
}

function compareAll(operand = 0): TxnCompare {
  return { start: '', end: undefined, operator: 'greater', target: 'version', operand };
}

function isTooMuch(result: RegistryResult): void {
  assert.match(refused(result, 'too-large'), /visit more than 10 keys \(maxTxnScanned\)/);
}

function filled(keys: number, limits = {}): Rig {
  const rig = new Rig({ maxTxnScanned: 10, ...limits });
  for (let i = 0; i < keys; i++) rig.put(`k${String(i).padStart(6, '0')}`, 'v');
  return rig;
}

test('[REG-70] ranges of one transaction visit no more keys together than the limit', () => {
  const rig = filled(10);
  const { revision } = rig.machine;
  const fine: [readonly TxnOp[], readonly TxnCompare[]][] = [
    [[], [compareAll()]],
    [[sortedByAge], []],
    [[countedSince], []],
    // Counting all there is costs nothing, nor does what is cut by its size anyway.
    [[counted, counted, counted, range(), range()], []],
    [[range({ limit: 1 }), { type: 'deleteRange', start: 'x', end: 'y' }], [compareAll()]],
    // The first key that differs ends a compare.
    [[], Array.from({ length: 9 }, () => compareAll(7))],
  ];
  for (const [ops, compares] of fine) resultOf(run(rig, ops, compares), 'txn');
  isTooMuch(run(rig, [], [compareAll(), compareAll()]));
  isTooMuch(run(rig, [sortedByAge, countedSince]));
  isTooMuch(run(rig, [countedSince], [compareAll()]));
  isTooMuch(run(rig, [sortedByAge, { type: 'deleteRange', start: '', end: 'k000002' }]));
  const nested: TxnOp = { type: 'txn', compares: [], success: [countedSince], failure: [] };
  isTooMuch(run(rig, [nested], [compareAll()]));
  assert.equal(rig.machine.revision, revision);
  resultOf(run(rig, [{ type: 'deleteRange', start: '', end: undefined }]), 'txn');
});

test('[REG-70] values compared or sorted by count with their length', () => {
  const rig = new Rig({ maxTxnScanned: 10 });
  rig.put('k', 'x'.repeat(64 * 8));
  resultOf(run(rig, [selected({ sortBy: 'value' })]), 'txn');
  rig.put('l', 'x'.repeat(64 * 8));
  isTooMuch(run(rig, [selected({ sortBy: 'value' })]));
  const long = bytes('x'.repeat(64 * 8));
  const operands = { start: '', end: undefined, operator: 'equal', target: 'value' } as const;
  isTooMuch(run(rig, [], [{ ...operands, operand: long }]));
  const short = { ...operands, operator: 'greater', operand: bytes('x') } as const;
  assert.equal(resultOf(run(rig, [], [short]), 'txn').succeeded, true);
});

test('[REG-70] versions passed over on the way to an old revision count too', () => {
  const rig = filled(1);
  for (let i = 0; i < 12; i++) rig.put('k000000', `${i}`);
  resultOf(run(rig, [{ ...countedSince, revision: 5 as Revision }]), 'txn');
  isTooMuch(run(rig, [{ ...countedSince, revision: 2 as Revision }]));
});

test('[REG-15] [REG-70] how far cleaning got does not show in what a transaction may visit', () => {
  const rig = filled(9, { historyRevisions: 100, maxTxnDeletes: 2000 });
  for (let i = 0; i < 1500; i++) rig.put(`l${i}`, '');
  const deleted = run(rig, [{ type: 'deleteRange', start: 'l', end: undefined }]);
  assert.equal(resultOf(deleted, 'error').code, 'too-large');
  for (let i = 0; i < 1500; i++) rig.delete(`l${i}`);
  isTooMuch(run(rig, [countedSince]));
  rig.do({ type: 'compact', revision: rig.machine.revision });
  // This one never had the deleted keys; the other has not forgotten all of them yet.
  const fresh = rig.restored(rig.snapshot());
  for (const replica of [rig, fresh]) {
    assert.equal(resultOf(run(replica, [countedSince]), 'txn').succeeded, true);
    replica.put('m', '');
    replica.delete('m');
    resultOf(run(replica, [countedSince]), 'txn');
    replica.put('n', '');
    isTooMuch(run(replica, [countedSince]));
  }
});

test('[REG-15] [REG-70] nor does it show in why one is refused', () => {
  const limits = { maxTxnScanned: 1, historyRevisions: 1000 };
  const rig = new Rig(limits);
  const holder = rig.open();
  rig.put('a', '');
  for (let i = 0; i < 1500; i++) rig.put(`l${i}`, '');
  rig.token('m', holder);
  rig.put('m', '', { by: holder });
  for (let i = 0; i < 1500; i++) rig.delete(`l${i}`);
  rig.do({ type: 'compact', revision: rig.machine.revision });
  // This one never had the deleted keys; the other has not forgotten all of them yet.
  const fresh = rig.restored(rig.snapshot());
  const visitsOne = selected({ sortBy: 'createRevision' }, { end: 'b' });
  const ops: readonly TxnOp[] = [visitsOne, { type: 'deleteRange', start: 'l', end: undefined }];
  assert.deepEqual(run(rig, ops), run(fresh, ops));
});

test('[REG-71] one answer visits no more keys than its limit, and says where to go on', () => {
  const rig = filled(MAX_QUERY_SCANNED + 1);
  const late = { minModRevision: (MAX_QUERY_SCANNED + 1) as Revision };
  const last = `k${MAX_QUERY_SCANNED}`;
  const list = answerOf(rig.ask(selected(late, { limit: 5 })), 'range');
  assert.deepEqual([list.views.length, list.more, list.next], [0, true, last]);
  const rest = answerOf(rig.ask(selected(late, { limit: 5, start: last })), 'range');
  assert.deepEqual([rest.views.length, rest.more, rest.next], [1, false, undefined]);
  const part = answerOf(rig.ask(countedSince), 'count');
  assert.deepEqual([part.count, part.next], [MAX_QUERY_SCANNED, last]);
  assert.deepEqual(answerOf(rig.ask(counted), 'count').count, MAX_QUERY_SCANNED + 1);
  assert.match(refused(rig.ask(sortedByAge), 'too-large'), /sorted may visit 100000 keys at most/);
  answerOf(rig.ask({ ...sortedByAge, start: 'k000001' }), 'range');
});

test('[REG-71] however much one key is, an answer gets past it', () => {
  const rig = new Rig({ historyRevisions: MAX_QUERY_SCANNED + 10 });
  for (let i = 0; i <= MAX_QUERY_SCANNED + 1; i++) rig.put('hot', `${i}`);
  rig.put('other', '');
  const old = { revision: 1 as Revision };
  const first = answerOf(rig.ask(selected({ countOnly: true }, old)), 'count');
  assert.deepEqual([first.count, first.next], [1, 'other']);
});
