/**
 * What is known about a write when its call fails.
 * - `not-applied`: it certainly has no effect, now or later; retrying is safe.
 * - `unknown`: it may have been applied, or may still be.
 */
export type Outcome = 'not-applied' | 'unknown';

/** Every code a `HoldfastError` can carry. Codes are stable; messages are for people. */
export type ErrorCode =
  // the cluster cannot serve now
  | 'no-quorum'
  | 'not-leader'
  | 'no-leader'
  | 'overloaded'
  | 'transferring'
  | 'stopped'
  | 'timeout'
  | 'aborted'
  | 'connection-lost'
  | 'disk-failed'
  | 'disk-full'
  // the request is refused by the state
  | 'locked'
  | 'lock-conflict'
  | 'not-held'
  | 'not-built'
  | 'not-found'
  | 'session-expired'
  | 'compacted'
  | 'overrun'
  | 'sequence-too-old'
  | 'membership-refused'
  | 'quarantined'
  | 'lock-timeout'
  | 'no-such-table'
  | 'no-such-map'
  | 'map-conflict'
  // the request itself is wrong
  | 'invalid-argument'
  | 'invalid-key'
  | 'invalid-value'
  | 'invalid-command'
  | 'too-large'
  // the installation is wrong
  | 'wrong-cluster'
  | 'wrong-version'
  | 'wrong-certificate'
  | 'configuration-mismatch'
  | 'address-in-use'
  | 'data-directory'
  | 'data-in-use'
  | 'corrupt-data'
  | 'wiped-node'
  | 'removed-node'
  | 'closed'
  | 'internal';

/** One rule that a value breaks; zod's issues have this shape, and more. */
export interface ValueIssue {
  /** Where in the value: names and positions, outermost first; empty for the whole. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface HoldfastErrorOptions {
  /** Defaults to `not-applied`. */
  readonly outcome?: Outcome;
  /** Address or id of the node that leads, when known. */
  readonly leader?: string;
  /** First revision a new watch can start at, after `compacted` or `overrun`. */
  readonly resumeFrom?: number;
  /** Every rule that a value breaks, after `invalid-value`. */
  readonly issues?: readonly ValueIssue[];
  readonly cause?: unknown;
}

/** The one error type of the public API. `message` names the rule broken and what to do. */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly leader: string | undefined;
  readonly resumeFrom: number | undefined;
  readonly issues: readonly ValueIssue[] | undefined;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoldfastError';
    this.code = code;
    this.outcome = options.outcome ?? 'not-applied';
    this.leader = options.leader;
    this.resumeFrom = options.resumeFrom;
    this.issues = options.issues;
  }
}
