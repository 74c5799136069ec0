/** Images of disks after crashes: a few of each store, and a control that has to fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crashImages } from '../../jepsen-lite/real/crash-images/crash-images.ts';
import { imageAt } from '../../jepsen-lite/real/crash-images/image.ts';
import { findRecorder } from '../../jepsen-lite/real/crash-images/recorder.ts';
import { record } from '../../jepsen-lite/real/crash-images/record.ts';
import { parseTrace, type Step } from '../../jepsen-lite/real/crash-images/trace.ts';
import { Dice, randomFor } from '../../jepsen-lite/simulation/random.ts';
import { MAIN, runJepsenLite } from './support/run-jepsen-lite.ts';

const STORES = ['sqlite', 'level'] as const;

for (const store of STORES) {
  test(`[REAL-4] ${store}: what was acknowledged is in every image of its disk`, async () => {
    const { images, failures } = await crashImages({ store, images: 16 });
    assert.equal(images, 16);
    assert.deepEqual(failures, []);
  });

  test(`[REAL-4] ${store}: acknowledging before syncing is found`, async () => {
    const options = { store, images: 60, safety: 'unsafe', untilFailure: true } as const;
    const { failures } = await crashImages(options);
    assert.equal(failures.length, 1);
  });

  test(`[REAL-5] ${store}: when a write is acknowledged, its whole journal is synced`, async () => {
    const home = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
    try {
      const recorder = findRecorder(home);
      const work = { kind: store, safety: 'safe', seed: 3, operations: 150, home } as const;
      const { steps } = await record({ ...work, recorder });
      assert.deepEqual(unsyncedWhenAcknowledged(steps), []);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
}

/** Journals with changes that no sync covers, at the operations that were acknowledged then. */
function unsyncedWhenAcknowledged(steps: readonly Step[]): string[] {
  const newest = new Map<string, number>();
  const found: string[] = [];
  for (const [number, step] of steps.entries()) {
    if (step.type === 'change' && /\.log$|-wal$/.test(step.path)) newest.set(step.path, number);
    if (step.type === 'sync' && step.before > (newest.get(step.path) ?? 0)) {
      newest.delete(step.path);
    }
    if (step.type === 'remove') newest.delete(step.path);
    if (step.type !== 'progress' || step.done !== step.begun) continue;
    found.push(...[...newest.keys()].map((path) => `operation ${step.done}: ${path}`));
  }
  return found;
}

/** As `strace -xx` writes strings. */
function hex(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

const AT = { directory: '/store', progressFile: '/progress' };
const TRACE = [
  `7 openat(AT_FDCWD, "${hex('/store/a')}", O_RDWR|O_CREAT, 0644) = 3</store/a>`,
  `7 pwrite64(3</store/a>, "${hex('abcd')}", 4, 0) = 4`,
  `8 fdatasync(3</store/a> <unfinished ...>`,
  `7 pwrite64(3</store/a>, "${hex('ef')}", 2, 4) = 2`,
  `8 <... fdatasync resumed>) = 0`,
  `7 pwrite64(4</elsewhere/a>, "${hex('zz')}", 2, 4) = 2`,
  `7 pwrite64(5</progress>, "${hex(' 2 1\n')}", 5, 0) = 5`,
].join('\n');

test('[REAL-5] a sync covers what was written before it began, and nothing later', () => {
  const steps = parseTrace(TRACE, AT);
  const dice = new Dice(randomFor(1, 'images'));
  const dropped = imageAt(steps, steps.length, 'dropped', dice);
  assert.equal(dropped.files.get('/store/a')?.toString(), 'abcd');
  assert.deepEqual([dropped.begun, dropped.done], [2, 1]);
  const kept = imageAt(steps, steps.length, 'kept', dice);
  assert.equal(kept.files.get('/store/a')?.toString(), 'abcdef');
  assert.equal(kept.files.size, 1);
});

test('[REAL-4] the command tells who recorded, and where nobody can, what to install', async () => {
  const some = await runJepsenLite('crash-images', '--images', '4');
  assert.equal(some.code, 0, some.stderr);
  assert.match(some.stdout, /^sqlite: 4 of 4 images recovered/);
  assert.match(some.stdout, /recorded by (strace|a preloaded library)\n$/);
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'crash-images'], {
    env: { ...process.env, PATH: '' },
    encoding: 'utf8',
  });
  assert.equal(status, 3);
  assert.match(stderr, /strace is not installed; no C compiler works here .*: install one\n$/);
});
