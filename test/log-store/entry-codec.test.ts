import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MalformedBytesError } from '../../src/base/index.ts';
import {
  decodeRecord,
  decodeRecords,
  decodeSnapshotMeta,
  encodeRecord,
  encodeRecords,
  encodeSnapshotMeta,
  joinRecords,
  recordLength,
  recordRuns,
  RECORD_OVERHEAD_BYTES,
} from '../../src/log-store/index.ts';
import type { Entry, LogIndex, Term } from '../../src/log-store/index.ts';
import {
  decodeChunk,
  decodeHead,
  decodeIdentity,
  decodeMetadata,
  decodeStoredSnapshot,
  encodeChunk,
  encodeHead,
  encodeIdentity,
  encodeMetadata,
  encodeStoredSnapshot,
} from '../../src/log-store/record-codec.ts';
import { bytesOf, entry, plain, snapshotMeta } from '../../src/log-store/conformance/rig.ts';
import type { NodeId } from '../../src/raft/index.ts';

const anyEntry = fc.record({
  index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((value) => value as LogIndex),
  term: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((value) => value as Term),
  time: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  type: fc.constantFrom('command' as const, 'noop' as const, 'membership' as const),
  data: fc.uint8Array({ maxLength: 600 }),
  recorded: fc.constant(undefined),
});

test('[L12] [LOG-17] whatever is encoded is decoded alike', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 8 }), (list: Entry[]) => {
      const total = encodeRecords(list);
      const bytes = joinRecords(list);
      assert.equal(bytes.length, total);
      assert.deepEqual(decodeRecords(bytes).map(plain), list.map(plain));
      assert.deepEqual(decodeRecord(bytes).data, list[0]!.data);
    }),
  );
});

test('[LOG-17] an entry is encoded once, and entries together in one buffer', () => {
  const list = [entry(1), entry(2), entry(3)];
  const kept = encodeRecord(list[1]!);
  assert.equal(encodeRecord(list[1]!).buffer, kept.buffer);
  encodeRecords(list);
  assert.equal(list[1]!.data.buffer, kept.buffer, 'the record there is stays');
  assert.equal(list[0]!.data.buffer, list[2]!.data.buffer);
  assert.equal(recordRuns(list).length, 3);
  const fresh = [entry(1), entry(2), entry(3)];
  encodeRecords(fresh);
  const [first] = fresh;
  const inRecord = encodeRecord(first!).subarray(RECORD_OVERHEAD_BYTES);
  assert.equal(first!.data.buffer, inRecord.buffer, 'what the data came in is let go');
  assert.equal(first!.data.byteOffset, inRecord.byteOffset);
  const joined = joinRecords(fresh);
  assert.equal(joined.buffer, first!.data.buffer, 'neighbours are joined without a copy');
  assert.deepEqual(joinRecords(list), joined, 'strangers with one');
  assert.deepEqual(joinRecords(fresh, 1, 2), encodeRecord(fresh[1]!));
  assert.equal(joinRecords(fresh, 2, 2).length, 0);
});

test('[LOG-17] a copy of an entry with other data is encoded anew', () => {
  const original = entry(4);
  encodeRecord(original);
  for (const data of [Buffer.from('another'), original.data.slice(), new Uint8Array(0)]) {
    const copy: Entry = { ...original, data };
    assert.deepEqual(decodeRecord(joinRecords([copy])).data, new Uint8Array(data));
    assert.deepEqual(decodeRecord(encodeRecord({ ...original, data })).data, new Uint8Array(data));
  }
});

test('[LOG-17] a decoded entry is a view that can be stored as it is', () => {
  const list = [entry(7), entry(8, { data: new Uint8Array(0), type: 'noop' })];
  encodeRecords(list);
  const bytes = joinRecords(list).slice();
  const decoded = decodeRecords(bytes);
  assert.equal(decoded[0]!.data.buffer, bytes.buffer);
  assert.equal(joinRecords(decoded).buffer, bytes.buffer);
  assert.equal(recordLength(decoded[1]!), RECORD_OVERHEAD_BYTES);
  assert.deepEqual(decodeRecord(bytes, recordLength(decoded[0]!)), decoded[1]);
});

/** Fails unless `decode` refuses `bytes` with any one bit flipped, and with any part cut off. */
function assertEveryFlipRefused(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  decode(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decode(flipped), MalformedBytesError, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decode(bytes.slice(0, length)), MalformedBytesError, `cut at ${length}`);
  }
}

test('[L12] [LOG-17] a flipped bit anywhere in an entry record is detected', () => {
  assertEveryFlipRefused(encodeRecord(entry(5, { term: 3 })), decodeRecord);
  assertEveryFlipRefused(encodeRecord(entry(1, { data: new Uint8Array(0) })), decodeRecord);
});

test('[L12] [LOG-17] a flipped bit among other records is detected', () => {
  const list = [entry(1), entry(2), entry(3)];
  encodeRecords(list);
  const bytes = joinRecords(list);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodeRecords(flipped), MalformedBytesError, `bit ${bit}`);
  }
});

test('[L12] [LOG-17] a flipped bit in any other record is detected', () => {
  const metadata = { term: 4 as Term, votedFor: 'b' as NodeId };
  const meta = snapshotMeta(9, 2);
  const stored = { id: 3, size: 70_000, meta };
  const head = { first: 3, last: 400, hasMetadata: true, hasSnapshot: false };
  assertEveryFlipRefused(encodeMetadata(metadata), decodeMetadata);
  assertEveryFlipRefused(encodeIdentity('an identity'), decodeIdentity);
  assertEveryFlipRefused(encodeSnapshotMeta(meta), decodeSnapshotMeta);
  assertEveryFlipRefused(encodeStoredSnapshot(stored), decodeStoredSnapshot);
  assertEveryFlipRefused(encodeHead(head), decodeHead);
  const chunk = encodeChunk(3, 1, bytesOf('some data'));
  assertEveryFlipRefused(chunk, (bytes) => decodeChunk(3, 1, bytes));
  assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
  assert.deepEqual(decodeStoredSnapshot(encodeStoredSnapshot(stored)), stored);
  assert.deepEqual(decodeSnapshotMeta(encodeSnapshotMeta(meta)), meta);
  assert.deepEqual(decodeHead(encodeHead(head)), head);
});

test('[LOG-17] a record in the place of another is refused', () => {
  const chunk = encodeChunk(3, 1, bytesOf('some data'));
  assert.throws(() => decodeChunk(3, 2, chunk), MalformedBytesError);
  assert.throws(() => decodeChunk(4, 1, chunk), MalformedBytesError);
  assert.throws(() => decodeIdentity(chunk), MalformedBytesError);
});
