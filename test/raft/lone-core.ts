/** One core with nobody behind its messages: what it answers, for the paper tests. */
import { invariant } from '../../src/base/index.ts';
import { Raft } from '../../src/raft/index.ts';
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  LogIndex,
  Membership,
  Message,
  NodeId,
  Output,
  PersistToken,
  RaftCore,
  RaftEvent,
  RaftOptions,
  ReadResult,
  RecoveredState,
  SnapshotChunkRequest,
  SnapshotMeta,
  Term,
} from '../../src/raft/index.ts';

export interface LoneOptions {
  /** Voters, the core's own id `a` among them or not. */
  readonly voters: readonly string[];
  readonly learners?: readonly string[];
  /** Terms of the entries it starts with, from index 1. */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly votedFor?: string;
  readonly storeId?: string;
  readonly options?: Partial<RaftOptions>;
}

export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 2;

type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;

export class LoneCore {
  readonly raft: RaftCore;
  /** While true, writes are not completed and what follows them is not sent. */
  diskHeld = false;
  readonly committed: Entry[] = [];
  readonly written: Entry[] = [];
  readonly truncations: LogIndex[] = [];
  readonly reads: ReadResult[] = [];
  readonly events: RaftEvent[] = [];
  readonly restores: SnapshotMeta[] = [];
  readonly chunks: SnapshotChunkRequest[] = [];
  readonly snapshotReads: Output['snapshotReads'][number][] = [];
  /** What the next draw of chance gives; an election timeout from it. */
  chance = 0;
  #sent: Message[] = [];
  #heldBack: { token: PersistToken | undefined; messages: readonly Message[] }[] = [];
  #lastToken: PersistToken | undefined;
  readonly #planted: readonly Entry[];

  constructor(lone: LoneOptions) {
    this.#planted = (lone.log ?? []).map((term, i) => command(i + 1, term));
    const options: RaftOptions = {
      id: 'a' as NodeId,
      storeId: lone.storeId ?? 'store-a',
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      random: () => this.chance,
      maxAppendBytes: 10_000,
      maxInflightMessages: 100,
      maxInflightBytes: 100_000,
      maxUncommittedBytes: 100_000,
      maxCommittedBytes: 100_000,
      maxCachedBytes: 100_000,
      leaseMarginTicks: 1,
      checkInvariants: true,
      ...lone.options,
    };
    this.raft = new Raft(options, recovered(lone, this.#planted));
    this.drain();
  }

  get id(): NodeId {
    return 'a' as NodeId;
  }

  step(message: Message): this {
    this.raft.step(message);
    this.drain();
    return this;
  }

  tick(times = 1): this {
    for (let i = 0; i < times; i++) {
      this.raft.tick();
      this.drain();
    }
    return this;
  }

  propose(...commands: string[]): ReturnType<RaftCore['propose']> {
    const bytes = commands.map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));
    const result = this.raft.propose(bytes, this.raft.status().lastTime);
    this.drain();
    return result;
  }

  do(action: (raft: RaftCore) => void): this {
    action(this.raft);
    this.drain();
    return this;
  }

  /** Messages of one type sent since the last `take` of any type; the others are forgotten. */
  take<T extends Message['type']>(type: T): MessageOf<T>[] {
    const found = this.#sent.filter((message): message is MessageOf<T> => message.type === type);
    this.#sent = [];
    return found;
  }

  takeAll(): Message[] {
    const all = this.#sent;
    this.#sent = [];
    return all;
  }

  /** Completes all writes under way. */
  releaseDisk(): void {
    this.diskHeld = false;
    if (this.#lastToken !== undefined) this.raft.persisted(this.#lastToken);
    const due = this.#heldBack;
    this.#heldBack = [];
    this.#lastToken = undefined;
    for (const { messages } of due) this.#sent.push(...messages);
    this.drain();
  }

  /** Makes it candidate in the next term, its pre-votes granted by everyone. */
  campaign(): this {
    for (let i = 0; i < 2 * ELECTION_TICKS && this.raft.role === 'follower'; i++) this.tick();
    for (const request of this.take('preVoteRequest')) {
      if (this.raft.role !== 'preCandidate') break;
      const { from, to, term } = request;
      this.step({ type: 'preVoteResponse', from: to, to: from, term, granted: true });
    }
    return this;
  }

  /** Makes it leader of the next term, voted for by everyone; its first appends are forgotten. */
  lead(): this {
    this.campaign();
    const { voters } = this.raft.membership;
    for (const from of voters.filter((id) => id !== this.id)) {
      if (this.raft.role === 'leader') break;
      const { term } = this.raft;
      this.step({ type: 'voteResponse', from, to: this.id, term, granted: true });
    }
    invariant(this.raft.role === 'leader', 'the core did not come to lead');
    return this;
  }

  /** A follower acknowledges everything up to `matchIndex`, in the present round. */
  accept(from: string, matchIndex: number, round = 0): this {
    const { term } = this.raft;
    return this.step(appendResponse({ from, term, round, matchIndex }));
  }

  drain(): void {
    while (this.raft.hasOutput()) this.#execute(this.raft.takeOutput());
  }

  #execute(output: Output): void {
    this.#sent.push(...output.sendNow);
    if (output.persist !== undefined) {
      const { token, truncateFrom, entries } = output.persist;
      if (truncateFrom !== undefined) this.truncations.push(truncateFrom);
      this.written.push(...entries);
      this.#lastToken = token;
    }
    if (this.#lastToken === undefined) this.#sent.push(...output.sendAfterPersist);
    else this.#heldBack.push({ token: this.#lastToken, messages: output.sendAfterPersist });
    this.committed.push(...output.committed);
    this.reads.push(...output.reads);
    this.events.push(...output.events);
    this.chunks.push(...output.snapshotChunks);
    this.snapshotReads.push(...output.snapshotReads);
    if (output.restore !== undefined) this.restores.push(output.restore);
    for (const request of output.fetch) {
      const found = this.#planted.filter(
        ({ index }) => index >= request.from && index <= request.through,
      );
      this.raft.entriesFetched(request, found.length > 0 ? found : undefined);
    }
    if (!this.diskHeld && this.#lastToken !== undefined) this.releaseDisk();
  }
}

export function membershipOf(
  voters: readonly string[],
  learners: readonly string[] = [],
): Membership {
  const members: Record<string, { address: string; storeId: string }> = {};
  for (const id of [...voters, ...learners]) {
    members[id] = { address: `${id}:1`, storeId: `store-${id}` };
  }
  return {
    clusterId: 'test',
    voters: voters.toSorted() as NodeId[],
    outgoing: [],
    learners: learners.toSorted() as NodeId[],
    promotable: [],
    members,
  };
}

function recovered(lone: LoneOptions, entries: readonly Entry[]): RecoveredState {
  const terms = lone.log ?? [];
  return {
    metadata: {
      term: (lone.term ?? terms.at(-1) ?? 0) as Term,
      votedFor: lone.votedFor as NodeId | undefined,
    },
    snapshot: {
      index: 0 as LogIndex,
      term: 0 as Term,
      time: 0,
      membership: membershipOf(lone.voters, lone.learners),
    },
    termRuns: entries
      .filter(({ term }, i) => i === 0 || entries[i - 1]?.term !== term)
      .map(({ index, term }) => ({ first: index, term })),
    lastIndex: terms.length as LogIndex,
    lastTime: 0,
    firstIndex: 1 as LogIndex,
    membershipEntries: [],
  };
}

/** A command entry whose content tells its place. */
export function command(index: number, term: number): Entry {
  return {
    index: index as LogIndex,
    term: term as Term,
    time: 0,
    type: 'command',
    data: Uint8Array.from(`${index}.${term}`, (char) => char.charCodeAt(0)),
    recorded: undefined,
  };
}

interface AppendShape {
  readonly from?: string;
  readonly term: number;
  readonly round?: number;
  readonly prevIndex?: number;
  readonly prevTerm?: number;
  readonly commit?: number;
  /** Terms of the entries after `prevIndex`. */
  readonly terms?: readonly number[];
}

export function appendRequest(shape: AppendShape): AppendRequest {
  const prevIndex = shape.prevIndex ?? 0;
  return {
    type: 'appendRequest',
    from: (shape.from ?? 'b') as NodeId,
    to: 'a' as NodeId,
    term: shape.term as Term,
    round: shape.round ?? 1,
    prevIndex: prevIndex as LogIndex,
    prevTerm: (shape.prevTerm ?? 0) as Term,
    commit: (shape.commit ?? 0) as LogIndex,
    entries: (shape.terms ?? []).map((term, i) => command(prevIndex + 1 + i, term)),
  };
}

interface AcceptShape {
  readonly from: string;
  readonly term: number;
  readonly matchIndex: number;
  readonly round?: number;
  readonly prevIndex?: number;
}

export function appendResponse(shape: AcceptShape): AppendResponse {
  const { from, term, matchIndex, round = 0, prevIndex = 0 } = shape;
  return {
    type: 'appendResponse',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    round,
    prevIndex: prevIndex as LogIndex,
    result: { type: 'accepted', matchIndex: matchIndex as LogIndex },
  };
}

interface RejectShape {
  readonly from: string;
  readonly term: number;
  readonly prevIndex: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export function appendRejection(shape: RejectShape): AppendResponse {
  return {
    type: 'appendResponse',
    from: shape.from as NodeId,
    to: 'a' as NodeId,
    term: shape.term as Term,
    round: 0,
    prevIndex: shape.prevIndex as LogIndex,
    result: {
      type: 'rejected',
      hintIndex: shape.hintIndex as LogIndex,
      hintTerm: shape.hintTerm as Term,
    },
  };
}

export function voteRequest(
  from: string,
  term: number,
  lastIndex: number,
  lastTerm: number,
  transfer = false,
): MessageOf<'voteRequest'> {
  return {
    type: 'voteRequest',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    lastIndex: lastIndex as LogIndex,
    lastTerm: lastTerm as Term,
    transfer,
  };
}

export function voteResponse(
  from: string,
  term: number,
  granted: boolean,
): MessageOf<'voteResponse'> {
  return {
    type: 'voteResponse',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    granted,
  };
}

export function preVoteRequest(
  from: string,
  term: number,
  lastIndex: number,
  lastTerm: number,
): MessageOf<'preVoteRequest'> {
  return {
    type: 'preVoteRequest',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    lastIndex: lastIndex as LogIndex,
    lastTerm: lastTerm as Term,
  };
}

export function heartbeat(from: string, term: number, round = 1): MessageOf<'heartbeatRequest'> {
  return {
    type: 'heartbeatRequest',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    round,
    commit: 0 as LogIndex,
  };
}

export function heartbeatResponse(
  from: string,
  term: number,
  round: number,
): MessageOf<'heartbeatResponse'> {
  return {
    type: 'heartbeatResponse',
    from: from as NodeId,
    to: 'a' as NodeId,
    term: term as Term,
    round,
  };
}
