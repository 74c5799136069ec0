import { WATCH_WINDOW_BYTES } from '../protocol/index.ts';

/** What one client may ask for at once, and what it costs at most. */
export interface ServiceLimits {
  /** Requests of one client without a final response, watches aside; one more is `overloaded`. */
  readonly maxRequestsInFlight: number;
  /** Watches of one client, and its waits for locks. */
  readonly maxWatchesPerClient: number;
  /** Longest command, in bytes, header included. */
  readonly maxCommandBytes: number;
  /** Longest query, in bytes. */
  readonly maxQueryBytes: number;
  /** Longest frame of a client's stream, either way. */
  readonly maxFrameBytes: number;
  /** From so many bytes waiting for a client on, nothing more is read from it until they left. */
  readonly pauseOutputBytes: number;
  /** A client that lets so many bytes of answers wait is disconnected. */
  readonly maxOutputBytes: number;
  /** Bytes of events or of a backup that are sent before the client grants credit. */
  readonly watchWindowBytes: number;
  /** About the bytes of one message of events, and of one step through history. */
  readonly watchSliceBytes: number;
  /** Watches that see no events are told their progress every so many revisions. */
  readonly watchMarkRevisions: number;
  /** Backups taken from this node at once; one more is `overloaded`. */
  readonly maxBackups: number;
  /** A backup that is not read for so long is given up, after twice this at the latest. */
  readonly backupStallMs: number;
  /**
   * A backup is given up when so many bytes changed (about) before all of it was read, since the
   * node keeps what it replaces until then.
   */
  readonly maxBackupGrowthBytes: number;
}

const MIB = 1_048_576;

export const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  maxRequestsInFlight: 16_384,
  maxWatchesPerClient: 16_384,
  maxCommandBytes: 2 * MIB,
  maxQueryBytes: MIB,
  maxFrameBytes: 16 * MIB,
  pauseOutputBytes: 4 * MIB,
  maxOutputBytes: 64 * MIB,
  watchWindowBytes: WATCH_WINDOW_BYTES,
  watchSliceBytes: 262_144,
  watchMarkRevisions: 10_000,
  maxBackups: 2,
  backupStallMs: 30_000,
  maxBackupGrowthBytes: 512 * MIB,
};
