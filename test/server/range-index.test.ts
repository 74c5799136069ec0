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
      fc.array(anyRange, { maxLength: 20 }),
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
