/**
 * What must hold after every input, whatever came: about one moment, and between one moment and
 * the next. In the spirit of LogCabin's checker; meant for tests and simulation.
 */
import { invariant } from '../base/index.ts';
import type { Core } from './core.ts';
import { logIndex, NO_INDEX, NO_TERM } from './entry.ts';
import { isMember, isVoter } from './membership.ts';
import type { Progress } from './progress.ts';
import type { LeaderRole } from './roles.ts';
import { snapshotIndexOf, statusOf } from './status.ts';
import type { LogIndex, NodeId, Role, Term } from './types.ts';

/** What the next moment is compared with; used again and again, as looks are many. */
class Moment {
  role: Role = 'follower';
  term: Term = NO_TERM;
  votedFor: NodeId | undefined = undefined;
  commitIndex: LogIndex = NO_INDEX;
  commitTerm: Term | undefined = undefined;
  appliedIndex: LogIndex = NO_INDEX;
  lastIndex: LogIndex = NO_INDEX;
  lastTerm: Term = NO_TERM;
  snapshotIndex: LogIndex = NO_INDEX;
  leaderRole: LeaderRole | undefined = undefined;
  /** A leader's followers, and what each of them held. */
  readonly followers: Progress[] = [];
  readonly matches: LogIndex[] = [];

  look(core: Core): void {
    const { role, log } = core;
    this.role = role.type;
    this.term = core.term;
    this.votedFor = core.votedFor;
    this.commitIndex = core.commitIndex;
    this.commitTerm = log.termAt(core.commitIndex);
    this.appliedIndex = core.appliedIndex;
    this.lastIndex = log.lastIndex;
    this.lastTerm = log.lastTerm;
    this.snapshotIndex = snapshotIndexOf(core);
    this.leaderRole = role.type === 'leader' ? role : undefined;
    this.#lookAtFollowers();
  }

  #lookAtFollowers(): void {
    let count = 0;
    if (this.leaderRole !== undefined) {
      for (const progress of this.leaderRole.progress.values()) {
        this.followers[count] = progress;
        this.matches[count++] = progress.match;
      }
    }
    if (this.followers.length === count) return;
    this.followers.length = count;
    this.matches.length = count;
  }
}

export class InvariantChecker {
  readonly #core: Core;
  readonly #hold: Hold;
  #before = new Moment();
  #now = new Moment();

  constructor(core: Core) {
    this.#core = core;
    this.#hold = (condition, message) => {
      if (!condition) invariant(condition, message, statusOf(core));
    };
    this.#before.look(core);
    this.check();
  }

  check(): void {
    const [core, before, now] = [this.#core, this.#before, this.#now];
    checkLog(core, this.#hold);
    checkRole(core, this.#hold);
    now.look(core);
    checkSince(core, before, now, this.#hold);
    this.#before = now;
    this.#now = before;
  }
}

type Hold = (condition: boolean, message: string) => void;

function checkLog(core: Core, hold: Hold): void {
  const { log, memberships } = core;
  hold(core.appliedIndex <= core.commitIndex, 'only what is committed is applied');
  hold(core.commitIndex <= log.lastIndex, 'the commit index is in the log');
  hold(log.persistedIndex <= log.lastIndex, 'only what is in the log is durable');
  hold(log.firstIndex <= log.lastIndex + 1, 'the log begins at or before its end');
  hold(log.firstIndex <= (core.snapshot?.index ?? 0) + 1, 'a snapshot covers what was compacted');
  hold(core.appliedIndex <= log.persistedIndex, 'only what is durable here is applied');
  hold(log.memoryFirst <= log.persistedIndex + 1, 'what is not durable is in memory');
  hold(log.lastTerm <= core.term, 'no entry is of a later term than the node');
  hold(log.termAt(core.commitIndex) !== undefined, 'the term at the commit index is known');
  hold(memberships.index <= log.lastIndex, 'the membership in force is in the log');
}

function checkRole(core: Core, hold: Hold): void {
  const { role } = core;
  switch (role.type) {
    case 'follower':
      hold(role.leader !== core.id, 'nobody follows itself');
      return;
    case 'preCandidate':
    case 'candidate':
      hold(core.campaignAllowed, 'campaigns only where it is allowed');
      hold(
        role.type === 'preCandidate' || core.votedFor === core.id,
        'a candidate votes for itself',
      );
      return;
    case 'leader':
      checkLeader(core, role, hold);
      return;
  }
}

function checkLeader(core: Core, role: LeaderRole, hold: Hold): void {
  const { log, membership } = core;
  hold(core.votedFor === core.id, 'a leader voted for itself');
  hold(log.lastTerm === core.term, 'a leader has an entry of its term');
  hold(
    role.termStart < log.firstIndex || log.termAt(role.termStart) === core.term,
    'the term starts with an entry of its own',
  );
  hold(
    isVoter(membership, core.id) || core.memberships.index > core.commitIndex || role.retiring,
    'a leader is a voter until its removal is committed',
  );
  let uncommitted = 0;
  for (let i = Math.max(core.commitIndex, role.termStart) + 1; i <= log.lastIndex; i++) {
    uncommitted += log.entryInMemory(logIndex(i))!.data.length;
  }
  hold(role.uncommittedBytes === uncommitted, 'uncommitted bytes are those of the entries');
  for (const [id, progress] of role.progress) {
    hold(id !== core.id && isMember(membership, id), 'progress is kept of the other members');
    hold(progress.match <= log.lastIndex, 'nobody holds more than the leader');
    hold(progress.match < progress.next, 'what is held is not sent again');
    hold(progress.next <= log.lastIndex + 1, 'nothing is sent that is not there');
    hold(
      progress.state.type === 'replicate' || progress.inflight.messages === 0,
      'only a pipeline has messages in flight',
    );
    hold(
      progress.inflight.messages > 0 || progress.inflight.bytes === 0,
      'no bytes are in flight without a message',
    );
  }
  hold(
    role.progress.size ===
      Object.keys(membership.members).length - (isMember(membership, core.id) ? 1 : 0),
    'every other member is tracked',
  );
}

function checkSince(core: Core, before: Moment, now: Moment, hold: Hold): void {
  const { log } = core;
  hold(now.term >= before.term, 'terms never fall');
  hold(
    now.term > before.term || before.votedFor === undefined || now.votedFor === before.votedFor,
    'one vote a term',
  );
  hold(now.commitIndex >= before.commitIndex, 'the commit index never falls');
  hold(now.appliedIndex >= before.appliedIndex, 'nothing is applied twice');
  hold(now.snapshotIndex >= before.snapshotIndex, 'snapshots are never replaced by older ones');
  const commitTerm = log.termAt(before.commitIndex);
  hold(commitTerm === undefined || commitTerm === before.commitTerm, 'what is committed stays');
  if (before.leaderRole === undefined || before.leaderRole !== now.leaderRole) {
    hold(
      now.role !== 'leader' || before.role === 'candidate' || before.role === 'leader',
      'a leader was a candidate',
    );
    return;
  }
  hold(now.term === before.term, 'a leader stays in its term');
  hold(
    now.lastIndex >= before.lastIndex && log.termAt(before.lastIndex) === before.lastTerm,
    'a leader only appends (section 5.3)',
  );
  before.followers.forEach((progress, i) => {
    hold(progress.match >= before.matches[i]!, 'what a follower holds it keeps');
  });
}
