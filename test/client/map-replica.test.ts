/** What a process holds of a map, fed by a watch that lags and by its own results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { MapChange } from '../../src/client/map-changes.ts';
import { MapReplica } from '../../src/client/map-replica.ts';

function change(key: string, revision: number, value: number | undefined): MapChange<number> {
  return value === undefined
    ? { type: 'remove', key, revision, entry: { key, revision } }
    : { type: 'put', key, revision, entry: { key, value, revision } };
}

interface Written {
  readonly key: string;
  /** Undefined removes. */
  readonly value: number | undefined;
  /** Done by this process, which so has its result at once. */
  readonly own: boolean;
  /** Events of the watch that arrive afterwards. */
  readonly arriving: number;
  /** A list at some revision up to the latest replaces everything. */
  readonly relisted: number | undefined;
}

const log: fc.Arbitrary<Written[]> = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
    own: fc.boolean(),
    arriving: fc.nat({ max: 3 }),
    relisted: fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 8 }),
  }),
  { maxLength: 40, size: 'max' },
);

/** The map after the first `revision` changes. */
function asOf(changes: readonly Written[], revision: number): Map<string, MapChange<number>> {
  const map = new Map<string, MapChange<number>>();
  for (const [i, { key, value }] of changes.slice(0, revision).entries()) {
    if (value === undefined) map.delete(key);
    else map.set(key, change(key, i + 1, value));
  }
  return map;
}

test('[MAP-20] a key is never older than what the process did itself, nor than the watch', () => {
  fc.assert(
    fc.property(log, (changes) => {
      const replica = new MapReplica<number>(() => assert.fail('nothing is invalid'));
      let watched = 0;
      const own = new Map<string, number>();
      for (const [i, { key, value, own: isOwn, arriving, relisted }] of changes.entries()) {
        const revision = i + 1;
        if (isOwn) {
          replica.did(change(key, revision, value));
          own.set(key, revision);
        }
        for (let n = 0; n < arriving && watched < revision; n++) {
          const event = changes[watched++]!;
          replica.watched(change(event.key, watched, event.value), true);
        }
        if (relisted !== undefined) {
          watched = Math.max(watched, revision - relisted);
          replica.replace([...asOf(changes, watched).values()], watched);
        }
        for (const one of ['a', 'b', 'c']) {
          const expected = asOf(changes, Math.max(watched, own.get(one) ?? 0)).get(one);
          const found = expected?.type === 'put' ? expected.entry.value : undefined;
          assert.equal(replica.get(one), found, `${one} at ${revision}, watched ${watched}`);
          assert.equal(replica.has(one), found !== undefined);
        }
        assert.equal(replica.size, replica.keys().length);
        assert.equal(replica.entries().length, replica.size);
      }
    }),
    { numRuns: 300 },
  );
});

test('[MAP-21] removals of what was never there are not remembered without end', () => {
  const replica = new MapReplica<number>(() => undefined);
  for (let i = 1; i <= 5_000; i++) replica.did(change(`k${i}`, i, undefined));
  replica.watched(change('k1', 1, 7), true);
  assert.equal(replica.get('k1'), 7, 'forgotten, as the oldest');
  replica.watched(change('k5000', 2, 7), true);
  assert.equal(replica.get('k5000'), undefined, 'remembered');
});

function bad(revision: number): MapChange<number> {
  const entry = { key: 'k', revision, issues: [{ path: [], message: 'no number' }] };
  return { type: 'invalid', key: 'k', revision, entry };
}

test('[MAP-22] an invalid value is out of reads and told of once', async () => {
  const told: string[] = [];
  const replica = new MapReplica<number>(({ key, revision }) => told.push(`${key}@${revision}`));
  replica.replace([change('k', 1, 1)], 1);
  replica.watched(bad(2), true);
  assert.deepEqual([replica.get('k'), replica.size, replica.keys()], [undefined, 0, []]);
  replica.replace([bad(2)], 5);
  replica.watched(bad(6), true);
  replica.did(bad(6));
  await Promise.resolve();
  assert.deepEqual(told, ['k@2', 'k@6']);
  assert.equal(replica.invalid().length, 1);
  replica.watched(change('k', 7, 3), true);
  assert.deepEqual([replica.get('k'), replica.invalid()], [3, []]);
});
