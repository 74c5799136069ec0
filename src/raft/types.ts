/** The vocabulary of the consensus core: what goes in, what comes out, what is remembered. */
import type { Brand } from '../base/index.ts';

export type Term = Brand<number, 'Term'>;
/** Position in the log, from 1; 0 is "before the first entry". */
export type LogIndex = Brand<number, 'LogIndex'>;
export type NodeId = Brand<string, 'NodeId'>;
/** Names one durable write; tokens grow by one and complete in order. */
export type PersistToken = Brand<number, 'PersistToken'>;

/**
 * - `command`: bytes for the state machine.
 * - `noop`: the entry a new leader appends so that its term can commit (paper section 8).
 * - `membership`: an encoded `Membership`, in force as soon as it is in the log (section 6).
 */
export type EntryType = 'command' | 'noop' | 'membership';

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  /** Cluster time in ms, stamped by the leader; never below that of the entry before it. */
  readonly time: number;
  readonly type: EntryType;
  /** Once it is recorded, a view of its record: what it came in is let go. */
  data: Uint8Array;
  /**
   * The same view as `data` once that lies where the entry codec put it: within the entry's
   * encoding, checksum included, so that it is encoded once and the same bytes are sent and stored.
   * Anything else: not encoded yet, so a copy of the entry with other data is not taken for
   * encoded. The core never reads it.
   */
  recorded: Uint8Array | undefined;
}

/** One node of the cluster as the membership knows it. */
export interface Member {
  /** Where peers and clients reach it, `host:port`. Opaque to the core. */
  readonly address: string;
  /** Identity of the member's disk; '' until known. A node with another one was wiped. */
  readonly storeId: string;
  /** It is to lose its store: though promotable it stays a learner, until it has another one. */
  readonly standsDown?: boolean;
}

/**
 * Who votes (paper section 6). `outgoing` is empty except during joint consensus, when every
 * decision needs a majority of `voters` and another of `outgoing`. Lists are sorted and without
 * repeats; a node may be in `learners` and `outgoing` at once (it stops voting when the joint phase
 * ends).
 */
export interface Membership {
  /** Identity of the cluster, the same for its whole life. */
  readonly clusterId: string;
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** The learners the leader makes voters by itself once they have caught up. */
  readonly promotable: readonly NodeId[];
  /** Everyone named above, and nobody else. */
  readonly members: Readonly<Record<NodeId, Member>>;
}

/** What must survive a crash besides the log. */
export interface Metadata {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
}

/** Where a snapshot stands in the log. The one at index 0 holds the founding membership only. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  /** Cluster time of the entry at `index`. */
  readonly time: number;
  /** The membership in force at `index`. */
  readonly membership: Membership;
}

/** From `first` on (until the next run) entries have this term. */
export interface TermRun {
  readonly first: LogIndex;
  readonly term: Term;
}

/** What a node recovered from its log store, as the core needs it. */
export interface RecoveredState {
  readonly metadata: Metadata;
  readonly snapshot: SnapshotMeta | undefined;
  /** Runs of equal terms over the entries after the snapshot, oldest first. */
  readonly termRuns: readonly TermRun[];
  /** The last entry's index, or the snapshot's when there is none. */
  readonly lastIndex: LogIndex;
  /** The last entry's cluster time, or the snapshot's. */
  readonly lastTime: number;
  /** First index still in the store; `lastIndex + 1` when it holds no entry. */
  readonly firstIndex: LogIndex;
  /** The membership entries after the snapshot, oldest first. */
  readonly membershipEntries: readonly Entry[];
}

interface MessageBase {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/**
 * Asks whether an election could be won, without disturbing anyone (thesis 9.6). `term` is the one
 * the candidate would take.
 */
export interface PreVoteRequest extends MessageBase {
  readonly type: 'preVoteRequest';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}
/** `term`: the term asked for when granted, the voter's own when refused. */
export interface PreVoteResponse extends MessageBase {
  readonly type: 'preVoteResponse';
  readonly granted: boolean;
}
/** RequestVote (paper section 5.2). */
export interface VoteRequest extends MessageBase {
  readonly type: 'voteRequest';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Sent by the target of a leadership transfer: a live leader is no reason to refuse. */
  readonly transfer: boolean;
}
export interface VoteResponse extends MessageBase {
  readonly type: 'voteResponse';
  readonly granted: boolean;
}
/**
 * AppendEntries (section 5.3). `round` counts the leader's broadcasts; the follower echoes it,
 * which is how ReadIndex, leases and check-quorum know what was confirmed after what.
 */
export interface AppendRequest extends MessageBase {
  readonly type: 'appendRequest';
  readonly round: number;
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly Entry[];
}
export interface AppendResponse extends MessageBase {
  readonly type: 'appendResponse';
  readonly round: number;
  /** `prevIndex` of the request answered. */
  readonly prevIndex: LogIndex;
  /**
   * `accepted`: everything up to `matchIndex` is durable and equals the leader's log.
   * `rejected`: `hintIndex` is the last index that may still match, `hintTerm` its term here
   * (fast backtracking, section 5.3).
   */
  readonly result:
    | { readonly type: 'accepted'; readonly matchIndex: LogIndex }
    | { readonly type: 'rejected'; readonly hintIndex: LogIndex; readonly hintTerm: Term };
}
/** Keeps followers following and carries `round` when nothing is to be appended. */
export interface HeartbeatRequest extends MessageBase {
  readonly type: 'heartbeatRequest';
  readonly round: number;
  /** Never above what this follower is known to hold. */
  readonly commit: LogIndex;
}
export interface HeartbeatResponse extends MessageBase {
  readonly type: 'heartbeatResponse';
  readonly round: number;
}
/** InstallSnapshot (section 7), one chunk. Chunks of one snapshot go in order. */
export interface SnapshotChunkRequest extends MessageBase {
  readonly type: 'snapshotChunkRequest';
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly last: boolean;
}
export interface SnapshotChunkResponse extends MessageBase {
  readonly type: 'snapshotChunkResponse';
  readonly snapshotIndex: LogIndex;
  /** Where to go on. A receiver that holds part of this snapshot already asks for the rest. */
  readonly nextOffset: number;
  /** The snapshot is durable and in force here (or something newer is). */
  readonly installed: boolean;
}
/** Tells the target of a transfer to campaign at once (thesis 3.10). */
export interface TimeoutNowRequest extends MessageBase {
  readonly type: 'timeoutNowRequest';
}
/** A follower asks for a read index (thesis 6.4); `context` is its own and comes back. */
export interface ReadIndexRequest extends MessageBase {
  readonly type: 'readIndexRequest';
  readonly context: number;
}
export interface ReadIndexResponse extends MessageBase {
  readonly type: 'readIndexResponse';
  readonly context: number;
  /** Undefined when refused: ask again later, or elsewhere. */
  readonly index: LogIndex | undefined;
}

export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | SnapshotChunkRequest
  | SnapshotChunkResponse
  | TimeoutNowRequest
  | ReadIndexRequest
  | ReadIndexResponse;

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/**
 * One atomic durable write. Order inside: metadata, truncate, append, compact.
 * Several may be outstanding; they must complete in the order of their tokens.
 */
export interface PersistRequest {
  readonly token: PersistToken;
  readonly metadata: Metadata | undefined;
  /** Drop this index and all after it. */
  readonly truncateFrom: LogIndex | undefined;
  readonly entries: readonly Entry[];
  /** Drop this index and all before it. */
  readonly compactThrough: LogIndex | undefined;
}

/** Entries the core needs back from the store, answered by `entriesFetched`. */
export interface FetchRequest {
  /** Whom they are for: the state machine, or a follower far behind. */
  readonly purpose: { readonly type: 'apply' } | { readonly type: 'follower'; readonly id: NodeId };
  readonly from: LogIndex;
  /** Inclusive. */
  readonly through: LogIndex;
  readonly maxBytes: number;
}

/** The leader wants this part of its newest snapshot sent as a `snapshotChunkRequest`. */
export interface SnapshotReadRequest {
  readonly to: NodeId;
  readonly term: Term;
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
}

export type ReadResult =
  /** Serve the read once everything up to `index` is applied. */
  | { readonly type: 'ready'; readonly context: number; readonly index: LogIndex }
  /** Not confirmed and never will be under this context: start over. */
  | { readonly type: 'refused'; readonly context: number };

export type RaftEvent =
  | { readonly type: 'roleChanged'; readonly role: Role; readonly term: Term }
  | { readonly type: 'leaderChanged'; readonly leader: NodeId | undefined; readonly term: Term }
  /** In force now, on append; not necessarily committed. */
  | {
      readonly type: 'membershipChanged';
      readonly membership: Membership;
      readonly index: LogIndex;
    }
  | { readonly type: 'transferEnded'; readonly to: NodeId; readonly completed: boolean };

/**
 * What the node must do after an input. The names state the order:
 * `sendNow` leaves at once; `persist` is written; what stands in `sendAfterPersist` leaves only
 * when every write issued so far, this one included, is durable. `restore` comes before
 * `committed`.
 */
export interface Output {
  readonly sendNow: readonly Message[];
  readonly persist: PersistRequest | undefined;
  readonly sendAfterPersist: readonly Message[];
  /** Replace the state machine's state with this (already durable) snapshot. */
  readonly restore: SnapshotMeta | undefined;
  /** To be applied, in order, each exactly once. Durable here as well as on a quorum. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadResult[];
  readonly fetch: readonly FetchRequest[];
  readonly snapshotReads: readonly SnapshotReadRequest[];
  /** A valid chunk arrived: stage it, then answer with `snapshotChunkStaged`. */
  readonly snapshotChunks: readonly SnapshotChunkRequest[];
  readonly events: readonly RaftEvent[];
}

export type ProposeResult =
  /**
   * The first `count` commands were appended, at `firstIndex` on; the rest would exceed the
   * uncommitted limit.
   */
  | {
      readonly type: 'appended';
      readonly firstIndex: LogIndex;
      readonly term: Term;
      readonly count: number;
    }
  | {
      readonly type: 'refused';
      readonly reason: 'notLeader' | 'transferring' | 'uncommittedLimit';
    };

/**
 * The membership to reach. Voters not among today's voters must be learners that have caught up.
 */
export interface MembershipTarget {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly promotable: readonly NodeId[];
  readonly members: Readonly<Record<NodeId, Member>>;
}

export type MembershipResult =
  | { readonly type: 'appended'; readonly index: LogIndex; readonly term: Term }
  | {
      readonly type: 'refused';
      readonly reason:
        | 'notLeader'
        /**
         * An earlier change, or the leader's first entry of this term, is not committed yet (Ongaro
         * 2015).
         */
        | 'changeInProgress'
        | 'transferring'
        | 'noVoters'
        /** A new voter is not a learner that has caught up. */
        | 'notCaughtUp'
        | 'invalid'
        | 'unchanged';
    };

export type TransferResult =
  | { readonly type: 'started' }
  | {
      readonly type: 'refused';
      readonly reason: 'notLeader' | 'notVoter' | 'transferring' | 'self';
    };

export interface RaftOptions {
  readonly id: NodeId;
  /** Identity of this node's disk, compared with the one its membership names. */
  readonly storeId: string;
  /** A follower campaigns after `electionTicks` to `2 * electionTicks - 1` ticks of silence. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly maxAppendBytes: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  readonly maxUncommittedBytes: number;
  /** Bytes of entries handed out in one `committed`. */
  readonly maxCommittedBytes: number;
  /** Bytes of durable, applied entries kept in memory for followers close behind. */
  readonly maxCachedBytes: number;
  /** Ticks a leader's lease is shortened by, for drift between clocks and for tick granularity. */
  readonly leaseMarginTicks: number;
  /**
   * For so many ticks after a start no votes are given (but to the target of a transfer), as if a
   * leader had just been heard: before it stopped, this node may have helped to hold a lease.
   * 0 unless given; `electionTicks` wherever lease reads are served.
   */
  readonly restartQuietTicks?: number;
  /** Check invariants after every input; for tests and simulation. */
  readonly checkInvariants: boolean;
}

/** What a person or a test wants to know of a node at one moment. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly leader: NodeId | undefined;
  readonly membership: Membership;
  readonly membershipIndex: LogIndex;
  readonly commitIndex: LogIndex;
  /** Handed out in `committed` so far. */
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly lastTime: number;
  readonly firstIndex: LogIndex;
  /** Durable here. */
  readonly persistedIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly uncommittedBytes: number;
  /** Undefined unless transferring. */
  readonly transferTo: NodeId | undefined;
  /** A leader's view of everyone else; empty otherwise. */
  readonly progress: Readonly<Record<NodeId, FollowerStatus>>;
}

export interface FollowerStatus {
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly recentlyActive: boolean;
  readonly learner: boolean;
}

/** The consensus core. Every method returns at once; effects wait in `takeOutput`. */
export interface RaftCore {
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commitIndex: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** 0 where there is none. */
  readonly snapshotIndex: LogIndex;
  /** Undefined unless transferring. */
  readonly transferTo: NodeId | undefined;
  readonly membership: Membership;
  step(message: Message): void;
  /** One unit of time passed. */
  tick(): void;
  /** Appends commands under one stamp of cluster time. Leader only. */
  propose(commands: readonly Uint8Array[], time: number): ProposeResult;
  /** Asks for a linearizable read index; the answer comes in `reads` under `context`. */
  read(context: number): void;
  /** The index a lease read may be served at now, or undefined when no lease holds. */
  leaseReadIndex(): LogIndex | undefined;
  changeMembership(target: MembershipTarget, time: number): MembershipResult;
  transfer(to: NodeId): TransferResult;
  /** Everything up to this write is durable. */
  persisted(token: PersistToken): void;
  /** Answer to a `fetch`; undefined entries mean they are compacted away. */
  entriesFetched(request: FetchRequest, entries: readonly Entry[] | undefined): void;
  /** Answer to `snapshotReads`, once the chunk was handed to the transport or could not be read. */
  snapshotChunkSent(request: SnapshotReadRequest, outcome: 'sent' | 'failed'): void;
  /**
   * Answer to `snapshotChunks`: how far the staged snapshot reaches, or that it is complete and
   * durable.
   */
  snapshotChunkStaged(
    chunk: SnapshotChunkRequest,
    result: { readonly nextOffset: number; readonly complete: boolean },
  ): void;
  /** This node's own snapshot is durable; older entries may go with `compact`. */
  snapshotSaved(snapshot: SnapshotMeta): void;
  /** Drops entries through `index`, which a durable snapshot covers. */
  compact(index: LogIndex): void;
  /** The transport lost what was in flight to this peer. */
  peerUnreachable(id: NodeId): void;
  /**
   * Gives leadership up at once and does not campaign until `allowed` again (a sick disk, a stop).
   */
  setCampaignAllowed(allowed: boolean): void;
  takeOutput(): Output;
  /** Whether `takeOutput` would return anything to do. */
  hasOutput(): boolean;
  /** All of it at once, followers included; what is asked for often has a property of its own. */
  status(): RaftStatus;
  termAt(index: LogIndex): Term | undefined;
  membershipAt(index: LogIndex): Membership;
}
