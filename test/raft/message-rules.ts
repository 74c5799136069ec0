/** What a message may say, given what its sender has on disk at the moment it leaves. */
import { invariant, unreachable } from '../../src/base/index.ts';
import type {
  AppendRequest,
  AppendResponse,
  HeartbeatRequest,
  Message,
  VoteRequest,
  VoteResponse,
} from '../../src/raft/index.ts';
import type { Oracle } from './oracle.ts';

export function checkMessage(oracle: Oracle, message: Message): void {
  switch (message.type) {
    case 'voteRequest':
      checkVoteRequest(oracle, message);
      return;
    case 'voteResponse':
      checkVoteResponse(oracle, message);
      return;
    case 'appendRequest':
      checkAppendRequest(oracle, message);
      return;
    case 'appendResponse':
      checkAppendResponse(oracle, message);
      return;
    case 'heartbeatRequest':
      checkHeartbeat(oracle, message);
      return;
    // These promise nothing about a disk.
    case 'preVoteRequest':
    case 'preVoteResponse':
    case 'heartbeatResponse':
    case 'snapshotChunkRequest':
    case 'snapshotChunkResponse':
    case 'timeoutNowRequest':
    case 'readIndexRequest':
    case 'readIndexResponse':
      return;
    default:
      unreachable(message);
  }
}

/** A crash must not let a candidate ask twice in one term, nor with a shorter log than it named. */
function checkVoteRequest(oracle: Oracle, message: VoteRequest): void {
  const disk = oracle.node(message.from)?.disk;
  if (disk === undefined || disk.metadata.term > message.term) return;
  const own = disk.votes.get(message.term);
  invariant(own === message.from, 'a vote is asked for before the own one is durable', message);
  // Sent late by one that already follows a leader of this term, it is harmless.
  if (oracle.node(message.from)?.raft?.role !== 'candidate') return;
  const logged = message.lastIndex === 0 || disk.holds(message.lastIndex, message.lastTerm);
  invariant(logged, 'a vote is asked for with a log that is not durable', message);
}

/** Term and vote are durable before anyone hears of them (paper section 5.2, figure 2). */
function checkVoteResponse(oracle: Oracle, message: VoteResponse): void {
  if (!message.granted) return;
  const vote = oracle.node(message.from)?.disk.votes.get(message.term);
  invariant(vote === message.to, 'a vote is sent before it is durable', message);
}

function checkAppendRequest(oracle: Oracle, message: AppendRequest): void {
  const { entries, prevIndex, prevTerm } = message;
  const log = oracle.mirror(message.from);
  const leader = oracle.node(message.from)?.raft;
  if (log === undefined || leader?.role !== 'leader' || leader.term !== message.term) return;
  const isKnown = prevIndex >= log.base;
  const truth = log.termAt(prevIndex);
  invariant(!isKnown || truth === prevTerm, 'a wrong previous term is sent', { message, truth });
  invariant(prevIndex === 0 || prevTerm > 0, 'term 0 stands for a compacted entry', message);
  for (const [offset, entry] of entries.entries()) {
    invariant(entry.index === prevIndex + 1 + offset, 'entries are sent with a gap', message);
    const mine = log.termAt(entry.index);
    const same = entry.index <= log.base || mine === entry.term;
    invariant(same, 'entries are sent that the leader does not have', { message, mine });
  }
  invariant(message.commit <= leader.commitIndex, 'a commit index is made up', message);
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  const fits = entries.length <= 1 || bytes <= oracle.maxAppendBytes;
  invariant(fits, 'an append is larger than allowed', { bytes });
}

/** An acknowledgement is a promise about the disk (sections 5.3 and 5.4). */
function checkAppendResponse(oracle: Oracle, message: AppendResponse): void {
  const disk = oracle.node(message.from)?.disk;
  if (disk === undefined || disk.metadata.term > message.term) return;
  const { result } = message;
  if (result.type !== 'accepted') return;
  const current = disk.metadata.term === message.term;
  invariant(current, 'an append is accepted before its term is durable', message);
  const leader = oracle.node(message.to)?.raft;
  const term = oracle.mirror(message.to)?.termAt(result.matchIndex);
  if (leader?.role !== 'leader' || leader.term !== message.term || term === undefined) return;
  const held = result.matchIndex === 0 || disk.holds(result.matchIndex, term);
  invariant(held, 'an append is acknowledged that is not durable or not equal', message);
}

function checkHeartbeat(oracle: Oracle, message: HeartbeatRequest): void {
  const term = oracle.mirror(message.from)?.termAt(message.commit);
  if (message.term !== oracle.newestLeaderTerm || message.commit === 0) return;
  if (term === undefined) return;
  const membership = oracle.node(message.from)?.raft?.membership;
  if (membership === undefined) return;
  const held = oracle.durableAt(message.to, membership, message.commit, term);
  invariant(held, 'a heartbeat commits what the follower may not hold', message);
}
