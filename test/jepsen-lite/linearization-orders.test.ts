/** The orders that reports draw: time allows them, and the model explains each answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearizationOrders } from '../../jepsen-lite/checkers/linearizability.ts';
import { registerModel } from '../../jepsen-lite/checkers/register.ts';
import type { PartOrder } from '../../jepsen-lite/checkers/verdict.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';

function operation(what: Partial<Operation> & Pick<Operation, 'f' | 'call'>): Operation {
  return { process: 0, key: 'k', return: what.call + 10, type: 'ok', output: null, ...what };
}

function assertHolds({ order }: PartOrder): void {
  let state = registerModel.initial;
  let latestCall = -Infinity;
  for (const one of order) {
    latestCall = Math.max(latestCall, one.call);
    assert.ok(one.return === null || one.return >= latestCall, 'it had returned before');
    const next = registerModel.step(state, one);
    assert.ok(next !== undefined, `${one.f} cannot follow ${state}`);
    state = next;
  }
}

const FIRST = operation({ f: 'put', value: '1', call: 0 });
const SLOW = operation({ f: 'put', value: '2', call: 20, return: 90, process: 1 });
const READ_NEW = operation({ f: 'get', output: '2', call: 30 });
const READ_OLD = operation({ f: 'get', output: '1', call: 50, process: 2 });

test('an order that revisions tell is the one shown, whoever called first', () => {
  const slow = { ...SLOW, revision: 2 };
  const quick = operation({ f: 'put', value: '1', call: 30, revision: 3 });
  const read = { ...READ_NEW, revision: 2, output: '2', call: 25, process: 2 };
  const [found, ...more] = linearizationOrders(registerModel, [slow, read, quick]);
  assert.deepEqual(more, []);
  assert.deepEqual({ part: 'k', order: [slow, read, quick], end: 'whole' }, found);
  const late = { ...slow, revision: 4 };
  const [other] = linearizationOrders(registerModel, [late, quick]);
  assert.deepEqual(other!.order, [quick, late]);
});

test('an order that had to be searched is whole and holds', () => {
  const [found] = linearizationOrders(registerModel, [FIRST, SLOW, READ_NEW]);
  assert.equal(found!.end, 'whole');
  assert.deepEqual(found!.order, [FIRST, SLOW, READ_NEW]);
  assertHolds(found!);
});

test('where there is none, the longest beginning is shown with what does not fit behind it', () => {
  const [found] = linearizationOrders(registerModel, [FIRST, SLOW, READ_NEW, READ_OLD]);
  assert.equal(found!.end, 'stuck');
  assert.deepEqual(found!.order, [FIRST, SLOW, READ_NEW]);
  assert.equal(found!.stuck, READ_OLD);
  assertHolds(found!);
});

test('each key has an order of its own', () => {
  const orders = linearizationOrders(registerModel, [FIRST, { ...FIRST, key: 'other' }]);
  assert.deepEqual(
    orders.map(({ part, order }) => [part, order.length]),
    [
      ['k', 1],
      ['other', 1],
    ],
  );
});
