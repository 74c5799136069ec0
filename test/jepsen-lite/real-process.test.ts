/** What is done to a process from outside takes effect in it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChildCommand } from '../../jepsen-lite/real/child-command.ts';
import { ProcessCluster } from '../../jepsen-lite/real/process-cluster.ts';
import { statusOf, type StatusReport } from '../../src/client/index.ts';

const PRELOAD = new URL('../../jepsen-lite/real/child-preload.js', import.meta.url).href;
/** After each command, says what its clock shows and the platform's does, and sets an alarm. */
const CLOCK = `
  process.on('message', () => {
    process.send({ shown: performance.now(), passed: Number(process.hrtime.bigint()) / 1e6 });
    setTimeout(() => process.send('an hour is over'), 3_600_000);
  });
  process.send('ready');`;

/** Much longer than a node takes to lead, on any machine. */
const LONG_MS = 60_000;

interface Clock {
  readonly shown: number;
  readonly passed: number;
}

test('[REAL-8] a clock jumps or runs fast, timers with it; an event loop stalls', async (t) => {
  const child = spawn(process.execPath, ['--import', PRELOAD, '-e', CLOCK], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  const next = async (): Promise<unknown> => (await once(child, 'message'))[0];
  const tell = async (command: ChildCommand): Promise<Clock> => {
    const answer = next();
    child.send(command);
    return (await answer) as Clock;
  };
  await next();
  const first = await tell({ type: 'clockJump', byMs: 0 });
  const second = await tell({ type: 'clockJump', byMs: 50_000 });
  const ahead = second.shown - first.shown - (second.passed - first.passed);
  assert.ok(ahead > 49_999 && ahead < 50_001, `ahead by ${ahead} ms`);
  const third = await tell({ type: 'stall', forMs: 60 });
  assert.ok(third.passed - second.passed >= 60);
  await tell({ type: 'clockRate', rate: 1e6 });
  assert.equal(await next(), 'an hour is over');
  const fourth = await tell({ type: 'clockRate', rate: 1 });
  assert.ok(fourth.shown - third.shown >= 3_600_000);
});

async function statusFrom(
  { endpoints, clusterName }: ProcessCluster,
  wanted: string = clusterName,
): Promise<StatusReport | undefined> {
  const [answer] = await statusOf({ endpoints, clusterName: wanted, requestTimeout: 300 });
  return answer?.status;
}

async function untilItLeads(cluster: ProcessCluster): Promise<void> {
  const deadline = performance.now() + LONG_MS;
  while ((await statusFrom(cluster))?.role !== 'leader') {
    assert.ok(performance.now() < deadline, 'it does not lead');
  }
}

test('[REAL-8] a stopped process says nothing and goes on; a killed one is gone', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-process-'));
  const cluster = await ProcessCluster.start({
    nodes: 1,
    store: 'memory',
    clusterName: 'one of many',
    directory,
  });
  t.after(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  await untilItLeads(cluster);
  assert.equal(await statusFrom(cluster, 'another'), undefined, 'who means another cluster');
  const before = await statusFrom(cluster);
  await cluster.signal('a', 'SIGSTOP');
  assert.equal(await statusFrom(cluster), undefined, 'while it is stopped');
  await cluster.signal('a', 'SIGCONT');
  await untilItLeads(cluster);
  assert.equal((await statusFrom(cluster))?.storeId, before?.storeId, 'the same life');
  await cluster.signal('a', 'SIGKILL');
  assert.equal(cluster.isRunning('a'), false);
});
