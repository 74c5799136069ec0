import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdTable } from '../../src/base/index.ts';

type Step =
  | { readonly type: 'set'; readonly id: number; readonly value: string }
  | { readonly type: 'delete'; readonly id: number }
  | { readonly type: 'clear' };

const anyId = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 100 }) },
  // The same place in every ring, and beyond 32 bits.
  {
    weight: 1,
    arbitrary: fc.constantFrom(5, 5 + 2 ** 20, 5 + 2 ** 40, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('set'), id: anyId, value: fc.string() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('delete'), id: anyId }) },
  { weight: 1, arbitrary: fc.constant({ type: 'clear' }) },
);

void test('a table of ids holds what a Map would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new IdTable<string>();
      const model = new Map<number, string>();
      for (const one of steps) {
        if (one.type === 'clear') {
          table.clear();
          model.clear();
        } else if (one.type === 'set') {
          table.set(one.id, one.value);
          model.set(one.id, one.value);
        } else {
          assert.equal(table.delete(one.id), model.delete(one.id));
        }
        assert.equal(table.size, model.size);
        if (one.type === 'clear') continue;
        assert.equal(table.has(one.id), model.has(one.id));
        assert.equal(table.get(one.id), model.get(one.id));
      }
      assert.deepEqual(
        table.entries(),
        [...model].toSorted(([a], [b]) => a - b),
      );
    }),
  );
});

void test('one that stays is found however many come and go after it', () => {
  const table = new IdTable<string>();
  table.set(3, 'stays');
  for (let id = 4; id < 10_000; id++) {
    table.set(id, 'passes');
    if (id >= 24) assert.ok(table.delete(id - 20));
    assert.equal(table.get(3), 'stays');
  }
  assert.equal(table.size, 21);
});
