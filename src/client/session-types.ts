import type { CallOptions, Duration, Value } from './key-types.ts';

export interface SessionOptions extends CallOptions {
  /** How long it outlives its last renewal; the registry's `sessionTtl` by default. */
  readonly ttl?: Duration;
  /** Shown to operators who list sessions. */
  readonly label?: string;
  readonly metadata?: Value;
  /** Renew in the background until closed; true by default. */
  readonly keepAlive?: boolean;
  /**
   * What a table tells it of the end of an entry it is linked to: with `true` a notice to be read;
   * with `false`, the default, the session is closed and what it owns goes. Its `signal` aborts
   * with the next renewal or write, a third of the TTL later at the latest.
   */
  readonly trapExits?: boolean;
}
/** A lease on everything it owns: keys put as `ephemeral` and locks go when it ends. */
export interface Session extends AsyncDisposable {
  readonly id: number;
  readonly ttlMs: number;
  /**
   * Aborts once the session may have expired, judged by the monotonic clock from the last renewal
   * sent.
   */
  readonly signal: AbortSignal;
  /** Renews now. Rejects with `session-expired` when it is gone. */
  keepAlive(options?: CallOptions): Promise<void>;
  /** Idempotent; releases everything it owns. */
  close(options?: CallOptions): Promise<void>;
}
export interface SessionDetails {
  readonly id: number;
  readonly ttlMs: number;
  readonly label: string;
  /** Cluster time in ms. */
  readonly openedAt: number;
  readonly trapExits: boolean;
  /** How many keys live with it, its places in the queues of locks included. */
  readonly keys: number;
}
