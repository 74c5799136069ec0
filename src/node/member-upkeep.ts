/** A leader keeps the members' store ids and addresses on record true. */
import { memberOf } from '../raft/index.ts';
import type { Member, Membership, MembershipTarget, NodeId, RaftCore } from '../raft/index.ts';
import type { PeerIdentity } from '../transport/index.ts';
import { givenUp } from './given-up-store.ts';
import type { Peers } from './peers.ts';
import type { Runtime } from './runtime.ts';

type Announced = Pick<PeerIdentity, 'id' | 'address' | 'storeId'>;

/**
 * A voter that shows up with another store than the one on record was wiped: it becomes a learner,
 * then, in a second change, one with its new store, to be promoted once that has caught up. A
 * member whose store was not known yet (it was added before it was started) gets it recorded, and
 * one that moved its new address.
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
    // Still running on the store that was given up.
    if (member.storeId === givenUp(seen.storeId)) return false;
    const wiped = member.storeId !== '' && member.storeId !== seen.storeId;
    if (!wiped || !membership.voters.includes(seen.id)) return this.#record(membership, seen);
    // What it acknowledged before it was wiped must not make a voter of it again at once.
    if (this.#raft.status().progress[seen.id]?.recentlyActive === true) return false;
    return this.#demote(membership, seen.id);
  }

  #demote(membership: Membership, id: NodeId): boolean {
    const { voters, learners, promotable, members } = membership;
    return this.#propose(`${id} lost its store ${members[id]!.storeId}: it is no voter for now`, {
      voters: voters.filter((other) => other !== id),
      learners: [...learners, id],
      promotable: [...promotable, id],
      members,
    });
  }

  #record(membership: Membership, { id, address, storeId }: Announced): boolean {
    const { voters, learners, promotable } = membership;
    const known = membership.members[id];
    const seen = known?.storeId === storeId ? { ...known, address } : { address, storeId };
    const members: Record<NodeId, Member> = { ...membership.members, [id]: seen };
    const text = `${id} is at ${address} with the store ${storeId}`;
    return this.#propose(text, { voters, learners, promotable, members });
  }

  #propose(text: string, target: MembershipTarget): boolean {
    if (this.#raft.changeMembership(target, this.#stamp()).type !== 'appended') return false;
    this.#runtime.environment.log('info', text);
    return true;
  }
}
