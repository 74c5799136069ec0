/** Short, stable text for whatever a core sends, writes and says: the words of the scenarios. */
import { unreachable } from '../../src/base/index.ts';
import type {
  AppendResponse,
  Entry,
  FetchRequest,
  Membership,
  Message,
  PersistRequest,
  RaftEvent,
  RaftStatus,
  ReadResult,
} from '../../src/raft/index.ts';

/** `7/3 x`: index, term, and what it is. */
export function entryText(entry: Entry): string {
  const at = `${entry.index}/${entry.term}`;
  if (entry.type !== 'command') return `${at} ${entry.type}`;
  const text = String.fromCharCode(...entry.data);
  return `${at} ${text.length > 12 ? `${text.slice(0, 9)}*${text.length}` : text}`;
}

function entriesText(entries: readonly Entry[]): string {
  return `[${entries.map(entryText).join(', ')}]`;
}

export function describeMembership(membership: Membership): string {
  const parts = [`voters ${membership.voters.join(' ') || 'none'}`];
  if (membership.outgoing.length > 0) parts.push(`outgoing ${membership.outgoing.join(' ')}`);
  if (membership.learners.length > 0) parts.push(`learners ${membership.learners.join(' ')}`);
  if (membership.promotable.length > 0) parts.push(`promotable ${membership.promotable.join(' ')}`);
  return parts.join(', ');
}

export function describeMessage(message: Message): string {
  return `${message.from}->${message.to} ${message.type} term ${message.term}${details(message)}`;
}

function details(message: Message): string {
  switch (message.type) {
    case 'preVoteRequest':
      return ` last ${message.lastIndex}/${message.lastTerm}`;
    case 'voteRequest':
      return (
        ` last ${message.lastIndex}/${message.lastTerm}` + (message.transfer ? ' by transfer' : '')
      );
    case 'preVoteResponse':
    case 'voteResponse':
      return message.granted ? ' granted' : ' refused';
    case 'appendRequest':
      return (
        ` round ${message.round} after ${message.prevIndex}/${message.prevTerm}` +
        ` commit ${message.commit} ${entriesText(message.entries)}`
      );
    case 'appendResponse':
      return ` round ${message.round} ${appendResult(message)}`;
    case 'heartbeatRequest':
      return ` round ${message.round} commit ${message.commit}`;
    case 'heartbeatResponse':
      return ` round ${message.round}`;
    case 'snapshotChunkRequest':
      return (
        ` snapshot ${message.snapshot.index}/${message.snapshot.term}` +
        ` from ${message.offset}, ${message.data.length} bytes${message.last ? ', last' : ''}`
      );
    case 'snapshotChunkResponse':
      return (
        ` snapshot ${message.snapshotIndex}` +
        (message.installed ? ' installed' : ` next from ${message.nextOffset}`)
      );
    case 'timeoutNowRequest':
      return '';
    case 'readIndexRequest':
      return ` read ${message.context}`;
    case 'readIndexResponse':
      return ` read ${message.context} ${message.index === undefined ? 'refused' : message.index}`;
    default:
      return unreachable(message);
  }
}

function appendResult({ result, prevIndex }: AppendResponse): string {
  if (result.type === 'accepted') return `accepted through ${result.matchIndex}`;
  return `rejected after ${prevIndex}, hint ${result.hintIndex}/${result.hintTerm}`;
}

export function describePersist(request: PersistRequest): string {
  const parts: string[] = [];
  const { metadata, truncateFrom, entries, compactThrough } = request;
  if (metadata !== undefined) {
    parts.push(`term ${metadata.term} vote ${metadata.votedFor ?? 'none'}`);
  }
  if (truncateFrom !== undefined) parts.push(`truncate from ${truncateFrom}`);
  if (entries.length > 0) parts.push(entriesText(entries));
  if (compactThrough !== undefined) parts.push(`compact through ${compactThrough}`);
  return `${request.token}: ${parts.join(', ') || 'nothing'}`;
}

export function describeRead(read: ReadResult): string {
  return read.type === 'ready'
    ? `may serve read ${read.context} at ${read.index}`
    : `refuses read ${read.context}`;
}

export function describeFetch(request: FetchRequest): string {
  const { purpose, from, through } = request;
  const forWhom = purpose.type === 'apply' ? 'to apply' : `for ${purpose.id}`;
  return `${from} to ${through} ${forWhom}`;
}

export function describeEvent(event: RaftEvent): string {
  switch (event.type) {
    case 'roleChanged':
      return `becomes ${event.role} in term ${event.term}`;
    case 'leaderChanged':
      return `follows ${event.leader ?? 'nobody'} in term ${event.term}`;
    case 'membershipChanged':
      return `has membership ${event.index}: ${describeMembership(event.membership)}`;
    case 'transferEnded':
      return `ends transfer to ${event.to}: ${event.completed ? 'completed' : 'aborted'}`;
    default:
      return unreachable(event);
  }
}

export function describeStatus(status: RaftStatus): string[] {
  const lines = [
    `${status.id} ${status.role} term ${status.term} vote ${status.votedFor ?? 'none'}` +
      ` leader ${status.leader ?? 'none'} last ${status.lastIndex}/${status.lastTerm}` +
      ` durable ${status.persistedIndex} commit ${status.commitIndex}` +
      ` applied ${status.appliedIndex} first ${status.firstIndex}` +
      ` snapshot ${status.snapshotIndex}`,
  ];
  for (const [id, progress] of Object.entries(status.progress)) {
    lines.push(
      `  ${id} ${progress.state} match ${progress.match} next ${progress.next}` +
        ` in flight ${progress.inflightMessages}` +
        `${progress.recentlyActive ? '' : ' silent'}${progress.learner ? ' learner' : ''}`,
    );
  }
  return lines;
}
