/** Making failing runs small, on runs that are made up: what fails is written into each test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrashFault, Fault, PartitionFault } from '../../jepsen-lite/faults/fault.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { RUN_RECORD_VERSION, type RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { shrinkList } from '../../jepsen-lite/simulation/shrink-list.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';
import {
  shrink,
  type ShrinkRun,
  type ShrinkTrial,
  type WholeSchedule,
} from '../../jepsen-lite/simulation/shrink.ts';

const SAFETY_FROM_MS = 1_000;

function crash(atMs: number, node: string): CrashFault {
  return { type: 'crash', atMs, forMs: 800, node, whilePending: true, power: true };
}

function partition(atMs: number, nodes: readonly [string, string]): PartitionFault {
  return { type: 'partition', atMs, forMs: 400, shape: 'one', links: [nodes], flapMs: 50 };
}

/** 40 faults and 400 operations, in 10 s, on five nodes. */
function largeSchedule(): WholeSchedule {
  const faults: Fault[] = [];
  for (let i = 0; i < 20; i++) {
    faults.push(crash(500 * i, `n${(i % 5) + 1}`), partition(500 * i + 100, ['n1', 'n4']));
  }
  const operations = Array.from({ length: 400 }, (_, i) => ({
    client: i % 4,
    number: Math.floor(i / 4),
    atMs: SAFETY_FROM_MS + 25 * i,
  }));
  const wishes = { nodes: 5, clients: 4, faultsMs: 10_000, workload: 'register' };
  return { seed: 1, configuration: drawConfiguration(1, wishes), faults, operations };
}

/** A run that violates `check` at that time, or passes. */
function outcome(schedule: WholeSchedule, check?: string, atMs = 0): ShrinkRun {
  const { faultsMs } = schedule.configuration;
  const record: RunRecord = {
    version: RUN_RECORD_VERSION,
    harness: 'simulation',
    seed: schedule.seed,
    workload: { name: 'register', promise: '' },
    configuration: {},
    replay: '',
    phases: [{ name: 'safety', fromMs: SAFETY_FROM_MS, toMs: SAFETY_FROM_MS + faultsMs }],
    faults: schedule.faults.map((fault) => ({ fault, targets: [], fromMs: 0, toMs: 0 })),
    history: [],
    nodes: [],
    messages: { sent: 0, kept: [], choice: 'all' },
    sometimes: {},
    results: [],
    ...(check !== undefined && {
      violation: { check, message: check, atMs, nodes: [], operations: [] },
    }),
    notTested: [],
    traceHash: null,
    durationMs: 0,
    wallMs: 0,
  };
  return { record, schedule };
}

type Run = (schedule: WholeSchedule) => ShrinkRun;

/** It fails when n2 crashes after a partition, and client 2 calls anything after that. */
const failing: Run = (schedule) => {
  const { faults, operations } = schedule;
  const cut = faults.find(({ type }) => type === 'partition');
  const crashed = faults.find(
    (one) => one.type === 'crash' && one.node === 'n2' && one.atMs > (cut?.atMs ?? Infinity),
  );
  const after = SAFETY_FROM_MS + (crashed?.atMs ?? Infinity);
  const call = operations.find(({ client, atMs }) => client === 2 && atMs > after);
  return call === undefined ? outcome(schedule) : outcome(schedule, 'register', call.atMs);
};

const stuckWithFewFaults: Run = (schedule) =>
  schedule.faults.length < 10 ? outcome(schedule, 'liveness', 2_000) : failing(schedule);

const failingSometimes: Run = (schedule) =>
  schedule.seed % 3 === 1 ? failing(schedule) : outcome(schedule);

function shrunk(run: Run, options: { maxRuns?: number } = {}): ReturnType<typeof shrink> {
  return shrink(run(largeSchedule()), { run: (one) => Promise.resolve(run(one)), ...options });
}

test('[KIT-2] a list is reduced to what is needed, in its order', async () => {
  const list = Array.from({ length: 100 }, (_, i) => i);
  const needed = [3, 41, 42, 97];
  const shows = (part: readonly number[]): Promise<boolean> =>
    Promise.resolve(needed.every((one) => part.includes(one)));
  assert.deepEqual(await shrinkList(list, shows), needed);
  assert.deepEqual(await shrinkList(list, () => Promise.resolve(true)), []);
  assert.deepEqual(await shrinkList([7], (part) => Promise.resolve(part.length === 1)), [7]);
  const coarse = await shrinkList(list, shows, 4);
  assert.ok(coarse.length > needed.length && coarse.length < list.length, `${coarse.length} left`);
  assert.ok(needed.every((one) => coarse.includes(one)));
});

test('[KIT-2] a run is made small: faults, operations, clients, nodes and time', async () => {
  const { schedule, violation, isSmallest } = await shrunk(failing);
  const { faults, operations, configuration } = schedule;
  assert.equal(violation.check, 'register');
  assert.equal(isSmallest, true);
  assert.deepEqual(faults.map(({ type }) => type).toSorted(), ['crash', 'partition']);
  assert.equal(operations.length, 1);
  // The partition names n4.
  assert.equal(configuration.nodes, 4);
  assert.equal(configuration.disks.length, 4);
  assert.equal(configuration.clients, 3);
  assert.ok(configuration.faultsMs < 1_000, `${configuration.faultsMs} ms`);
  assert.ok(failing(schedule).record.violation !== undefined);
});

test('[KIT-2] faults that are needed become as calm as they may be', async () => {
  const { schedule } = await shrunk(failing);
  for (const fault of schedule.faults) {
    assert.ok(fault.forMs <= 1, `${fault.type} for ${fault.forMs} ms`);
    if (fault.type === 'partition') assert.equal(fault.flapMs, 0);
    if (fault.type === 'crash') assert.deepEqual([fault.power, fault.whilePending], [false, false]);
  }
});

test('[KIT-2] another kind of violation is not taken for the one that is made small', async () => {
  const { schedule, violation } = await shrunk(stuckWithFewFaults);
  assert.equal(violation.check, 'register');
  assert.equal(schedule.faults.length, 10);
});

test('[KIT-2] what fails with some seeds only is tried with more than one', async () => {
  const { schedule } = await shrunk(failingSometimes);
  assert.equal(schedule.faults.length, 2);
  assert.equal(schedule.operations.length, 1);
});

test('[KIT-2] smaller runs are not waited for much longer than the violation took', async () => {
  const ends = async (first: ShrinkRun): Promise<number[]> => {
    const asked: number[] = [];
    const run = ({ endsAtMs, ...schedule }: ShrinkTrial): Promise<ShrinkRun> => {
      asked.push(endsAtMs);
      return Promise.resolve(outcome(schedule));
    };
    await shrink(first, { run, maxRuns: 1 });
    return asked;
  };
  const { electionTimeoutMs = 0 } = largeSchedule().configuration.settings;
  const found = outcome(largeSchedule(), 'log-matching', 4_000);
  assert.deepEqual(await ends(found), [5_000 + 2 * electionTimeoutMs]);
  const verdict = { type: 'ok', how: '', checked: {} } as const;
  const results = [{ checker: 'other', promise: '', verdict }];
  const judged = { ...found, record: { ...found.record, results } };
  assert.deepEqual(await ends(judged), [Infinity], 'histories are judged when all is over');
});

test('[KIT-2] a run ends where nothing more is of interest, unjudged', async () => {
  const { record } = await runSimulation({ seed: 5, wishes: { faultsMs: 60_000 }, endsAtMs: 400 });
  assert.equal(record.violation, undefined);
  assert.deepEqual(record.results, []);
  assert.ok(record.durationMs < 1_000, `${record.durationMs} ms`);
});

test('[KIT-2] it ends when its runs are used up, with what was reached', async () => {
  let runs = 0;
  const counted: Run = (schedule) => {
    runs += 1;
    return failing(schedule);
  };
  const { schedule, isSmallest } = await shrunk(counted, { maxRuns: 5 });
  assert.equal(runs, 6);
  assert.equal(isSmallest, false);
  assert.ok(failing(schedule).record.violation !== undefined);
});

test('a run that passed is not made small', async () => {
  const passed = outcome(largeSchedule());
  const run = (): Promise<ShrinkRun> => Promise.resolve(passed);
  await assert.rejects(shrink(passed, { run }), /only a run with a violation/);
});
