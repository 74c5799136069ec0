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
 * Errors and calls as in `LogBackend`: no overlap but for reads, and undefined instead of a
 * promise.
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
  commit(change: BlockChange): void | Promise<void>;
  /** Every snapshot id of which a chunk is stored. */
  snapshotIds(): readonly number[] | Promise<readonly number[]>;
  putChunk(id: number, position: number, bytes: Uint8Array): void | Promise<void>;
  readChunk(id: number, position: number): Uint8Array | undefined;
  deleteChunks(id: number): void | Promise<void>;
  close(): void | Promise<void>;
  destroy(): void | Promise<void>;
}
