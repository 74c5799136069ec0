/** Leader election as applications see it: a lock, and a key of the same name with what is told. */
import type {
  LockOptions,
  LockRef,
  ReadOptions,
  Value,
  CallOptions,
  Duration,
} from './registry.ts';

export interface CampaignOptions extends Omit<LockOptions, 'mode' | 'limit' | 'permits'> {
  /** TTL of the session that campaigns, when it is opened for this call. */
  readonly ttl?: Duration;
}

/** Who leads, and what it has proclaimed last. */
export interface ElectionLeader extends LockRef {
  readonly value: Uint8Array;
  /** Of the proclamation. */
  readonly revision: number;
  /** The value as UTF-8 text. */
  text(): string;
}

export type ElectionEvent =
  /** Another leads than before, or again after a vacancy. */
  | { readonly type: 'elected'; readonly leader: ElectionLeader }
  /** The same leader has something else to say. */
  | { readonly type: 'proclaimed'; readonly leader: ElectionLeader }
  /** Nobody leads: the leader resigned, or its session ended. */
  | { readonly type: 'vacant'; readonly revision: number };

export interface ObserveOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/** Won by campaigning; ends by `resign`, with its session, or by an operator's break. */
export interface Leadership extends AsyncDisposable {
  readonly name: string;
  readonly session: number;
  /** Grows from leader to leader: what they write to must refuse smaller ones than it has seen. */
  readonly token: number;
  /** Aborts before another can lead; nothing may be done as a leader afterwards. */
  readonly signal: AbortSignal;
  /** Replaces what this leader says. Rejects with `not-held` or `locked` when it leads no more. */
  proclaim(value: Value, options?: CallOptions): Promise<void>;
  /** Steps down; the next in line leads. Idempotent. */
  resign(options?: CallOptions): Promise<void>;
}

/**
 * One office that one at a time holds. Candidates stand in the queue of the lock of this name; the
 * one that holds it leads, and tells so in the key of this name, which goes with its session.
 */
export interface Election {
  /**
   * Waits to lead (see `lock` for `try`, `wait` and `signal`), in a session of its own unless one
   * is given, and proclaims `value`.
   */
  campaign(value: Value, options?: CampaignOptions): Promise<Leadership>;
  /** Undefined when nobody leads, or whoever does has said nothing yet. */
  leader(options?: ReadOptions): Promise<ElectionLeader | undefined>;
  /**
   * The present leader, if any, then every proclamation and vacancy in order. When history no
   * longer reaches back, goes on with the leader of then.
   */
  observe(options?: ObserveOptions): AsyncIterable<ElectionEvent>;
}
