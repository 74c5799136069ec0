/** The follower's side of replication (section 5.3). */
import { invariant } from '../base/index.ts';
import { followCommit } from './commit.ts';
import type { Core } from './core.ts';
import { NO_INDEX, NO_TERM, logIndex } from './entry.ts';
import { decodeMembership } from './membership-codec.ts';
import type { AppendRequest, AppendResponse, Entry, HeartbeatRequest, LogIndex } from './types.ts';

/** From this term's leader. */
export function handleAppend(core: Core, message: AppendRequest): void {
  core.heardFromLeader();
  // A snapshot is about to take the log's place; the leader sends again what is still needed then.
  if (core.lastChunk !== undefined) return;
  const { prevIndex, prevTerm, entries } = message;
  // What is committed equals the leader's log, even where this node has compacted it away.
  const verified = prevIndex < core.commitIndex || core.log.matches(prevIndex, prevTerm);
  if (!verified) {
    rejectAppend(core, message);
    return;
  }
  invariant(isConsecutive(prevIndex, entries), 'append entries follow one another', prevIndex);
  mergeEntries(core, entries);
  // Only what this append covered is known to match; the log may hold more that does not.
  const matchIndex = logIndex(prevIndex + entries.length);
  followCommit(core, logIndex(Math.min(message.commit, matchIndex)));
  answerAppend(core, message, { type: 'accepted', matchIndex });
}

function isConsecutive(prevIndex: LogIndex, entries: readonly Entry[]): boolean {
  return (
    entries.length === 0 ||
    (entries[0]!.index === prevIndex + 1 &&
      entries[entries.length - 1]!.index === prevIndex + entries.length)
  );
}

/** Appends what is new. Only a real conflict truncates: an old, short append takes nothing away. */
function mergeEntries(core: Core, entries: readonly Entry[]): void {
  const { log } = core;
  let at = 0;
  while (at < entries.length && isHeld(core, entries[at]!)) at++;
  if (at === entries.length) return;
  const first = entries[at]!.index;
  if (first <= log.lastIndex) {
    invariant(first > core.commitIndex, 'a committed entry conflicts', {
      index: first,
      commitIndex: core.commitIndex,
    });
    log.truncateFrom(first);
    if (core.memberships.truncateFrom(first)) core.announceMembership();
  }
  for (; at < entries.length; at++) {
    const entry = entries[at]!;
    log.append(entry);
    if (entry.type === 'membership') {
      core.adoptMembership(entry.index, decodeMembership(entry.data));
    }
  }
}

function isHeld(core: Core, entry: Entry): boolean {
  return entry.index <= core.commitIndex || core.log.matches(entry.index, entry.term);
}

/** Says where the logs may still agree, so that the leader skips whole terms at a time. */
function rejectAppend(core: Core, message: AppendRequest): void {
  const { log } = core;
  const candidate = logIndex(Math.min(message.prevIndex, log.lastIndex));
  const hintIndex = log.lastAtMost(candidate, message.prevTerm);
  const hintTerm = log.termAt(hintIndex) ?? NO_TERM;
  answerAppend(core, message, { type: 'rejected', hintIndex, hintTerm });
}

function answerAppend(core: Core, message: AppendRequest, result: AppendResponse['result']): void {
  const { from: to, round, prevIndex } = message;
  // Leaves when everything written so far is durable: an acknowledged entry cannot be lost.
  core.out.sendAfterPersist.push({
    type: 'appendResponse',
    from: core.id,
    to,
    term: core.term,
    round,
    prevIndex,
    result,
  });
}

/** Tells a deposed leader the term. */
export function refuseAppend(core: Core, message: AppendRequest): void {
  answerAppend(core, message, { type: 'rejected', hintIndex: NO_INDEX, hintTerm: NO_TERM });
}

/** From this term's leader: `commit` is not above what it knows this log to hold. */
export function handleHeartbeat(core: Core, message: HeartbeatRequest): void {
  core.heardFromLeader();
  // An entry of the leader's own term shows that all up to it is the leader's (section 5.3). What
  // the leader knows of this log is not enough: the disk it was told of may have been wiped since.
  if (core.log.matches(message.commit, message.term)) followCommit(core, message.commit);
  answerHeartbeat(core, message);
}

/** Also tells a deposed leader the term. */
export function answerHeartbeat(core: Core, message: HeartbeatRequest): void {
  const { from: to, round } = message;
  core.out.sendNow.push({ type: 'heartbeatResponse', from: core.id, to, term: core.term, round });
}
