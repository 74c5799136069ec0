/** Membership changes asked for by people: from the request to the committed result. */
import { HoldfastError, unreachable } from '../base/index.ts';
import { memberOf } from '../raft/index.ts';
import type {
  Entry,
  LogIndex,
  Member,
  Membership,
  MembershipTarget,
  NodeId,
  RaftCore,
  Term,
} from '../raft/index.ts';
import type { MembershipChange } from './contract.ts';
import { decodeChange } from './forward-codec.ts';
import { givenUp } from './given-up-store.ts';
import type { Excuse } from './leader-work.ts';
import type { Peers } from './peers.ts';
import { answerWaiter, failure } from './waiter.ts';
import type { Waiter } from './waiter.ts';

const DONE = new Uint8Array(0);

interface PendingChange {
  readonly waiter: Waiter;
  readonly index: LogIndex;
  readonly term: Term;
  /** Its own entry is committed; during joint consensus the second half is still to come. */
  entered: boolean;
  answered: boolean;
}

export class MemberChanges {
  readonly #raft: RaftCore;
  readonly #peers: Peers;
  readonly #stamp: () => number;
  readonly #excuse: Excuse;
  #pending: PendingChange[] = [];

  constructor(raft: RaftCore, peers: Peers, stamp: () => number, excuse: Excuse) {
    this.#raft = raft;
    this.#peers = peers;
    this.#stamp = stamp;
    this.#excuse = excuse;
  }

  /** Begins what may begin now; the rest waits for the change before it. */
  lead(waiters: Waiter[]): Waiter[] {
    return waiters.filter((waiter) => !this.#begin(waiter));
  }

  #begin(waiter: Waiter): boolean {
    try {
      const change = decodeChange(waiter.command);
      const target = targetOf(this.#raft.membership, change);
      if (change.type === 'standDown') this.#checkStandDown(change.id);
      if (change.type === 'giveUpStore') this.#checkAlone(change.id);
      this.#checkQuorum(target);
      const result = this.#raft.changeMembership(target, this.#stamp());
      if (result.type === 'appended') {
        const { index, term } = result;
        this.#pending.push({ waiter, index, term, entered: false, answered: false });
        return true;
      }
      return this.#refused(waiter, result.reason);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      answerWaiter(waiter, { type: 'error', error });
      return true;
    }
  }

  /** A change after which too few voters are alive could never be finished, nor taken back. */
  #checkQuorum({ voters }: MembershipTarget): void {
    if (this.#raft.role !== 'leader' || voters.length === 0) return;
    const { membership } = this.#raft;
    const alive = this.#alive(voters);
    const needed = Math.floor(voters.length / 2) + 1;
    const unchanged = voters.join() === membership.voters.join();
    if (unchanged || alive.length >= needed) return;
    const text = `only ${alive.length} of the ${voters.length} voters it leaves can be reached now`;
    throw new HoldfastError('membership-refused', `${text}; ${needed} are needed`);
  }

  /** Those that answer, on the store on record; this leader is one. */
  #alive(voters: readonly NodeId[]): NodeId[] {
    const { id, progress, membership } = this.#raft.status();
    const answers = (voter: NodeId): boolean => {
      const recorded = memberOf(membership, voter)?.storeId;
      const active = progress[voter]?.recentlyActive === true;
      return active && this.#peers.connected(voter)?.storeId === recorded;
    };
    return voters.filter((voter) => voter === id || answers(voter));
  }

  /** A node that is to lose its data: the others must be able to do without it, and whole. */
  #checkStandDown(id: NodeId): void {
    const { role, membership } = this.#raft;
    if (role !== 'leader' || !membership.voters.includes(id)) return;
    const refuse = (why: string): never => {
      throw new HoldfastError('membership-refused', `${id} cannot be installed anew now: ${why}`);
    };
    if (id === this.#raft.status().id) refuse('it leads; leadership must move first');
    this.#checkAlone(id);
    const others = membership.voters.filter((voter) => voter !== id);
    const alive = this.#alive(others);
    const missing = others.filter((voter) => !alive.includes(voter));
    if (missing.length > 0) refuse(`${missing.join(', ')} cannot be reached`);
  }

  /** Of those who vote, or are to vote again, only this one may be without its data. */
  #checkAlone(id: NodeId): void {
    const { role, membership } = this.#raft;
    const { learners, promotable } = membership;
    if (role !== 'leader' || (learners.includes(id) && !promotable.includes(id))) return;
    const other = promotable.find((one) => one !== id);
    if (other === undefined) return;
    const why = `${other} is being installed; one at a time`;
    throw new HoldfastError('membership-refused', `${id} cannot be installed anew now: ${why}`);
  }

  #refused(
    waiter: Waiter,
    reason: Extract<ReturnType<RaftCore['changeMembership']>, { type: 'refused' }>['reason'],
  ): boolean {
    const refuse = (why: string): boolean => {
      answerWaiter(waiter, failure('membership-refused', why));
      return true;
    };
    switch (reason) {
      case 'notLeader':
      case 'changeInProgress':
      case 'transferring':
        return false;
      case 'unchanged':
        answerWaiter(waiter, { type: 'ok', payload: DONE });
        return true;
      case 'noVoters':
        return refuse('a cluster needs a voter: this change would leave none');
      case 'notCaughtUp':
        return refuse('the learner has not caught up with the log yet: try again later');
      case 'invalid':
        return refuse('the change is not a valid membership');
      default:
        return unreachable(reason);
    }
  }

  /** Called for every applied entry. */
  applied(entry: Entry): void {
    if (this.#pending.length === 0) return;
    for (const change of this.#pending) {
      if (change.answered) continue;
      if (change.index === entry.index) this.#entered(change, entry);
      if (change.entered && entry.type === 'membership' && this.#isFinal(entry.index)) {
        this.#answer(change, { type: 'ok', payload: DONE });
      }
    }
    this.#pending = this.#pending.filter(({ answered }) => !answered);
  }

  #entered(change: PendingChange, entry: Entry): void {
    change.entered = change.term === entry.term;
    if (change.entered) return;
    this.#answer(change, failure('not-leader', 'leadership was lost before the change committed'));
  }

  #isFinal(index: LogIndex): boolean {
    return this.#raft.membershipAt(index).outgoing.length === 0;
  }

  expire(now: number): void {
    if (this.#pending.length === 0) return;
    for (const change of this.#pending) {
      if (change.waiter.deadline <= now) this.#answer(change, this.#excuse('unknown'));
    }
    this.#pending = this.#pending.filter(({ answered }) => !answered);
  }

  failAll(answer: Parameters<typeof answerWaiter>[1]): void {
    for (const change of this.#pending) this.#answer(change, answer);
    this.#pending = [];
  }

  #answer(change: PendingChange, answer: Parameters<typeof answerWaiter>[1]): void {
    change.answered = true;
    answerWaiter(change.waiter, answer);
  }
}

/** The membership a change leads to. Throws `membership-refused` when it makes no sense. */
export function targetOf(membership: Membership, change: MembershipChange): MembershipTarget {
  const { id } = change;
  const member = memberOf(membership, id);
  if (change.type === 'add') return targetOfAdd(membership, change);
  if (member === undefined) {
    throw new HoldfastError('membership-refused', `${id} is not a member of this cluster`);
  }
  const others = (ids: readonly NodeId[]): NodeId[] => ids.filter((other) => other !== id);
  const voters = others(membership.voters);
  const learners = others(membership.learners);
  const promotable = others(membership.promotable);
  const { members } = membership;
  const { address, storeId } = member;
  const staying = { ...members, [id]: { address, storeId } };
  switch (change.type) {
    case 'promote':
      return { voters: [...voters, id].toSorted(), learners, promotable, members: staying };
    case 'demote':
      return { voters, learners: [...learners, id].toSorted(), promotable, members: staying };
    case 'standDown':
      return targetOfStandingDown(membership, id);
    case 'giveUpStore':
      return targetOfGivingUp(membership, change);
    case 'remove': {
      const rest: Record<NodeId, Member> = { ...members };
      delete rest[id];
      return { voters, learners, promotable, members: rest };
    }
    default:
      return unreachable(change);
  }
}

/** What it was is kept by its being promotable, whatever dies before it is that again. */
function targetOfStandingDown(membership: Membership, id: NodeId): MembershipTarget {
  const { voters, learners, promotable, members } = membership;
  if (learners.includes(id)) return { voters, learners, promotable, members };
  return {
    voters: voters.filter((other) => other !== id),
    learners: [...learners, id].toSorted(),
    promotable: [...promotable, id].toSorted(),
    members: { ...members, [id]: { ...members[id]!, standsDown: true } },
  };
}

function targetOfGivingUp(
  membership: Membership,
  { id, storeId }: Extract<MembershipChange, { type: 'giveUpStore' }>,
): MembershipTarget {
  const { voters, learners, promotable, members } = membership;
  const { address } = members[id]!;
  if (!learners.includes(id)) {
    const text = `${id} votes: its store can be given up only once it is a learner`;
    throw new HoldfastError('membership-refused', text);
  }
  const given = { address, storeId: givenUp(storeId) };
  return { voters, learners, promotable, members: { ...members, [id]: given } };
}

function targetOfAdd(
  membership: Membership,
  change: Extract<MembershipChange, { type: 'add' }>,
): MembershipTarget {
  const { id, address, promote } = change;
  const { voters, learners, promotable, members } = membership;
  const known = memberOf(membership, id);
  if (known !== undefined && known.address !== address) {
    const text = `${id} is a member already, at ${known.address}: remove it first`;
    throw new HoldfastError('membership-refused', text);
  }
  const holder = (Object.keys(members) as NodeId[]).find(
    (other) => other !== id && members[other]!.address === address,
  );
  if (holder !== undefined) {
    throw new HoldfastError('membership-refused', `${address} is the address of ${holder}`);
  }
  if (known !== undefined) return { voters, learners, promotable, members };
  return {
    voters,
    learners: [...learners, id].toSorted(),
    promotable: promote ? [...promotable, id].toSorted() : promotable,
    members: { ...members, [id]: { address, storeId: '' } },
  };
}
