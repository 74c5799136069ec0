/** Whether all replicas hold the same, and what to do about one that does not. */
import type { CallOptions, Duration } from './key-types.ts';

export interface VerifyProgress {
  /** Waiting for the trees' lock; hashing; comparing those that differ. */
  readonly step: 'locking' | 'hashing' | 'comparing';
  /** Members whose tree is ready, and all. */
  readonly ready: number;
  readonly members: number;
}

export interface VerifyOptions {
  /**
   * Compare the trees as they were kept up to date by writes, where they are built. By default
   * every member reads all it stores, which also finds data that changed without a write.
   */
  readonly quick?: boolean;
  /** How long members may take; one minute by default. Who takes longer is `behind`. */
  readonly timeout?: Duration;
  /** Differences to name for each member, 100 by default. */
  readonly maxDifferences?: number;
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ReplicaDifference {
  /** As text; bytes that are not UTF-8 show as U+FFFD, see `keyBytes`. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** For people: a key's name, or what a reserved key stands for. */
  readonly name: string;
  /** Seen from this member: a key it lacks, one it should not have, one with other contents. */
  readonly kind: 'missing' | 'extra' | 'different';
}

export interface VerifiedMember {
  readonly id: string;
  /**
   * - `equal`: the same as the majority, or as everyone who could be compared;
   * - `diverged`: not the same; without a majority nobody can say who is right, and all who were
   *   compared are called so;
   * - `behind`: it did not reach the log index in time, or cannot say what it held there;
   * - `unreachable`.
   */
  readonly state: 'equal' | 'diverged' | 'unreachable' | 'behind';
  /** The hash of all it holds; undefined when it could not be compared. */
  readonly root: string | undefined;
  readonly revision: number | undefined;
  /** The first of them, against the majority (without one: against `reference`). */
  readonly differences: readonly ReplicaDifference[];
  /** How many keys differ; counted to 10,000. */
  readonly differing: number;
  /** There are more than `differences` shows. */
  readonly more: boolean;
  /** What else is to be said, for people. */
  readonly note: string;
}

export interface Verification {
  /** The log index, and the revision, at which all were compared. */
  readonly index: number;
  readonly revision: number;
  /** How many keys were compared, reserved ones and sessions included. */
  readonly keys: number;
  readonly members: readonly VerifiedMember[];
  /** Whether any two replicas differ. */
  readonly diverged: boolean;
  /** More than half of all voters hold the same. Without it nobody can be called wrong. */
  readonly majority: boolean;
  /** Id of the member the others' differences are named against. */
  readonly reference: string;
}

/** The care of replicas, for operators. */
export interface ReplicaCare {
  /**
   * Compares all replicas at one log index, while writes go on: who differs from the majority, and
   * in which keys. It holds the lock of the hash trees meanwhile. Rejects with `locked` when
   * another comparison keeps it all the time.
   * @example
   * const { diverged, members } = await client.verify();
   */
  verify(options?: VerifyOptions): Promise<Verification>;
  /**
   * Takes a member out of use without stopping it: it refuses clients with `quarantined`, hands
   * leadership over and does not campaign. It goes on receiving the log, and voting. Ends with
   * `endQuarantine`, with `reinstall`, and with its process.
   */
  quarantine(id: string, options?: CallOptions): Promise<void>;
  endQuarantine(id: string, options?: CallOptions): Promise<void>;
  /**
   * Throws away what a member stores and has the leader fill it again; resolves when it takes part
   * as before (`timeout`: one minute by default). A voter stands down first, so that nothing
   * acknowledged depends on it. Refused with `membership-refused` while another voter is out of
   * reach, or another member is being installed.
   */
  reinstall(id: string, options?: CallOptions): Promise<void>;
}
