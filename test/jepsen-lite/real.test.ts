/** A short run on real processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runReal } from '../../jepsen-lite/real/run-real.ts';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';
import { registerWorkload } from '../../jepsen-lite/workloads/register.ts';

test('[REAL-2] real processes keep their promises under kills, pauses, partitions', async () => {
  const record = await runReal({
    seed: SEED,
    workload: registerWorkload,
    store: 'sqlite',
    faultsMs: 6_000,
    faults: ['kill', 'pause', 'partition'],
  });
  assert.equal(record.violation, undefined);
  assert.equal(outcomeOf(record), 'passed');
  const names = record.phases.map(({ name }) => name);
  assert.deepEqual(names, ['setup', 'safety', 'liveness', 'convergence', 'finish']);
  const done = record.faults.filter(({ targets }) => targets.length > 0);
  assert.ok(done.length > 0, 'some faults were carried out');
  const answered = record.history.filter(({ type }) => type === 'ok');
  assert.ok(answered.length > 0, 'calls were answered');
});

/** Its faults are of many kinds. */
const SEED = 52;
