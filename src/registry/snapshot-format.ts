/**
 * A snapshot is a sequence of blocks, cut into chunks anywhere:
 *
 *   u32 mark · u32 payload length · u32 CRC-32 of the payload · payload
 *
 * A payload is a sequence of whole items: a tag and fields. In order: one `meta`; the sessions,
 * each followed by its answers; the keys as of the compact revision, in key order; the revisions
 * after it, each followed by its changes; one `end`. The rest of the state is derived from these.
 * Nothing depends on how the state came about, so equal states have equal bytes.
 */
export const SNAPSHOT_VERSION = 5;

/** Begins each block, so that what is no snapshot is noticed at once. */
export const BLOCK_MARK = 0x5246_4c48;
export const BLOCK_HEADER_BYTES = 12;
/** A block is closed once its payload reaches this: it is made in one go, while puts wait. */
export const BLOCK_BYTES: number = 16 * 1024;
/** Chunks are no longer than this. */
export const CHUNK_BYTES: number = 256 * 1024;

/** In snapshots on disk: numbers are added, never changed. */
export const ItemTag = {
  /** Format version, revision, compact revision, cluster time, the limits in force. */
  meta: 1,
  /** Id, TTL, label, metadata, opening time, trapping of exits, sequence number acknowledged. */
  session: 2,
  /** Sequence number, encoded result; of the last session. */
  answer: 3,
  /** A record. */
  key: 4,
  /** Number of changes. */
  revision: 5,
  /** A record; of the last revision. */
  put: 6,
  /** Number of the cause, a record; of the last revision. */
  delete: 7,
  /** Number of blocks before this one, and the CRC-32 over their CRCs. */
  end: 8,
} as const;
