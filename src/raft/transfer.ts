/** Handing leadership to a chosen follower (thesis 3.10). */
import type { Core } from './core.ts';
import type { LeaderRole } from './roles.ts';
import type { NodeId, TransferResult } from './types.ts';

export function startTransfer(core: Core, to: NodeId): TransferResult {
  const { role } = core;
  if (role.type !== 'leader' || role.retiring) return { type: 'refused', reason: 'notLeader' };
  if (to === core.id) return { type: 'refused', reason: 'self' };
  if (role.transfer !== undefined) return { type: 'refused', reason: 'transferring' };
  if (!core.membership.voters.includes(to)) return { type: 'refused', reason: 'notVoter' };
  role.transfer = { to, startTick: core.tickCount, timeoutNowSent: false };
  role.replicationDue = true;
  return { type: 'started' };
}

/** The target holds the whole log and has not been told yet. */
export function isTransferReady({ log }: Core, { transfer, progress }: LeaderRole): boolean {
  if (transfer === undefined || transfer.timeoutNowSent) return false;
  return progress.get(transfer.to)?.match === log.lastIndex;
}

/**
 * Once the target holds the whole log it is told to campaign: when output is taken, since a commit
 * that comes with other input may still add the final step of a membership change to the log.
 */
export function continueTransfer(core: Core, role: LeaderRole): void {
  const { transfer } = role;
  if (transfer === undefined || !isTransferReady(core, role)) return;
  transfer.timeoutNowSent = true;
  sendTimeoutNow(core, role, transfer.to);
}

export function sendTimeoutNow(core: Core, role: LeaderRole, to: NodeId): void {
  // The target's candidacy passes over followers' promises, so no lease holds from here on.
  role.leaseVoid = true;
  core.out.sendNow.push({ type: 'timeoutNowRequest', from: core.id, to, term: core.term });
}

/** A transfer that takes an election timeout has failed; the leader goes on. */
export function expireTransfer(core: Core, role: LeaderRole): void {
  const { transfer } = role;
  if (transfer === undefined) return;
  const expired = core.tickCount - transfer.startTick >= core.options.electionTicks;
  if (expired || !core.membership.voters.includes(transfer.to)) abortTransfer(core, role);
}

function abortTransfer(core: Core, role: LeaderRole): void {
  const { transfer } = role;
  if (transfer === undefined) return;
  role.transfer = undefined;
  core.out.events.push({ type: 'transferEnded', to: transfer.to, completed: false });
}

/** The leader steps down: who leads next tells how its transfer ended. */
export function leaveTransfer(core: Core, role: LeaderRole): void {
  if (role.transfer === undefined) return;
  core.handover = { to: role.transfer.to, startTick: core.tickCount };
}

export function settleHandover(core: Core): void {
  const { handover, leader } = core;
  if (handover === undefined || leader === undefined) return;
  core.handover = undefined;
  const completed = leader === handover.to;
  core.out.events.push({ type: 'transferEnded', to: handover.to, completed });
}

/** Nobody was elected for long after stepping down for a transfer. */
export function expireHandover(core: Core): void {
  const { handover } = core;
  if (handover === undefined) return;
  if (core.tickCount - handover.startTick < 2 * core.options.electionTicks) return;
  core.handover = undefined;
  core.out.events.push({ type: 'transferEnded', to: handover.to, completed: false });
}

/** The follower closest to taking over: alive, a voter, with the longest log. */
export function bestSuccessor(core: Core, role: LeaderRole): NodeId | undefined {
  let best: NodeId | undefined;
  let bestMatch = -1;
  for (const id of core.membership.voters) {
    const progress = role.progress.get(id);
    if (progress === undefined || progress.state.type !== 'replicate') continue;
    if (core.tickCount - progress.lastReplyTick >= core.options.electionTicks) continue;
    if (progress.match <= bestMatch) continue;
    best = id;
    bestMatch = progress.match;
  }
  return best;
}
