/** Elections: asking for votes and giving them (section 5.2, thesis 9.6 and 4.2.3). */
import { unreachable } from '../base/index.ts';
import type { Core } from './core.ts';
import { startLeading } from './leading.ts';
import { voteOutcome } from './quorum.ts';
import type { CandidateRole, PreCandidateRole } from './roles.ts';
import { becomeCandidate, becomeFollower, becomePreCandidate } from './transitions.ts';
import type {
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  Term,
  TimeoutNowRequest,
  VoteRequest,
  VoteResponse,
} from './types.ts';

/** Everyone else whose vote counts, once each. */
function otherVoters(core: Core): NodeId[] {
  const { voters, outgoing } = core.membership;
  return [...new Set([...voters, ...outgoing])].filter((id) => id !== core.id);
}

/** The election timeout has passed. */
export function startPreVote(core: Core): void {
  const role = becomePreCandidate(core);
  const term = (core.term + 1) as Term;
  const { lastIndex, lastTerm } = core.log;
  for (const to of otherVoters(core)) {
    core.out.sendNow.push({
      type: 'preVoteRequest',
      from: core.id,
      to,
      term,
      lastIndex,
      lastTerm,
    });
  }
  countPreVote(core, role, core.id, true);
}

function countPreVote(core: Core, role: PreCandidateRole, from: NodeId, granted: boolean): void {
  countBallot(core, role, from, granted, () => startElection(core, false));
}

function countBallot(
  core: Core,
  role: PreCandidateRole | CandidateRole,
  from: NodeId,
  granted: boolean,
  win: () => void,
): void {
  (granted ? role.votes.granted : role.votes.refused).add(from);
  const { voters, outgoing } = core.membership;
  const outcome = voteOutcome(voters, outgoing, role.votes);
  switch (outcome) {
    case 'won':
      win();
      return;
    case 'lost':
      becomeFollower(core, core.term, undefined);
      return;
    case 'pending':
      return;
    default:
      unreachable(outcome);
  }
}

/** `transfer`: the leader itself asked for it. */
function startElection(core: Core, transfer: boolean): void {
  becomeCandidate(core);
  const { lastIndex, lastTerm } = core.log;
  for (const to of otherVoters(core)) {
    // Nobody may hear of a candidacy that a crash could make this node forget.
    core.out.sendAfterPersist.push({
      type: 'voteRequest',
      from: core.id,
      to,
      term: core.term,
      lastIndex,
      lastTerm,
      transfer,
    });
  }
}

function countVote(core: Core, role: CandidateRole, from: NodeId, granted: boolean): void {
  countBallot(core, role, from, granted, () => startLeading(core));
}

/** Term and vote have become durable: only now does a candidate count its own vote. */
export function voteBecameDurable(core: Core, term: Term, votedFor: NodeId | undefined): void {
  const { role } = core;
  if (role.type !== 'candidate' || term !== core.term || votedFor !== core.id) return;
  countVote(core, role, core.id, true);
}

export function handlePreVoteRequest(core: Core, message: PreVoteRequest): void {
  const granted =
    message.term > core.term &&
    !core.hasLiveLeader &&
    core.mayVote &&
    core.isUpToDate(message.lastTerm, message.lastIndex) &&
    !goesFirst(core, message);
  answerPreVote(core, message, granted);
}

/**
 * Of two that ask at once with equal logs, only the one of the lower id is let on: otherwise each
 * would get the other's grant, vote for itself, and split the vote.
 */
function goesFirst(core: Core, { from, lastIndex, lastTerm }: PreVoteRequest): boolean {
  const { log } = core;
  const equal = lastTerm === log.lastTerm && lastIndex === log.lastIndex;
  return core.role.type === 'preCandidate' && equal && core.id < from;
}

/** Tells the asker this node's term, so that one left behind finds its way back. */
export function refusePreVote(core: Core, message: PreVoteRequest): void {
  answerPreVote(core, message, false);
}

function answerPreVote(core: Core, message: PreVoteRequest, granted: boolean): void {
  const term = granted ? message.term : core.term;
  core.out.sendNow.push({
    type: 'preVoteResponse',
    from: core.id,
    to: message.from,
    term,
    granted,
  });
}

export function handlePreVoteResponse(
  core: Core,
  role: PreCandidateRole,
  message: PreVoteResponse,
): void {
  // A grant names the term it was given for; one for an earlier attempt counts for nothing.
  if (message.granted && message.term !== core.term + 1) return;
  countPreVote(core, role, message.from, message.granted);
}

/** The request is of this node's term, which it may just have entered. */
export function handleVoteRequest(core: Core, message: VoteRequest): void {
  const free = core.votedFor === undefined && core.leader === undefined;
  const granted =
    (free || core.votedFor === message.from) &&
    (message.transfer || !core.hasLiveLeader) &&
    core.mayVote &&
    core.isUpToDate(message.lastTerm, message.lastIndex);
  if (granted) {
    if (core.votedFor === undefined) core.voteFor(message.from);
    core.electionElapsed = 0;
  }
  answerVote(core, message, granted);
}

export function refuseVote(core: Core, message: VoteRequest): void {
  answerVote(core, message, false);
}

function answerVote(core: Core, message: VoteRequest, granted: boolean): void {
  // A vote is given only once it cannot be forgotten.
  core.out.sendAfterPersist.push({
    type: 'voteResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    granted,
  });
}

export function handleVoteResponse(core: Core, role: CandidateRole, message: VoteResponse): void {
  countVote(core, role, message.from, message.granted);
}

/** The leader wants this node to take over (thesis 3.10): no pre-vote, no waiting. */
export function handleTimeoutNow(core: Core, message: TimeoutNowRequest): void {
  const { role } = core;
  if (role.type !== 'follower' || role.leader !== message.from || !core.mayCampaign) return;
  role.campaignWhenDurable = true;
  campaignIfDurable(core);
}

/** The log a candidate shows must be one that it cannot lose. */
export function campaignIfDurable(core: Core): void {
  const { role, log } = core;
  if (role.type !== 'follower' || !role.campaignWhenDurable) return;
  if (log.persistedIndex < log.lastIndex) return;
  role.campaignWhenDurable = false;
  if (core.mayCampaign) startElection(core, true);
}
