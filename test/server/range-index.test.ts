import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RangeIndex, type KeyRange } from '../../src/server/range-index.ts';
import { contains } from './support/registry.ts';

const byte = fc.constantFrom('\0', 'a', 'b', '\xfe', '\xff');
const text = fc.array(byte, { maxLength: 3 }).map((chars) => chars.join(''));
const anyRange: fc.Arbitrary<KeyRange> = fc.oneof(
  text.map((start) => ({ start, end: `${start}\0` })),
  fc.record({ start: text, end: fc.option(text, { nil: undefined }) }),
  text.map((start) => ({ start: `${start}a`, end: `${start}b` })),
);

function found(index: RangeIndex<KeyRange>, key: string): KeyRange[] {
  const entries: KeyRange[] = [];
  index.visit(key, (entry) => entries.push(entry));
  return entries;
}

test('[WATCH-50] a lookup finds exactly the ranges that contain the key, each once', () => {
  fc.assert(
    fc.property(
      fc.array(anyRange, { maxLength: 60, size: 'max' }),
      fc.array(text),
      fc.nat(),
      (all, keys, cut) => {
        const index = new RangeIndex<KeyRange>();
        const kept = new Set<KeyRange>();
        for (const range of all) {
          if (index.get(range) !== undefined) continue;
          index.add(range);
          kept.add(range);
        }
        for (const range of [...kept].slice(0, cut % (kept.size + 1))) {
          index.remove(range);
          kept.delete(range);
        }
        assert.equal(index.size, kept.size);
        assert.deepEqual(new Set(index), kept);
        for (const key of keys) {
          const hits = found(index, key);
          const expected = [...kept].filter((range) => contains(range, key));
          assert.deepEqual(new Set(hits), new Set(expected));
          assert.equal(hits.length, expected.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** A key that counts how often it is compared, hashed or cut: the work of a lookup. */
function comparisons(index: RangeIndex<KeyRange>, key: string): number {
  let count = 0;
  const counting = {
    length: key.length,
    slice: (from: number, to: number) => {
      count++;
      return key.slice(from, to);
    },
    [Symbol.toPrimitive]: () => {
      count++;
      return key;
    },
  };
  index.visit(counting as unknown as string, () => count++);
  return count;
}

test('[WATCH-69] what a lookup costs does not grow with ranges that do not contain the key', () => {
  const costs = [100, 10_000].map((size) => {
    const index = new RangeIndex<KeyRange>();
    for (let i = 0; i < size; i++) {
      const name = String(i).padStart(6, '0');
      index.add({ start: `k/${name}`, end: `k/${name}\0` });
      index.add({ start: `p/${name}`, end: `p/${name.slice(0, 5)}${Number(name[5]) + 1}` });
      index.add({ start: `r/${name}`, end: `r/${name}5` });
    }
    const keys = Array.from({ length: 50 }, (_, i) => `r/${String(i * 7).padStart(6, '0')}3`);
    return Math.max(...keys.map((key) => comparisons(index, key)));
  });
  const [small = 0, large = 0] = costs;
  assert.ok(large < 3 * small, `${small} steps among 300 ranges, ${large} among 30,000`);
  assert.ok(large < 150, `${large} steps`);
});
