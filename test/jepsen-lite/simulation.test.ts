/**
 * Whole clusters on virtual time. A failure names its seed; run it alone with
 * `HOLDFAST_SEEDS=n..n node --test dist/test/jepsen-lite/simulation.test.js`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';

const [first, last] = (process.env.HOLDFAST_SEEDS ?? '1..8').split('..').map(Number) as [
  number,
  number,
];
/** Long enough for some faults in each run. */
const wishes = { workload: 'register', faultsMs: 3_000 };
/** So many different situations any few seeds have to come upon. */
const LEAST_MET = 8;

test('[JEPSEN-10] clusters keep every promise under faults; a rerun does the same', async () => {
  const failed: string[] = [];
  const met = new Set<string>();
  for (let seed = first; seed <= last; seed++) {
    const { record, schedule } = await runSimulation({ seed, wishes });
    const why = record.violation?.message ?? outcomeOf(record);
    if (outcomeOf(record) !== 'passed') failed.push(`seed ${seed}: ${why}`);
    for (const [name, count] of Object.entries(record.sometimes)) if (count > 0) met.add(name);
    const again = await runSimulation(schedule);
    if (again.record.traceHash !== record.traceHash) failed.push(`seed ${seed}: its rerun differs`);
  }
  assert.deepEqual(failed, []);
  // Faults that do nothing would prove nothing.
  assert.ok(met.size >= LEAST_MET, `they met only ${[...met].join(', ')}`);
});
