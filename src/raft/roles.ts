/** What a node is at the moment, each role with the data that only it has. */
import type { Progress } from './progress.ts';
import type { VoteTally } from './quorum.ts';
import type { RoundClock } from './round-clock.ts';
import type { LogIndex, NodeId } from './types.ts';

export interface FollowerRole {
  readonly type: 'follower';
  leader: NodeId | undefined;
  /** Asked to take over, and waiting for the own log to be durable. */
  campaignWhenDurable: boolean;
  /** Reads handed to the leader: their context, and the tick they were sent in. */
  readonly forwardedReads: Map<number, number>;
}

export interface PreCandidateRole {
  readonly type: 'preCandidate';
  readonly votes: VoteTally;
}

export interface CandidateRole {
  readonly type: 'candidate';
  readonly votes: VoteTally;
}

/** Who asked: `from` is undefined for this node itself. */
export interface ReadOrigin {
  readonly from: NodeId | undefined;
  readonly context: number;
}

/** Reads that came before `round` began and are confirmed once a quorum has replied to it. */
export interface ReadBatch {
  readonly round: number;
  readonly index: LogIndex;
  readonly reads: readonly ReadOrigin[];
}

export interface LeaderReads {
  /** Came before an entry of this term was committed. */
  early: ReadOrigin[];
  /** Wait for the next round to begin. */
  fresh: ReadOrigin[];
  /** Oldest round first. */
  batches: ReadBatch[];
}

export interface Transfer {
  readonly to: NodeId;
  readonly startTick: number;
  timeoutNowSent: boolean;
}

export interface LeaderRole {
  readonly type: 'leader';
  /** Index of the no-op this term began with. */
  readonly termStart: LogIndex;
  /** Everyone else, learners included. */
  readonly progress: Map<NodeId, Progress>;
  readonly rounds: RoundClock;
  /** A round has begun that was not announced yet. */
  announceRound: boolean;
  lastHeartbeatTick: number;
  /** Something may have to be sent to someone. */
  replicationDue: boolean;
  /** Data of this leadership's entries that are not committed. */
  uncommittedBytes: number;
  readonly reads: LeaderReads;
  transfer: Transfer | undefined;
  /** Somebody was told to campaign at once: no follower's promise to wait can be relied on. */
  leaseVoid: boolean;
  /** The commit index at the last heartbeat: who holds it has caught up. */
  catchUpMark: LogIndex;
  /** Removed by a committed change: leads until the others have been told. */
  retiring: boolean;
}

export type RoleState = FollowerRole | PreCandidateRole | CandidateRole | LeaderRole;

export function followerRole(leader: NodeId | undefined): FollowerRole {
  return { type: 'follower', leader, campaignWhenDurable: false, forwardedReads: new Map() };
}
