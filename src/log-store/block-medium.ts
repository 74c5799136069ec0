/**
 * The steps a medium that keeps bytes under keys must offer: SQLite rows, LevelDB keys, or files.
 * `BlockBackend` makes a log of them.
 */

/** The single records, each replaced as a whole. */
export type RecordName = 'identity' | 'metadata' | 'head' | 'snapshot';

export interface StoredRecord {
  readonly name: RecordName;
  readonly bytes: Uint8Array;
}

/** Entries that lie one after another, stored as one value under the index of the first. */
export interface Block {
  readonly first: number;
  readonly last: number;
  readonly bytes: Uint8Array;
}

/** A run of blocks: all there are from one key through another, inclusive. */
export interface KeyRange {
  readonly from: number;
  readonly through: number;
  /** Each of them, for a medium that cannot remove a range. Never empty. */
  readonly keys: readonly number[];
}

/** One atomic durable write, in the order of the fields. */
export interface BlockChange {
  readonly records: readonly StoredRecord[];
  readonly removed: readonly KeyRange[];
  readonly added: readonly Block[];
}

/**
 * Errors as in `LogBackend`, and which calls may overlap: none for a medium that is done when it
 * returns, which then returns undefined instead of a promise. Every value carries a checksum of its
 * own, so a medium need not notice damage to one, only serve it or throw.
 */
export interface BlockMedium {
  readonly kind: string;
  /**
   * Takes the medium for this process, creating it when it is new: then the `identity` record is
   * durable before anything else can be. Returns one sentence for each thing dropped or mended.
   */
  open(identity: Uint8Array): readonly string[] | Promise<readonly string[]>;
  getRecord(name: RecordName): Uint8Array | undefined;
  /** Shows every block, lowest key first. */
  scanBlocks(visit: (first: number, bytes: Uint8Array) => void): void | Promise<void>;
  readBlock(first: number): Uint8Array | undefined;
  /** All of it or nothing, whatever happens; durable when it is over. */
  commit(change: BlockChange): void | Promise<void>;
  /** Every snapshot id of which a chunk is stored. */
  snapshotIds(): readonly number[] | Promise<readonly number[]>;
  /**
   * Chunk number `position`, from 0, of a snapshot in the making. Durable no later than the next
   * `commit`, which may be the one that makes the snapshot current.
   */
  putChunk(id: number, position: number, bytes: Uint8Array): void | Promise<void>;
  readChunk(id: number, position: number): Uint8Array | undefined;
  deleteChunks(id: number): void | Promise<void>;
  close(): void | Promise<void>;
  /**
   * Removes what the medium made and nothing else. Throws `data-in-use` while any process has it.
   */
  destroy(): void | Promise<void>;
}
