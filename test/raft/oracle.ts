/**
 * Sees every node of a cluster at once and checks after every step what Raft promises between nodes
 * (paper figure 3), with nothing but what the nodes wrote and sent.
 */
import { invariant } from '../../src/base/index.ts';
import type {
  Entry,
  LogIndex,
  Membership,
  Message,
  NodeId,
  PersistRequest,
  RaftCore,
  Role,
  SnapshotMeta,
  Term,
} from '../../src/raft/index.ts';
import { DiskRecord } from './disk-record.ts';
import { checkMessage } from './message-rules.ts';
import { MirrorLog } from './mirror-log.ts';
import { decides, quorumsOverlap } from './quorum.ts';
import type { SimDisk } from './sim-disk.ts';

/** How often things happened that a test wants to be sure to have met. */
export type Counters = Record<string, number>;

/** What the oracle sees of one node. */
export interface Observed {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly raft: RaftCore | undefined;
}

/** What it remembers of one node's present life. */
interface Watch {
  readonly log: MirrorLog;
  role: Role;
  term: Term;
  commit: LogIndex;
  membership: Membership | undefined;
}

interface Committed {
  readonly term: Term;
  /** Of the leader that committed it. */
  readonly committedIn: Term;
  readonly content: string;
}

export class Oracle {
  readonly counters: Counters = {};
  /** Limits the nodes run under, for the checks on what is in flight. */
  readonly maxAppendBytes: number;
  readonly maxInflightMessages: number;
  /** The newest term in which anyone led. */
  newestLeaderTerm: Term = 0 as Term;
  /** The highest index any node ever knew to be committed. */
  maxCommit: LogIndex = 0 as LogIndex;
  readonly #nodes = new Map<NodeId, Observed>();
  readonly #watches = new Map<NodeId, Watch>();
  readonly #disks = new DiskRecord();
  readonly #entries = new Map<string, { previousTerm: Term; content: string }>();
  readonly #committed: Committed[] = [];
  readonly #commandIndex = new Map<string, LogIndex>();
  readonly #stateAt = new Map<number, number>();
  readonly #leaders = new Map<Term, NodeId>();

  constructor(limits: { readonly maxAppendBytes: number; readonly maxInflightMessages: number }) {
    this.maxAppendBytes = limits.maxAppendBytes;
    this.maxInflightMessages = limits.maxInflightMessages;
  }

  count(what: string): void {
    this.counters[what] = (this.counters[what] ?? 0) + 1;
  }

  /** A node begins a life with what its disk holds. */
  started(node: Observed): void {
    this.#disks.add(node.id, node.disk);
    const snapshot = node.disk.snapshot?.meta;
    const log = new MirrorLog();
    const base = snapshot?.index ?? (0 as LogIndex);
    const entries = node.disk.entries.filter((entry) => entry.index > base);
    log.reset(base, snapshot?.term ?? (0 as Term), entries);
    let previous = snapshot?.term ?? (0 as Term);
    for (const entry of entries) {
      this.#know(entry, previous);
      previous = entry.term;
    }
    this.#nodes.set(node.id, node);
    this.#watches.set(node.id, {
      log,
      role: 'follower',
      term: node.disk.metadata.term,
      commit: 0 as LogIndex,
      membership: undefined,
    });
  }

  mirror(id: NodeId): MirrorLog | undefined {
    return this.#watches.get(id)?.log;
  }

  node(id: NodeId): Observed | undefined {
    return this.#nodes.get(id);
  }

  /** Whether the entry is durable on the disk by which the membership knows this node. */
  durableAt(id: NodeId, membership: Membership, index: LogIndex, term: Term): boolean {
    return this.#disks.holds(id, membership, index, term);
  }

  sent(message: Message): void {
    checkMessage(this, message);
  }

  restored(id: NodeId, snapshot: SnapshotMeta): void {
    invariant(snapshot.index <= this.#committed.length, 'a snapshot of uncommitted entries', id);
    const committed = this.#committed[snapshot.index - 1];
    invariant(committed?.term === snapshot.term, 'a snapshot with another term than its entry', id);
    this.#watch(id).log.restored(snapshot);
    this.count('snapshotInstalled');
  }

  written(id: NodeId, request: PersistRequest): void {
    const watch = this.#watch(id);
    const { log } = watch;
    const { truncateFrom } = request;
    if (truncateFrom !== undefined && truncateFrom <= log.lastIndex) {
      this.count('truncated');
      // A snapshot may take the place of committed entries.
      const last = Math.min(watch.commit, log.lastIndex);
      const replaced = (request.compactThrough ?? 0) >= last;
      const lawful = truncateFrom > watch.commit || replaced;
      invariant(lawful, 'committed entries truncated', { id, truncateFrom });
      const raft = this.#raft(id);
      const led = watch.role === 'leader' && raft.role === 'leader' && raft.term === watch.term;
      invariant(!led, 'a leader truncated its own log', { id, truncateFrom });
    }
    log.written(request);
    for (const entry of request.entries) this.#appended(id, entry);
  }

  #appended(id: NodeId, entry: Entry): void {
    const { log } = this.#watch(id);
    const before = (entry.index - 1) as LogIndex;
    const previous = log.termAt(before);
    invariant(previous !== undefined, 'an entry with nothing before it', { id, entry });
    invariant(entry.term >= previous, 'terms in a log go back', { id, entry, previous });
    const previousTime = log.entryAt(before)?.time ?? 0;
    invariant(entry.time >= previousTime, 'cluster time goes back', { id, entry, previousTime });
    this.#know(entry, previous);
    if (entry.type === 'membership') this.#membershipAppended(id, entry);
  }

  #membershipAppended(id: NodeId, entry: Entry): void {
    const raft = this.#raft(id);
    const next = raft.membershipAt(entry.index);
    const previous = raft.membershipAt((entry.index - 1) as LogIndex);
    if (next.outgoing.length > 0) this.count('jointAppended');
    // A node that knows no membership yet learns its first one from someone who does.
    if (previous.voters.length === 0) return;
    const overlap = quorumsOverlap(previous, next);
    invariant(overlap, 'two memberships in a row decide apart', { id, previous, next });
  }

  /** Log matching, by induction: an index and a term name one content and one predecessor. */
  #know(entry: Entry, previousTerm: Term): void {
    const key = `${entry.index}/${entry.term}`;
    const content = contentOf(entry);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { previousTerm, content });
      return;
    }
    invariant(known.content === content, 'one index and term, two contents', { known, content });
    invariant(known.previousTerm === previousTerm, 'log matching', { key, known, previousTerm });
  }

  /** To be called after an input and before anything of its output is done. */
  observeTerm(id: NodeId): void {
    const { term } = this.#raft(id);
    const before = this.#watch(id).term;
    invariant(term >= before, 'a term went back', { id, term, before });
  }

  /** To be called after every step, once what the step wrote was reported. */
  observe(id: NodeId): void {
    const watch = this.#watch(id);
    const raft = this.#raft(id);
    const { role, term, commitIndex, membership } = raft;
    if (role === 'leader' && (watch.role !== 'leader' || watch.term !== term)) {
      this.#elected(id, raft, watch);
    }
    invariant(commitIndex >= watch.commit, 'a commit index went back', { id, commitIndex });
    const before = watch.membership ?? membership;
    for (let index = watch.commit + 1; index <= commitIndex; index++) {
      this.#commits(id, watch, index as LogIndex, [before, membership]);
    }
    if (role === 'leader' && commitIndex > watch.commit) {
      const counted = watch.log.termAt(commitIndex);
      invariant(counted === term, 'an entry of an earlier term is committed by counting', { id });
    }
    watch.role = role;
    watch.term = term;
    watch.commit = commitIndex;
    watch.membership = membership;
    if (role === 'leader') this.#checkProgress(id, raft, watch);
    const agrees = raft.termAt(watch.log.lastIndex) === watch.log.termAt(watch.log.lastIndex);
    invariant(agrees, 'a log in memory differs from what was written', {
      id,
      last: watch.log.lastIndex,
    });
  }

  #elected(id: NodeId, raft: RaftCore, watch: Watch): void {
    const { term, membership } = raft;
    const other = this.#leaders.get(term);
    invariant(other === undefined || other === id, 'two leaders in one term', { term, id, other });
    this.#leaders.set(term, id);
    this.count('elected');
    for (const [otherId, one] of this.#nodes) {
      if (otherId !== id && one.raft?.role === 'leader') this.count('twoLeadersAtOnce');
    }
    if (term > this.newestLeaderTerm) this.newestLeaderTerm = term;
    const voted = (voter: NodeId): boolean => this.#disks.hasVoted(voter, membership, term, id);
    invariant(decides(membership, voted), 'elected without a durable quorum of votes', {
      id,
      term,
    });
    for (const [position, committed] of this.#committed.entries()) {
      // A late vote may still make a leader of a term that is over: it can commit nothing.
      if (committed.committedIn >= term) continue;
      const index = (position + 1) as LogIndex;
      const complete = watch.log.holds(index, committed.term);
      invariant(complete, 'leader completeness', { id, term, missing: index });
    }
  }

  #commits(id: NodeId, watch: Watch, index: LogIndex, memberships: readonly Membership[]): void {
    const known = this.#committed[index - 1];
    if (index <= watch.log.base) {
      invariant(known !== undefined, 'beneath a snapshot but never committed', { id, index });
      return;
    }
    const entry = watch.log.entryAt(index);
    invariant(entry !== undefined, 'committed beyond the log', { id, index });
    if (known !== undefined) {
      const same = known.term === entry.term && known.content === contentOf(entry);
      invariant(same, 'two entries committed at one index', { id, index, known, entry });
      return;
    }
    const quorum = memberships.some((membership) =>
      decides(membership, (member) => this.durableAt(member, membership, index, entry.term)),
    );
    invariant(quorum, 'committed without a durable quorum', { id, index, term: entry.term });
    this.#recordCommit(entry, this.#raft(id).term);
    for (const [otherId, other] of this.#nodes) {
      if (other.raft?.role !== 'leader' || other.raft.term <= this.#raft(id).term) continue;
      const complete = this.#watch(otherId).log.holds(index, entry.term);
      invariant(complete, 'a newer leader lacks a committed entry', { otherId, index });
    }
  }

  #recordCommit(entry: Entry, committedIn: Term): void {
    const content = contentOf(entry);
    this.#committed.push({ term: entry.term, committedIn, content });
    this.maxCommit = entry.index;
    if (entry.type !== 'command') return;
    const command = String.fromCharCode(...entry.data);
    invariant(!this.#commandIndex.has(command), 'a command committed twice', { command });
    this.#commandIndex.set(command, entry.index);
  }

  commandCommittedAt(command: string): LogIndex | undefined {
    return this.#commandIndex.get(command);
  }

  /** A leader's idea of its followers' logs must be true, while no newer leader changed them. */
  #checkProgress(id: NodeId, raft: RaftCore, watch: Watch): void {
    if (raft.term !== this.newestLeaderTerm) return;
    const progress = raft.status().progress as Readonly<Record<string, { match: LogIndex }>>;
    for (const [follower, { match }] of Object.entries(progress)) {
      if (match === 0 || match <= watch.log.base) continue;
      const term = watch.log.termAt(match);
      const held =
        term !== undefined && this.durableAt(follower as NodeId, raft.membership, match, term);
      invariant(held, 'a match index above what the follower holds', { id, follower, match });
    }
    this.#countRareShapes(id, raft, watch);
  }

  #countRareShapes(id: NodeId, raft: RaftCore, watch: Watch): void {
    const { disk } = this.#nodes.get(id) ?? {};
    if (disk !== undefined && raft.commitIndex > disk.lastIndex)
      this.count('committedBeforeOwnDisk');
    const next = (raft.commitIndex + 1) as LogIndex;
    const term = watch.log.termAt(next);
    if (term === undefined || term >= raft.term) return;
    const durable = (member: NodeId): boolean =>
      this.durableAt(member, raft.membership, next, term);
    // The shape of figure 8: on a quorum, and still not committed.
    if (decides(raft.membership, durable)) this.count('oldTermOnQuorumNotCommitted');
  }

  /** Equal states at equal indexes, whoever applies and however often nodes restart. */
  applied(id: NodeId, index: number, hash: number): void {
    const known = this.#stateAt.get(index);
    invariant(known === undefined || known === hash, 'replicas differ', { id, index, known, hash });
    this.#stateAt.set(index, hash);
  }

  #watch(id: NodeId): Watch {
    const watch = this.#watches.get(id);
    invariant(watch !== undefined, 'a node nobody started', id);
    return watch;
  }

  #raft(id: NodeId): RaftCore {
    const raft = this.#nodes.get(id)?.raft;
    invariant(raft !== undefined, 'a node that is down acts', id);
    return raft;
  }
}

function contentOf(entry: Entry): string {
  return `${entry.type} ${entry.time} ${String.fromCharCode(...entry.data)}`;
}
