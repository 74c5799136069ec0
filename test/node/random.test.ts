/**
 * Random faults, decided by a seed. A failure prints its seed; replay it with
 * `HOLDFAST_SEEDS=n..n node --test dist/test/node/random.test.js`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultRun, seedsToRun } from './support/fault-run.ts';

const [first, last] = seedsToRun(1, 16);

test(`[NODE-60] under faults nothing acknowledged is lost and nothing is applied twice, \
seeds ${first} to ${last}`, async () => {
  const sums = { acknowledged: 0, unknown: 0, refused: 0, reads: 0 };
  const failed: string[] = [];
  for (let seed = first; seed <= last; seed++) {
    const run = new FaultRun(seed);
    try {
      const report = await run.run();
      sums.acknowledged += report.acknowledged;
      sums.unknown += report.unknown;
      sums.refused += report.refused;
      sums.reads += report.reads;
    } catch (error) {
      const lines = run.lines.slice(-40).join('\n');
      failed.push(`seed ${seed}: ${(error as Error).message}\n${failed.length === 0 ? lines : ''}`);
    }
  }
  assert.deepEqual(failed, []);
  // Otherwise the faults would prove nothing.
  for (const [what, count] of Object.entries(sums)) assert.ok(count > 0, `no ${what}`);
});

test('[NODE-61] a seed and its rerun do the same', async () => {
  const once = await new FaultRun(first).run();
  const again = await new FaultRun(first).run();
  assert.deepEqual(again, once);
});
