/** Time that passes where nobody counts it: within one turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../src/node/index.ts';
import { Reads } from '../../src/node/reads.ts';
import type { Runtime } from '../../src/node/runtime.ts';
import { failure } from '../../src/node/waiter.ts';
import type { LogIndex, NodeId } from '../../src/raft/index.ts';
import { Life } from '../../jepsen-lite/simulation/life.ts';
import { World } from '../../jepsen-lite/simulation/world.ts';

test('[NODE-16] a stall after a turn counted its ticks makes a lease read ask', async () => {
  const world = new World();
  const runtime: Runtime = {
    id: 'a' as NodeId,
    settings: defaultSettings,
    environment: new Life(world, 'a'),
    post: (completion) => completion(),
    schedule: () => {},
  };
  const asked: number[] = [];
  const raft = {
    leader: 'a' as NodeId,
    // As far as its ticks tell, the lease holds.
    leaseReadIndex: (): LogIndex => 1 as LogIndex,
    read: (context: number): void => void asked.push(context),
  };
  const reads = new Reads(runtime, raft, () => failure('timeout', 'late'));
  let served = 0;
  const read = (): void => reads.add('lease', () => void (served += 1), Infinity);
  read();
  const startedAt = world.now;
  reads.submit(startedAt, 1 as LogIndex);
  reads.applied(1 as LogIndex);
  assert.deepEqual([served, asked.length], [1, 0]);
  await world.run(defaultSettings.electionTimeoutMs);
  read();
  reads.submit(startedAt, 1 as LogIndex);
  reads.applied(1 as LogIndex);
  assert.deepEqual([served, asked.length], [1, 1]);
});
