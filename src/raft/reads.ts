/**
 * Linearizable reads without writing to the log (ReadIndex, section 8 and thesis 6.4), and lease
 * reads (thesis 6.4.1).
 */
import type { Core } from './core.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import type { FollowerRole, LeaderRole, ReadOrigin } from './roles.ts';
import type { LogIndex, NodeId, ReadIndexRequest, ReadIndexResponse } from './types.ts';

/** A read asked of this node. */
export function requestRead(core: Core, context: number): void {
  const { role } = core;
  switch (role.type) {
    case 'leader':
      acceptRead(core, role, { from: undefined, context });
      return;
    case 'follower':
      if (role.leader === undefined) break;
      forwardRead(core, role, role.leader, context);
      return;
    case 'preCandidate':
    case 'candidate':
      break;
  }
  core.out.reads.push({ type: 'refused', context });
}

function forwardRead(core: Core, role: FollowerRole, leader: NodeId, context: number): void {
  role.forwardedReads.set(context, core.tickCount);
  core.out.sendNow.push({
    type: 'readIndexRequest',
    from: core.id,
    to: leader,
    term: core.term,
    context,
  });
}

/** An entry of this term is committed: no earlier leader has committed anything beyond it. */
export function termHasCommitted(core: Core, role: LeaderRole): boolean {
  return core.commitIndex >= role.termStart;
}

function acceptRead(core: Core, role: LeaderRole, read: ReadOrigin): void {
  if (termHasCommitted(core, role)) role.reads.fresh.push(read);
  else role.reads.early.push(read);
}

export function acceptForwardedRead(core: Core, role: LeaderRole, message: ReadIndexRequest): void {
  acceptRead(core, role, { from: message.from, context: message.context });
}

/** Answers a request that this node cannot serve. */
export function refuseForwardedRead(core: Core, message: ReadIndexRequest): void {
  answer(core, { from: message.from, context: message.context }, undefined);
}

function answer(core: Core, read: ReadOrigin, index: LogIndex | undefined): void {
  const { context, from } = read;
  if (from !== undefined) {
    core.out.sendNow.push({
      type: 'readIndexResponse',
      from: core.id,
      to: from,
      term: core.term,
      context,
      index,
    });
  } else if (index === undefined) {
    core.out.reads.push({ type: 'refused', context });
  } else {
    core.out.reads.push({ type: 'ready', context, index });
  }
}

/** The first commit of the term sets free the reads that waited for it. */
export function releaseEarlyReads(role: LeaderRole): void {
  if (role.reads.early.length === 0) return;
  role.reads.fresh.push(...role.reads.early);
  role.reads.early = [];
}

/** Reads that came together share one round, which begins after all of them came. */
export function beginReadRound(core: Core, role: LeaderRole): void {
  const { reads } = role;
  if (reads.fresh.length > 0) {
    const round = role.rounds.begin(core.tickCount);
    role.announceRound = true;
    reads.batches.push({ round, index: core.commitIndex, reads: reads.fresh });
    reads.fresh = [];
  }
  confirmReads(core, role);
}

/** Answers every read whose round a quorum has replied to, this leader counting itself. */
function confirmReads(core: Core, role: LeaderRole): void {
  const { batches } = role.reads;
  if (batches.length === 0) return;
  const { voters, outgoing } = core.membership;
  const confirmed = quorumValue(voters, outgoing, (id) =>
    id === core.id ? role.rounds.round : (role.progress.get(id)?.ackedRound ?? 0),
  );
  let done = 0;
  while (done < batches.length && batches[done]!.round <= confirmed) {
    const batch = batches[done++]!;
    for (const read of batch.reads) answer(core, read, batch.index);
  }
  if (done > 0) batches.splice(0, done);
}

/** Any reply of this term shows the follower alive, and which rounds it has seen. */
export function noteReply(core: Core, role: LeaderRole, progress: Progress, round: number): void {
  progress.lastReplyTick = core.tickCount;
  if (round <= progress.ackedRound || round > role.rounds.round) return;
  progress.ackedRound = round;
  progress.ackedRoundTick = role.rounds.tickOf(round);
  confirmReads(core, role);
}

/** Leadership is lost: nothing that waits can be confirmed any more. */
export function refuseLeaderReads(core: Core, role: LeaderRole): void {
  const { early, fresh, batches } = role.reads;
  for (const batch of batches) for (const read of batch.reads) answer(core, read, undefined);
  for (const read of fresh) answer(core, read, undefined);
  for (const read of early) answer(core, read, undefined);
}

/** The leader they were sent to leads no more, or another one does. */
export function refuseForwardedReads(core: Core, role: FollowerRole): void {
  for (const context of role.forwardedReads.keys()) {
    core.out.reads.push({ type: 'refused', context });
  }
  role.forwardedReads.clear();
}

/** A request or its answer was lost. */
export function expireForwardedReads(core: Core, role: FollowerRole): void {
  for (const [context, sentTick] of role.forwardedReads) {
    if (core.tickCount - sentTick < core.options.electionTicks) return;
    role.forwardedReads.delete(context);
    core.out.reads.push({ type: 'refused', context });
  }
}

export function handleReadIndexResponse(
  core: Core,
  role: FollowerRole,
  message: ReadIndexResponse,
): void {
  const { context, index } = message;
  if (message.from !== role.leader || !role.forwardedReads.delete(context)) return;
  core.out.reads.push(
    index === undefined ? { type: 'refused', context } : { type: 'ready', context, index },
  );
}

/**
 * While a quorum answered a round sent less than an election timeout ago, no other leader can have
 * been elected: followers withhold votes that long. Counted from the sending, less a margin.
 */
export function leaseReadIndex(core: Core): LogIndex | undefined {
  const { role, options } = core;
  if (role.type !== 'leader' || role.transfer !== undefined || role.leaseVoid) return undefined;
  if (!termHasCommitted(core, role)) return undefined;
  const { voters, outgoing } = core.membership;
  const sentTick = quorumValue(voters, outgoing, (id) =>
    id === core.id ? core.tickCount : (role.progress.get(id)?.ackedRoundTick ?? -Infinity),
  );
  const leaseTicks = options.electionTicks - options.leaseMarginTicks;
  return core.tickCount - sentTick < leaseTicks ? core.commitIndex : undefined;
}
