/**
 * What is left of a log store once `BackedLogStore` has checked arguments, ordered writes and
 * decided on recovery: the few steps that touch the medium. A backend may trust its caller.
 */
import type { Entry, Metadata } from '../raft/index.ts';
import type { StoredSnapshot } from './record-codec.ts';

/** What a backend found when it was opened. */
export interface StoredState {
  readonly storeId: string;
  /** Undefined when none was ever written. */
  readonly metadata: Metadata | undefined;
  /** The current snapshot. */
  readonly snapshot: StoredSnapshot | undefined;
  /** Above the id of every snapshot of which any chunk is left. */
  readonly nextSnapshotId: number;
  /** One sentence for each thing dropped or mended. */
  readonly repaired: readonly string[];
}

/**
 * A write whose parts were found to fit the log. Applied in the order of the fields, atomically and
 * durably. What is not asked for is undefined or empty.
 */
export interface LogChange {
  readonly metadata: Metadata | undefined;
  /** An index held: it and all after it go. */
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
  /** An index held, or just appended: it and all before it go. */
  readonly compactThrough: number | undefined;
}

/**
 * Commits never overlap. While one is under way reads may come (unless it removes entries), and so
 * may chunks of snapshots: those of one snapshot one after another, of two at once. Failures are
 * thrown as `HoldfastError`: `disk-full`, `disk-failed`, `corrupt-data`, `data-in-use`,
 * `data-directory`; a commit may also throw the system's own error as it is. A step that is done
 * when it returns returns undefined instead of a promise, and the write above it is done in the
 * same tick.
 */
export interface LogBackend {
  readonly kind: string;
  /**
   * Takes the medium for this process alone, creates or checks what is there, verifies every
   * record, and shows each entry to `visit`, oldest first and without a gap. When it throws,
   * `close` is called.
   */
  open(newStoreId: string, visit: (entry: Entry) => void): StoredState | Promise<StoredState>;
  commit(change: LogChange): void | Promise<void>;
  /**
   * Entries from an index held through another, verified: at least one, then as many as fit into
   * `maxBytes` of data.
   */
  read(from: number, through: number, maxBytes: number): readonly Entry[];
  /**
   * Keeps one chunk of a snapshot that is not yet current. The bytes are not used by anyone else.
   */
  putChunk(id: number, position: number, data: Uint8Array): void | Promise<void>;
  /** Makes a snapshot current, with all its chunks, atomically and durably. */
  commitSnapshot(snapshot: StoredSnapshot): void | Promise<void>;
  /** The data of a chunk that was put, verified. */
  readChunk(id: number, position: number): Uint8Array;
  /** Drops the chunks of a snapshot that is not current; need not be durable. */
  deleteChunks(id: number): void | Promise<void>;
  /** Lets the medium go. Idempotent. */
  close(): void | Promise<void>;
  /** Removes what the backend created; called while closed. */
  destroy(): void | Promise<void>;
}
