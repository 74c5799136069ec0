/** The parts of a node that takes part in a cluster, and how they are connected. */
import type { HoldfastError } from '../base/index.ts';
import type { Outcome } from '../base/index.ts';
import type { Entry, LogIndex, NodeId, RaftCore, SnapshotMeta, Term } from '../raft/index.ts';
import type { ForwardRequest } from '../transport/index.ts';
import { Applier } from './applier.ts';
import { CampaignPermit } from './campaign-permit.ts';
import { ClusterClock } from './cluster-clock.ts';
import { CommitDelay } from './commit-delay.ts';
import type { Answer, NodeOptions } from './contract.ts';
import { DiskHealth } from './disk-health.ts';
import { DiskWriter } from './disk-writer.ts';
import { EntryReader } from './entry-reader.ts';
import type { ForwardedWork } from './forward-codec.ts';
import { ForwardReceiver } from './forward-receiver.ts';
import { ForwardSender } from './forward-sender.ts';
import type { ForwardKind } from './forward-sender.ts';
import { LeaderDuties } from './leader-duties.ts';
import { LeaderWork } from './leader-work.ts';
import { MemberChanges } from './member-changes.ts';
import { MemberUpkeep } from './member-upkeep.ts';
import type { Peers } from './peers.ts';
import { Proposals } from './proposals.ts';
import { Reads } from './reads.ts';
import type { Runtime } from './runtime.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSaver } from './snapshot-saver.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { bestFollower, Transfers } from './transfers.ts';
import { failure } from './waiter.ts';
import type { AnswerBatch, Waiter } from './waiter.ts';

export interface EngineContext {
  readonly runtime: Runtime;
  readonly options: NodeOptions;
  readonly raft: RaftCore;
  readonly peers: Peers;
  readonly storeId: string;
  /** Recovered: the term on disk, the last index there, and where the state machine stands. */
  readonly startTerm: Term;
  readonly durableLast: LogIndex;
  readonly applied: { readonly index: LogIndex; readonly time: number };
  readonly fatal: (error: HoldfastError) => void;
}

export class Engine {
  readonly context: EngineContext;
  readonly raft: RaftCore;
  readonly peers: Peers;
  readonly clock: ClusterClock;
  readonly writer: DiskWriter;
  readonly permit: CampaignPermit;
  readonly health: DiskHealth;
  readonly applier: Applier;
  readonly entryReader: EntryReader;
  readonly proposals: Proposals;
  readonly delay: CommitDelay;
  readonly reads: Reads;
  readonly forwardSender: ForwardSender;
  readonly forwardReceiver: ForwardReceiver;
  readonly changes: MemberChanges;
  readonly transfers: Transfers;
  readonly upkeep: MemberUpkeep;
  readonly duties: LeaderDuties;
  readonly saver: SnapshotSaver;
  readonly snapshotSender: SnapshotSender;
  readonly snapshotReceiver: SnapshotReceiver;
  /** One queue for each kind of work that takes a leader. */
  readonly work: Readonly<Record<ForwardKind, LeaderWork>>;

  constructor(context: EngineContext) {
    const { runtime, options, raft, peers } = context;
    const { store, transport, stateMachine } = options;
    const excuse = (outcome: Outcome): Answer => this.#excuse(outcome);
    const stamp = (): number => this.clock.stamp();
    this.context = context;
    this.raft = raft;
    this.peers = peers;
    this.clock = new ClusterClock(raft, () => runtime.environment.now());
    this.writer = this.#createWriter();
    this.permit = new CampaignPermit(raft);
    const successor = (): NodeId | undefined => bestFollower(raft);
    this.health = new DiskHealth(runtime, raft, this.writer, this.permit, successor);
    this.applier = this.#createApplier();
    this.entryReader = new EntryReader(runtime, raft, store, {
      applierBusy: () => this.applier.hasBacklog,
      lost: context.fatal,
    });
    this.proposals = new Proposals(runtime, raft, stamp, excuse);
    this.delay = new CommitDelay(runtime);
    this.reads = new Reads(runtime, raft, excuse);
    this.forwardSender = this.#createForwardSender(excuse);
    this.forwardReceiver = new ForwardReceiver(runtime, raft, {
      send: (response) => transport.send(response),
      take: (request, work, batch) => this.#takeForwarded(request, work, batch),
      startTerm: context.startTerm,
    });
    this.changes = new MemberChanges(raft, peers, stamp, excuse);
    this.transfers = new Transfers(raft, excuse);
    const self = { id: options.id, address: options.address, storeId: context.storeId };
    this.upkeep = new MemberUpkeep(runtime, raft, peers, self, stamp);
    this.duties = this.#createDuties(stamp);
    this.saver = new SnapshotSaver(runtime, raft, store, stateMachine);
    this.snapshotSender = new SnapshotSender(runtime, raft, store, transport);
    this.snapshotReceiver = new SnapshotReceiver(runtime, raft, store);
    this.work = {
      propose: this.#createWork('propose', this.proposals, this.delay),
      leaderQuery: this.#createWork('leaderQuery', this.duties),
      membership: this.#createWork('membership', this.changes),
      transfer: this.#createWork('transfer', this.transfers),
    };
  }

  /** Commands this node answers for: queued, in its log, or with another leader. */
  get pendingCommands(): number {
    return this.work.propose.length + this.proposals.length + this.forwardSender.length;
  }

  get pendingBytes(): number {
    return this.work.propose.bytes + this.proposals.bytes + this.forwardSender.bytes;
  }

  /** Ends everything that waits. What was never handed to a log is certainly not applied. */
  failAll(message: string): void {
    for (const queue of Object.values(this.work)) queue.failAll('stopped', message);
    const unknown = failure('stopped', message, { outcome: 'unknown' });
    this.proposals.failAll(unknown);
    this.changes.failAll(unknown);
    this.transfers.failAll(unknown);
    this.forwardSender.failAll(message);
    this.reads.failAll('stopped', message);
    // Those whose request was forwarded here hear it too.
    this.forwardReceiver.flush();
    this.context.options.transport.flush();
  }

  /** Lets go of disk and network without waiting for either. */
  stop(): void {
    this.writer.stop();
    this.snapshotSender.stop();
    this.snapshotReceiver.stop();
  }

  /** Why somebody waited in vain: nobody to decide, or only slow. */
  #excuse(outcome: Outcome): Answer {
    const { voters, outgoing } = this.raft.membership;
    const { id } = this.context.runtime;
    const reaches = (voter: (typeof voters)[number]): boolean =>
      voter === id || this.peers.connected(voter) !== undefined;
    const reachable = voters.filter(reaches).length;
    const needed = Math.floor(voters.length / 2) + 1;
    const { leader } = this.raft;
    if (leader !== undefined && reachable >= needed) {
      const text = `no answer within the time given; ${leader} leads`;
      return failure('timeout', text, { outcome, leader });
    }
    const joint = outgoing.length > 0 ? ', and a majority of the voters before the change' : '';
    const text =
      `no quorum: ${id} reaches ${reachable} of ${voters.length} voters and knows ` +
      `${leader === undefined ? 'no leader' : `the leader ${leader}`}; it takes ${needed}${joint}`;
    return failure('no-quorum', text, { outcome });
  }

  #createWriter(): DiskWriter {
    const { runtime, options, durableLast, fatal } = this.context;
    return new DiskWriter(runtime, options.store, durableLast, {
      durable: (token, tookMs) => {
        this.health.wrote(tookMs);
        this.raft.persisted(token);
      },
      send: (message) => options.transport.send(message),
      failed: (error) => {
        this.health.failed(error);
        const text = `${error.message}; whether it was applied is not known`;
        this.proposals.failAll(failure(error.code, text, { outcome: 'unknown' }));
      },
      recovered: () => runtime.environment.log('info', 'the log store takes writes again'),
      lost: fatal,
    });
  }

  #createApplier(): Applier {
    const { runtime, options, applied, fatal } = this.context;
    return new Applier(runtime, options.store, options.stateMachine, applied, {
      applied: (entry, result) => this.#applied(entry, result),
      isAwaited: () => this.proposals.length > 0,
      batchApplied: (index) => this.#batchApplied(index),
      restored: (snapshot) => this.#restored(snapshot),
      failed: fatal,
    });
  }

  #applied(entry: Entry, result: Uint8Array | HoldfastError): void {
    this.proposals.applied(entry.index, entry.term, result);
    this.changes.applied(entry);
    this.duties.applied(entry);
    this.saver.applied(entry);
  }

  #batchApplied(index: LogIndex): void {
    this.delay.answered(this.proposals.takeAnswered());
    this.proposals.tidy();
    this.reads.applied(index);
    this.duties.poll();
    this.context.options.onApplied?.(index);
  }

  #restored(snapshot: SnapshotMeta): void {
    this.saver.restored();
    this.proposals.skippedThrough(snapshot.index);
  }

  #createForwardSender(excuse: (outcome: Outcome) => Answer): ForwardSender {
    const { runtime, options } = this.context;
    return new ForwardSender(runtime, {
      send: (request) => options.transport.send(request),
      term: () => this.raft.term,
      leader: () => this.raft.leader,
      excuse,
      retry: (kind, waiters) => this.work[kind].retry(waiters),
    });
  }

  #createDuties(stamp: () => number): LeaderDuties {
    const { options, runtime } = this.context;
    return new LeaderDuties(this.raft, {
      side: options.stateMachine.leaderSide,
      stamp,
      proposals: this.proposals,
      reads: this.reads,
      retry: (waiters) => this.work.leaderQuery.retry(waiters),
      deadline: () => runtime.environment.now() + runtime.settings.requestTimeoutMs,
    });
  }

  #createWork(
    kind: ForwardKind,
    doer: { lead(waiters: Waiter[]): Waiter[] },
    delay?: CommitDelay,
  ): LeaderWork {
    return new LeaderWork(this.context.runtime, this.raft, {
      delay,
      lead: (waiters) => doer.lead(waiters),
      forward: (leader, waiters) => {
        if (!this.peers.servesAsLeader(leader)) return false;
        this.forwardSender.send(kind, leader, waiters);
        return true;
      },
      excuse: (outcome) => this.#excuse(outcome),
    });
  }

  #takeForwarded(request: ForwardRequest, work: ForwardedWork, batch: AnswerBatch): void {
    const { environment, settings } = this.context.runtime;
    const overload = this.#overloadedByForwarded(request.kind, work.commands);
    if (overload !== undefined) {
      work.commands.forEach((_, slot) => batch.answer(slot, overload));
      return;
    }
    const deadline = environment.now() + Math.min(work.timeoutMs, settings.requestTimeoutMs * 100);
    this.work[request.kind].addForwarded(work.commands, batch, deadline);
  }

  #overloadedByForwarded(kind: ForwardKind, commands: readonly Uint8Array[]): Answer | undefined {
    if (kind === 'leaderQuery') return this.overloadedByQueries(commands.length);
    if (kind !== 'propose') return undefined;
    let bytes = 0;
    for (const command of commands) bytes += command.length;
    return this.overloadedBy(commands.length, bytes);
  }

  /** The answer to so many leader queries for which there is no room; undefined when there is. */
  overloadedByQueries(count: number): Answer | undefined {
    const { maxPendingReads } = this.context.runtime.settings;
    const queued = this.work.leaderQuery.length + this.duties.length;
    if (queued + this.forwardSender.queries + count <= maxPendingReads) return undefined;
    return failure('overloaded', `maxPendingReads (${maxPendingReads}) are pending here`);
  }

  /** The answer to so many commands for which there is no room; undefined when there is. */
  overloadedBy(count: number, bytes: number): Answer | undefined {
    const { maxPendingCommands, maxPendingBytes } = this.context.runtime.settings;
    if (this.pendingCommands + count > maxPendingCommands) {
      return failure('overloaded', `maxPendingCommands (${maxPendingCommands}) are pending here`);
    }
    if (this.pendingBytes + bytes <= maxPendingBytes) return undefined;
    return failure('overloaded', `maxPendingBytes (${maxPendingBytes}) are pending here`);
  }
}
