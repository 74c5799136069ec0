/** Many seeds, on one thread or several: what is told of them is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedRuns } from '../../jepsen-lite/cli/seed-runs.ts';
import type { SeedOrder, SeedReport } from '../../jepsen-lite/cli/seed-report.ts';
import { again } from '../../jepsen-lite/simulation/rerun.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';

const WISHES = { faultsMs: 300, nodes: 1, clients: 2, workload: 'register' };
const ORDER: SeedOrder = { wishes: WISHES, twice: 0, whole: false };

async function reports(jobs: number, order: SeedOrder): Promise<SeedReport[]> {
  const all: SeedReport[] = [];
  for await (const report of seedRuns({ from: 1, to: 4 }, jobs, order)) all.push(report);
  return all;
}

/** What a report says but for the time it took. */
function told({ seed, line, json, counts }: SeedReport): unknown {
  return { seed, line, json: { ...json, wallMs: 0 }, counts: { ...counts, wallMs: 0 } };
}

test('[KIT-9] threads change neither what is told of seeds nor the order of it', async () => {
  const alone = await reports(1, { ...ORDER, whole: true });
  const together = await reports(2, ORDER);
  assert.deepEqual(
    together.map(({ seed }) => seed),
    [1, 2, 3, 4],
  );
  assert.deepEqual(together.map(told), alone.map(told));
  // The whole of a run comes only where it is wanted, or needed.
  assert.equal(alone[0]?.result?.record.traceHash, together[0]?.json['traceHash']);
  assert.equal(together[0]?.result, undefined);
});

test('[KIT-9] who takes no more ends the threads; a run that throws is heard of', async () => {
  for await (const { seed } of seedRuns({ from: 1, to: 1_000_000 }, 2, ORDER)) {
    if (seed === 2) break;
  }
  const order = { ...ORDER, wishes: { ...WISHES, workload: 'none such' } };
  await assert.rejects(reports(2, order), /no workload none such/);
});

test('[KIT-9] a rerun draws anew: what something besides the seed decided is told', async () => {
  const first = await runSimulation({ seed: 1, wishes: WISHES });
  assert.equal((await again(first, WISHES)).record.violation, undefined);
  const otherwise = await runSimulation({ seed: 1, wishes: { ...WISHES, clients: 3 } });
  assert.equal((await again(otherwise, WISHES)).record.violation?.check, 'determinism');
});
