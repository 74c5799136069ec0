/** What the passing of time does to each role. */
import type { Core } from './core.ts';
import { startPreVote } from './elections.ts';
import { tickLeader } from './leading.ts';
import { expireForwardedReads } from './reads.ts';
import { expireHandover } from './transfer.ts';
import { becomeFollower } from './transitions.ts';

export function tick(core: Core): void {
  core.tickCount++;
  core.electionElapsed++;
  core.sinceLeader++;
  expireHandover(core);
  const { role } = core;
  switch (role.type) {
    case 'leader':
      tickLeader(core, role);
      return;
    case 'follower':
      expireForwardedReads(core, role);
      break;
    case 'preCandidate':
    case 'candidate':
      break;
  }
  if (core.electionElapsed < core.electionTimeout) return;
  if (core.mayCampaign) startPreVote(core);
  else waitOn(core);
}

/**
 * One that may not campaign, like a learner, only forgets whom it does not hear: it may be cut off,
 * or was removed and is told nothing any more, and its clients are to know.
 */
function waitOn(core: Core): void {
  core.resetElectionTimer();
  if (core.role.type === 'follower') becomeFollower(core, core.term, undefined);
}
