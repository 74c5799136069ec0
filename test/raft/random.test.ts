/**
 * Random runs. `HOLDFAST_SEEDS=1..20000` runs those seeds; a failing one is printed with its last
 * steps and the command that repeats it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomRun } from './random-run.ts';

const DEFAULT_SEEDS = '1..400';
const EVENTS = 400;
const LAST_STEPS = 60;

/** What the default seeds must have met, or they prove less than they claim. */
const SOMETIMES = [
  'elected',
  'twoLeadersAtOnce',
  'truncated',
  'snapshotInstalled',
  'jointAppended',
  'leaderCrashedInJointMembership',
  'crashedWithPendingWrites',
  'writesLost',
  'lostOnCutLink',
  'leaderIsolated',
  'committedBeforeOwnDisk',
  'oldTermOnQuorumNotCommitted',
  'fetched',
  'readConfirmed',
  'leaseRead',
  'transferCompleted',
  'transferAborted',
  'wiped',
  'wipedNodeReadmitted',
  'replyOfWipedNodeDropped',
];

const [first = 1, last = first] = (process.env['HOLDFAST_SEEDS'] ?? DEFAULT_SEEDS)
  .split('..')
  .map(Number);

function runSeed(seed: number): Readonly<Record<string, number>> {
  try {
    return randomRun({ seed, events: EVENTS });
  } catch (error) {
    const lines: string[] = [];
    assert.throws(() => randomRun({ seed, events: EVENTS, trace: (line) => lines.push(line) }));
    const replay = `HOLDFAST_SEEDS=${seed}..${seed} node --test dist/test/raft/random.test.js`;
    const steps = lines.slice(-LAST_STEPS).join('\n');
    throw new Error(`seed ${seed}: ${String(error)}\nrepeat: ${replay}\n${steps}`, {
      cause: error,
    });
  }
}

test(`[RAFT-90] random runs, seeds ${first} to ${last}`, () => {
  const totals: Record<string, number> = {};
  for (let seed = first; seed <= last; seed++) {
    for (const [what, count] of Object.entries(runSeed(seed))) {
      totals[what] = (totals[what] ?? 0) + count;
    }
  }
  if (process.env['HOLDFAST_SEEDS'] !== undefined) {
    console.log(totals);
    return;
  }
  const unmet = SOMETIMES.filter((what) => (totals[what] ?? 0) === 0);
  assert.deepEqual(unmet, [], 'the default seeds never met these');
});

test('[RAFT-91] a seed and its rerun are the same, step by step', () => {
  for (const seed of [3, 14, 15]) {
    const runs = [1, 2].map(() => {
      const lines: string[] = [];
      randomRun({ seed, events: 150, trace: (line) => lines.push(line) });
      return lines.join('\n');
    });
    assert.ok((runs[0]?.length ?? 0) > 1000);
    assert.equal(runs[0], runs[1]);
  }
});
