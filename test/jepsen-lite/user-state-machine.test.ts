/** `simulate`: a state machine of the user's under faults. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { simulate } from '../../jepsen-lite/index.ts';
import type { MachineClient, Operation, RunsResult } from '../../jepsen-lite/index.ts';
import type { StateMachine } from '../../src/index.ts';
import { bytesOf, Counters, valueOf } from './support/counters.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-user-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const answered = (bytes: Uint8Array): { output: unknown } => ({ output: valueOf(bytes) });

async function addAndRead(client: MachineClient): Promise<void> {
  const { invoke, pause, propose, query, random, stopped } = client;
  while (!stopped()) {
    await invoke('add', { key: 'a' }, () => propose(bytesOf('a')), answered);
    await invoke('read', { key: 'a' }, () => query(bytesOf('a')), answered);
    await pause(40 * random());
  }
}

function underFaults(stateMachine: () => StateMachine, seeds: string): Promise<RunsResult> {
  const choice = { seeds, time: '3s', nodes: 3, shrink: 0, save: folder };
  return simulate({ stateMachine, workload: addAndRead, check: growing, ...choice });
}

/** What one client reads or adds is more than all it was told before. */
function growing(history: readonly Operation[]): string | undefined {
  const told = new Map<number, number>();
  for (const { process, output, type } of history) {
    if (type !== 'ok') continue;
    if (Number(output) < (told.get(process) ?? 0)) return `process ${process} saw it shrink`;
    told.set(process, Number(output));
  }
  return undefined;
}

test('[KIT-5] a state machine that is sound passes, and its clients are heard', async () => {
  const { passed, runs, summary, failure } = await underFaults(() => new Counters(), '1..3');
  assert.equal(failure, undefined);
  assert.equal(passed, true, summary);
  assert.equal(runs, 3);
  assert.match(summary, /^3 runs: 3 passed, .*\n\d{2,} operations under \d+ faults/);
});

test('[KIT-5] apply that depends on chance is found without any check', async () => {
  class Lucky extends Counters {
    override step(): number {
      return Math.random();
    }
  }
  const { failure } = await underFaults(() => new Lucky(), '1..3');
  assert.equal(failure?.violation.check, 'state-equal');
});

test('[KIT-5] a snapshot that leaves something out is found', async () => {
  class Forgetful extends Counters {
    override entries(): readonly (readonly [string, number])[] {
      return super.entries().map(([name, count]) => [name, count - (count % 2)]);
    }
  }
  const { failure } = await underFaults(() => new Forgetful(), '25');
  assert.match(failure?.violation.check ?? 'nothing', /^(state-equal|check)$/);
});

test('[KIT-5] apply that throws is found', async () => {
  class Throwing extends Counters {
    override step(): number {
      throw new Error('out of steps');
    }
  }
  const { failure, summary } = await underFaults(() => new Throwing(), '1');
  assert.equal(failure?.violation.check, 'apply-throws');
  assert.match(summary, /apply threw, .*: out of steps/);
});

test('[KIT-5] the complaint of a check is the violation, and the run replays to it', async () => {
  const options = {
    stateMachine: () => new Counters(),
    workload: addAndRead,
    check: (history: readonly Operation[]) => {
      const third = history.filter(({ f, type }) => f === 'add' && type === 'ok')[2];
      return third && { message: 'a third add succeeded', operations: [third] };
    },
    time: '2s',
    nodes: 3,
    save: folder,
  };
  const { passed, summary, failure } = await simulate({ ...options, seeds: '4', shrink: '2s' });
  assert.equal(passed, false);
  assert.equal(failure?.violation.message, 'a third add succeeded');
  const adds = failure.record.history.filter(({ f, type }) => f === 'add' && type === 'ok');
  assert.ok(adds.length >= 3);
  assert.match(summary, /^seed 4, yours: violation of check: a third add succeeded\n/);
  const again = await simulate({ ...options, replay: failure.replay, shrink: 0 });
  assert.equal(again.failure?.record.traceHash, failure.record.traceHash);
  assert.doesNotMatch(again.summary, /not the run that was saved/);
  const other = { ...options, workload: async () => {}, replay: failure.replay };
  assert.match((await simulate(other)).summary, /\nnot the run that was saved: the code, /);
  const replay = failure.replay.replace('"workload":"yours"', '"workload":"bank"');
  await assert.rejects(simulate({ ...options, replay }), {
    code: 'invalid-argument',
    message: /^replay: a run of the registry \(bank\) is for npx jepsen-lite replay FILE, /,
  });
});

test('[KIT-5] a check that returns neither a sentence nor nothing is told so', async () => {
  const choice = { stateMachine: () => new Counters(), workload: addAndRead, seeds: '1' };
  const check = (() => true) as unknown as () => string;
  await assert.rejects(simulate({ ...choice, time: '200ms', check }), {
    code: 'invalid-argument',
    message: /^check returned true: a sentence, or \{ message \}, says what is wrong; undefined, /,
  });
});

test('[KIT-5] a run in which nobody called anything has not passed', async () => {
  const { passed, summary, failure } = await simulate({
    stateMachine: () => new Counters(),
    seeds: '1',
    time: '200ms',
    nodes: 1,
    workload: async () => {},
  });
  assert.deepEqual([passed, failure], [false, undefined]);
  assert.match(summary, /^seed 1, yours: unknown: no client called anything, so nothing was shown/);
  assert.match(summary, /1 run: 0 passed, 0 with a violation, 1 unknown/);
});

test('[KIT-5] what a workload throws is told with its stack, once', async () => {
  const { summary, failure } = await simulate({
    stateMachine: () => new Counters(),
    seeds: '1',
    time: '200ms',
    nodes: 1,
    clients: 1,
    shrink: 0,
    save: folder,
    workload: () => Promise.reject(new Error('out of ideas')),
  });
  assert.equal(failure?.violation.check, 'workload');
  const stacks = summary.split('\n').filter((line) => line.includes('user-state-machine.test'));
  assert.equal(stacks.length, 1, summary);
  assert.match(summary, /\nclient 0 broke off: Error: out of ideas\n/);
});

test('[KIT-5] a workload that lets no time pass is told so', async () => {
  const { failure } = await simulate({
    stateMachine: () => new Counters(),
    seeds: '1',
    time: '1s',
    shrink: 0,
    save: folder,
    async workload({ invoke, stopped }) {
      while (!stopped()) await invoke('nothing', {}, () => Promise.resolve());
    },
  });
  assert.match(failure?.violation.message ?? '', /10000 calls at one moment: let time pass/);
});

test('[KIT-5] a run that fails is saved, told how to run again, and shown', async () => {
  const save = join(folder, 'failing');
  const report = join(folder, 'run.html');
  const options = {
    stateMachine: () => new Counters(),
    workload: addAndRead,
    check: () => "it's wrong",
    time: '500ms',
    nodes: 1,
    save,
    report,
  };
  const { summary, failure } = await simulate({ ...options, seeds: 4, shrink: 0 });
  assert.equal(failure?.path, join(save, 'jepsen-lite-4.json'));
  assert.equal(readFileSync(failure.path, 'utf8'), failure.replay);
  const call = `simulate({ ..., replay: '${failure.path}' })`;
  assert.ok(summary.includes(`what is left of it again: ${call}\n`), summary);
  assert.ok(summary.includes(`all of it: simulate({ ..., seeds: '4' })\n`), summary);
  assert.match(readFileSync(report, 'utf8'), /<code>simulate\(\{ \.\.\., replay: /);
  const again = await simulate({ ...options, replay: failure.path });
  assert.equal(again.failure?.record.traceHash, failure.record.traceHash);
});

test('[KIT-5] options that break a rule are refused before anything runs', async () => {
  const good = { stateMachine: () => new Counters(), workload: addAndRead };
  const refused: readonly (readonly [RegExp, object])[] = [
    [/there is no option 'seed' \(did you mean 'seeds'\?\)/, { seed: 4 }],
    [/seeds: a seed or a range of seeds such as 1\.\.200, not '9\.\.1'/, { seeds: '9..1' }],
    [/nodes: a whole number from 1 to 9; clients: /, { nodes: 10, clients: 0 }],
    [/time: it is 'soon': a duration is /, { time: 'soon' }],
    [/workload: an asynchronous function/, { workload: 'register' }],
    [/check: a function that takes a history, or a checker/, { check: 'register' }],
    [/replay: cannot read it: ENOENT/, { replay: 'no-such-file' }],
    [/replay: version: it is 0, and this jepsen-lite reads 1 only/, { replay: '{"version":0}' }],
    [/stateMachine returned something without query, /, { stateMachine: () => ({ apply() {} }) }],
    [/stateMachine returned a promise/, { stateMachine: async () => new Counters() }],
  ];
  for (const [message, wrong] of refused) {
    const options = { ...good, ...wrong } as unknown as Parameters<typeof simulate>[0];
    await assert.rejects(simulate(options), { code: 'invalid-argument', message });
  }
});

test('[KIT-5] a folder that cannot be made is refused before anything is run', async () => {
  const choice = { stateMachine: () => new Counters(), seeds: '1', save: '/proc/x/y' };
  await assert.rejects(simulate({ ...choice, workload: addAndRead }), {
    code: 'invalid-argument',
    message: /^save: cannot make the folder '\/proc\/x\/y'/,
  });
});
