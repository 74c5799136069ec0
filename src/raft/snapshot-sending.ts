/** Bringing a follower up with a snapshot when the log does not reach back to it (section 7). */
import { invariant } from '../base/index.ts';
import { matchAdvanced } from './commit.ts';
import type { Core } from './core.ts';
import type { Progress } from './progress.ts';
import { noteReply } from './reads.ts';
import type { LeaderRole } from './roles.ts';
import type { NodeId, SnapshotChunkResponse, SnapshotReadRequest } from './types.ts';

/** Begins with the first chunk; a receiver that holds part of it says where to go on. */
export function startSnapshot(core: Core, to: NodeId, progress: Progress): void {
  const { snapshot } = core;
  invariant(snapshot !== undefined, 'a compacted log has a snapshot', core.log.firstIndex);
  progress.becomeSnapshot(snapshot, core.tickCount);
  requestSnapshotChunk(core, to, progress);
}

/** One chunk at a time, and none to a follower that does not answer. */
export function requestSnapshotChunk(core: Core, to: NodeId, progress: Progress): void {
  const { state } = progress;
  if (state.type !== 'snapshot' || state.step !== 'idle') return;
  if (core.tickCount - progress.lastReplyTick >= core.options.electionTicks) return;
  state.step = 'reading';
  state.stepTick = core.tickCount;
  const { snapshot, offset } = state;
  core.out.snapshotReads.push({ to, term: core.term, snapshot, offset });
}

export function handleSnapshotChunkSent(
  core: Core,
  role: LeaderRole,
  request: SnapshotReadRequest,
  outcome: 'sent' | 'failed',
): void {
  const progress = role.progress.get(request.to);
  if (progress?.state.type !== 'snapshot' || request.term !== core.term) return;
  const { state } = progress;
  if (state.step !== 'reading' || state.snapshot.index !== request.snapshot.index) return;
  const newest = core.snapshot;
  if (outcome === 'failed' && newest !== undefined && newest.index > state.snapshot.index) {
    progress.becomeSnapshot(newest, core.tickCount);
    role.replicationDue = true;
    return;
  }
  state.step = outcome === 'sent' ? 'waiting' : 'resting';
  state.stepTick = core.tickCount;
}

export function handleSnapshotChunkResponse(
  core: Core,
  role: LeaderRole,
  message: SnapshotChunkResponse,
): void {
  const progress = role.progress.get(message.from);
  if (progress === undefined) return;
  noteReply(core, role, progress, progress.ackedRound);
  const { snapshotIndex, nextOffset, installed } = message;
  if (installed) {
    if (snapshotIndex > core.log.lastIndex) return;
    if (progress.accepted(snapshotIndex, core.tickCount)) matchAdvanced(core, role);
    role.replicationDue = true;
    return;
  }
  const { state } = progress;
  if (state.type !== 'snapshot' || state.snapshot.index !== snapshotIndex) return;
  if (state.step === 'idle' || state.step === 'reading') return;
  state.offset = nextOffset;
  state.step = 'idle';
  state.stepTick = core.tickCount;
  role.replicationDue = true;
}
