/** The beginning of a leadership, and its clockwork. */
import { invariant } from '../base/index.ts';
import { advanceCommit } from './commit.ts';
import type { Core } from './core.ts';
import { NO_BYTES, logIndex } from './entry.ts';
import { appendOwn, newProgress } from './leader-log.ts';
import { promoteLearners } from './membership-changes.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { RoundClock } from './round-clock.ts';
import type { LeaderRole } from './roles.ts';
import { bestSuccessor, expireTransfer, sendTimeoutNow } from './transfer.ts';
import { becomeFollower } from './transitions.ts';
import type { NodeId } from './types.ts';

/** A candidate was elected. Its first entry lets those of earlier terms commit (section 8). */
export function startLeading(core: Core): void {
  invariant(core.role.type === 'candidate', 'only a candidate is elected', core.role.type);
  const progress = new Map<NodeId, Progress>();
  for (const id of Object.keys(core.membership.members) as NodeId[]) {
    if (id !== core.id) progress.set(id, newProgress(core));
  }
  const termStart = logIndex(core.log.lastIndex + 1);
  const role: LeaderRole = {
    type: 'leader',
    termStart,
    progress,
    rounds: new RoundClock(core.options.electionTicks),
    announceRound: false,
    lastHeartbeatTick: core.tickCount,
    replicationDue: true,
    uncommittedBytes: 0,
    reads: { early: [], fresh: [], batches: [] },
    transfer: undefined,
    leaseVoid: false,
    catchUpMark: termStart,
    retiring: false,
  };
  core.role = role;
  core.sinceLeader = core.options.electionTicks;
  role.rounds.begin(core.tickCount);
  appendOwn(core, role, 'noop', NO_BYTES, core.log.lastTime);
  core.announceRole();
  core.handover = undefined;
  advanceCommit(core, role);
}

/** Without replies from a quorum for an election timeout, someone else may lead (thesis 6.2). */
function hasQuorumContact(core: Core, role: LeaderRole): boolean {
  const { voters, outgoing } = core.membership;
  const heardTick = quorumValue(voters, outgoing, (id) =>
    id === core.id ? core.tickCount : (role.progress.get(id)?.lastReplyTick ?? -Infinity),
  );
  return core.tickCount - heardTick < core.options.electionTicks;
}

export function tickLeader(core: Core, role: LeaderRole): void {
  if (!hasQuorumContact(core, role)) {
    becomeFollower(core, core.term, undefined);
    return;
  }
  expireTransfer(core, role);
  for (const progress of role.progress.values()) tickSnapshot(core, role, progress);
  if (core.tickCount - role.lastHeartbeatTick < core.options.heartbeatTicks) return;
  role.lastHeartbeatTick = core.tickCount;
  role.rounds.begin(core.tickCount);
  role.announceRound = true;
  promoteLearners(core, role);
  role.catchUpMark = logIndex(Math.max(core.commitIndex, role.termStart));
}

/** A chunk that was lost or could not be read goes out once more. */
function tickSnapshot(core: Core, role: LeaderRole, progress: Progress): void {
  const { state } = progress;
  if (state.type !== 'snapshot') return;
  const { electionTicks, heartbeatTicks } = core.options;
  const elapsed = core.tickCount - state.stepTick;
  const due =
    (state.step === 'waiting' && elapsed >= electionTicks) ||
    (state.step === 'resting' && elapsed >= heartbeatTicks);
  if (!due) return;
  state.step = 'idle';
  role.replicationDue = true;
}

/** Gives leadership up at once, and bids the best follower not to wait for a timeout. */
export function giveUpLeadership(core: Core, role: LeaderRole): void {
  const successor = bestSuccessor(core, role);
  if (successor !== undefined) sendTimeoutNow(core, role, successor);
  becomeFollower(core, core.term, undefined);
}
