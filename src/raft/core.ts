/** Everything a node remembers between two inputs; the modules around it are what it does. */
import { NO_INDEX } from './entry.ts';
import { MembershipHistory } from './membership-history.ts';
import { isJoint, isMember, isVoter, memberOf } from './membership.ts';
import { Outbox } from './outbox.ts';
import { RaftLog } from './raft-log.ts';
import type { RoleState } from './roles.ts';
import { followerRole } from './roles.ts';
import type {
  Entry,
  FetchRequest,
  LogIndex,
  Membership,
  Metadata,
  NodeId,
  RaftOptions,
  RecoveredState,
  Role,
  SnapshotChunkRequest,
  SnapshotMeta,
  Term,
} from './types.ts';

/** After stepping down for `to`: who leads next decides whether the transfer succeeded. */
export interface Handover {
  readonly to: NodeId;
  readonly startTick: number;
}

export interface LastChunk {
  readonly message: SnapshotChunkRequest;
  handedOut: boolean;
}

/** What was last told in `events`. */
interface Announced {
  readonly role: Role;
  readonly leader: NodeId | undefined;
}

export class Core {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly memberships: MembershipHistory;
  readonly out: Outbox = new Outbox();

  term: Term;
  votedFor: NodeId | undefined;
  /** Term or vote differ from what was last handed to the disk. */
  metadataChanged = false;
  role: RoleState = followerRole(undefined);
  commitIndex: LogIndex;
  /** Handed out in `committed`, or covered by a `restore`. */
  appliedIndex: LogIndex;
  /** The newest durable snapshot here. */
  snapshot: SnapshotMeta | undefined;

  tickCount = 0;
  electionElapsed = 0;
  electionTimeout = 0;
  /** Ticks since a leader was heard from, in whatever term; votes are withheld for a while. */
  sinceLeader: number;
  campaignAllowed = true;
  handover: Handover | undefined = undefined;
  /** Entries being fetched to be applied. */
  applyFetch: FetchRequest | undefined = undefined;
  /** Entries fetched, to be handed out next. */
  fetchedToApply: readonly Entry[] | undefined = undefined;
  /** The last chunk of a snapshot, until the node has made the whole of it durable. */
  lastChunk: LastChunk | undefined = undefined;
  announced: Announced = { role: 'follower', leader: undefined };

  constructor(options: RaftOptions, recovered: RecoveredState) {
    this.id = options.id;
    this.options = options;
    this.log = new RaftLog(recovered);
    this.memberships = new MembershipHistory(recovered);
    this.term = recovered.metadata.term;
    this.votedFor = recovered.metadata.votedFor;
    if (this.log.lastTerm > this.term) this.adoptTerm(this.log.lastTerm);
    this.snapshot = recovered.snapshot;
    this.commitIndex = recovered.snapshot?.index ?? NO_INDEX;
    this.appliedIndex = this.commitIndex;
    this.sinceLeader = options.electionTicks - (options.restartQuietTicks ?? 0);
    this.resetElectionTimer();
  }

  get membership(): Membership {
    return this.memberships.current;
  }

  get leader(): NodeId | undefined {
    if (this.role.type === 'follower') return this.role.leader;
    return this.role.type === 'leader' ? this.id : undefined;
  }

  /** Enters a later term, in which this node has not voted. */
  adoptTerm(term: Term): void {
    this.term = term;
    this.votedFor = undefined;
    this.metadataChanged = true;
  }

  voteFor(id: NodeId): void {
    this.votedFor = id;
    this.metadataChanged = true;
  }

  takeChangedMetadata(): Metadata | undefined {
    if (!this.metadataChanged) return undefined;
    this.metadataChanged = false;
    return { term: this.term, votedFor: this.votedFor };
  }

  resetElectionTimer(): void {
    const { electionTicks, random } = this.options;
    this.electionElapsed = 0;
    this.electionTimeout = electionTicks + Math.floor(random() * electionTicks);
  }

  /** A leader of this term was heard from. */
  heardFromLeader(): void {
    this.electionElapsed = 0;
    this.sinceLeader = 0;
  }

  /**
   * A leader is at work as far as this node can tell (thesis 4.2.3). A change of term does not end
   * that: what was promised to the leader by answering it is a promise about time.
   */
  get hasLiveLeader(): boolean {
    return this.role.type === 'leader' || this.sinceLeader < this.options.electionTicks;
  }

  /** A membership names this very disk: a wiped or foreign one must not vote again. */
  get mayVote(): boolean {
    return this.#takesPart((membership) => isMember(membership, this.id));
  }

  get mayCampaign(): boolean {
    return this.campaignAllowed && this.#takesPart((membership) => isVoter(membership, this.id));
  }

  /**
   * While the end of a joint phase is not known to be committed, this may be the only log that
   * holds it, and nobody else could be elected (thesis 4.2.2): whom it removes still takes part.
   */
  #takesPart(hasPart: (membership: Membership) => boolean): boolean {
    const { current, previous, index } = this.memberships;
    const leaving = index > this.commitIndex && isJoint(previous);
    return [current, ...(leaving ? [previous] : [])].some(
      (membership) =>
        hasPart(membership) && memberOf(membership, this.id)?.storeId === this.options.storeId,
    );
  }

  /** Whether a candidate's log is at least as complete as this one (section 5.4.1). */
  isUpToDate(lastTerm: Term, lastIndex: LogIndex): boolean {
    const { log } = this;
    return lastTerm > log.lastTerm || (lastTerm === log.lastTerm && lastIndex >= log.lastIndex);
  }

  /**
   * Entries through here may be handed out: committed, and durable here too. So what was applied is
   * never ahead of the log, and neither is a snapshot of it.
   */
  get applicableIndex(): LogIndex {
    return this.commitIndex < this.log.persistedIndex ? this.commitIndex : this.log.persistedIndex;
  }

  /** Puts a membership in force that has just been appended. */
  adoptMembership(index: LogIndex, membership: Membership): void {
    this.memberships.push(index, membership);
    this.announceMembership();
  }

  announceMembership(): void {
    const { membership, memberships } = this;
    this.out.events.push({ type: 'membershipChanged', membership, index: memberships.index });
  }

  /** Tells in `events` what a transition changed. */
  announceRole(): void {
    const { role, leader, term } = this;
    if (role.type !== this.announced.role) {
      this.out.events.push({ type: 'roleChanged', role: role.type, term });
    }
    if (leader !== this.announced.leader) {
      this.out.events.push({ type: 'leaderChanged', leader, term });
    }
    this.announced = { role: role.type, leader };
  }
}
