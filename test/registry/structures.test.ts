/** The data structures under the store, against the plainest thing that does the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { crc32 } from '../../src/registry/crc32.ts';
import { DedupWindow } from '../../src/registry/dedup-window.ts';
import { ExpiryQueue } from '../../src/registry/expiry-queue.ts';
import { KeyEntry, KeyVersion } from '../../src/registry/key-version.ts';
import { KeyTable } from '../../src/registry/key-table.ts';
import { OrderedIndex } from '../../src/registry/ordered-index.ts';
import {
  defaultLimits,
  resolveLimits,
  type RegistryResult,
  type Revision,
  type SessionId,
} from '../../src/registry/index.ts';

function version(key: string, expiresAt: number | undefined): KeyVersion {
  return new KeyVersion(
    key,
    '',
    1 as Revision,
    1 as Revision,
    1,
    0 as SessionId,
    expiresAt,
    '',
    0,
    undefined,
  );
}

function scanned(index: OrderedIndex<{ key: string }>, start: string, limit: number): string[] {
  const keys: string[] = [];
  index.scan(start, ({ key }) => keys.push(key) < limit);
  return keys;
}

function scannedCounted<Item extends { key: string }>(
  index: OrderedIndex<Item>,
  start: string,
  end: string | undefined,
): Item[] {
  const items: Item[] = [];
  index.scanCounted(start, end, (item) => items.push(item) > 0);
  return items;
}

function done(revision: number): RegistryResult {
  return { type: 'done', revision: revision as Revision };
}

/** Keys in an order that fills, splits, empties and merges chunks. */
function shuffled(count: number, factor: number): string[] {
  return Array.from({ length: count }, (_, i) => String((i * factor) % count).padStart(6, '0'));
}

test('[REG-25] the ordered index is a sorted list, however keys come and go', () => {
  for (const factor of [1, 7919, 4999]) {
    const index = new OrderedIndex<{ key: string }>();
    const keys = shuffled(5000, factor);
    for (const key of keys) index.insert({ key });
    const sorted = keys.toSorted();
    assert.deepEqual(scanned(index, '', Infinity), sorted);
    assert.deepEqual(scanned(index, '002500', 3), ['002500', '002501', '002502']);
    assert.deepEqual(scanned(index, '0025005', 1), ['002501']);
    assert.deepEqual(scanned(index, 'x', 1), []);
    const gone = new Set(shuffled(5000, 6007).slice(0, 4900));
    for (const key of gone) index.remove(key);
    index.remove('absent');
    const left = sorted.filter((key) => !gone.has(key));
    assert.deepEqual(scanned(index, '', Infinity), left);
    for (const key of gone) index.insert({ key });
    assert.deepEqual(scanned(index, '', Infinity), sorted);
    for (const key of sorted) index.remove(key);
    assert.deepEqual(scanned(index, '', Infinity), []);
    index.insert({ key: 'again' });
    assert.deepEqual(scanned(index, '', Infinity), ['again']);
  }
});

test('[REG-72] what does not count is leapt over, but for what stands beside what counts', () => {
  const index = new OrderedIndex<{ key: string }>(({ key }) => key >= '009000');
  for (const key of shuffled(10_000, 7919)) index.insert({ key });
  assert.ok(scannedCounted(index, '', undefined).length < 1300);
  assert.deepEqual(scannedCounted(index, '000100', '008000').length, 0);
  assert.deepEqual(
    scannedCounted(index, '009998', undefined).map(({ key }) => key),
    ['009998', '009999'],
  );
});

test('[REG-25] the ordered index agrees with a sorted array on random inserts and removals', () => {
  interface Item {
    readonly key: string;
    counts: boolean;
  }
  const place = fc.integer({ min: 0, max: 900 });
  const change = fc.tuple(fc.constantFrom('insert', 'remove', 'recount'), place);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3000, size: 'max' }), place, (changes, from) => {
      const index = new OrderedIndex<Item>(({ counts }) => counts);
      const model = new Map<string, Item>();
      for (const [what, number] of changes) {
        const key = number.toString(3);
        const item = model.get(key);
        if (what === 'remove') {
          index.remove(key);
          model.delete(key);
        } else if (item === undefined) {
          const made = { key, counts: what === 'insert' };
          model.set(key, made);
          index.insert(made);
        } else if (what === 'recount') {
          item.counts = !item.counts;
          index.recount(key, item.counts ? 1 : -1);
        }
      }
      const sorted = [...model.keys()].toSorted();
      assert.deepEqual(scanned(index, '', Infinity), sorted);
      const middle = sorted[sorted.length >>> 1] ?? '';
      assert.deepEqual(
        scanned(index, middle, Infinity),
        sorted.filter((key) => key >= middle),
      );
      const start = from.toString(3);
      for (const end of [undefined, middle, `${middle}0`, '0', start]) {
        const within = [...model.values()].filter(
          ({ key, counts }) => counts && key >= start && (end === undefined || key < end),
        );
        assert.equal(index.count(start, end), within.length);
        const shown = scannedCounted(index, start, end);
        assert.deepEqual(
          shown.filter(({ counts }) => counts),
          within.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        );
        assert.ok(shown.every(({ key }) => key >= start && (end === undefined || key < end)));
      }
    }),
    { numRuns: 25 },
  );
});

test('[REG-6] the expiry queue gives keys by time, then key, however they were moved', () => {
  const change = fc.tuple(fc.nat({ max: 60 }), fc.option(fc.nat({ max: 20 }), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300, size: 'max' }), (changes) => {
      const queue = new ExpiryQueue();
      const entries = new Map<string, KeyEntry>();
      for (const [number, expiresAt] of changes) {
        const key = `k${number}`;
        const entry = entries.get(key) ?? new KeyEntry(version(key, undefined));
        entries.set(key, entry);
        entry.latest = version(key, expiresAt);
        queue.update(entry);
      }
      const expected = [...entries.values()].filter(({ latest }) => latest.expiresAt !== undefined);
      expected.sort(
        (a, b) => a.latest.expiresAt! - b.latest.expiresAt! || (a.key < b.key ? -1 : 1),
      );
      assert.equal(queue.size, expected.length);
      for (const entry of expected) {
        assert.equal(queue.due(entry.latest.expiresAt! - 1), undefined);
        assert.equal(queue.due(entry.latest.expiresAt!), entry);
        entry.latest = version(entry.key, undefined);
        queue.update(entry);
      }
      assert.equal(queue.size, 0);
    }),
    { numRuns: 100 },
  );
});

test('[REG-25] the key table finds what was added, and only that', () => {
  const table = new KeyTable();
  const keys = ['', 'a', 'ab', 'abc', ...shuffled(3000, 7919), 'same/end', 'more/end'];
  for (const key of keys) table.add(new KeyEntry(version(key, undefined)));
  for (const key of keys) assert.equal(table.get(key)?.key, key);
  for (const key of keys.slice(10)) table.delete(key);
  table.delete('absent');
  assert.equal(table.size, 10);
  assert.deepEqual(
    keys.filter((key) => table.get(key) !== undefined),
    keys.slice(0, 10),
  );
});

test('[SESS-6] [SESS-7] a window agrees with a map of answers that are not acknowledged', () => {
  const limits = { ...defaultLimits, maxWindow: 20 };
  const call = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 12 }));
  fc.assert(
    fc.property(fc.array(call, { maxLength: 150, size: 'max' }), (calls) => {
      let window = new DedupWindow();
      const answers = new Map<number, RegistryResult>();
      let floor = 0;
      calls.forEach(([sequence, behind], at) => {
        const acknowledged = Math.max(sequence - behind - 1, 0);
        window.shared = at % 5 === 0;
        const before = window;
        const kept = [...before.answers()];
        window = window.writable();
        window.acknowledge(acknowledged);
        floor = Math.max(floor, acknowledged);
        const verdict = window.judge(sequence, limits);
        const expected =
          sequence <= floor
            ? 'sequence-too-old'
            : (answers.get(sequence) ?? (sequence > floor + 20 ? 'overloaded' : 'new'));
        if (verdict.type === 'refused') assert.equal(verdict.code, expected);
        else if (verdict.type === 'answered') assert.equal(verdict.result, expected);
        else assert.equal(expected, 'new');
        if (verdict.type === 'new') {
          const result = done(at);
          window.record(sequence, result);
          answers.set(sequence, result);
        }
        if (before.shared) assert.deepEqual([...before.answers()], kept);
      });
      const left = [...answers]
        .filter(([sequence]) => sequence > floor)
        .toSorted((a, b) => a[0] - b[0]);
      assert.deepEqual([...window.answers()], left);
    }),
    { numRuns: 150 },
  );
});

test('[REG-18] the checksum is CRC-32, in one go or in parts', () => {
  const text = new Uint8Array(Buffer.from('123456789'));
  assert.equal(crc32(text), 0xcbf43926);
  assert.equal(crc32(text.subarray(4), crc32(text.subarray(0, 4))), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('[REG-10] limits that make no sense are refused by name', () => {
  assert.throws(() => resolveLimits({ maxKeyBytes: 0 }), /limits.maxKeyBytes must be a whole/);
  assert.throws(() => resolveLimits({ historyMs: NaN }), RangeError);
  assert.throws(() => resolveLimits({ minSessionTtlMs: 10, maxSessionTtlMs: 9 }), /must not be ab/);
  assert.deepEqual(resolveLimits({ maxWindow: 3 }), { ...defaultLimits, maxWindow: 3 });
});
