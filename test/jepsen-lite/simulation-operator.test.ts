/** What people do for a simulated cluster, and what is kept of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../jepsen-lite/faults/fault.ts';
import type { RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';

async function runOf(faults: readonly Fault[]): Promise<RunRecord> {
  const wishes = { workload: 'register', faultsMs: 1_500, nodes: 3, clients: 2 };
  const { record } = await runSimulation({ seed: 3, wishes, faults });
  assert.equal(outcomeOf(record), 'passed', record.violation?.message);
  return record;
}

test('[JEPSEN-19] no voter is given up while another may have lost its disk', async () => {
  const damage: Fault = {
    type: 'damage',
    atMs: 300,
    forMs: 0,
    node: 'n2',
    how: 'bitFlip',
    where: 0.5,
  };
  const demote = { type: 'membership', forMs: 5_000, node: 'n3', how: 'demote' } as const;
  const [, refused] = (await runOf([damage, { ...demote, atMs: 600 }])).faults;
  assert.equal(refused?.note, 'not carried out: n2 has lost its disk already');
  const [done] = (await runOf([{ ...demote, atMs: 600 }])).faults;
  assert.deepEqual(done?.targets, ['n3']);
});

test('[JEPSEN-19] a node that was removed is shown as no member', async () => {
  const { nodes, faults } = await runOf([
    { type: 'membership', atMs: 500, forMs: 60_000, node: 'leader', how: 'remove' },
  ]);
  const [id] = faults[0]!.targets;
  const roles = nodes.find(({ node }) => node === id)!.role.map(([, role]) => role);
  assert.equal(roles[roles.lastIndexOf('leader') + 1], 'outside', roles.join(' '));
});

test('[JEPSEN-19] a disk from before a change of membership is not put back', async () => {
  const oldDisk: Fault = { type: 'oldDisk', atMs: 200, forMs: 1_000, node: 'n2' };
  const demote = { type: 'membership', forMs: 100, node: 'n3', how: 'demote' } as const;
  const changed = await runOf([oldDisk, { ...demote, atMs: 400 }]);
  assert.deepEqual(changed.faults[1]?.targets, ['n3']);
  assert.equal(changed.sometimes.oldDisk, 0);
  assert.equal((await runOf([oldDisk])).sometimes.oldDisk, 1);
});
