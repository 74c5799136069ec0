/** What the passing of time does to each role. */
import type { Core } from './core.ts';
import { startPreVote } from './elections.ts';
import { tickLeader } from './leading.ts';
import { expireForwardedReads } from './reads.ts';
import { expireHandover } from './transfer.ts';

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
  else core.resetElectionTimer();
}
