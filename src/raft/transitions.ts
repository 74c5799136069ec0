/** From one role to the next, and what each change takes with it. */
import { invariant } from '../base/index.ts';
import type { Core } from './core.ts';
import { newTally } from './quorum.ts';
import { refuseForwardedReads, refuseLeaderReads } from './reads.ts';
import type { CandidateRole, PreCandidateRole } from './roles.ts';
import { followerRole } from './roles.ts';
import { leaveTransfer, settleHandover } from './transfer.ts';
import type { NodeId, Term } from './types.ts';

/** Ends what only the present role can answer for. The term is already the new one. */
function leaveRole(core: Core): void {
  const { role } = core;
  switch (role.type) {
    case 'follower':
      refuseForwardedReads(core, role);
      return;
    case 'leader':
      refuseLeaderReads(core, role);
      leaveTransfer(core, role);
      return;
    case 'preCandidate':
    case 'candidate':
      return;
  }
}

/** Follows `leader`, or nobody yet. In the same term the vote stands. */
export function becomeFollower(core: Core, term: Term, leader: NodeId | undefined): void {
  invariant(term >= core.term, 'terms never fall', { term, current: core.term });
  const { role } = core;
  const sameTerm = term === core.term;
  if (sameTerm && role.type === 'follower' && role.leader === leader) return;
  if (sameTerm && leader !== undefined && core.leader !== undefined) {
    invariant(core.leader === leader, 'one leader a term (section 5.2)', {
      term,
      leader: core.leader,
      claimant: leader,
    });
  }
  if (!sameTerm) core.adoptTerm(term);
  leaveRole(core);
  core.role = followerRole(leader);
  core.resetElectionTimer();
  core.announceRole();
  settleHandover(core);
}

/** Asks around before disturbing anyone (thesis 9.6): neither term nor vote change. */
export function becomePreCandidate(core: Core): PreCandidateRole {
  leaveRole(core);
  const role: PreCandidateRole = { type: 'preCandidate', votes: newTally() };
  core.role = role;
  core.resetElectionTimer();
  core.announceRole();
  return role;
}

/** Begins a term and votes for itself, in one durable write (section 5.2). */
export function becomeCandidate(core: Core): CandidateRole {
  core.adoptTerm((core.term + 1) as Term);
  core.voteFor(core.id);
  leaveRole(core);
  const role: CandidateRole = { type: 'candidate', votes: newTally() };
  core.role = role;
  core.resetElectionTimer();
  core.announceRole();
  return role;
}
