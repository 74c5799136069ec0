/** A picture of a node at one moment. */
import type { Core } from './core.ts';
import type { FollowerStatus, NodeId, RaftStatus } from './types.ts';

function progressOf(core: Core): Record<NodeId, FollowerStatus> {
  const { role, membership } = core;
  if (role.type !== 'leader') return {};
  const entries = [...role.progress].map(([id, progress]): [NodeId, FollowerStatus] => [
    id,
    {
      state: progress.state.type,
      match: progress.match,
      next: progress.next,
      inflightMessages: progress.inflight.messages,
      inflightBytes: progress.inflight.bytes,
      recentlyActive: core.tickCount - progress.lastReplyTick < core.options.electionTicks,
      learner: membership.learners.includes(id),
    },
  ]);
  return Object.fromEntries(entries);
}

export function statusOf(core: Core): RaftStatus {
  const { role, log, memberships } = core;
  return {
    id: core.id,
    role: role.type,
    term: core.term,
    votedFor: core.votedFor,
    leader: core.leader,
    membership: core.membership,
    membershipIndex: memberships.index,
    commitIndex: core.commitIndex,
    appliedIndex: core.appliedIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    lastTime: log.lastTime,
    firstIndex: log.firstIndex,
    persistedIndex: log.persistedIndex,
    snapshotIndex: core.snapshot?.index ?? (0 as RaftStatus['snapshotIndex']),
    uncommittedBytes: role.type === 'leader' ? role.uncommittedBytes : 0,
    transferTo: role.type === 'leader' ? role.transfer?.to : undefined,
    progress: progressOf(core),
  };
}
