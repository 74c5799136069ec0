/**
 * What only the durable stores of this project promise: places that are not theirs, logs of logs.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { NodeId } from '../../src/raft/index.ts';
import type { Entry, LogStore } from '../../src/log-store/index.ts';
import { Child } from '../../src/log-store/conformance/child.ts';
import {
  assertLog,
  assertRejects,
  chunksOf,
  entries,
  index,
  Rig,
  snapshotMeta,
  term,
} from '../../src/log-store/conformance/rig.ts';
import { crashScript } from '../../src/log-store/conformance/crash-script.ts';
import { createLevel, createSqlite, module } from './stores.ts';

const KINDS = [
  { exportName: 'createSqlite', create: createSqlite, place: 'log.db' },
  { exportName: 'createLevel', create: createLevel, place: 'log' },
] as const;
type Kind = (typeof KINDS)[number];

function ignoreCase(): void {}

async function withRig(
  kind: Kind,
  run: (rig: Rig, directory: string) => Promise<void>,
): Promise<void> {
  const rig = new Rig({ test: ignoreCase, create: kind.create, module });
  try {
    await run(rig, rig.directory());
  } finally {
    await rig.dispose();
  }
}

async function refusedUntouched(store: LogStore, files: readonly string[]): Promise<void> {
  const before = files.map((file) => readFileSync(file));
  const error = await assertRejects('data-directory', store.open({ newStoreId: 'x' }));
  assert.match(error.message, /;/, 'says what to do');
  await assertRejects('data-directory', store.destroy());
  assert.deepEqual(
    files.map((file) => readFileSync(file)),
    before,
  );
}

for (const kind of KINDS) {
  const name = kind.create('.').kind;

  test(`[L3] [LOG-18] ${name}: a place that holds something else is refused untouched`, () =>
    withRig(kind, async (rig, directory) => {
      const place = join(directory, kind.place);
      let file = place;
      if (name === 'level') {
        mkdirSync(place);
        file = join(place, 'CURRENT');
      }
      writeFileSync(
        file,
        'the only copy of my thesis, which is longer than any header is\n'.repeat(3),
      );
      await refusedUntouched(rig.create(directory), [file]);
    }));

  test(`[LOG-18] ${name}: a store of a later version is refused untouched`, () =>
    withRig(kind, async (rig, directory) => {
      await (await rig.open(directory)).close();
      const place = join(directory, kind.place);
      const file = name === 'level' ? join(place, 'HOLDFAST') : place;
      const bytes = readFileSync(file);
      if (name === 'level') bytes.write('2', bytes.indexOf('layout 1') + 7);
      else bytes.writeUInt32BE(2, 60);
      writeFileSync(file, bytes);
      await refusedUntouched(rig.create(directory), [file]);
    }));

  test(`[LOG-18] ${name}: a directory that cannot be made is refused`, () =>
    withRig(kind, async (rig, directory) => {
      writeFileSync(join(directory, 'file'), '');
      const below = join(directory, 'file', 'below');
      await assertRejects('data-directory', kind.create(below).open({ newStoreId: 'x' }));
      assert.equal(
        await rig.open(join(directory, 'made', 'on', 'the', 'way')).then((s) => s.kind),
        name,
      );
    }));

  test(`[LOG-19] ${name}: destroy leaves no file behind`, () =>
    withRig(kind, async (rig, directory) => {
      const store = await rig.open(directory);
      await store.storeEntries(entries(1, 10));
      await store.close();
      await store.destroy();
      assert.deepEqual(readdirSync(directory), []);
      await store.destroy();
    }));

  test(`[LOG-10] [LOG-23] ${name}: damage in the write-ahead log is not the end of the log`, () =>
    withRig(kind, async (rig, directory) => {
      const { file, expected } = await killedChild(kind, directory, 7);
      const intact = readFileSync(file);
      // Somewhere in the first third: much that was acknowledged stands behind it.
      for (const share of [0.05, 0.1, 0.2, 0.3]) {
        const bytes = Buffer.from(intact);
        bytes[Math.floor(bytes.length * share)]! ^= 4;
        writeFileSync(file, bytes);
        await assertRejects('corrupt-data', rig.open(directory));
        await assertRejects('corrupt-data', rig.open(directory));
      }
      writeFileSync(file, intact);
      await assertLog(await rig.open(directory), expected);
    }));

  test(`[LOG-23] ${name}: a torn end of the write-ahead log is dropped`, () =>
    withRig(kind, async (rig, directory) => {
      const { file, expected } = await killedChild(kind, directory, 9);
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.subarray(0, bytes.length - 10));
      await assertLog(await rig.open(directory), expected);
    }));
}

test('[LOG-26] sqlite: what torn transactions left is not taken for damage later', () =>
  withRig(KINDS[0], async (rig, directory) => {
    const { file, expected } = await killedChild(KINDS[0], directory, 9);
    const bytes = readFileSync(file);
    const frameBytes = 24 + bytes.readUInt32BE(8);
    const frames = (bytes.length - 32) / frameBytes;
    const frameAt = (number: number): Buffer => {
      const at = 32 + (number - 1) * frameBytes;
      return bytes.subarray(at, at + frameBytes);
    };
    // Of one transaction a frame was torn, of another that had gone further two are left behind it.
    const torn = Buffer.from(frameAt(frames));
    torn.writeUInt32BE(0, 4);
    const alone = Buffer.concat([bytes, torn]);
    writeFileSync(file, alone);
    const store = await rig.open(directory);
    await assertLog(store, expected);
    assert.equal(readFileSync(file).length, bytes.length, 'it is cut away');
    await store.close();
    writeFileSync(file, Buffer.concat([alone, frameAt(frames), frameAt(frames)]));
    await assertRejects('corrupt-data', rig.open(directory));
  }));

function isLog(path: string): boolean {
  return /\d+\.log$|-wal$/.test(path);
}

/** Lets a child work until it is killed; returns the newest log and what the store must hold. */
async function killedChild(
  kind: Kind,
  directory: string,
  seed: number,
): Promise<{ file: string; expected: readonly Entry[] }> {
  const { create, exportName } = kind;
  const count = 8;
  const options = { test: ignoreCase, create, module, exportName };
  const child = new Child(options, { type: 'work', directory, seed, count });
  await child.said('never said');
  await child.ended('killed');
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(isLog);
  // The last operation is a snapshot; without it, or with all, the entries are the same.
  const expected = crashScript(seed, count).states.at(-1)!.entries;
  return { file: join(directory, logs.toSorted().at(-1)!), expected };
}

const LOSSES = [
  { what: 'the last block', sql: 'DELETE FROM block WHERE first = 7', record: 'entry', index: 7 },
  { what: 'the first block', sql: 'DELETE FROM block WHERE first = 4', record: 'entry', index: 4 },
  { what: 'a block between', sql: 'DELETE FROM block WHERE first = 5', record: 'entry', index: 5 },
  { what: 'every block', sql: 'DELETE FROM block', record: 'entry', index: 4 },
  { what: 'the vote', sql: "DELETE FROM record WHERE name = 'metadata'", record: 'metadata' },
  { what: 'the snapshot', sql: "DELETE FROM record WHERE name = 'snapshot'", record: 'snapshot' },
  { what: 'a chunk', sql: 'DELETE FROM chunk WHERE position = 1', record: 'snapshot' },
  { what: 'the identity', sql: "DELETE FROM record WHERE name = 'identity'", record: 'identity' },
] as const;

for (const { what, sql, ...details } of LOSSES) {
  test(`[LOG-10] sqlite: ${what} cannot vanish unnoticed`, () =>
    withRig(KINDS[0], async (rig, directory) => {
      const store = await rig.open(directory);
      await store.storeEntries(entries(1, 4));
      await store.saveSnapshot(snapshotMeta(3), chunksOf(new Uint8Array(300_000)));
      const votedFor = 'a' as NodeId;
      await store.write({ metadata: { term: term(1), votedFor }, compactThrough: index(3) });
      for (const from of [5, 7]) await store.storeEntries(entries(from, from + 1));
      await store.close();
      const db = new Database(join(directory, 'log.db'));
      assert.equal(db.exec(sql), db);
      db.close();
      const { cause } = await assertRejects('corrupt-data', rig.open(directory));
      assert.deepEqual(cause, details);
    }));
}
