/** Moving the cluster from one membership to another while it works (section 6). */
import type { Core } from './core.ts';
import { appendMembership } from './leader-log.ts';
import {
  finalStep,
  firstStep,
  isJoint,
  isVoter,
  isWellFormed,
  memberOf,
  sameMembership,
} from './membership.ts';
import { termHasCommitted } from './reads.ts';
import type { LeaderRole } from './roles.ts';
import type { Membership, MembershipResult, MembershipTarget, NodeId } from './types.ts';

type Refusal = Extract<MembershipResult, { type: 'refused' }>['reason'];

export function changeMembership(
  core: Core,
  target: MembershipTarget,
  time: number,
): MembershipResult {
  const { role } = core;
  if (role.type !== 'leader' || role.retiring) return { type: 'refused', reason: 'notLeader' };
  const reason = refusalOf(core, role, target);
  if (reason !== undefined) return { type: 'refused', reason };
  const step = firstStep(core.membership, target);
  if (sameMembership(step, core.membership)) return { type: 'refused', reason: 'unchanged' };
  const index = appendMembership(core, role, step, time);
  return { type: 'appended', index, term: core.term };
}

function refusalOf(core: Core, role: LeaderRole, target: MembershipTarget): Refusal | undefined {
  const { membership } = core;
  if (role.transfer !== undefined) return 'transferring';
  if (changeInProgress(core, role)) return 'changeInProgress';
  if (target.voters.length === 0) return 'noVoters';
  if (!isWellFormed(target) || replacesVotersDisk(membership, target)) return 'invalid';
  for (const id of target.voters) {
    if (membership.voters.includes(id)) continue;
    // A voter whose disk is not known would be counted but could never vote.
    if (target.members[id]!.storeId === '') return 'invalid';
    if (!hasCaughtUp(core, role, id)) return 'notCaughtUp';
  }
  return undefined;
}

/**
 * One change at a time, and none before an entry of this term is committed: otherwise two leaders
 * could act on memberships whose majorities do not overlap (Ongaro 2015).
 */
function changeInProgress(core: Core, role: LeaderRole): boolean {
  return (
    isJoint(core.membership) ||
    core.memberships.index > core.commitIndex ||
    !termHasCommitted(core, role)
  );
}

/** A wiped voter forgot its votes: it must leave or become a learner before its new disk counts. */
function replacesVotersDisk(membership: Membership, target: MembershipTarget): boolean {
  return membership.voters.some((id) => {
    const known = memberOf(membership, id)!.storeId;
    const wanted = Object.hasOwn(target.members, id) ? target.members[id]!.storeId : known;
    return known !== '' && wanted !== known;
  });
}

/**
 * A learner that answers and holds what was committed one heartbeat ago (thesis 4.2.1), and the
 * entry that names its disk: before that it would be counted as a voter and could not vote.
 */
function hasCaughtUp(core: Core, role: LeaderRole, id: NodeId): boolean {
  const progress = role.progress.get(id);
  return (
    progress !== undefined &&
    core.membership.learners.includes(id) &&
    progress.state.type === 'replicate' &&
    core.tickCount - progress.lastReplyTick < core.options.electionTicks &&
    progress.match >= role.catchUpMark &&
    progress.match >= role.termStart &&
    progress.match >= core.memberships.index
  );
}

/** A committed joint step is followed by the final one, whichever leader saw it commit. */
export function advanceMembership(core: Core, role: LeaderRole): void {
  const { membership, memberships, log } = core;
  if (memberships.index > core.commitIndex || !termHasCommitted(core, role)) return;
  if (isJoint(membership)) appendMembership(core, role, finalStep(membership), log.lastTime);
  else if (!isVoter(membership, core.id)) role.retiring = true;
}

/** Makes voters of the learners that wait for it and have caught up. */
export function promoteLearners(core: Core, role: LeaderRole): void {
  const { membership } = core;
  if (membership.promotable.length === 0) return;
  if (role.transfer !== undefined || role.retiring || changeInProgress(core, role)) return;
  const ready = membership.promotable.filter((id) => {
    const { storeId, standsDown } = memberOf(membership, id)!;
    return storeId !== '' && standsDown !== true && hasCaughtUp(core, role, id);
  });
  if (ready.length === 0) return;
  const step = firstStep(membership, {
    voters: [...membership.voters, ...ready],
    learners: membership.learners.filter((id) => !ready.includes(id)),
    promotable: membership.promotable.filter((id) => !ready.includes(id)),
    members: membership.members,
  });
  appendMembership(core, role, step, core.log.lastTime);
}
