/** What people do for a simulated cluster, and what is kept of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../jepsen-lite/faults/fault.ts';
import type { RunRecord } from '../../jepsen-lite/simulation/run-record.ts';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';
import type { WorkloadContext } from '../../jepsen-lite/workloads/workload.ts';

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

/** Two clients, each of which knows one node and waits for a change that the other one makes. */
async function waitingRun(waitsFor: (client: number) => string): Promise<RunRecord> {
  const drawn = drawConfiguration(3, { workload: 'watch', faultsMs: 1_500, nodes: 3, clients: 2 });
  const { record } = await runSimulation({
    seed: 3,
    configuration: { ...drawn, pinnedClients: [true, true] },
    faults: [{ type: 'membership', atMs: 300, forMs: 60_000, node: 'n2', how: 'remove' }],
    workload: () => ({
      name: 'waits',
      promise: 'a watch tells what was written',
      checkers: [],
      run: async (context: WorkloadContext, client: number) => {
        while (!context.stopped()) await context.pause(100);
        // By now the second one's node is no member.
        await context.invoke('put', {}, () => context.registry.put(`from-${client}`, ''));
        const watch = context.registry.watch({ key: waitsFor(client), from: 1 });
        for await (const { type } of watch) if (type === 'put') break;
      },
    }),
  });
  assert.deepEqual(record.faults[0]?.targets, ['n2']);
  return record;
}

test('[JEPSEN-24] who waits at a removed node goes on once it is a member again', async () => {
  const record = await waitingRun(() => 'from-0');
  assert.equal(outcomeOf(record), 'passed', record.violation?.message);
});

test('[JEPSEN-24] a watch that waits for what nobody tells it is a violation', async () => {
  const { violation } = await waitingRun((client) => (client === 1 ? 'from-nobody' : 'from-0'));
  assert.equal(violation?.check, 'convergence');
  assert.match(violation.message, /, but a client has not come to its end$/);
});
