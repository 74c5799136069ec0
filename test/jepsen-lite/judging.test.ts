/** Positive controls: a workload that must break a promise, and is judged by that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';
import { lockWorkload, unfencedLockWorkload } from '../../jepsen-lite/workloads/lock.ts';
import { judge } from '../../jepsen-lite/workloads/judging.ts';
import type { Operation } from '../../jepsen-lite/history/operation.ts';
import { done, seen } from './support/operations.ts';

function written(token: number, from: number, when: number): Operation {
  const value = { token, from, to: from + 1 };
  return seen(1, 'guarded-write', when, { key: 'l', value, output: true });
}

/** What all the other checkers are content with. */
const calm = [
  done(1, 'open-session', [0, 1], { value: { ttlMs: 2_000 }, output: 7 }),
  done(1, 'lock', [2, 3], { key: 'l', value: { session: 7 }, output: 8 }),
  done(1, 'keep-alive', [3, 4], { value: { session: 7 } }),
  done(2, 'queue', [3, 4], { key: 'l', output: [{ session: 7, token: 8, held: true }] }),
];
const lost = [...calm, written(8, 0, 4), written(8, 0, 5)];

test('[JEPSEN-18] an update lost without a fence shows the control, and breaks nothing', () => {
  const { results, broken } = judge(unfencedLockWorkload(), lost);
  assert.equal(broken, undefined);
  assert.deepEqual(
    results.map(({ verdict }) => verdict.type),
    ['ok', 'ok', 'ok'],
  );
  const { verdict } = results.find(({ checker }) => checker === 'guarded-counter')!;
  assert.match(verdict.type === 'ok' ? verdict.how : '', /^control shown: guarded-write l /);
});

function checkersOf(history: readonly Operation[]): readonly string[] {
  const { results } = judge(lockWorkload(), history);
  return results.map(({ checker, verdict }) => `${checker} ${verdict.type}`);
}

test('[CHECK-32] only its own promise has to be shown in every run of a workload', () => {
  const [opened, granted, renewed, looked] = calm;
  const all = [...calm, written(8, 0, 4), written(8, 1, 5)];
  assert.deepEqual(checkersOf(all), ['lock ok', 'fence ok', 'guarded-counter ok', 'sessions ok']);
  const few = [opened!, granted!, looked!, written(8, 0, 4)];
  assert.deepEqual(checkersOf(few), ['lock ok']);
  const blind = [opened!, granted!, renewed!, written(8, 0, 4)];
  assert.deepEqual(checkersOf(blind), ['lock unknown', 'sessions ok']);
});

test('[JEPSEN-18] a control in which nothing went wrong shows nothing', () => {
  const { results, broken } = judge(unfencedLockWorkload(), [...calm, written(8, 0, 4)]);
  assert.equal(broken, undefined);
  const { verdict } = results.find(({ checker }) => checker === 'guarded-counter')!;
  assert.match(verdict.type === 'unknown' ? verdict.why : '', /^control not shown: /);
});

test('[JEPSEN-18] what a control must break, others must not, nor it all else', () => {
  assert.equal(judge(lockWorkload(), lost).broken?.checker, 'guarded-counter');
  const twice = done(2, 'lock', [2, 3], { key: 'l', value: { session: 9 }, output: 8 });
  const { broken } = judge(unfencedLockWorkload(), [...lost, twice]);
  assert.equal(broken?.checker, 'lock');
  assert.deepEqual(broken.operations, [1, 6]);
});

test('[JEPSEN-18] a run without any fault shows the control in its end', async () => {
  const wishes = { workload: 'lock-unfenced', faultsMs: 200, nodes: 1, clients: 2 };
  const { record } = await runSimulation({ seed: 1, wishes, faults: [] });
  assert.equal(outcomeOf(record), 'passed', JSON.stringify(record.results));
});
