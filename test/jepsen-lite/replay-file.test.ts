/** Runs in files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectedLink, Fault } from '../../jepsen-lite/faults/fault.ts';
import { formatReplay, parseReplay } from '../../jepsen-lite/simulation/replay-file.ts';
import type { ScheduledOperation } from '../../jepsen-lite/simulation/recorder.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';

function names(list: readonly ScheduledOperation[]): string[] {
  return list.map(({ client, number }) => `${client}/${number}`).toSorted();
}

const wishes = { nodes: 3, faultsMs: 4_000, workload: 'register' };

test('[KIT-3] a run that was saved is run again from its file, step by step the same', async () => {
  const first = await runSimulation({ seed: 11, wishes });
  assert.ok(first.schedule.faults.length > 3, 'faults to save');
  assert.ok(first.schedule.operations.length > 10, 'operations to save');
  const found = { check: 'register', message: 'as it was', traceHash: first.record.traceHash };
  const text = formatReplay(first.schedule, found);
  const saved = parseReplay(text);
  assert.deepEqual(saved.found, found);
  const second = await runSimulation(saved);
  assert.equal(second.record.traceHash, first.record.traceHash);
  assert.deepEqual(second.record.history, first.record.history);
  assert.equal(formatReplay(second.schedule, found), text);
});

test('[KIT-3] operations left out of a file are not called, and the others are', async () => {
  // Without faults, since a client that is held up calls less.
  const first = await runSimulation({ seed: 11, wishes, faults: [] });
  const kept = first.schedule.operations.filter((_, i) => i % 5 === 0);
  const { record, schedule } = await runSimulation({ ...first.schedule, operations: kept });
  assert.deepEqual(names(schedule.operations), names(kept));
  assert.equal(record.history.length, kept.length);
});

test('[KIT-3] a file that breaks a rule is refused with the place and the rule', async () => {
  const { schedule } = await runSimulation({ seed: 11, wishes: { ...wishes, faultsMs: 500 } });
  const text = formatReplay({ ...schedule, faults: [{ type: 'powerLoss', atMs: 5, forMs: 5 }] });
  assert.equal(parseReplay(text).faults.length, 1);
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['{', '', /^not JSON/],
    ['"version": 1', '"version": 2', /^version: /],
    ['"powerLoss"', '"earthquake"', /^faults\.0\.type: /],
    ['"atMs":5', '"atMs":-5', /^faults\.0\.atMs: /],
    ['"seed": 11', '"seed": "x"', /^seed: /],
    ['"nodes":3', '"nodes":300', /^configuration\.nodes: /],
    ['"nodes":3', '"nodes":4', /^configuration\.disks: 4 nodes need as many, not 3$/],
  ];
  for (const [part, other, message] of refused) {
    assert.ok(text.includes(part), part);
    assert.throws(() => parseReplay(text.replace(part, other)), { message });
  }
});

test('[KIT-3] a file that names nodes or clients it does not have is refused', async () => {
  const { schedule } = await runSimulation({ seed: 11, wishes: { ...wishes, faultsMs: 200 } });
  const timed = { atMs: 5, forMs: 5 };
  const { clients } = schedule.configuration;
  const join: Fault = { type: 'membership', ...timed, node: 'leader', how: 'join' };
  const wipe = (node: string): Fault => ({ type: 'wipe', ...timed, node });
  const pause = (client: number): Fault => ({ type: 'clientPause', ...timed, client });
  const links: DirectedLink[] = [
    ['n1', 'n2'],
    ['n3', 'n7'],
  ];
  const parted: Fault = { type: 'partition', ...timed, shape: 'one', links, flapMs: 0 };
  const slow: Fault = { type: 'slowLink', ...timed, from: 'n1', to: 'leader', delayMs: 5 };
  const refused: readonly (readonly [readonly Fault[], string])[] = [
    [[wipe('n4')], "faults.0.node: there is no node 'n4'; it can be leader, n1, n2, n3"],
    [[join, wipe('n5')], "faults.1.node: there is no node 'n5'; it can be leader, n1, n2, n3, n4"],
    [[parted], "faults.0.links.1.1: there is no node 'n7'; it can be n1, n2, n3"],
    [[slow], "faults.0.to: there is no node 'leader'; it can be n1, n2, n3"],
    [
      [pause(clients)],
      `faults.0.client: there is no client ${clients}; it can be 0 to ${clients - 1}`,
    ],
  ];
  for (const [faults, message] of refused) {
    assert.throws(() => parseReplay(formatReplay({ ...schedule, faults })), { message });
  }
  const named = [wipe('leader'), wipe('n3'), join, wipe('n4'), pause(clients - 1)];
  assert.equal(parseReplay(formatReplay({ ...schedule, faults: named })).faults.length, 5);
  const last = Math.max(...schedule.operations.map(({ client }) => client));
  assert.ok(last >= clients, 'the last calls are in the file');
  const operations = [{ client: last + 1, number: 0, atMs: 1 }];
  const message =
    `operations.0.client: there is no client ${last + 1}; it can be 0 to ${clients - 1}, ` +
    `and ${last} for the last calls`;
  assert.throws(() => parseReplay(formatReplay({ ...schedule, operations })), { message });
});
