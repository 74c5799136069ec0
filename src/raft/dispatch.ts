/**
 * What each role does with each message: the whole of it, in two tables. A message that is ignored
 * says why here.
 */
import type { Core } from './core.ts';
import {
  handlePreVoteRequest,
  handlePreVoteResponse,
  handleTimeoutNow,
  handleVoteRequest,
  handleVoteResponse,
  refusePreVote,
  refuseVote,
} from './elections.ts';
import { answerHeartbeat, handleAppend, handleHeartbeat, refuseAppend } from './following.ts';
import { isMember } from './membership.ts';
import { acceptForwardedRead, handleReadIndexResponse, refuseForwardedRead } from './reads.ts';
import { handleAppendResponse, handleHeartbeatResponse } from './replication.ts';
import type { RoleState } from './roles.ts';
import { handleSnapshotChunk, refuseSnapshotChunk } from './snapshot-receiving.ts';
import { handleSnapshotChunkResponse } from './snapshot-sending.ts';
import { becomeFollower } from './transitions.ts';
import type { Message, Role } from './types.ts';

type MessageOf<T extends Message['type']> = Extract<Message, { readonly type: T }>;
type RoleOf<R extends Role> = Extract<RoleState, { readonly type: R }>;

interface Ignored {
  readonly ignored: string;
}
type Reaction<R extends Role, T extends Message['type']> =
  ((core: Core, role: RoleOf<R>, message: MessageOf<T>) => void) | Ignored;
type Reactions<R extends Role> = { readonly [T in Message['type']]: Reaction<R, T> };
type AnyReaction = ((core: Core, role: RoleState, message: Message) => void) | Ignored;

function ignored(reason: string): Ignored {
  return { ignored: reason };
}

const notAsked = ignored('answers a question of another role: it came too late');

/** The leader of this term speaks: whoever stood for election in it has lost. */
function leaderIsKnown(core: Core, message: Message): void {
  becomeFollower(core, core.term, message.from);
}

/** What candidates of both kinds have in common with a follower: they give in to a leader. */
const yielding = {
  preVoteRequest: (core: Core, _: RoleState, m: MessageOf<'preVoteRequest'>): void =>
    handlePreVoteRequest(core, m),
  voteRequest: (core: Core, _: RoleState, m: MessageOf<'voteRequest'>): void =>
    handleVoteRequest(core, m),
  appendRequest: (core: Core, _: RoleState, m: MessageOf<'appendRequest'>): void => {
    leaderIsKnown(core, m);
    handleAppend(core, m);
  },
  heartbeatRequest: (core: Core, _: RoleState, m: MessageOf<'heartbeatRequest'>): void => {
    leaderIsKnown(core, m);
    handleHeartbeat(core, m);
  },
  snapshotChunkRequest: (core: Core, _: RoleState, m: MessageOf<'snapshotChunkRequest'>): void => {
    leaderIsKnown(core, m);
    handleSnapshotChunk(core, m);
  },
  timeoutNowRequest: (core: Core, _: RoleState, m: MessageOf<'timeoutNowRequest'>): void => {
    leaderIsKnown(core, m);
    handleTimeoutNow(core, m);
  },
  readIndexRequest: (core: Core, _: RoleState, m: MessageOf<'readIndexRequest'>): void =>
    refuseForwardedRead(core, m),
  appendResponse: notAsked,
  heartbeatResponse: notAsked,
  snapshotChunkResponse: notAsked,
};

const follower: Reactions<'follower'> = {
  ...yielding,
  preVoteResponse: notAsked,
  voteResponse: notAsked,
  readIndexResponse: handleReadIndexResponse,
};

const preCandidate: Reactions<'preCandidate'> = {
  ...yielding,
  preVoteResponse: handlePreVoteResponse,
  voteResponse: ignored('a vote of a candidacy given up in this term'),
  readIndexResponse: ignored('the read was refused when its leader was lost'),
};

const candidate: Reactions<'candidate'> = {
  ...yielding,
  preVoteResponse: ignored('a pre-vote is no vote'),
  voteResponse: handleVoteResponse,
  readIndexResponse: ignored('the read was refused when its leader was lost'),
};

const leader: Reactions<'leader'> = {
  preVoteRequest: (core, _, m) => refusePreVote(core, m),
  preVoteResponse: ignored('the election is over'),
  voteRequest: (core, _, m) => handleVoteRequest(core, m),
  voteResponse: ignored('the election is over'),
  // A second leader of one term: `becomeFollower` finds the invariant broken.
  appendRequest: (core, _, m) => leaderIsKnown(core, m),
  appendResponse: handleAppendResponse,
  heartbeatRequest: (core, _, m) => leaderIsKnown(core, m),
  heartbeatResponse: handleHeartbeatResponse,
  snapshotChunkRequest: (core, _, m) => leaderIsKnown(core, m),
  snapshotChunkResponse: handleSnapshotChunkResponse,
  timeoutNowRequest: ignored('it leads already'),
  readIndexRequest: acceptForwardedRead,
  readIndexResponse: ignored('a read sent to the leader before this one'),
};

const reactions: { readonly [R in Role]: Reactions<R> } = {
  follower,
  preCandidate,
  candidate,
  leader,
};

const ofOldTerm = ignored('belongs to a term that is over');

/** Messages of an earlier term. Requests are answered so that the sender learns of the new one. */
const staleReactions: {
  readonly [T in Message['type']]: ((core: Core, message: MessageOf<T>) => void) | Ignored;
} = {
  preVoteRequest: refusePreVote,
  preVoteResponse: (core, m) => {
    if (core.role.type === 'preCandidate' && !m.granted) handlePreVoteResponse(core, core.role, m);
  },
  voteRequest: refuseVote,
  voteResponse: ofOldTerm,
  appendRequest: refuseAppend,
  appendResponse: ofOldTerm,
  heartbeatRequest: answerHeartbeat,
  heartbeatResponse: ofOldTerm,
  snapshotChunkRequest: refuseSnapshotChunk,
  snapshotChunkResponse: ofOldTerm,
  timeoutNowRequest: ofOldTerm,
  readIndexRequest: refuseForwardedRead,
  readIndexResponse: ofOldTerm,
};

/**
 * Who sends such a message: the leader of its term, a member that was asked (a removed node's reply
 * comes too late, whatever its term), or anyone.
 */
const senders: { readonly [T in Message['type']]: 'leader' | 'askedMember' | 'anyone' } = {
  preVoteRequest: 'anyone',
  preVoteResponse: 'askedMember',
  voteRequest: 'anyone',
  voteResponse: 'askedMember',
  appendRequest: 'leader',
  appendResponse: 'askedMember',
  heartbeatRequest: 'leader',
  heartbeatResponse: 'askedMember',
  snapshotChunkRequest: 'leader',
  snapshotChunkResponse: 'askedMember',
  timeoutNowRequest: 'leader',
  readIndexRequest: 'anyone',
  readIndexResponse: 'anyone',
};

/** Whether the sender is in the term it writes; a pre-vote only talks of one it might enter. */
function isInItsTerm(message: Message): boolean {
  if (message.type === 'preVoteRequest') return false;
  return message.type !== 'preVoteResponse' || !message.granted;
}

/** A candidate cannot disturb a cluster whose leader is alive (thesis 4.2.3). */
function disturbs(core: Core, message: Message): boolean {
  return message.type === 'voteRequest' && !message.transfer && core.hasLiveLeader;
}

export function receive(core: Core, message: Message): void {
  if (message.to !== core.id || message.from === core.id) return;
  const sender = senders[message.type];
  if (sender === 'askedMember' && !isMember(core.membership, message.from)) return;
  if (message.term > core.term && isInItsTerm(message)) {
    if (disturbs(core, message)) return;
    becomeFollower(core, message.term, sender === 'leader' ? message.from : undefined);
  }
  if (message.term < core.term) {
    const reaction = staleReactions[message.type] as
      ((core: Core, message: Message) => void) | Ignored;
    if (typeof reaction === 'function') reaction(core, message);
    return;
  }
  const { role } = core;
  const reaction = reactions[role.type][message.type] as AnyReaction;
  if (typeof reaction === 'function') reaction(core, role, message);
}
