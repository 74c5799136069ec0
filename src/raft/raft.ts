/** The consensus core: takes inputs one at a time, and gathers what they ask the node to do. */
import { handleApplyFetch, hasCommitted, takeCommitted } from './applying.ts';
import { advanceCommit } from './commit.ts';
import { Core } from './core.ts';
import { receive } from './dispatch.ts';
import { campaignIfDurable, voteBecameDurable } from './elections.ts';
import { InvariantChecker } from './invariants.ts';
import { propose } from './leader-log.ts';
import { giveUpLeadership } from './leading.ts';
import { changeMembership } from './membership-changes.ts';
import { leaseReadIndex, requestRead } from './reads.ts';
import { flushLeader, handleFollowerFetch, handleUnreachable } from './replication.ts';
import {
  compact,
  handOutLastChunk,
  handleChunkStaged,
  handleSnapshotSaved,
} from './snapshot-receiving.ts';
import { handleSnapshotChunkSent } from './snapshot-sending.ts';
import { snapshotIndexOf, statusOf, transferTargetOf } from './status.ts';
import { tick } from './ticking.ts';
import { isTransferReady, startTransfer } from './transfer.ts';
import { becomeFollower } from './transitions.ts';
import type {
  Entry,
  FetchRequest,
  LogIndex,
  Membership,
  MembershipResult,
  MembershipTarget,
  Message,
  NodeId,
  Output,
  PersistToken,
  ProposeResult,
  RaftCore,
  RaftOptions,
  RaftStatus,
  RecoveredState,
  Role,
  SnapshotChunkRequest,
  SnapshotMeta,
  SnapshotReadRequest,
  Term,
  TransferResult,
} from './types.ts';

/**
 * One node's part in Raft. Deterministic: the same options, recovered state, random numbers and
 * inputs give the same outputs. Throws `InvariantError` when the algorithm itself is broken, and
 * the node must stop then, before anything more is written or sent.
 */
export class Raft implements RaftCore {
  readonly #core: Core;
  readonly #checker: InvariantChecker | undefined;

  /** A fresh node recovers from nothing; a snapshot's state is already restored by the node. */
  constructor(options: RaftOptions, recovered: RecoveredState) {
    this.#core = new Core(options, recovered);
    this.#checker = options.checkInvariants ? new InvariantChecker(this.#core) : undefined;
  }

  get role(): Role {
    return this.#core.role.type;
  }

  get term(): Term {
    return this.#core.term;
  }

  get leader(): NodeId | undefined {
    return this.#core.leader;
  }

  get commitIndex(): LogIndex {
    return this.#core.commitIndex;
  }

  get firstIndex(): LogIndex {
    return this.#core.log.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.#core.log.lastIndex;
  }

  get snapshotIndex(): LogIndex {
    return snapshotIndexOf(this.#core);
  }

  get transferTo(): NodeId | undefined {
    return transferTargetOf(this.#core);
  }

  get membership(): Membership {
    return this.#core.membership;
  }

  step(message: Message): void {
    receive(this.#core, message);
    this.#checker?.check();
  }

  tick(): void {
    tick(this.#core);
    this.#checker?.check();
  }

  propose(commands: readonly Uint8Array[], time: number): ProposeResult {
    const result = propose(this.#core, commands, time);
    this.#checker?.check();
    return result;
  }

  read(context: number): void {
    requestRead(this.#core, context);
  }

  leaseReadIndex(): LogIndex | undefined {
    return leaseReadIndex(this.#core);
  }

  changeMembership(target: MembershipTarget, time: number): MembershipResult {
    const result = changeMembership(this.#core, target, time);
    this.#checker?.check();
    return result;
  }

  transfer(to: NodeId): TransferResult {
    const result = startTransfer(this.#core, to);
    this.#checker?.check();
    return result;
  }

  persisted(token: PersistToken): void {
    const core = this.#core;
    const metadata = core.log.completeWrite(token);
    if (metadata !== undefined) voteBecameDurable(core, metadata.term, metadata.votedFor);
    handOutLastChunk(core);
    campaignIfDurable(core);
    if (core.role.type === 'leader') advanceCommit(core, core.role);
    this.#checker?.check();
  }

  entriesFetched(request: FetchRequest, entries: readonly Entry[] | undefined): void {
    const core = this.#core;
    const { purpose } = request;
    switch (purpose.type) {
      case 'apply':
        handleApplyFetch(core, request, entries);
        break;
      case 'follower':
        if (core.role.type !== 'leader') return;
        handleFollowerFetch(core, core.role, purpose.id, request, entries);
        break;
    }
    this.#checker?.check();
  }

  snapshotChunkSent(request: SnapshotReadRequest, outcome: 'sent' | 'failed'): void {
    const core = this.#core;
    if (core.role.type === 'leader') handleSnapshotChunkSent(core, core.role, request, outcome);
    this.#checker?.check();
  }

  snapshotChunkStaged(
    chunk: SnapshotChunkRequest,
    result: { readonly nextOffset: number; readonly complete: boolean },
  ): void {
    handleChunkStaged(this.#core, chunk, result);
    this.#checker?.check();
  }

  snapshotSaved(snapshot: SnapshotMeta): void {
    handleSnapshotSaved(this.#core, snapshot);
    this.#checker?.check();
  }

  compact(index: LogIndex): void {
    compact(this.#core, index);
    this.#checker?.check();
  }

  peerUnreachable(id: NodeId): void {
    const core = this.#core;
    if (core.role.type === 'leader') handleUnreachable(core, core.role, id);
    this.#checker?.check();
  }

  setCampaignAllowed(allowed: boolean): void {
    const core = this.#core;
    core.campaignAllowed = allowed;
    if (allowed) return;
    const { role } = core;
    if (role.type === 'leader') giveUpLeadership(core, role);
    else if (role.type !== 'follower') becomeFollower(core, core.term, undefined);
    this.#checker?.check();
  }

  takeOutput(): Output {
    const core = this.#core;
    const { log, out } = core;
    if (core.role.type === 'leader') flushLeader(core, core.role);
    const committed = takeCommitted(core);
    const metadata = core.takeChangedMetadata();
    const mustWrite = metadata !== undefined || log.writePending;
    const persist = mustWrite ? log.issueWrite(metadata) : undefined;
    if (committed.length > 0) log.evict(core.appliedIndex, core.options.maxCachedBytes);
    this.#checker?.check();
    return out.take(persist, committed);
  }

  hasOutput(): boolean {
    const { role, out, log, metadataChanged } = this.#core;
    if (!out.isEmpty || metadataChanged || log.writePending || hasCommitted(this.#core))
      return true;
    if (role.type !== 'leader') return false;
    return (
      role.announceRound ||
      role.replicationDue ||
      role.retiring ||
      role.reads.fresh.length > 0 ||
      isTransferReady(this.#core, role)
    );
  }

  status(): RaftStatus {
    return statusOf(this.#core);
  }

  /** The term of the entry at `index`; undefined when that is compacted away or not there yet. */
  termAt(index: LogIndex): Term | undefined {
    return this.#core.log.termAt(index);
  }

  membershipAt(index: LogIndex): Membership {
    return this.#core.memberships.at(index);
  }
}
