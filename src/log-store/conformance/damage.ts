/**
 * One bit flipped in what is stored must be noticed and named, never served, never the log's end.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '../../raft/index.ts';
import type { CorruptionDetails } from '../contract.ts';
import type { DurableStoreOptions } from './options.ts';
import {
  assertLog,
  assertRejects,
  bytesOf,
  chunksOf,
  entry,
  index,
  snapshotMeta,
  term,
} from './rig.ts';
import type { Define, Rig } from './rig.ts';
import { Random } from './random.ts';

/** Bytes that stand nowhere else, not even in part, so that damage hits what it is meant for. */
function needleOf(text: string): string {
  return `needle-${text}-elden`;
}

function filesIn(directory: string): string[] {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** Flips one bit in the middle of every place where `needle` stands in the directory's files. */
function flipEverywhere(directory: string, needle: Uint8Array): void {
  let places = 0;
  for (const file of filesIn(directory)) {
    const bytes = readFileSync(file);
    let at = bytes.indexOf(needle);
    if (at === -1) continue;
    for (; at !== -1; at = bytes.indexOf(needle, at + 1)) {
      bytes[at + (needle.length >> 1)]! ^= 1;
      places++;
    }
    writeFileSync(file, bytes);
  }
  assert.notEqual(places, 0, 'the record was not found in the files: give the `damage` option');
}

const ENTRY_COUNT = 9;
const ADDRESS = needleOf('address');
const VOTED_FOR = needleOf('voted-for') as NodeId;
const STORE_ID = needleOf('store-id');
const SNAPSHOT = needleOf('snapshot-chunk');

/** A closed store with a needle in every kind of record: entries 4 to 12 after a snapshot at 3. */
async function fill(rig: Rig, directory: string): Promise<void> {
  const store = rig.create(directory);
  await store.open({ newStoreId: STORE_ID });
  await store.storeEntries([entry(1), entry(2), entry(3)]);
  const random = new Random(4);
  const parts = chunksOf(random.bytes(300_000), bytesOf(SNAPSHOT), random.bytes(1000));
  await store.saveSnapshot(snapshotMeta(3, 1, ADDRESS), parts);
  await store.write({
    metadata: { term: term(3), votedFor: VOTED_FOR },
    compactThrough: index(3),
  });
  for (let from = 4; from < 4 + ENTRY_COUNT; from += 3) {
    const batch = [from, from + 1, from + 2];
    await store.storeEntries(batch.map((at) => entry(at, { data: bytesOf(needleOf(`${at}`)) })));
  }
  await store.close();
}

/** Damages the record with the needle and returns what opening then says is damaged. */
async function detailsAfterDamage(
  rig: Rig,
  options: DurableStoreOptions,
  needle: string,
): Promise<CorruptionDetails> {
  const directory = rig.directory();
  await fill(rig, directory);
  await (options.damage ?? flipEverywhere)(directory, bytesOf(needle));
  // Twice: refusing must not tidy the damage away.
  await assertRejects('corrupt-data', rig.open(directory));
  const { cause } = await assertRejects('corrupt-data', rig.open(directory));
  assert.ok(typeof cause === 'object' && cause !== null && 'record' in cause, 'details as cause');
  return cause as CorruptionDetails;
}

export function defineDamage(define: Define, options: DurableStoreOptions): void {
  const check = async (rig: Rig, needle: string, expected: CorruptionDetails): Promise<void> => {
    assert.deepEqual(await detailsAfterDamage(rig, options, needle), expected);
  };
  define('[LOG-10] undamaged, the same store opens', async (rig) => {
    const directory = rig.directory();
    await fill(rig, directory);
    const log = Array.from({ length: ENTRY_COUNT }, (_, i) =>
      entry(4 + i, { data: bytesOf(needleOf(`${4 + i}`)) }),
    );
    await assertLog(await rig.open(directory), log);
  });
  for (let at = 4; at < 4 + ENTRY_COUNT; at++) {
    define(`[L12] [LOG-10] a flipped bit in entry ${at} of 4 to 12 is reported as such`, (rig) =>
      check(rig, needleOf(`${at}`), { record: 'entry', index: index(at) }),
    );
  }
  define('[L12] [LOG-10] a flipped bit in the metadata is reported', (rig) =>
    check(rig, VOTED_FOR, { record: 'metadata' }),
  );
  define('[L12] [LOG-10] a flipped bit in a snapshot is reported', (rig) =>
    check(rig, SNAPSHOT, { record: 'snapshot' }),
  );
  define('[L12] [LOG-10] a flipped bit in the membership of a snapshot is reported', (rig) =>
    check(rig, ADDRESS, { record: 'snapshot' }),
  );
  define('[L12] [LOG-10] a flipped bit in the identity is reported', (rig) =>
    check(rig, STORE_ID, { record: 'identity' }),
  );
}
