/**
 * What Raft promises of terms, votes and logs (paper, figure 3), checked at every write and every
 * message of every node.
 */
import type { RecoveredLog, WriteBatch } from '../../src/log-store/index.ts';
import type { Entry, Membership, SnapshotMeta } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import { digestOf, LogView } from './log-view.ts';
import { checkAcknowledged, type AcknowledgementContext } from './acknowledged-entries.ts';
import { CommitTerms } from './commit-terms.ts';
import { CommittedEntries } from './committed-entries.ts';
import { GivenVotes, isQuorum } from './elections.ts';
import type { Sometimes } from './sometimes.ts';
import type { Violations } from './violations.ts';

/** Terms stay far below this, so that an index and a term make one key. */
const TERM_SPACE = 2 ** 20;

interface KnownEntry {
  readonly digest: number;
  /** Undefined where nobody who told of this entry held the one before. */
  previousTerm: number | undefined;
}

interface NodeLogs {
  /** With what is asked for and not durable yet: what the node's core has in memory. */
  readonly asked: LogView;
  readonly durable: LogView;
  /** A write under way, or that failed, may have taken away what lies behind this index. */
  keptThrough: number;
}

/** What a node has in force, and had shortly before. */
type MembershipsOf = (node: string) => readonly Membership[];

export class LogSafety {
  readonly #violations: Violations;
  readonly #sometimes: Sometimes;
  readonly #nodes = new Map<string, NodeLogs>();
  /** Of disks that are gone. */
  readonly #former: { readonly node: string; readonly view: LogView }[] = [];
  readonly #entries = new Map<number, KnownEntry>();
  readonly #votes = new GivenVotes();
  readonly #commits: CommitTerms;
  /** By term: what was known to be committed when its leader came. */
  readonly #committedBefore = new Map<number, number>();
  readonly #leaders = new Map<number, string>();
  readonly #acknowledging: AcknowledgementContext = {
    leaderOf: (term) => this.#leaders.get(term),
    durable: (node) => this.#logsOf(node).durable,
    asked: (node) => this.#logsOf(node).asked,
  };
  readonly #committed = new CommittedEntries();

  constructor(violations: Violations, sometimes: Sometimes) {
    this.#violations = violations;
    this.#sometimes = sometimes;
    this.#commits = new CommitTerms(violations);
  }

  #logsOf(node: string): NodeLogs {
    let logs = this.#nodes.get(node);
    if (logs === undefined) {
      logs = { asked: new LogView(), durable: new LogView(), keptThrough: Infinity };
      this.#nodes.set(node, logs);
    }
    return logs;
  }

  /** The node's disk is gone, or an older one. What it held counts for what was decided by then. */
  forget(node: string): void {
    const logs = this.#nodes.get(node);
    if (logs !== undefined) this.#former.push({ node, view: logs.durable });
    this.#nodes.delete(node);
  }

  opened(node: string, recovered: RecoveredLog): void {
    const logs = this.#logsOf(node);
    const { durable, keptThrough } = logs;
    const found = new LogView();
    found.recover(recovered);
    const lost = durable.firstNotIn(found, Math.min(durable.last, keptThrough));
    if (lost !== undefined) {
      const text = `${node} opened its store without entry ${lost}, which was durable`;
      this.#report('durability', text, node);
    }
    if (found.term < durable.term) {
      const text = `${node} came back in term ${found.term}, though ${durable.term} was durable`;
      this.#report('durability', text, node);
    }
    const { term, votedFor } = durable;
    if (found.term === term && votedFor !== undefined && found.votedFor !== votedFor) {
      const text = `${node} came back in term ${term} without its vote for ${votedFor}`;
      this.#report('durability', `${text}, which was durable`, node);
    }
    const asked = new LogView();
    asked.recover(recovered);
    this.#nodes.set(node, { asked, durable: found, keptThrough: Infinity });
  }

  asked(node: string, batch: WriteBatch): void {
    const logs = this.#logsOf(node);
    const { asked } = logs;
    this.#checkMetadata(node, asked, batch);
    const wrong = this.#votes.wrongWith(node, asked, batch);
    if (wrong !== undefined) this.#report('vote-up-to-date', wrong, node);
    logs.keptThrough = (batch.truncateFrom ?? Infinity) - 1;
    const before = this.#cutBy(asked, batch);
    asked.apply(batch);
    for (const entry of batch.entries ?? []) this.#checkEntry(node, asked, entry);
    this.#checkCut(node, asked, before);
  }

  #checkMetadata(node: string, view: LogView, { metadata }: WriteBatch): void {
    if (metadata === undefined) return;
    const { term, votedFor } = metadata;
    if (term < view.term) {
      this.#report('term-monotone', `${node} went from term ${view.term} to ${term}`, node);
    }
    const changed = view.votedFor !== undefined && view.votedFor !== votedFor;
    if (term === view.term && changed) {
      const text = `${node} voted for ${view.votedFor} and then for ${votedFor ?? 'nobody'}`;
      this.#report('one-vote', `${text} in term ${term}`, node);
    }
  }

  /** The entries a batch cuts off, by index. */
  #cutBy(view: LogView, { truncateFrom }: WriteBatch): ReadonlyMap<number, number> | undefined {
    if (truncateFrom === undefined || truncateFrom > view.last) return undefined;
    const cut = new Map<number, number>();
    for (let index: number = truncateFrom; index <= view.last; index++) {
      const term = view.termAt(index);
      if (term !== undefined) cut.set(index, term);
    }
    return cut;
  }

  #checkCut(node: string, view: LogView, cut: ReadonlyMap<number, number> | undefined): void {
    if (cut === undefined) return;
    for (const [index, term] of cut) {
      if (view.holds(index, term)) continue;
      this.#sometimes.met('logTruncated');
      if (this.#leaders.get(term) === node) this.#sometimes.met('leaderDeposed');
      if (this.#leaders.get(view.term) === node) {
        const text = `${node}, leader of term ${view.term}, removed entry ${index}`;
        this.#report('leader-append-only', `${text} of its own log`, node);
      }
      if (term === view.term) {
        const text = `${node} removed entry ${index} of term ${term}, in that very term`;
        this.#report('needless-cut', `${text}, whose leader only appends`, node);
      }
      if (this.#committed.termAt(index) === term) {
        const text = `${node} removed entry ${index} of term ${term}, which was committed`;
        this.#report('committed-stays', text, node);
      }
      return;
    }
  }

  /** Equal index and term: the same entry, after the same one (log matching, by induction). */
  #checkEntry(node: string, view: LogView, entry: Entry): void {
    const { index, term } = entry;
    const digest = digestOf(entry);
    const previousTerm = view.termAt(index - 1);
    const key = index * TERM_SPACE + term;
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { digest, previousTerm });
      return;
    }
    if (known.digest !== digest) {
      const text = `${node} holds another entry ${index} of term ${term} than others do`;
      this.#report('log-matching', text, node);
    }
    known.previousTerm ??= previousTerm;
    if (previousTerm !== undefined && previousTerm !== known.previousTerm) {
      const text = `${node} holds entry ${index} of term ${term} after one of term ${previousTerm}`;
      this.#report('log-matching', `${text}, others after one of ${known.previousTerm}`, node);
    }
  }

  durable(node: string, batch: WriteBatch): void {
    const logs = this.#logsOf(node);
    logs.durable.apply(batch);
    logs.keptThrough = Infinity;
  }

  snapshotSaved(node: string, { index }: SnapshotMeta): void {
    const { asked, durable } = this.#logsOf(node);
    asked.snapshotAt(index);
    durable.snapshotAt(index);
  }

  /** What a message says must be so on the disk of its sender by the time it leaves. */
  sent(
    message: PeerMessage,
    membershipsOf: MembershipsOf,
    commitOf: (node: string) => number,
  ): void {
    const { from, to, type } = message;
    if (type === 'appendRequest' || type === 'heartbeatRequest') {
      this.#leads(from, message.term, membershipsOf, commitOf);
      this.#checkCommit(message, membershipsOf);
    } else if (type === 'voteRequest') {
      this.#votes.asked(message);
      this.#checkVoteDurable(from, message.term, from);
    } else if (type === 'voteResponse' && message.granted) {
      this.#votes.sent(message);
      this.#checkVoteDurable(from, message.term, to);
    } else if (type === 'appendResponse') {
      checkAcknowledged(message, this.#acknowledging, this.#violations);
    }
  }

  #checkCommit(
    {
      from,
      term,
      commit,
    }: { readonly from: string; readonly term: number; readonly commit: number },
    membershipsOf: MembershipsOf,
  ): void {
    this.#commits.told(
      { leader: from, term, commit },
      this.#committedBefore.get(term) ?? 0,
      () => membershipsOf(from),
      (id) => this.#views(id).some((view) => view.reaches(commit, term)),
    );
  }

  #leads(
    node: string,
    term: number,
    membershipsOf: MembershipsOf,
    commitOf: (node: string) => number,
  ): void {
    const known = this.#leaders.get(term);
    if (known === node) return;
    if (known !== undefined) {
      const text = `${known} and ${node} both lead term ${term}`;
      this.#violations.report('election-safety', text, [known, node]);
      return;
    }
    this.#leaders.set(term, node);
    // Of what it committed itself, leading an earlier term, it may have told nobody yet.
    this.#committedBefore.set(term, Math.max(this.#committed.last, commitOf(node)));
    this.#sometimes.met('leaderElected');
    if (!this.#votes.suffice(node, term, membershipsOf(node))) {
      const text = `${node} leads term ${term} without the votes of a majority`;
      this.#report('election-quorum', text, node);
    }
    const { asked } = this.#logsOf(node);
    this.#lookForFigure8(asked, term);
    const last = this.#committed.lastBefore(term);
    const committedTerm = this.#committed.termAt(last);
    if (committedTerm === undefined || asked.holds(last, committedTerm)) return;
    const text = `${node} leads term ${term} without entry ${last}`;
    this.#report('leader-completeness', `${text} of term ${committedTerm}, committed before`, node);
  }

  /** An entry of an earlier term, on a majority, that may not be committed by counting (5.4.2). */
  #lookForFigure8(log: LogView, term: number): void {
    for (let index = log.last; index > this.#committed.last; index--) {
      const entryTerm = log.termAt(index);
      if (entryTerm === undefined || entryTerm === term) continue;
      const logs = [...this.#nodes.values()];
      const holders = logs.filter(({ durable }) => durable.holds(index, entryTerm)).length;
      if (holders > logs.length / 2) this.#sometimes.met('figure8');
      return;
    }
  }

  #checkVoteDurable(node: string, term: number, votedFor: string): void {
    const { durable } = this.#logsOf(node);
    if (durable.term === term && durable.votedFor === votedFor) return;
    const on = `on disk stand term ${durable.term} and ${durable.votedFor ?? 'no vote'}`;
    const text = `${node} spoke of its vote for ${votedFor} in term ${term}, but ${on}`;
    // Replies to what was asked in an earlier term may leave late.
    if (durable.term <= term) this.#report('vote-durable', text, node);
  }

  /** The node gives an entry to its state machine: it must be committed for good. */
  applied(
    node: string,
    index: number,
    term: number,
    anyMembership: (holds: (membership: Membership) => boolean) => boolean,
  ): void {
    const known = this.#committed.termAt(index);
    if (known !== undefined) {
      if (known === term) return;
      const text = `${node} applied entry ${index} of term ${term}, others that of term ${known}`;
      this.#report('state-machine-safety', text, node);
      return;
    }
    this.#committed.add(index, term, this.#logsOf(node).asked.term);
    if (anyMembership((one) => this.#onMajority(one, index, term))) return;
    const text = `${node} applied entry ${index} of term ${term}`;
    this.#report('commit-quorum', `${text}, which is durable on no majority of the voters`, node);
  }

  #onMajority(membership: Membership, index: number, term: number): boolean {
    return isQuorum(membership, (id) => this.#holds(id, index, term));
  }

  #holds(id: string, index: number, term: number): boolean {
    return this.#views(id).some((view) => view.holds(index, term));
  }

  /** What stands on the node's disk, and stood on those it had before. */
  #views(id: string): LogView[] {
    const former = this.#former.flatMap(({ node, view }) => (node === id ? view : []));
    const durable = this.#nodes.get(id)?.durable;
    return durable === undefined ? former : [durable, ...former];
  }

  /** What is known to be committed by now. */
  get lastCommitted(): number {
    return this.#committed.last;
  }

  /** Whether one holds durably all that another does. */
  holdsAll(one: string, other: string): boolean {
    const { durable } = this.#logsOf(other);
    const held = this.#logsOf(one).durable;
    // What a log has cut off behind a snapshot is committed.
    const last = Math.min(this.#committed.last, durable.last);
    const term = this.#committed.termAt(last);
    if (term !== undefined && !held.holds(last, term)) return false;
    return durable.firstNotIn(held, durable.last) === undefined;
  }

  lastDurable(node: string): number {
    return this.#nodes.get(node)?.durable.last ?? 0;
  }

  #report(check: string, message: string, node: string): void {
    this.#violations.report(check, message, [node]);
  }
}
