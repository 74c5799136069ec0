/** What a store holds after its process was killed, its power cut, or its disk full. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { crashScript } from './crash-script.ts';
import type { Script } from './crash-script.ts';
import { buildDiskShim } from './disk-shim.ts';
import { assertModel } from './model.ts';
import type { DurableStoreOptions } from './options.ts';
import { assertLog, assertRejects, entries } from './rig.ts';
import type { Define, Rig } from './rig.ts';

/**
 * How many operations of the script `directory` holds: at least `acknowledged`, at most `begun`,
 * and none in part.
 */
async function operationsHeld(
  rig: Rig,
  directory: string,
  script: Script,
  acknowledged: number,
  begun: number,
): Promise<number> {
  const { store, recovered } = await rig.recover(directory);
  const faults: unknown[] = [];
  for (let held = begun; held >= acknowledged; held--) {
    try {
      await assertModel(store, script.states[held]!);
      if (held > 0) assert.equal(recovered.storeId, 'child', 'the identity is written first');
      await store.close();
      return held;
    } catch (error) {
      faults.push(error);
    }
  }
  const dump = await store.dump();
  throw new Error(
    `${acknowledged} operations acknowledged, ${begun} begun, none of these states: the log has ` +
      `${dump.entries.length} entries to ${store.lastIndex()}`,
    { cause: faults[0] },
  );
}

async function survivesKills(
  rig: Rig,
  options: DurableStoreOptions,
  seed: number,
  rounds: number,
): Promise<void> {
  const directory = rig.directory();
  const script = crashScript(seed, rounds - 1);
  let held = 0;
  while (held < rounds) {
    const child = new Child(options, {
      type: 'work',
      directory,
      seed,
      count: rounds - 1,
      from: held,
    });
    // Let one through, kill it somewhere in the next; at the end it kills itself.
    await child.said(`begin ${held + 2}`);
    await child.kill();
    // What it said last counts: a quick store got further before the kill arrived.
    const { done, begun } = await child.progress();
    held = await operationsHeld(rig, directory, script, done, begun);
  }
}

/** What is written after a crash is there when the store is opened once more. */
async function goesOn(rig: Rig, directory: string): Promise<void> {
  const store = await rig.open(directory);
  const next = store.lastIndex() + 1;
  await store.storeEntries(entries(next, next));
  await store.close();
  const again = await rig.open(directory);
  assert.equal(again.lastIndex(), next);
  await again.close();
}

interface Picture {
  readonly path: string;
  readonly begun: number;
  readonly acknowledged: number;
}

function picturesIn(path: string): Picture[] {
  const names = readdirSync(path).filter((name) => /^\d{6}$/.test(name));
  return names.toSorted().map((name) => {
    const progress = readFileSync(join(path, name, 'progress'), 'utf8')
      .trim()
      .split(/\s+/);
    return {
      path: join(path, name),
      begun: Number(progress[0]),
      acknowledged: Number(progress[1]),
    };
  });
}

/** At most `count` of them, spread evenly, the last included. */
function spread<T>(all: readonly T[], count: number): T[] {
  const step = Math.max(1, all.length / count);
  const chosen: T[] = [];
  for (let at = all.length - 1; at >= 0; at -= step) chosen.push(all[Math.floor(at)]!);
  return chosen;
}

/** Lets a child do a script under the shim and returns the pictures of its directory. */
async function takePictures(
  rig: Rig,
  options: DurableStoreOptions,
  kind: 'kill' | 'power',
  seed: number,
  count: number,
): Promise<Picture[]> {
  const home = rig.directory();
  const library = buildDiskShim(home);
  const pictures = join(home, 'pictures');
  const directory = join(home, 'store');
  mkdirSync(pictures);
  mkdirSync(directory);
  const progressFile = join(pictures, 'progress');
  writeFileSync(progressFile, '      0       0\n');
  const child = new Child(
    options,
    { type: 'work', directory, seed, count, progressFile },
    {
      LD_PRELOAD: library,
      HOLDFAST_SHIM_DIRECTORY: directory,
      HOLDFAST_SHIM_PICTURES: pictures,
      HOLDFAST_SHIM_SYNCED: kind === 'power' ? 'yes' : '',
    },
  );
  await child.said('never said');
  await child.ended('killed');
  const taken = picturesIn(pictures);
  const states = crashScript(seed, count).states.length - 1;
  assert.ok(taken.length >= states, `${taken.length} system calls seen for ${states} operations`);
  return taken;
}

async function survivesEverySystemCall(
  rig: Rig,
  options: DurableStoreOptions,
  kind: 'kill' | 'power',
  seed: number,
  limit: number,
): Promise<void> {
  const count = 9;
  const script = crashScript(seed, count);
  for (const picture of spread(await takePictures(rig, options, kind, seed, count), limit)) {
    const { path, acknowledged, begun } = picture;
    try {
      await operationsHeld(rig, join(path, 'store'), script, acknowledged, begun);
      await goesOn(rig, join(path, 'store'));
    } catch (error) {
      throw new Error(`seed ${seed}, system call ${path.slice(-6)}`, { cause: error });
    }
  }
}

async function refusesTheSecond(rig: Rig, options: DurableStoreOptions): Promise<void> {
  const directory = rig.directory();
  const child = new Child(options, { type: 'hold', directory });
  try {
    assert.equal(await child.line(), 'open');
    await assertRejects('data-in-use', rig.open(directory));
    const store = rig.create(directory);
    await assertRejects('data-in-use', store.destroy());
  } finally {
    await child.kill();
  }
  const first = await rig.open(directory);
  await assertRejects('data-in-use', first.open({ newStoreId: 'x' }));
  await assertRejects('data-in-use', rig.open(directory));
  await first.storeEntries(entries(1, 1));
  await first.close();
  await assertLog(await rig.open(directory), entries(1, 1));
}

interface FullDiskReport {
  readonly failed: readonly string[];
  readonly poisoned: readonly string[];
  readonly lastIndex: number;
}

async function survivesAFullDisk(rig: Rig, options: DurableStoreOptions): Promise<void> {
  const home = rig.directory();
  const directory = join(home, 'store');
  mkdirSync(directory);
  const faultFile = join(home, 'disk-is-full');
  const child = new Child(
    options,
    { type: 'fillDisk', directory, faultFile },
    {
      LD_PRELOAD: buildDiskShim(home),
      HOLDFAST_SHIM_DIRECTORY: directory,
      HOLDFAST_SHIM_FAULT: faultFile,
    },
  );
  const report = JSON.parse(await child.line()) as FullDiskReport;
  await child.ended('closed');
  assert.deepEqual(report.failed, ['disk-full', 'disk-full']);
  assert.ok(
    report.poisoned.every((code) => code.startsWith('disk-')),
    report.poisoned.join(),
  );
  assert.ok([3, 5].includes(report.lastIndex), 'all of a failed write or nothing');
  await assertLog(await rig.open(directory), entries(1, report.lastIndex + 1));
}

export function defineCrashes(define: Define, options: DurableStoreOptions, long: boolean): void {
  const rounds = long ? 40 : 6;
  const limit = long ? 10_000 : 25;
  const seeds = long ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
  define('[LOG-11] a directory is open once, until its process is gone', (rig) =>
    refusesTheSecond(rig, options),
  );
  define('[LOG-1] [LOG-2] a kill in any write leaves all of it or nothing', async (rig) => {
    for (const seed of seeds) await survivesKills(rig, options, seed, rounds);
  });
  if (options.systemCalls === false) return;
  define('[LOG-1] a kill at any system call leaves all of a write or nothing', async (rig) => {
    for (const seed of seeds) await survivesEverySystemCall(rig, options, 'kill', seed, limit);
  });
  define(
    '[LOG-2] what was acknowledged had been synced: a power cut loses none of it',
    async (rig) => {
      for (const seed of seeds)
        await survivesEverySystemCall(rig, options, 'power', seed + 100, limit);
    },
  );
  define('[LOG-5] a full disk fails the write and poisons the store until reopened', (rig) =>
    survivesAFullDisk(rig, options),
  );
}
