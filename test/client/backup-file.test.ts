/** Backups as bytes and as files: what is not whole is refused with the place, and harms none. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HoldfastError } from '../../src/base/index.ts';
import { inspectBackup, saveBackup } from '../../src/client/backup-file.ts';
import { encodeBackup, type BackupMetadata } from '../../src/client/backup-format.ts';
import { encodeCommand, RegistryStateMachine, type SessionId } from '../../src/registry/index.ts';

const METADATA: BackupMetadata = {
  clusterName: 'orders',
  clusterId: 'id',
  node: 'b',
  revision: 40,
  index: 77,
  time: 41_000,
  savedAt: 1_700_000_000_000,
};

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
});
after(() => rm(directory, { recursive: true }));

/** A registry of 40 keys and a session, as its snapshot. */
function snapshot(): Uint8Array[] {
  const machine = new RegistryStateMachine();
  const header = { session: 0 as SessionId, sequence: 0, acknowledged: 0, node: 'b' };
  const nothing = new Uint8Array(0);
  for (let index = 1; index <= 40; index++) {
    const value = new Uint8Array(5_500).fill(index);
    const put = { key: `key/${index}`, value, ttlMs: 0, ephemeral: false, lock: false } as const;
    const context = { index, term: 1, time: 1_000 * index };
    machine.apply(encodeCommand(header, { type: 'put', ...put }), context);
  }
  const open = { ttlMs: 9_000, label: '', metadata: nothing, trapExits: false };
  const command = encodeCommand(header, { type: 'openSession', ...open });
  machine.apply(command, { index: 77, term: 1, time: 41_000 });
  return [...machine.snapshotChunks()];
}

async function* source(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function whole(metadata = METADATA, chunks = snapshot()): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeBackup(metadata, source(chunks))) pieces.push(piece);
  return Buffer.concat(pieces);
}

function backup(): AsyncGenerator<Uint8Array> {
  return encodeBackup(METADATA, source(snapshot()));
}

async function* brokenOff(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(100);
  await Promise.resolve();
  throw new HoldfastError('connection-lost', 'the connection was lost');
}

async function refusal(bytes: Uint8Array): Promise<HoldfastError> {
  const file = join(directory, 'damaged.hfb');
  await writeFile(file, bytes);
  const error = await inspectBackup(file).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HoldfastError, 'it was taken for a backup');
  return error;
}

test('[BACKUP-10] a file that was saved is read back with all it tells', async () => {
  const file = join(directory, 'whole.hfb');
  const progress: number[] = [];
  const bytes = await saveBackup(backup(), file, { onProgress: (so) => progress.push(so) });
  assert.equal(bytes, (await readFile(file)).length);
  assert.equal(progress.at(-1), bytes);
  assert.deepEqual(await inspectBackup(file), {
    ...METADATA,
    compactRevision: 0,
    keys: 40,
    sessions: 1,
    bytes,
  });
});

test('[BACKUP-11] any flipped bit and any cut is found, with the place', async () => {
  const bytes = await whole();
  const step = Math.floor(bytes.length / 30);
  for (const at of [0, 5, 9, 13, 20, 30, 60, bytes.length - 1, bytes.length - 40]) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 0x08;
    const error = await refusal(flipped);
    const isVersion = at >= 8 && at < 12;
    assert.equal(error.code, isVersion ? 'wrong-version' : 'corrupt-data', `${at}`);
    assert.match(error.message, isVersion ? /format version/ : /at byte \d+: /);
  }
  for (let at = 100; at < bytes.length; at += step) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 0x01;
    assert.match((await refusal(flipped)).message, /at byte \d+: (the checksum|a part claims)/);
  }
  for (let length = 0; length < bytes.length; length += step) {
    assert.match((await refusal(bytes.subarray(0, length))).message, /cut off|too short/);
  }
  assert.match((await refusal(bytes.subarray(0, -1))).message, /cut off/);
});

test('[BACKUP-11] parts that are each whole do not make a backup in another order', async () => {
  const bytes = await whole();
  assert.match((await refusal(Buffer.concat([bytes, bytes]))).message, /more after the end/);
  const opening = bytes.subarray(0, 12);
  const metadata = bytes.subarray(12, 12 + 9 + bytes.readUInt32LE(13));
  const rest = bytes.subarray(12 + metadata.length);
  assert.match((await refusal(Buffer.concat([opening, rest]))).message, /part 2 out of place/);
  const twice = Buffer.concat([opening, metadata, metadata, rest]);
  assert.match((await refusal(twice)).message, /part 1 out of place/);
  const other = await whole({ ...METADATA, node: 'c' });
  const forged = Buffer.concat([other.subarray(0, 12 + metadata.length), rest]);
  assert.match((await refusal(forged)).message, /the SHA-256 at the end does not match/);
  const first = rest.subarray(0, 9 + rest.readUInt32LE(1));
  const without = Buffer.concat([opening, metadata, rest.subarray(first.length)]);
  assert.equal((await refusal(without)).code, 'corrupt-data');
  const chunks = snapshot();
  assert.match((await refusal(await whole(METADATA, []))).message, /missing/);
  assert.match(
    (await refusal(await whole(METADATA, chunks.slice(0, -1)))).message,
    /block|cut off/,
  );
});

test('[BACKUP-11] foreign files, and contents that are not what the metadata say', async () => {
  assert.match((await refusal(Buffer.from('SQLite format 3'))).message, /begin like a backup/);
  assert.match((await refusal(new Uint8Array(0))).message, /too short/);
  const other = await refusal(await whole({ ...METADATA, revision: 41 }));
  assert.match(other.message, /says revision 41 .* its contents are revision 40/);
  const missing = await inspectBackup(join(directory, 'nowhere')).catch((error: unknown) => error);
  assert.ok(missing instanceof HoldfastError && missing.code === 'invalid-argument');
  assert.match(missing.message, /ENOENT/);
});

test('[BACKUP-12] a save that breaks off leaves nothing, and harms no file', async () => {
  const file = join(directory, 'kept.hfb');
  await writeFile(file, 'precious');
  await assert.rejects(saveBackup(brokenOff(), file, { force: true }), /was lost/);
  assert.equal(await readFile(file, 'utf8'), 'precious');
  await assert.rejects(saveBackup(brokenOff(), join(directory, 'new.hfb')), /was lost/);
  assert.deepEqual(
    (await readdir(directory)).filter((name) => /part|new/.test(name)),
    [],
  );
});

test('[BACKUP-12] a file is replaced only when forced, by one save at a time', async () => {
  const file = join(directory, 'again.hfb');
  await writeFile(file, 'old');
  await assert.rejects(saveBackup(brokenOff(), file), /exists already/, 'before it is taken');
  assert.equal(await readFile(file, 'utf8'), 'old');
  await saveBackup(backup(), file, { force: true });
  assert.equal((await inspectBackup(file)).keys, 40);
  const busy = join(directory, 'busy.hfb');
  await writeFile(`${busy}.part`, 'of another save');
  await assert.rejects(saveBackup(backup(), busy), /another save is under way/);
  assert.equal(existsSync(busy), false);
  assert.equal(await readFile(`${busy}.part`, 'utf8'), 'of another save');
});
