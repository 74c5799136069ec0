/**
 * The runtime's public face, and everything it takes from outside (so that a simulation can give
 * it).
 */
import type { HoldfastError } from '../base/index.ts';
import type { LogStore } from '../log-store/index.ts';
import type { Member, Membership, NodeId, Role } from '../raft/index.ts';
import type { Transport } from '../transport/index.ts';
import type { StateMachine } from './state-machine.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Time, chance and scheduling. The node touches none of these except through here. */
export interface Environment {
  /**
   * Monotonic, in ms with fractions; counts while the process sleeps as far as the platform can.
   */
  now(): number;
  /** Calls once, not before `delayMs`; returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /**
   * Calls after everything that has already arrived in this turn of the event loop was handed in.
   */
  defer(callback: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
  /** A new unguessable identity, for a store or the like. */
  newId(): string;
  log(level: LogLevel, line: string): void;
}

/**
 * Every limit and pace of a node. Units are in the names; `defaultSettings` has the defaults. Give
 * those of snapshots the same values on all nodes: only equal snapshots can be sent on by another.
 */
export interface NodeSettings {
  /** One raft tick: the grain of every raft timeout. */
  readonly tickMs: number;
  /** A follower campaigns after this long to twice this long without a leader. */
  readonly electionTimeoutMs: number;
  /** A leader that has nothing to send says so this often. At least `tickMs`. */
  readonly heartbeatMs: number;
  /** Bytes of one append message. */
  readonly maxAppendBytes: number;
  /** Append messages on their way to one follower, unanswered. */
  readonly maxInflightMessages: number;
  /** Bytes of entries on their way to one follower, unanswered. */
  readonly maxInflightBytes: number;
  /** Bytes of commands in a leader's log that are not committed; more wait until some are. */
  readonly maxUncommittedBytes: number;
  /** Bytes of durable, applied entries kept in memory for followers that are a little behind. */
  readonly maxCachedBytes: number;
  /** Commands waiting in this node, proposed or not; one more is answered `overloaded`. */
  readonly maxPendingCommands: number;
  /** Bytes of those commands; beyond it `overloaded`. */
  readonly maxPendingBytes: number;
  /** Reads waiting in this node; one more is answered `overloaded`. */
  readonly maxPendingReads: number;
  /** A longer command is `too-large`. */
  readonly maxCommandBytes: number;
  /** A durable write that takes longer makes a leader hand over; see `disk-health.ts`. */
  readonly slowWriteMs: number;
  /**
   * A snapshot point every so many entries, or bytes of them, whichever comes first; later when
   * the state is large (`StateMachine.snapshotBytes`): see `snapshot-points.ts`.
   */
  readonly snapshotEveryEntries: number;
  readonly snapshotEveryBytes: number;
  /** Entries kept before a snapshot for followers that are a little behind. */
  readonly trailingEntries: number;
  /** Bytes of a snapshot sent in one message. */
  readonly snapshotChunkBytes: number;
  /** Default patience of proposals and reads. */
  readonly requestTimeoutMs: number;
  /** Check the invariants of the core after every step: for tests, it costs time. */
  readonly checkInvariants: boolean;
}

export interface NodeOptions {
  readonly id: NodeId;
  /** Both ends of every connection must agree on it. */
  readonly clusterName: string;
  /** Where others reach this node. */
  readonly address: string;
  /** Founding members with addresses, this node included; empty to join a cluster that exists. */
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine;
  readonly environment: Environment;
  readonly settings: NodeSettings;
  /** Called after each batch of applied entries and after a restore, for whoever feeds watchers. */
  readonly onApplied?: (appliedIndex: number) => void;
  /** The leader this node knows is another one, or none any more: see `status()`. */
  readonly onLeaderChanged?: () => void;
  /** The node cannot go on (broken invariant, failed restore): it has stopped itself. */
  readonly onFatal?: (error: HoldfastError) => void;
}

export type Consistency =
  /** Confirmed by a quorum round begun after the call. */
  | 'linearizable'
  /** Served by the leader while its lease holds, confirmed like `linearizable` otherwise. */
  | 'lease'
  /** This node's state as it is; may be old. */
  | 'local';

export type Answer =
  | { readonly type: 'ok'; readonly payload: Uint8Array }
  | { readonly type: 'error'; readonly error: HoldfastError };

export interface CallOptions {
  readonly timeoutMs?: number;
}

export interface NodeStatus {
  readonly id: NodeId;
  readonly address: string;
  readonly role: Role | 'joining' | 'stopped';
  readonly term: number;
  readonly leader: NodeId | undefined;
  readonly leaderAddress: string | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly clusterTime: number;
  readonly clusterId: string;
  readonly storeId: string;
  readonly store: string;
  readonly membership: Membership | undefined;
  /** Whom this leader is handing leadership to. */
  readonly transferTo: NodeId | undefined;
  /** Why this node sits out elections, or undefined when it does not. */
  readonly unhealthy: string | undefined;
  readonly pendingCommands: number;
}

export type MembershipChange =
  /** Joins as a learner; becomes a voter by itself once caught up when `promote`. */
  | {
      readonly type: 'add';
      readonly id: NodeId;
      readonly address: string;
      readonly promote: boolean;
    }
  | { readonly type: 'promote'; readonly id: NodeId }
  | { readonly type: 'demote'; readonly id: NodeId }
  | { readonly type: 'remove'; readonly id: NodeId }
  /**
   * Makes a voter a learner whose store is to be given up: only while every other voter can be
   * reached, for one member at a time, and not for the leader. It votes again, by itself, once it
   * was filled on another store.
   */
  | { readonly type: 'standDown'; readonly id: NodeId }
  /**
   * What this store of a learner says counts no more, whether it is the one on record or not yet;
   * the next store it shows up with does.
   */
  | { readonly type: 'giveUpStore'; readonly id: NodeId; readonly storeId: string };

/**
 * One member of a cluster. Any member takes any call: what only the leader can do is forwarded.
 * Callbacks are called exactly once, never before the call returned.
 */
export interface RaftNode {
  readonly id: NodeId;
  /**
   * Opens the store, listens, founds or joins. Resolves when it takes part; not yet when it has a
   * leader.
   */
  start(): Promise<void>;
  /** Replicates one command. The answer is the state machine's result, durable on a majority. */
  propose(command: Uint8Array, done: (answer: Answer) => void, options?: CallOptions): void;
  /** Calls `done` with undefined once the local state is fresh enough to answer a read. */
  readBarrier(
    consistency: Consistency,
    done: (error: HoldfastError | undefined) => void,
    options?: CallOptions,
  ): void;
  /** Asks the leader's `LeaderSide`, after its leadership was confirmed. */
  leaderQuery(request: Uint8Array, done: (answer: Answer) => void, options?: CallOptions): void;
  changeMembership(change: MembershipChange, options?: CallOptions): Promise<void>;
  /** Hands leadership to `to`, or to the best follower. */
  transfer(to: NodeId | undefined, options?: CallOptions): Promise<void>;
  /**
   * Gives leadership up and does not campaign, for this reason, until called with undefined. Goes
   * with the process.
   */
  sitOut(reason: string | undefined): void;
  status(): NodeStatus;
  /** The state machine's applied position, cheap. */
  readonly appliedIndex: number;
  /**
   * Resolves when there is a leader this node knows, rejects with `no-leader` after the timeout.
   */
  waitForLeader(options?: CallOptions): Promise<NodeId>;
  /** Hands leadership over first, lets what is under way finish, closes everything. Idempotent. */
  stop(): Promise<void>;
}

export type { Member, Membership, NodeId, Role };
