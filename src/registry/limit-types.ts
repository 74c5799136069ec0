/**
 * Limits that `apply` enforces, so they are part of the replicated state: those in force are what
 * the log said last. A cluster's are changed by stopping all its nodes and starting all with the
 * new ones.
 */
export interface RegistryLimits {
  /** Also of a lock's name; the queue keys made from it are longer by `/` and 16 digits. */
  readonly maxKeyBytes: number;
  /** Of one key's value. */
  readonly maxValueBytes: number;
  /** Of a label, a reason, a node's name, and the metadata of a session or a lock. */
  readonly maxLabelBytes: number;
  /** Open at once; one more is refused as `overloaded`. */
  readonly maxSessions: number;
  /** Edges and unacknowledged notices of one session; one more is refused as `overloaded`. */
  readonly maxSessionEdges: number;
  /**
   * Entries and edges of one table, since all of them may have to go in one revision: at the
   * default that is some tenths of a second on every replica.
   */
  readonly maxTableRecords: number;
  /** Of one map, since all of them may have to go in one revision. */
  readonly maxMapEntries: number;
  readonly minSessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  /** Of a key. */
  readonly maxTtlMs: number;
  /** How long an expired holder may keep others out. */
  readonly maxLockDelayMs: number;
  /** Hash trees stay locked, and history is kept for them, so long after lock or update at most. */
  readonly maxTreeLockMs: number;
  /** Compares and operations of a transaction together, nested ones and both branches included. */
  readonly maxTxnOps: number;
  /** Transactions within each other, the outermost included. */
  readonly maxTxnDepth: number;
  /** Keys that one transaction may delete by ranges. */
  readonly maxTxnDeletes: number;
  /**
   * Live keys, and deleted ones that history tells of, that a transaction's compares of ranges,
   * range deletes and sorted, filtered or counting ranges may visit together.
   */
  readonly maxTxnScanned: number;
  /** Keys and values a transaction may read; also what it may get back from its deletes. */
  readonly maxTxnReadBytes: number;
  /** Answers kept per session for retries; a client may have this many commands unacknowledged. */
  readonly maxWindow: number;
  /** A session whose kept answers together exceed this is refused until it acknowledges some. */
  readonly maxWindowBytes: number;
  /** History is compacted to the newest so many revisions ... */
  readonly historyRevisions: number;
  /** ... and to those younger than this, in cluster time ... */
  readonly historyMs: number;
  /** ... and to the newest whose keys and values are together no more than this. */
  readonly historyBytes: number;
}
