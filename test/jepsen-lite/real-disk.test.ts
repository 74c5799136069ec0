/** The library between a process and its disk: what it does to calls, and what it writes down. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { parseTrace } from '../../jepsen-lite/real/crash-images/trace.ts';
import { DiskShim, setTrouble, troubleHits } from '../../jepsen-lite/real/disk-shim/shim.ts';
import { DiskTroubles } from '../../jepsen-lite/real/disk-troubles.ts';

interface Place {
  readonly home: string;
  readonly directory: string;
  readonly troubleFile: string;
  /** Undefined where no library can be made; that it says why is all there is to check then. */
  readonly shim: DiskShim | undefined;
}

function place(t: TestContext): Place {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const directory = join(home, 'a');
  mkdirSync(directory);
  const shim = DiskShim.build(home);
  if (typeof shim === 'string') assert.match(shim, /C compiler|needs Linux/);
  const troubleFile = join(home, 'a.trouble');
  return { home, directory, troubleFile, shim: typeof shim === 'string' ? undefined : shim };
}

/** Writes and syncs once for every line it is given, and says what came of it. */
const WRITER = `
  const fs = require('node:fs');
  const file = fs.openSync(process.argv[1] + '/file', 'w');
  const tried = (call) => { try { call(); return 'ok'; } catch (error) { return error.code; } };
  require('node:readline').createInterface({ input: process.stdin }).on('line', () => {
    const fromMs = performance.now();
    const write = tried(() => fs.writeSync(file, 'bytes'));
    const sync = tried(() => fs.fsyncSync(file));
    const ms = Math.ceil(performance.now() - fromMs);
    console.log(JSON.stringify({ write, sync, ms, length: fs.fstatSync(file).size }));
  });`;

interface Told {
  readonly write: string;
  readonly sync: string;
  readonly ms: number;
  readonly length: number;
}

function outcome({ write, sync, length }: Told): unknown[] {
  return [write, sync, length];
}

function tellerOf(child: ChildProcess): () => Promise<Told> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    child.stdin!.write('\n');
    const { value } = await lines.next();
    return JSON.parse(String(value)) as Told;
  };
}

test('[REAL-7] a disk is slow, fails, is full or stuck, as long as it is told to', async (t) => {
  const { directory, troubleFile, shim } = place(t);
  if (shim === undefined) return;
  const child = spawn(process.execPath, ['-e', WRITER, directory], {
    env: { ...process.env, ...shim.environment({ directory, troubleFile }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ask = tellerOf(child);
  const during = async (how: Parameters<typeof setTrouble>[1]): Promise<Told> => {
    setTrouble(troubleFile, how);
    return await ask();
  };
  assert.deepEqual(outcome(await during(undefined)), ['ok', 'ok', 5]);
  assert.equal(troubleHits(troubleFile), 0);
  const slow = await during({ type: 'slow', latencyMs: 80 });
  assert.deepEqual(outcome(slow), ['ok', 'ok', 10]);
  assert.ok(slow.ms >= 80, `${slow.ms} ms`);
  const unwritten = await during({ type: 'error', written: false });
  assert.deepEqual(outcome(unwritten), ['EIO', 'ok', 10]);
  assert.deepEqual(outcome(await during({ type: 'error', written: true })), ['ok', 'EIO', 15]);
  assert.deepEqual(outcome(await during({ type: 'full' })), ['ENOSPC', 'ok', 15]);
  const before = troubleHits(troubleFile);
  assert.equal(before, 4, 'a hit for each call that met trouble');
  for (const type of ['stuck', 'stuckSync'] as const) {
    const hits = troubleHits(troubleFile);
    let isBack = false;
    const stuck = during({ type }).finally(() => (isBack = true));
    while (troubleHits(troubleFile) === hits) await new Promise(setImmediate);
    assert.equal(isBack, false, 'it is held back');
    setTrouble(troubleFile, undefined);
    assert.equal((await stuck).write, 'ok');
  }
});

test('[REAL-7] a crash falls into a write, or into the sync after it', async (t) => {
  const { home, directory, shim } = place(t);
  if (shim === undefined) return;
  const troubles = new DiskTroubles(home, shim);
  const child = spawn(process.execPath, ['-e', WRITER, directory], {
    env: { ...process.env, ...troubles.environmentOf('a') },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ask = tellerOf(child);
  await ask();
  const written = (): number => statSync(join(directory, 'file')).size;
  for (const [synced, bytes] of [
    [false, 5],
    [true, 15],
  ] as const) {
    let found = 0;
    const look = (): Promise<void> => Promise.resolve(void (found = written()));
    const met = troubles.whilePending('a', synced, look, 60_000);
    await ask();
    assert.equal(await met, true);
    assert.equal(found, bytes, synced ? 'written, not synced' : 'not written');
  }
  assert.equal(await troubles.whilePending('a', false, () => Promise.resolve(), 0), false);
});

/** Opens a store, meets a failing and a full disk, and says what came of each. */
const STORE_USER = `
  import { writeFileSync, rmSync } from 'node:fs';
  const [url, name, path, trouble] = process.argv.slice(1);
  const { [name]: Store } = await import(url);
  const store = new Store({ path });
  await store.open({ newStoreId: 'one' });
  const codeOf = (promise) => promise.then(() => 'ok', ({ code }) => code);
  const vote = (term) => codeOf(store.storeMetadata({ ...store.getMetadata(), term }));
  const codes = [await vote(1)];
  for (const how of ['write', 'sync', 'full']) {
    writeFileSync(trouble, how);
    codes.push(await vote(2 + codes.length));
    rmSync(trouble);
    await store.close();
    await store.open({ newStoreId: 'two' });
  }
  codes.push(await vote(9));
  console.log(codes.join());
  await store.close();`;

const STORES = [
  ['sqlite', 'SqliteLogStore'],
  ['level', 'LevelLogStore'],
] as const;

for (const [kind, name] of STORES) {
  test(`[REAL-7] ${kind}: the driver itself meets the trouble`, (t) => {
    const { directory, troubleFile, shim } = place(t);
    if (shim === undefined) return;
    const module = new URL(`../../adapters/${kind}/index.js`, import.meta.url).href;
    const given = [module, name, join(directory, 'store'), troubleFile];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', STORE_USER, ...given],
      {
        env: { ...process.env, ...shim.environment({ directory, troubleFile }) },
        encoding: 'utf8',
      },
    );
    assert.equal(stdout.trim(), 'ok,disk-failed,disk-failed,disk-full,ok', stderr);
  });
}

/** One of each kind of call that changes files. */
const CALLS = `
  const fs = require('node:fs');
  const [directory, progress, elsewhere] = process.argv.slice(1);
  const file = fs.openSync(directory + '/a', 'w');
  fs.writeSync(file, 'abcdef');
  fs.writeSync(file, 'XY', 1);
  fs.ftruncateSync(file, 4);
  fs.fdatasyncSync(file);
  fs.writeSync(fs.openSync(progress, 'w'), '2 1');
  fs.renameSync(directory + '/a', directory + '/b');
  fs.writeFileSync(directory + '/c', '');
  fs.unlinkSync(directory + '/c');
  fs.writeFileSync(elsewhere, 'not ours');`;

test('[REAL-5] the library writes down what strace would', (t) => {
  const { home, directory, shim } = place(t);
  if (shim === undefined) return;
  const [journalFile, progressFile] = [join(home, 'journal'), join(home, 'progress')];
  spawnSync(process.execPath, ['-e', CALLS, directory, progressFile, join(home, 'other')], {
    env: { ...process.env, ...shim.environment({ directory, journalFile, progressFile }) },
  });
  const steps = parseTrace(readFileSync(journalFile, 'utf8'), { directory, progressFile });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(directory, name));
  const written = (at: number, text: string): unknown => {
    return { type: 'change', path: a, change: { type: 'write', at, bytes: Buffer.from(text) } };
  };
  assert.deepEqual(steps, [
    { type: 'create', path: a },
    written(0, 'abcdef'),
    written(1, 'XY'),
    { type: 'change', path: a, change: { type: 'truncate', length: 4 } },
    { type: 'sync', path: a, before: 4 },
    { type: 'progress', begun: 2, done: 1 },
    { type: 'rename', from: a, to: b },
    { type: 'create', path: c },
    { type: 'remove', path: c },
  ]);
});

test('[REAL-7] without a library no disk is in trouble, and the reason is told', () => {
  const troubles = new DiskTroubles('/nowhere', 'no C compiler works here');
  assert.equal(troubles.whyNot, 'no C compiler works here');
  assert.deepEqual(troubles.environmentOf('a'), {});
  assert.equal(troubles.excuses('a', 'disk-failed: ...'), false, 'its end is its own fault');
});
