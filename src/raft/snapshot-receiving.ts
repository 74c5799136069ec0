/** Receiving a snapshot and putting it in the place of the log it covers (section 7). */
import { invariant } from '../base/index.ts';
import type { Core } from './core.ts';
import { becomeFollower } from './transitions.ts';
import type { LogIndex, NodeId, SnapshotChunkRequest, SnapshotMeta } from './types.ts';

/** From this term's leader. The node stages the chunk, then comes `handleChunkStaged`. */
export function handleSnapshotChunk(core: Core, message: SnapshotChunkRequest): void {
  core.heardFromLeader();
  if (message.snapshot.index <= core.commitIndex) {
    answerChunk(core, message.from, message.snapshot.index, 0, true);
    return;
  }
  if (!message.last) {
    core.out.snapshotChunks.push(message);
    return;
  }
  core.lastChunk ??= { message, handedOut: false };
  handOutLastChunk(core);
}

/**
 * With its last chunk a snapshot becomes the store's current one. Until that is done no entries are
 * written: those that follow the old log could meet a store that has already moved on.
 */
export function handOutLastChunk(core: Core): void {
  const { lastChunk } = core;
  if (lastChunk === undefined || lastChunk.handedOut) return;
  if (core.role.type === 'leader') {
    core.lastChunk = undefined;
  } else if (core.log.idle) {
    lastChunk.handedOut = true;
    core.out.snapshotChunks.push(lastChunk.message);
  }
}

/** Tells a deposed leader the term. */
export function refuseSnapshotChunk(core: Core, message: SnapshotChunkRequest): void {
  answerChunk(core, message.from, message.snapshot.index, 0, false);
}

function answerChunk(
  core: Core,
  to: NodeId,
  snapshotIndex: LogIndex,
  nextOffset: number,
  installed: boolean,
): void {
  // `installed` counts as holding the log up to there, so it waits for what is being written.
  core.out.sendAfterPersist.push({
    type: 'snapshotChunkResponse',
    from: core.id,
    to,
    term: core.term,
    snapshotIndex,
    nextOffset,
    installed,
  });
}

export function handleChunkStaged(
  core: Core,
  chunk: SnapshotChunkRequest,
  result: { readonly nextOffset: number; readonly complete: boolean },
): void {
  const { index } = chunk.snapshot;
  if (chunk.last) core.lastChunk = undefined;
  if (result.complete && index > core.commitIndex) install(core, chunk.snapshot);
  answerChunk(core, chunk.from, index, result.nextOffset, index <= core.commitIndex);
}

/** A durable snapshot newer than anything known here to be committed takes over. */
function install(core: Core, snapshot: SnapshotMeta): void {
  const { log, memberships, role } = core;
  const keepsSuffix = log.matches(snapshot.index, snapshot.term);
  if (role.type === 'leader') {
    // Committed by an earlier leader while this one, elected since, has it in its log.
    invariant(keepsSuffix, 'a leader holds everything committed', snapshot.index);
    return;
  }
  if (role.type !== 'follower') becomeFollower(core, core.term, undefined);
  log.install(snapshot);
  memberships.install(snapshot, keepsSuffix);
  core.announceMembership();
  core.snapshot = snapshot;
  core.commitIndex = snapshot.index;
  core.appliedIndex = snapshot.index;
  core.fetchedToApply = undefined;
  core.applyFetch = undefined;
  core.out.restore = snapshot;
}

/** This node's own snapshot has become durable. */
export function handleSnapshotSaved(core: Core, snapshot: SnapshotMeta): void {
  invariant(snapshot.index <= core.appliedIndex, 'a snapshot shows what was applied', {
    index: snapshot.index,
    appliedIndex: core.appliedIndex,
  });
  if (core.snapshot !== undefined && snapshot.index <= core.snapshot.index) return;
  core.snapshot = snapshot;
}

/** Never beyond the snapshot: it is what stands for the entries dropped. */
export function compact(core: Core, index: LogIndex): void {
  const limit = core.snapshot?.index ?? 0;
  const through = index < limit ? index : (limit as LogIndex);
  core.log.compact(through);
  core.memberships.compactThrough(through);
}
