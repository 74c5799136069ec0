/** The leader's side of replication: what goes to each follower, and what their replies mean. */
import { matchAdvanced } from './commit.ts';
import type { Core } from './core.ts';
import type { EntryBatch } from './entry.ts';
import { NO_INDEX, batchOf, logIndex } from './entry.ts';
import type { Progress } from './progress.ts';
import { beginReadRound, noteReply } from './reads.ts';
import type { LeaderRole } from './roles.ts';
import { requestSnapshotChunk, startSnapshot } from './snapshot-sending.ts';
import { giveUpLeadership } from './leading.ts';
import { continueTransfer } from './transfer.ts';
import type {
  AppendResponse,
  Entry,
  FetchRequest,
  HeartbeatResponse,
  LogIndex,
  NodeId,
  Term,
} from './types.ts';

const EMPTY_BATCH: EntryBatch = { entries: [], bytes: 0 };

/** The batch last cut from the log: followers that are equally far get the same one. */
interface SharedBatch {
  from: LogIndex;
  batch: EntryBatch;
}

/** Sends everything that inputs since the last call made due: one round, one batch a follower. */
export function flushLeader(core: Core, role: LeaderRole): void {
  beginReadRound(core, role);
  if (role.announceRound) {
    role.announceRound = false;
    for (const [id, progress] of role.progress) sendHeartbeat(core, role, id, progress);
  }
  if (role.replicationDue) {
    role.replicationDue = false;
    const shared: SharedBatch = { from: NO_INDEX, batch: EMPTY_BATCH };
    for (const [id, progress] of role.progress) replicate(core, role, id, progress, shared);
  }
  continueTransfer(core, role);
  // Removed from the cluster. The others have been told of the commit by now.
  if (role.retiring) giveUpLeadership(core, role);
}

function sendHeartbeat(core: Core, role: LeaderRole, to: NodeId, progress: Progress): void {
  const commit = logIndex(Math.min(progress.match, core.commitIndex));
  core.out.sendNow.push({
    type: 'heartbeatRequest',
    from: core.id,
    to,
    term: core.term,
    round: role.rounds.round,
    commit,
  });
}

function replicate(
  core: Core,
  role: LeaderRole,
  to: NodeId,
  progress: Progress,
  shared: SharedBatch,
): void {
  if (progress.state.type === 'snapshot') {
    requestSnapshotChunk(core, to, progress);
    return;
  }
  while (progress.mayAppend && progress.next <= core.log.lastIndex) {
    if (!sendBatch(core, role, to, progress, shared)) return;
  }
  if (!progress.mayAppend) return;
  // Nothing to append: a probe still has to find out, and a follower wants to know of commits.
  const probing = progress.state.type === 'probe';
  if (probing || progress.sentCommit < core.commitIndex) sendEmpty(core, role, to, progress);
}

/** Returns false when the entries have to be got from elsewhere first. */
function sendBatch(
  core: Core,
  role: LeaderRole,
  to: NodeId,
  progress: Progress,
  shared: SharedBatch,
): boolean {
  const { log, options } = core;
  const from = progress.next;
  if (!canSendFrom(core, from)) {
    startSnapshot(core, to, progress);
    return false;
  }
  if (from < log.memoryFirst) {
    fetchFor(core, to, progress);
    return false;
  }
  if (shared.from !== from) {
    shared.from = from;
    shared.batch = log.slice(from, log.lastIndex, options.maxAppendBytes);
  }
  sendAppend(core, role, to, progress, shared.batch);
  return true;
}

/**
 * Whether entries can be sent from there on. Not from the first one once there is a snapshot: who
 * has nothing at all may have missed the founding too, and no entry tells of its membership.
 */
function canSendFrom(core: Core, next: LogIndex): boolean {
  const needsMembership = next === 1 && core.snapshot !== undefined && core.snapshot.index > 0;
  return !needsMembership && core.log.canSendFrom(next);
}

function fetchFor(core: Core, id: NodeId, progress: Progress): void {
  if (progress.fetch !== undefined) return;
  progress.fetch = {
    purpose: { type: 'follower', id },
    from: progress.next,
    through: logIndex(core.log.memoryFirst - 1),
    maxBytes: core.options.maxAppendBytes,
  };
  core.out.fetch.push(progress.fetch);
}

/** Entries for a follower have come back from the store; undefined: they are compacted away. */
export function handleFollowerFetch(
  core: Core,
  role: LeaderRole,
  id: NodeId,
  request: FetchRequest,
  entries: readonly Entry[] | undefined,
): void {
  const progress = role.progress.get(id);
  // The answer to a request of an earlier leadership is not awaited any more.
  if (progress?.fetch === undefined || progress.fetch.from !== request.from) return;
  progress.fetch = undefined;
  role.replicationDue = true;
  if (progress.next !== request.from || !progress.mayAppend) return;
  if (entries === undefined || !canSendFrom(core, request.from)) {
    startSnapshot(core, id, progress);
    return;
  }
  const isCurrent = entries.every(
    (entry, i) => entry.index === request.from + i && core.log.matches(entry.index, entry.term),
  );
  if (isCurrent && entries.length > 0)
    sendAppend(core, role, id, progress, toppedUp(core, entries));
}

/** Fetched entries and what follows them in memory: a probe costs a round trip, so it goes full. */
function toppedUp(core: Core, fetched: readonly Entry[]): EntryBatch {
  const { log, options } = core;
  const batch = batchOf(fetched);
  const next = logIndex(fetched[fetched.length - 1]!.index + 1);
  if (next < log.memoryFirst || next > log.lastIndex) return batch;
  const room = options.maxAppendBytes - batch.bytes;
  const first = log.entryInMemory(next)!;
  if (first.data.length > room) return batch;
  const more = log.slice(next, log.lastIndex, room);
  return { entries: [...fetched, ...more.entries], bytes: batch.bytes + more.bytes };
}

function sendEmpty(core: Core, role: LeaderRole, to: NodeId, progress: Progress): void {
  if (core.log.termAt(logIndex(progress.next - 1)) === undefined) startSnapshot(core, to, progress);
  else sendAppend(core, role, to, progress, EMPTY_BATCH);
}

function sendAppend(
  core: Core,
  role: LeaderRole,
  to: NodeId,
  progress: Progress,
  batch: EntryBatch,
): void {
  const prevIndex = logIndex(progress.next - 1);
  core.out.sendNow.push({
    type: 'appendRequest',
    from: core.id,
    to,
    term: core.term,
    round: role.rounds.round,
    prevIndex,
    prevTerm: core.log.termAt(prevIndex) as Term,
    commit: core.commitIndex,
    entries: batch.entries,
  });
  progress.sentCommit = core.commitIndex;
  progress.appendSent(logIndex(prevIndex + batch.entries.length), batch.bytes, core.tickCount);
}

export function handleAppendResponse(core: Core, role: LeaderRole, message: AppendResponse): void {
  const progress = role.progress.get(message.from);
  if (progress === undefined) return;
  noteReply(core, role, progress, message.round);
  const { result } = message;
  switch (result.type) {
    case 'accepted':
      if (result.matchIndex > core.log.lastIndex) return;
      if (progress.accepted(result.matchIndex, core.tickCount)) matchAdvanced(core, role);
      role.replicationDue = true;
      return;
    case 'rejected': {
      const agreed = core.log.lastAtMost(result.hintIndex, result.hintTerm);
      if (progress.rejected(message.prevIndex, agreed)) role.replicationDue = true;
      return;
    }
  }
}

export function handleHeartbeatResponse(
  core: Core,
  role: LeaderRole,
  message: HeartbeatResponse,
): void {
  const progress = role.progress.get(message.from);
  if (progress === undefined) return;
  noteReply(core, role, progress, message.round);
  const { state } = progress;
  switch (state.type) {
    case 'probe':
      // Alive, but the probe or its reply may be lost.
      state.waiting = false;
      role.replicationDue = true;
      return;
    case 'replicate':
      nudge(core, role, message.from, progress);
      if (progress.match < core.log.lastIndex) role.replicationDue = true;
      return;
    case 'snapshot':
      if (state.step === 'idle') role.replicationDue = true;
      return;
  }
}

/** When confirmations stay out, an empty append shows whether what was sent has arrived. */
function nudge(core: Core, role: LeaderRole, to: NodeId, progress: Progress): void {
  if (!progress.stalled(core.tickCount, core.options.heartbeatTicks)) return;
  progress.lastAdvanceTick = core.tickCount;
  sendEmpty(core, role, to, progress);
}

/** What was in flight is lost; go on from what is known once the follower shows itself again. */
export function handleUnreachable(core: Core, role: LeaderRole, id: NodeId): void {
  const progress = role.progress.get(id);
  if (progress === undefined) return;
  const { state } = progress;
  switch (state.type) {
    case 'probe':
      state.waiting = true;
      return;
    case 'replicate':
      progress.becomeProbe(logIndex(progress.match + 1));
      if (progress.state.type === 'probe') progress.state.waiting = true;
      return;
    case 'snapshot':
      if (state.step !== 'waiting') return;
      state.step = 'resting';
      state.stepTick = core.tickCount;
      return;
  }
}
