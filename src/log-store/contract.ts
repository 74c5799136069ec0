/**
 * The contract between a node and its disk. A store belongs to one node; `holdfast/conformance`
 * checks an implementation against every rule below.
 */
import type {
  Entry,
  LogIndex,
  Membership,
  Metadata,
  SnapshotMeta,
  Term,
  TermRun,
} from '../raft/index.ts';

export interface OpenOptions {
  /** Written once as the store's identity when it is new; an existing store keeps its own. */
  readonly newStoreId: string;
}

/** What `open` found, and what it mended. */
export interface RecoveredLog {
  readonly storeId: string;
  readonly metadata: Metadata;
  /** First index held; `lastIndex + 1` when there are no entries. */
  readonly firstIndex: LogIndex;
  /** Last index held, or the snapshot's index when there are no entries. */
  readonly lastIndex: LogIndex;
  /** Cluster time of the last entry, or of the snapshot. */
  readonly lastTime: number;
  readonly snapshot: SnapshotMeta | undefined;
  /** Runs of equal terms over the entries held. */
  readonly termRuns: readonly TermRun[];
  readonly membershipEntries: readonly Entry[];
  /**
   * One sentence for each thing repaired (a torn tail dropped, a log older than its snapshot
   * discarded).
   */
  readonly repaired: readonly string[];
}

/**
 * Applied in the order of the fields, atomically: after a crash all of it is there or none.
 * Refused (and nothing changed) when entries leave a gap, start at or below the compacted prefix,
 * or when `compactThrough` is beyond the current snapshot.
 */
export interface WriteBatch {
  readonly metadata?: Metadata | undefined;
  /** Drop this index and all after it. Beyond the end: nothing to drop. */
  readonly truncateFrom?: LogIndex | undefined;
  /** Consecutive, starting right after the last index. */
  readonly entries?: readonly Entry[] | undefined;
  /** Drop this index and all before it; at or beyond the last entry the log is left empty. */
  readonly compactThrough?: LogIndex | undefined;
}

/** A durable snapshot. Stays readable until closed, even when a newer one is saved meanwhile. */
export interface SnapshotReader {
  readonly meta: SnapshotMeta;
  /** In bytes. */
  readonly size: number;
  /**
   * Bytes from `offset`, fewer than `length` only at the end. Rejects with the offset when they are
   * damaged.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface LogDump {
  readonly storeId: string;
  readonly metadata: Metadata;
  readonly snapshot: SnapshotMeta | undefined;
  readonly entries: readonly Entry[];
}

/** `index`: of the damaged entry, when the damage is in one. */
export interface CorruptionDetails {
  readonly record: 'entry' | 'metadata' | 'snapshot' | 'identity';
  readonly index?: LogIndex;
}

export interface LogStore {
  /** Short name for status and messages: `sqlite`, `level`, `memory`, or your own. */
  readonly kind: string;

  /**
   * Opens or creates, verifies every record's checksum and recovers. Damage inside the log is
   * reported with its index, never taken for the end of the log; only a torn tail that was never
   * acknowledged may be dropped. Rejects with `data-in-use` when another process has it open.
   * When the log does not hold the snapshot's index with the snapshot's term, the snapshot is newer
   * than the log and the log is discarded (paper section 7).
   */
  open(options: OpenOptions): Promise<RecoveredLog>;

  /**
   * Atomic, and durable when it resolves. Calls are serialised in the order they are made. After a
   * failure the store is poisoned: every later write rejects until it is opened anew.
   */
  write(batch: WriteBatch): Promise<void>;

  /** `write({ entries })`; resolves to the last index. No entries: nothing happens. */
  storeEntries(entries: readonly Entry[]): Promise<LogIndex>;
  storeMetadata(metadata: Metadata): Promise<void>;
  /** Inclusive; only a prefix (compaction) or a suffix (truncation) of the log may go. */
  deleteRange(from: LogIndex, through: LogIndex): Promise<void>;

  getEntry(index: LogIndex): Promise<Entry | undefined>;
  /**
   * Entries `from` to `through` inclusive, cut when their data passes `maxBytes`, but never before
   * the first one. Rejects with `compacted` when `from` is no longer held, and with
   * `invalid-argument` when the range reaches past the end.
   */
  slice(from: LogIndex, through: LogIndex, maxBytes: number): Promise<readonly Entry[]>;
  /** Undefined when no entry is held. */
  lastEntry(): Promise<Entry | undefined>;
  /** As of the last resolved write: the last entry's index, else the snapshot's, else 0. */
  lastIndex(): LogIndex;
  firstIndex(): LogIndex;
  /** Whether anything was ever written: entries, metadata or a snapshot. */
  hasData(): boolean;
  getMetadata(): Metadata;

  /**
   * Makes a snapshot durable and current, replacing the one before. Crash-atomic: until it resolves
   * the earlier snapshot stays in force. The log is not touched. Writes may go on meanwhile. When
   * `chunks` throws, nothing remains of it and the call rejects with that error. Refuses a snapshot
   * older than the current one.
   */
  saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The current snapshot, or undefined. */
  openSnapshot(): Promise<SnapshotReader | undefined>;

  /** Everything readable, for debugging. */
  dump(): Promise<LogDump>;
  /** Idempotent; waits for what is under way. Later calls of anything else reject with `closed`. */
  close(): Promise<void>;
  /** Removes what the store created and nothing else. Refuses while open. */
  destroy(): Promise<void>;
}

export type { Entry, LogIndex, Membership, Metadata, SnapshotMeta, Term, TermRun };
