/**
 * One turn of the event loop. This is the place where the order of effects is decided; nothing is
 * awaited in it, so nothing changes between checking the role and appending.
 */
import { unreachable } from '../base/index.ts';
import { encodeRecords } from '../log-store/index.ts';
import type { Message, NodeId, Output, RaftEvent, Term } from '../raft/index.ts';
import type { PeerIdentity, PeerMessage } from '../transport/index.ts';
import type { Engine } from './engine.ts';
import type { Loop } from './loop.ts';

export interface TurnHooks {
  readonly leaderChanged: () => void;
}

interface Arrival {
  readonly message: PeerMessage;
  readonly peer: PeerIdentity;
}

export class Turn {
  readonly #engine: Engine;
  readonly #loop: Loop;
  readonly #hooks: TurnHooks;
  /** No more ticks than this are made up for: then every lease is over, every timeout ran out. */
  readonly #maxTicks: number;
  #tickedAt: number;
  #inbox: Arrival[] = [];
  #lostPeers: NodeId[] = [];
  #afterTurn: (() => void)[] = [];

  constructor(engine: Engine, loop: Loop, hooks: TurnHooks) {
    this.#engine = engine;
    this.#loop = loop;
    this.#hooks = hooks;
    const { environment, settings } = engine.context.runtime;
    this.#maxTicks = 2 * Math.ceil(settings.electionTimeoutMs / settings.tickMs);
    this.#tickedAt = environment.now();
  }

  received(message: PeerMessage, peer: PeerIdentity): void {
    this.#inbox.push({ message, peer });
    this.#engine.peers.alive(peer);
    this.#loop.schedule();
  }

  peerLost(id: NodeId): void {
    this.#lostPeers.push(id);
    this.#loop.schedule();
  }

  /** Runs `check` at the end of every turn until it returns true. */
  until(check: () => boolean): void {
    const again = (): void => {
      if (!check()) this.#afterTurn.push(again);
    };
    again();
  }

  run(): void {
    const now = this.#engine.context.runtime.environment.now();
    // Ticks first: what follows may trust a lease only with all the time counted that has passed.
    this.#passTime(now);
    this.#loop.runCompletions();
    this.#hearPeers();
    this.#submitWork(now);
    this.#carryOutAndApply();
    this.#engine.forwardReceiver.flush();
    this.#engine.context.options.transport.flush();
    this.#runChecks();
  }

  #carryOutAndApply(): void {
    const { raft, applier, reads, work } = this.#engine;
    const before = applier.index;
    let unfinished: boolean;
    do {
      this.#carryOut();
      unfinished = applier.run();
      if (!applier.restoring) reads.applied(applier.index);
      // Applying may have made something due, which is proposed and written in this same turn.
    } while (!unfinished && raft.hasOutput());
    if (unfinished) this.#carryOut();
    // What is committed made room for commands that had to wait.
    const hasRoom = work.propose.length > 0 && applier.index > before;
    if (unfinished || hasRoom) this.#loop.schedule();
  }

  #passTime(now: number): void {
    const { raft, context } = this.#engine;
    const { tickMs } = context.runtime.settings;
    const due = Math.floor((now - this.#tickedAt) / tickMs);
    if (due <= 0) return;
    this.#tickedAt += due * tickMs;
    for (let i = Math.min(due, this.#maxTicks); i > 0; i--) raft.tick();
    this.#engine.health.tick();
    this.#engine.upkeep.tick();
    this.#engine.duties.poll();
    this.#engine.entryReader.tick();
    this.#engine.snapshotSender.tick();
    this.#expire(now);
  }

  #expire(now: number): void {
    const { work, proposals, reads, forwardSender, changes, transfers } = this.#engine;
    work.propose.expire(now);
    work.leaderQuery.expire(now);
    work.membership.expire(now);
    work.transfer.expire(now);
    proposals.expire(now);
    reads.expire(now);
    forwardSender.expire(now);
    forwardSender.repeat(now);
    changes.expire(now);
    transfers.expire(now);
  }

  #hearPeers(): void {
    const arrivals = this.#inbox;
    this.#inbox = [];
    for (const { message, peer } of arrivals) this.#hear(message, peer);
    const lost = this.#lostPeers;
    this.#lostPeers = [];
    for (const id of lost) {
      this.#engine.raft.peerUnreachable(id);
      this.#engine.forwardSender.lost(id);
    }
  }

  #hear(message: PeerMessage, peer: PeerIdentity): void {
    const { raft, peers, forwardReceiver, forwardSender } = this.#engine;
    if (message.type === 'forwardRequest') {
      forwardReceiver.received(message);
    } else if (message.type === 'forwardResponse') {
      forwardSender.received(message);
    } else if (peers.counts(message, peer)) {
      raft.step(message);
      const leads = message.type === 'heartbeatRequest' || message.type === 'appendRequest';
      if (leads && message.term === raft.term) peers.heard(peer.id);
    }
  }

  /** Everything that came in one turn is one batch: one append, one read index, one message. */
  #submitWork(now: number): void {
    const { work, reads, applier, duties } = this.#engine;
    duties.open();
    work.propose.submit(now);
    work.membership.submit(now);
    work.transfer.submit(now);
    work.leaderQuery.submit(now);
    reads.submit(now, applier.restoring ? undefined : applier.index);
  }

  #carryOut(): void {
    const { raft, applier } = this.#engine;
    while (raft.hasOutput()) this.#perform(raft.takeOutput());
    if (!applier.hasBacklog) this.#engine.entryReader.resume();
  }

  /** The order of effects, as ARCHITECTURE.md draws it. */
  #perform(output: Output): void {
    const { writer, applier, reads, entryReader } = this.#engine;
    const { snapshotSender, snapshotReceiver } = this.#engine;
    // Encoded once: the same bytes are sent and stored.
    if (output.persist !== undefined) encodeRecords(output.persist.entries);
    // 1. Entries leave for followers while the leader's own disk is still at work: a store may
    // hold this thread until it has synced.
    for (const message of output.sendNow) this.#send(message);
    if (output.persist !== undefined) this.#engine.context.options.transport.flush();
    // 2., 3. Votes and acknowledgements leave once what they speak of is durable.
    writer.write(output.persist, output.sendAfterPersist);
    // 4. What is committed is applied and answered.
    if (output.restore !== undefined) applier.restore(output.restore);
    applier.add(output.committed);
    // 5. The rest has no order among itself.
    for (const result of output.reads) reads.answered(result);
    for (const request of output.fetch) entryReader.wanted(request);
    for (const request of output.snapshotReads) snapshotSender.wanted(request);
    for (const chunk of output.snapshotChunks) snapshotReceiver.received(chunk);
    for (const event of output.events) this.#observe(event);
  }

  #send(message: Message): void {
    this.#engine.context.options.transport.send(message);
  }

  #observe(event: RaftEvent): void {
    const { duties, peers, transfers, context } = this.#engine;
    const { environment } = context.runtime;
    switch (event.type) {
      case 'roleChanged':
        environment.log('info', `${event.role} in term ${event.term}`);
        duties.roleChanged(event.role);
        return;
      case 'leaderChanged':
        this.#sayLeader(event.leader, event.term);
        return;
      case 'membershipChanged':
        peers.announce();
        return;
      case 'transferEnded':
        transfers.ended(event);
        return;
      default:
        unreachable(event);
    }
  }

  #sayLeader(leader: NodeId | undefined, term: Term): void {
    const { environment } = this.#engine.context.runtime;
    environment.log('info', `${leader ?? 'nobody'} leads in term ${term}`);
    this.#hooks.leaderChanged();
  }

  #runChecks(): void {
    const checks = this.#afterTurn;
    this.#afterTurn = [];
    for (const check of checks) check();
  }
}
