/** Each kind of fault alone, on a cluster that is otherwise quiet: what happens changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskFault, Fault } from '../../jepsen-lite/faults/fault.ts';
import { drawConfiguration } from '../../jepsen-lite/simulation/configuration.ts';
import { outcomeOf } from '../../jepsen-lite/simulation/run-record.ts';
import { runSimulation } from '../../jepsen-lite/simulation/run.ts';

const SEED = 5;
const drawn = drawConfiguration(SEED, { workload: 'register', nodes: 3, faultsMs: 600 });
const configuration = {
  ...drawn,
  clients: 2,
  pinnedClients: [false, false],
  pace: 0.5,
  settings: { ...drawn.settings, electionTimeoutMs: 150, heartbeatMs: 30, tickMs: 15 },
};

/** All that clients did and were told, with the times of it. */
async function historyUnder(...faults: readonly Fault[]): Promise<string> {
  const { record } = await runSimulation({ seed: SEED, configuration, faults });
  assert.equal(outcomeOf(record), 'passed', record.violation?.message);
  return JSON.stringify(record.history);
}

/** As this seed has it. */
const [LEADER, FOLLOWER] = ['n2', 'n1'];
const when = { atMs: 150, forMs: 300 };
const later = { atMs: 350, forMs: 100 };
const node = 'leader';
const calm = { loss: 0, duplicate: 0, delayMs: 0, corrupt: 0 };

function disk(how: DiskFault['how']): Fault {
  return { type: 'disk', ...when, node, how };
}

/** Of every kind there is. */
const FAULTS: Readonly<Record<Fault['type'], readonly Fault[]>> = {
  partition: [{ type: 'partition', ...when, shape: 'leader', links: [], flapMs: 0 }],
  weather: [
    { type: 'weather', ...when, ...calm, loss: 0.3 },
    { type: 'weather', ...when, ...calm, duplicate: 0.5 },
    { type: 'weather', ...when, ...calm, delayMs: 60 },
    { type: 'weather', ...when, ...calm, corrupt: 0.2 },
  ],
  slowLink: [{ type: 'slowLink', ...when, from: LEADER, to: FOLLOWER, delayMs: 50 }],
  crash: [
    { type: 'crash', ...when, node, whilePending: false, power: false },
    { type: 'crash', ...when, node, whilePending: true, power: true },
  ],
  powerLoss: [{ type: 'powerLoss', ...when }],
  pause: [{ type: 'pause', ...when, node }],
  clientPause: [{ type: 'clientPause', ...when, client: 1 }],
  clientCut: [{ type: 'clientCut', ...when, client: 0, how: 'reset' }],
  clockRate: [{ type: 'clockRate', ...when, node, rate: 0.5 }],
  clockJump: [{ type: 'clockJump', ...when, node, byMs: 3_000 }],
  disk: [
    disk({ type: 'slow', latencyMs: 90 }),
    disk({ type: 'stuck' }),
    disk({ type: 'full' }),
    disk({ type: 'error', written: false }),
  ],
  damage: [{ type: 'damage', ...when, node, how: 'misdirected', where: 0 }],
  wipe: [{ type: 'wipe', ...when, node }],
  oldDisk: [{ type: 'oldDisk', atMs: 150, forMs: 40, node: FOLLOWER }],
  membership: [
    { type: 'membership', ...when, node, how: 'remove' },
    { type: 'membership', ...when, node, how: 'demote' },
    { type: 'membership', ...when, node: 'n4', how: 'join' },
  ],
  transfer: [{ type: 'transfer', ...when, to: FOLLOWER }],
};

test('[JEPSEN-20] no fault does nothing', async () => {
  const quiet = await historyUnder();
  assert.equal(await historyUnder(), quiet);
  const idle: string[] = [];
  for (const fault of Object.values(FAULTS).flat()) {
    // What is damaged on a disk shows when it is read again.
    const restart: Fault[] =
      fault.type === 'damage'
        ? [{ type: 'crash', ...later, node, whilePending: false, power: false }]
        : [];
    const without = restart.length === 0 ? quiet : await historyUnder(...restart);
    if ((await historyUnder(fault, ...restart)) === without) idle.push(JSON.stringify(fault));
  }
  assert.deepEqual(idle, []);
});
