/** The suite is worth something only if a store that breaks the contract fails it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testLogStore } from '../../src/log-store/conformance/index.ts';
import type { CreateStore } from '../../src/log-store/conformance/index.ts';
import * as broken from './broken-stores.ts';

interface Case {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * Runs the suite's cases that match against a broken store and returns the names of those that
 * fail.
 */
async function failures(create: CreateStore, matching: RegExp): Promise<string[]> {
  const cases: Case[] = [];
  testLogStore({
    test: (name, run) => cases.push({ name, run }),
    create,
    module: broken.module,
    exportName: create.name,
  });
  const failed: string[] = [];
  for (const { name, run } of cases.filter((one) => matching.test(one.name))) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

const POWER_CUT = '[LOG-2] what was acknowledged had been synced: a power cut loses none of it';
const KILL = '[LOG-1] a kill at any system call leaves all of a write or nothing';

test('[LOG-22] SQLite that does not sync fails the suite', async () => {
  assert.deepEqual(await failures(broken.createUnsyncedSqlite, /power cut/), [POWER_CUT]);
});

test('[LOG-22] LevelDB that does not sync fails the suite', async () => {
  assert.deepEqual(await failures(broken.createUnsyncedLevel, /power cut/), [POWER_CUT]);
});

test('[LOG-22] a write in two transactions fails the suite', async () => {
  assert.deepEqual(await failures(broken.createTwoStep, /any system call|L10/), [
    '[L10] metadata is one record, atomic with entries',
    KILL,
  ]);
});

test('[LOG-22] truncation off by one fails the suite', async () => {
  const failed = await failures(broken.createOffByOne, /LOG-6|LOG-21/);
  assert.equal(failed.length, 3, failed.join());
});

test('[LOG-22] starting over when data are damaged fails the suite', async () => {
  const failed = await failures(broken.createForgetful, /LOG-10/);
  assert.equal(failed.length, 13, 'every case of damage, and only those');
});
