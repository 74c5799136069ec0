/** The commit index, and what its movement sets in motion. */
import { invariant } from '../base/index.ts';
import type { Core } from './core.ts';
import { logIndex } from './entry.ts';
import { advanceMembership, promoteLearners } from './membership-changes.ts';
import { quorumValue } from './quorum.ts';
import { releaseEarlyReads } from './reads.ts';
import type { LeaderRole } from './roles.ts';
import type { LogIndex } from './types.ts';

/** Moves the commit index to what the leader says; the log is verified up to there. */
export function followCommit(core: Core, index: LogIndex): void {
  if (index <= core.commitIndex) return;
  invariant(index <= core.log.lastIndex, 'commit beyond the log', {
    index,
    lastIndex: core.log.lastIndex,
  });
  core.commitIndex = index;
}

/** Commits what a quorum holds durably, this leader counted like any other (section 5.3). */
export function advanceCommit(core: Core, role: LeaderRole): void {
  const { log } = core;
  const { voters, outgoing } = core.membership;
  const held = quorumValue(voters, outgoing, (id) =>
    id === core.id ? log.persistedIndex : (role.progress.get(id)?.match ?? 0),
  );
  const index = logIndex(held);
  if (index <= core.commitIndex) return;
  // An older term's entry is committed only by one of this term after it (Figure 8).
  if (log.termAt(index) !== core.term) return;
  releaseUncommitted(core, role, index);
  core.commitIndex = index;
  role.replicationDue = true;
  releaseEarlyReads(role);
  advanceMembership(core, role);
}

/** Entries of this leadership leave the count they entered; earlier ones never were in it. */
function releaseUncommitted(core: Core, role: LeaderRole, through: LogIndex): void {
  const from = Math.max(core.commitIndex, role.termStart) + 1;
  for (let i = from; i <= through; i++) {
    role.uncommittedBytes -= core.log.entryInMemory(logIndex(i))!.data.length;
  }
}

/** A follower is known to hold more than before. */
export function matchAdvanced(core: Core, role: LeaderRole): void {
  advanceCommit(core, role);
  promoteLearners(core, role);
}
