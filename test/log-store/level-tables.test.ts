/** LevelDB's tables and the files that name them are checked before LevelDB sees them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { crc32c } from '../../adapters/level/crc32c.ts';
import { findTableDamage } from '../../adapters/level/table-check.ts';
import { assertLog, assertRejects, entries, Rig } from '../../src/log-store/conformance/rig.ts';
import { createLevel, module } from './stores.ts';

/** Flips tried in a file, besides the last bytes of it, where all are. */
const FLIPS = 60;
const LAST_BYTES = 16;
const LAST_INDEX = 40;

interface Stored {
  readonly rig: Rig;
  readonly directory: string;
  /** Of the database itself. */
  readonly place: string;
  readonly file: (pattern: RegExp) => string;
}

/** A store whose entries are in tables: whatever is in LevelDB's log goes there when it opens. */
async function withTables(use: (stored: Stored) => Promise<void>): Promise<void> {
  const rig = new Rig({ test: () => undefined, create: createLevel, module });
  try {
    const directory = rig.directory();
    const place = join(directory, 'log');
    for (const from of [1, 21]) {
      const store = await rig.open(directory);
      await store.storeEntries(entries(from, from + 19));
      await store.close();
    }
    await (await rig.open(directory)).close();
    const file = (pattern: RegExp): string => {
      const name = readdirSync(place).find((one) => pattern.test(one));
      assert.ok(name !== undefined, `no file ${pattern}`);
      return join(place, name);
    };
    await use({ rig, directory, place, file });
  } finally {
    await rig.dispose();
  }
}

function contents(place: string): Map<string, string> {
  const names = readdirSync(place).filter((name) => !/^(LOG|LOCK)/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(place, name), 'base64')]));
}

test('[LOG-25] level: a flipped bit anywhere in a table is damage, each time', () =>
  withTables(async ({ rig, directory, place }) => {
    const before = contents(place);
    const tables = [...before.keys()].filter((name) => /\.ldb$|^MANIFEST|^CURRENT/.test(name));
    assert.ok(tables.length > 3, 'some tables, and what names them');
    for (const name of tables) {
      const file = join(place, name);
      const intact = readFileSync(file);
      const step = Math.max(1, Math.floor(intact.length / FLIPS));
      for (let at = 0; at < intact.length; at += at < intact.length - LAST_BYTES ? step : 1) {
        const bytes = Buffer.from(intact);
        bytes[at]! ^= 1 << (at % 8);
        writeFileSync(file, bytes);
        await assertRejects('corrupt-data', rig.open(directory));
      }
      writeFileSync(file, intact);
    }
    assert.deepEqual(contents(place), before, 'refusing changes nothing');
    await assertLog(await rig.open(directory), entries(1, LAST_INDEX));
  }));

test('[LOG-25] level: the entry is named where what is left of a table tells it', () =>
  withTables(async ({ rig, directory, place }) => {
    const needle = Buffer.from(entries(30, 30)[0]!.data);
    const file = readdirSync(place)
      .map((name) => join(place, name))
      .find((path) => path.endsWith('.ldb') && readFileSync(path).includes(needle));
    assert.ok(file !== undefined);
    const bytes = readFileSync(file);
    bytes[bytes.indexOf(needle)]! ^= 1;
    writeFileSync(file, bytes);
    const { cause } = await assertRejects('corrupt-data', rig.open(directory));
    assert.deepEqual(cause, { record: 'entry', index: 30 });
  }));

const LOSSES = [
  { what: 'a table', pattern: /\.ldb$/ },
  { what: 'the log of the newest writes', pattern: /^\d+\.log$/ },
  { what: 'the manifest', pattern: /^MANIFEST/ },
  { what: 'the name of the manifest', pattern: /^CURRENT/ },
] as const;

for (const { what, pattern } of LOSSES) {
  test(`[LOG-25] level: ${what} cannot vanish unnoticed`, () =>
    withTables(async ({ rig, directory, place, file }) => {
      rmSync(file(pattern));
      const before = contents(place);
      await assertRejects('corrupt-data', rig.open(directory));
      assert.deepEqual(contents(place), before, 'nothing is begun anew');
    }));
}

test('[LOG-25] level: a table cut short is damage; one that nobody names is not', () =>
  withTables(async ({ rig, directory, place, file }) => {
    const path = file(/\.ldb$/);
    const intact = readFileSync(path);
    writeFileSync(path, intact.subarray(0, -1));
    await assertRejects('corrupt-data', rig.open(directory));
    writeFileSync(path, intact);
    // A crash in the middle of writing a table, and of a change to the manifest.
    writeFileSync(join(place, '000999.ldb'), intact.subarray(0, 70));
    writeFileSync(file(/^MANIFEST/), Buffer.from([1, 2, 3]), { flag: 'a' });
    await assertLog(await rig.open(directory), entries(1, LAST_INDEX));
  }));

test('[LOG-25] level: files that change while they are read belong to another process', () =>
  withTables(async ({ place, file }) => {
    const names = [/^CURRENT/, /^MANIFEST/, /^\d+\.log$/].map((pattern) => file(pattern));
    const before = names.map((name) => [name, readFileSync(name)] as const);
    const db = new ClassicLevel(place, { compression: false });
    await db.compactRange('', '~');
    await db.close();
    const current = readFileSync(file(/^CURRENT/));
    for (const [name, bytes] of before) writeFileSync(name, bytes);
    const gone = await findTableDamage(place);
    assert.match(gone?.message ?? '', /table \d+ is missing/, 'these tables are no more');
    const checking = findTableDamage(place);
    writeFileSync(file(/^CURRENT/), current);
    assert.equal(await checking, undefined, 'they were replaced in the meantime');
  }));

test('[LOG-25] CRC-32C is what others compute', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  assert.equal(crc32c(Buffer.alloc(0)), 0);
});
