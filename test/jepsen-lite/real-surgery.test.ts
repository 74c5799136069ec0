import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { damage, tearTail } from '../../jepsen-lite/real/surgery.ts';

test('[REAL-6] one bit of what is stored is flipped; a tail is torn where nothing was', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-surgery-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const journal = join(directory, 'a.db-wal');
  const stored = Buffer.alloc(100, 7);
  writeFileSync(journal, stored);
  writeFileSync(join(directory, 'a.db-shm'), stored);
  assert.equal(damage(directory, 'bitFlip', 0.5), 'bit 2 of byte 50 of a.db-wal');
  const damaged = readFileSync(journal);
  assert.equal(damaged[50], 7 ^ 4);
  assert.equal(damaged.filter((byte) => byte !== 7).length, 1);
  assert.ok(tearTail(directory, () => 0.5));
  const torn = readFileSync(journal);
  assert.ok(torn.length > stored.length);
  assert.ok(torn.subarray(0, stored.length).equals(damaged));
  assert.ok(readFileSync(join(directory, 'a.db-shm')).equals(stored), 'holds no data');
});

test('[REAL-6] where nothing is stored yet, nothing is damaged', () => {
  const absent = join(tmpdir(), 'holdfast-surgery-absent');
  assert.equal(damage(absent, 'bitFlip', 0.5), undefined);
  assert.equal(
    tearTail(absent, () => 0.5),
    false,
  );
});
