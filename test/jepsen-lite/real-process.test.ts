/** What is done to a process from outside takes effect in it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildCommand } from '../../jepsen-lite/real/child-command.ts';
import { ProcessCluster } from '../../jepsen-lite/real/process-cluster.ts';
import { statusOf, type StatusReport } from '../../src/client/index.ts';

const PRELOAD = new URL('../../jepsen-lite/real/child-preload.js', import.meta.url).href;
/** After each command, says what its clock shows and the platform's does before and after. */
const CLOCK = `
  process.on('message', () => {
    const passed = () => Number(process.hrtime.bigint()) / 1e6;
    process.send({ before: passed(), shown: performance.now(), after: passed() });
    setTimeout(() => process.send('an hour is over'), 3_600_000);
  });
  process.send('ready');`;

/** Much longer than a node takes to lead, on any machine. */
const LONG_MS = 60_000;

interface Clock {
  readonly before: number;
  readonly shown: number;
  readonly after: number;
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
  const shown = second.shown - first.shown;
  const most = shown - (second.before - first.after);
  const least = shown - (second.after - first.before);
  assert.ok(least < 50_000.1 && most > 49_999.9, `ahead by ${least} to ${most} ms`);
  const third = await tell({ type: 'stall', forMs: 60 });
  assert.ok(third.after - second.before >= 60);
  await tell({ type: 'clockRate', rate: 1e5 });
  assert.equal(await next(), 'an hour is over');
  const fourth = await tell({ type: 'clockRate', rate: 1 });
  // The platform's timers may be early by up to a ms, and take whole ones only.
  assert.ok(fourth.shown - third.shown >= 3_600_000 - 2e5);
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

const GUARD = new URL('../../jepsen-lite/real/guard.js', import.meta.url).href;
/** Has a guard watch over a process that stands still and over one that is gone, and waits. */
const GUARDED = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { Guard } from '${GUARD}';
  const guard = Guard.start(process.argv[1]);
  const [gone, left] = ['true', 'sleep'].map((name) => spawn(name, ['1000'], { detached: true }));
  for (const { pid } of [gone, left]) guard.begun(pid);
  await once(gone, 'exit');
  guard.ended(gone.pid);
  left.kill('SIGSTOP');
  process.send(left.pid);
  process.on('message', () => {});`;

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('[REAL-8] whoever is killed at once leaves no process behind, and no files', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-guarded-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const flags = ['--input-type=module', '-e', GUARDED, home];
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const parent = spawn(process.execPath, flags, { stdio: [...stdio] });
  t.after(() => parent.kill('SIGKILL'));
  const pid: unknown = (await once(parent, 'message'))[0];
  assert.ok(typeof pid === 'number' && isThere(pid));
  t.after(() => isThere(pid) && process.kill(pid, 'SIGKILL'));
  parent.kill('SIGKILL');
  const deadline = Date.now() + LONG_MS;
  const isLeft = (): boolean => isThere(pid) || existsSync(home);
  while (isLeft() && Date.now() < deadline) await sleep(10);
  assert.deepEqual([isThere(pid), existsSync(home)], [false, false]);
});
