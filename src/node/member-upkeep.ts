/** A leader keeps the members' store ids and addresses on record true. */
import { memberOf } from '../raft/index.ts';
import type { Member, Membership, MembershipTarget, NodeId, RaftCore } from '../raft/index.ts';
import type { PeerIdentity } from '../transport/index.ts';
import type { Peers } from './peers.ts';
import type { Runtime } from './runtime.ts';

type Announced = Pick<PeerIdentity, 'id' | 'address' | 'storeId'>;

/**
 * A member that shows up with another store than the one on record was wiped: it becomes a learner
 * with its new store, to be promoted once it has caught up. One whose store was not known yet (it
 * was added before it was started) gets its store recorded. A moved member gets its new address.
 */
export class MemberUpkeep {
  readonly #runtime: Runtime;
  readonly #raft: RaftCore;
  readonly #peers: Peers;
  readonly #self: Announced;
  readonly #stamp: () => number;

  constructor(
    runtime: Runtime,
    raft: RaftCore,
    peers: Peers,
    self: Announced,
    stamp: () => number,
  ) {
    this.#runtime = runtime;
    this.#raft = raft;
    this.#peers = peers;
    this.#self = self;
    this.#stamp = stamp;
  }

  /** Proposes at most one change; what is refused now is tried again at the next tick. */
  tick(): void {
    if (this.#raft.role !== 'leader') return;
    const { membership } = this.#raft;
    if (membership.outgoing.length > 0) return;
    if (this.#mend(membership, this.#self)) return;
    for (const peer of this.#peers.all()) if (this.#mend(membership, peer)) return;
  }

  #mend(membership: Membership, seen: Announced): boolean {
    const member = memberOf(membership, seen.id);
    if (member === undefined) return false;
    if (member.storeId === seen.storeId && member.address === seen.address) return false;
    const target = mendedTarget(membership, seen, member);
    const result = this.#raft.changeMembership(target, this.#stamp());
    if (result.type !== 'appended') return false;
    const what =
      member.storeId === seen.storeId
        ? `${seen.id} moved to ${seen.address}`
        : member.storeId === ''
          ? `${seen.id} has come with the store ${seen.storeId}`
          : `${seen.id} lost its store ${member.storeId}: it rejoins as a learner`;
    this.#runtime.environment.log('info', what);
    return true;
  }
}

function mendedTarget(membership: Membership, seen: Announced, member: Member): MembershipTarget {
  const { id, address, storeId } = seen;
  const members: Record<NodeId, Member> = { ...membership.members, [id]: { address, storeId } };
  const { voters, learners, promotable } = membership;
  const wiped = member.storeId !== storeId && voters.includes(id);
  if (!wiped) return { voters, learners, promotable, members };
  return {
    voters: voters.filter((other) => other !== id),
    learners: [...learners, id].toSorted(),
    promotable: [...promotable, id].toSorted(),
    members,
  };
}
