/** A log of blocks: encodes, verifies and cuts, over any `BlockMedium`. */
import type { Entry } from '../raft/index.ts';
import type { LogBackend, LogChange, StoredState } from './backend.ts';
import { BlockLog, nextEntry } from './block-log.ts';
import type { LogBounds } from './block-log.ts';
import type { BlockMedium, RecordName, StoredRecord } from './block-medium.ts';
import { REPORTED_AS } from './block-verify.ts';
import { RECORD_OVERHEAD_BYTES, RecordReader } from './entry-codec.ts';
import { corruptData, readingRecord } from './errors.ts';
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
} from './record-codec.ts';
import type { StoredSnapshot, StoreHead } from './record-codec.ts';
import { chunkCount } from './snapshot-shelf.ts';

export class BlockBackend implements LogBackend {
  readonly kind: string;
  readonly #medium: BlockMedium;
  #log: BlockLog;
  #hasMetadata = false;
  #hasSnapshot = false;

  constructor(medium: BlockMedium) {
    this.kind = medium.kind;
    this.#medium = medium;
    this.#log = this.#emptyLog();
  }

  #emptyLog(): BlockLog {
    return new BlockLog((first) => {
      const bytes = this.#medium.readBlock(first);
      if (bytes === undefined) throw corruptData('entry', 'it is missing', first);
      return bytes;
    });
  }

  async open(newStoreId: string, visit: (entry: Entry) => void): Promise<StoredState> {
    const repaired = await this.#medium.open(encodeIdentity(newStoreId));
    const storeId = this.#decoded('identity', decodeIdentity);
    if (storeId === undefined) throw corruptData('identity', 'it is missing');
    const metadata = this.#decoded('metadata', decodeMetadata);
    const snapshot = this.#decoded('snapshot', decodeStoredSnapshot);
    this.#log = this.#emptyLog();
    await this.#medium.scanBlocks((first, bytes) => this.#takeUp(first, bytes, visit));
    this.#hasMetadata = metadata !== undefined;
    this.#hasSnapshot = snapshot !== undefined;
    this.#checkHead(this.#decoded('head', decodeHead), this.#hasMetadata, this.#hasSnapshot);
    if (snapshot !== undefined) this.#verifySnapshot(snapshot);
    const nextSnapshotId = await this.#removeStaged(snapshot?.id);
    return { storeId, metadata, snapshot, nextSnapshotId, repaired };
  }

  #decoded<T>(name: RecordName, decode: (bytes: Uint8Array) => T): T | undefined {
    return readingRecord(REPORTED_AS[name], () => {
      const bytes = this.#medium.getRecord(name);
      return bytes === undefined ? undefined : decode(bytes);
    });
  }

  #takeUp(first: number, bytes: Uint8Array, visit: (entry: Entry) => void): void {
    const expected = this.#log.last === undefined ? first : this.#log.last + 1;
    if (first !== expected) {
      throw corruptData('entry', `the block after it begins at ${first}`, expected);
    }
    const reader = new RecordReader(bytes);
    let index = first;
    while (!reader.done) {
      visit(nextEntry(reader, index));
      index++;
    }
    if (index === first) throw corruptData('entry', 'its block is empty', first);
    this.#log.add({ first, last: index - 1 });
  }

  /** Compares what was found with what the head says must be there. */
  #checkHead(head: StoreHead | undefined, hasMetadata: boolean, hasSnapshot: boolean): void {
    const { first, last } = this.#log.bounds;
    const known = head ?? { first: 1, last: 0, hasMetadata: false, hasSnapshot: false };
    if (known.hasMetadata !== hasMetadata)
      throw corruptData('metadata', 'it does not fit the head');
    if (known.hasSnapshot !== hasSnapshot)
      throw corruptData('snapshot', 'it does not fit the head');
    if (known.first === first && known.last === last) return;
    const isEmpty = last < first;
    let missing = Math.min(first, known.first);
    if (isEmpty) missing = known.first;
    else if (known.first === first) missing = Math.min(last, known.last) + 1;
    const expected = `${known.first} to ${known.last}`;
    const found = `the log holds ${first} to ${last} where ${expected} should be`;
    throw corruptData('entry', found, missing);
  }

  #verifySnapshot(snapshot: StoredSnapshot): void {
    let size = 0;
    for (let position = 0; position < chunkCount(snapshot.size); position++) {
      size += readingRecord('snapshot', () => this.readChunk(snapshot.id, position)).length;
    }
    if (size !== snapshot.size) {
      throw corruptData('snapshot', `${size} bytes of ${snapshot.size} are there`);
    }
  }

  /** Clears away what a crash left of snapshots that are not current; returns the next free id. */
  async #removeStaged(current: number | undefined): Promise<number> {
    let next = (current ?? 0) + 1;
    for (const id of await this.#medium.snapshotIds()) {
      next = Math.max(next, id + 1);
      if (id !== current) await this.#medium.deleteChunks(id);
    }
    return next;
  }

  commit(change: LogChange): void | Promise<void> {
    const plan = this.#log.plan(change);
    const records: StoredRecord[] = [];
    if (change.metadata !== undefined) {
      records.push({ name: 'metadata', bytes: encodeMetadata(change.metadata) });
      this.#hasMetadata = true;
    }
    records.push(this.#head(this.#log.boundsAfter(plan)));
    const added = plan.front === undefined ? plan.added : [plan.front, ...plan.added];
    const pending = this.#medium.commit({ records, removed: plan.removed, added });
    if (pending === undefined) return this.#log.settle(plan);
    return pending.then(() => this.#log.settle(plan));
  }

  #head(bounds: LogBounds): StoredRecord {
    const hasMetadata = this.#hasMetadata;
    const hasSnapshot = this.#hasSnapshot;
    return { name: 'head', bytes: encodeHead({ ...bounds, hasMetadata, hasSnapshot }) };
  }

  read(from: number, through: number, maxBytes: number): readonly Entry[] {
    const entries: Entry[] = [];
    let left = maxBytes;
    for (const block of this.#log.blocks(from, through)) {
      const reader = new RecordReader(block.bytes);
      for (let index = block.first; index <= Math.min(block.last, through); index++) {
        if (index < from) {
          readingRecord('entry', () => reader.skip(), index);
          continue;
        }
        const length = readingRecord('entry', () => reader.nextLength, index);
        left -= length - RECORD_OVERHEAD_BYTES;
        if (left < 0 && entries.length > 0) return entries;
        entries.push(nextEntry(reader, index));
      }
    }
    return entries;
  }

  putChunk(id: number, position: number, data: Uint8Array): void | Promise<void> {
    return this.#medium.putChunk(id, position, encodeChunk(id, position, data));
  }

  commitSnapshot(snapshot: StoredSnapshot): void | Promise<void> {
    this.#hasSnapshot = true;
    const record: StoredRecord = { name: 'snapshot', bytes: encodeStoredSnapshot(snapshot) };
    const records = [record, this.#head(this.#log.bounds)];
    return this.#medium.commit({ records, removed: [], added: [] });
  }

  readChunk(id: number, position: number): Uint8Array {
    const bytes = this.#medium.readChunk(id, position);
    if (bytes === undefined) {
      throw corruptData('snapshot', `chunk ${position} is missing`);
    }
    return decodeChunk(id, position, bytes);
  }

  deleteChunks(id: number): void | Promise<void> {
    return this.#medium.deleteChunks(id);
  }

  close(): void | Promise<void> {
    return this.#medium.close();
  }

  destroy(): void | Promise<void> {
    return this.#medium.destroy();
  }
}
