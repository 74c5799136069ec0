/** A picture of a node at one moment. */
import type { Core } from './core.ts';
import { NO_INDEX } from './entry.ts';
import type { FollowerStatus, LogIndex, NodeId, RaftStatus } from './types.ts';

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

/** 0 where there is none. */
export function snapshotIndexOf({ snapshot }: Core): LogIndex {
  return snapshot?.index ?? NO_INDEX;
}

/** Whom this leader is handing leadership to. */
export function transferTargetOf({ role }: Core): NodeId | undefined {
  return role.type === 'leader' ? role.transfer?.to : undefined;
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
    snapshotIndex: snapshotIndexOf(core),
    uncommittedBytes: role.type === 'leader' ? role.uncommittedBytes : 0,
    transferTo: transferTargetOf(core),
    progress: progressOf(core),
  };
}
