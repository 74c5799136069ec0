/** Who belongs to the cluster, and the steps from one membership to the next (section 6). */
import { invariant } from '../base/index.ts';
import { NO_INDEX, NO_TERM } from './entry.ts';
import type { Member, Membership, MembershipTarget, NodeId, SnapshotMeta } from './types.ts';

/** What a node knows before it has joined a cluster. */
export const emptyMembership: Membership = {
  clusterId: '',
  voters: [],
  outgoing: [],
  learners: [],
  promotable: [],
  members: {},
};

/** A new cluster's first membership: everyone votes. */
export function foundingMembership(
  clusterId: string,
  members: Readonly<Record<NodeId, Member>>,
): Membership {
  const voters = sorted(Object.keys(members) as NodeId[]);
  return {
    clusterId,
    voters,
    outgoing: [],
    learners: [],
    promotable: [],
    members: pick(members, voters),
  };
}

/** The snapshot at index 0 that every founding member starts from. */
export function foundingSnapshot(membership: Membership): SnapshotMeta {
  return { index: NO_INDEX, term: NO_TERM, time: 0, membership };
}

export function isJoint(membership: Membership): boolean {
  return membership.outgoing.length > 0;
}

/** Whether the node's vote counts, in either half of a joint configuration. */
export function isVoter(membership: Membership, id: NodeId): boolean {
  return membership.voters.includes(id) || membership.outgoing.includes(id);
}

export function isMember(membership: Membership, id: NodeId): boolean {
  return memberOf(membership, id) !== undefined;
}

export function memberOf(membership: Membership, id: NodeId): Member | undefined {
  return Object.hasOwn(membership.members, id) ? membership.members[id] : undefined;
}

function sorted(ids: readonly NodeId[]): NodeId[] {
  return [...new Set(ids)].toSorted((a, b) => (a < b ? -1 : 1));
}

function pick(
  members: Readonly<Record<NodeId, Member>>,
  ids: readonly NodeId[],
): Record<NodeId, Member> {
  const entries = ids.map((id) => {
    const { address, storeId, standsDown } = members[id]!;
    const member = { address, storeId };
    return [id, standsDown === true ? { ...member, standsDown } : member] as const;
  });
  // fromEntries defines properties, so that an id like `__proto__` is a name like any other.
  return Object.fromEntries(entries);
}

/** In one order, without repeats, with exactly the members named. */
export function normalizedMembership(membership: Membership): Membership {
  const voters = sorted(membership.voters);
  const outgoing = sorted(membership.outgoing);
  const learners = sorted(membership.learners);
  const everyone = sorted([...voters, ...outgoing, ...learners]);
  return {
    clusterId: membership.clusterId,
    voters,
    outgoing,
    learners,
    promotable: sorted(membership.promotable),
    members: pick(membership.members, everyone),
  };
}

function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** Equal in every field; both normalized. */
export function sameMembership(a: Membership, b: Membership): boolean {
  const ids = Object.keys(a.members) as NodeId[];
  return (
    a.clusterId === b.clusterId &&
    sameIds(a.voters, b.voters) &&
    sameIds(a.outgoing, b.outgoing) &&
    sameIds(a.learners, b.learners) &&
    sameIds(a.promotable, b.promotable) &&
    ids.length === Object.keys(b.members).length &&
    ids.every((id) => {
      const other = memberOf(b, id);
      return other !== undefined && sameMember(memberOf(a, id)!, other);
    })
  );
}

function sameMember(a: Member, b: Member): boolean {
  const alike = a.address === b.address && a.storeId === b.storeId;
  return alike && (a.standsDown === true) === (b.standsDown === true);
}

/** Whether the lists of a target are disjoint, without repeats, and name exactly its members. */
export function isWellFormed(target: MembershipTarget): boolean {
  const named = [...target.voters, ...target.learners];
  const distinct = new Set(named);
  return (
    distinct.size === named.length &&
    distinct.size === Object.keys(target.members).length &&
    named.every((id) => Object.hasOwn(target.members, id)) &&
    new Set(target.promotable).size === target.promotable.length &&
    target.promotable.every((id) => target.learners.includes(id))
  );
}

/**
 * The first step towards a target: both sets of voters decide until it is committed. When no voter
 * comes or goes there is nothing to bridge, and the target itself is the only step.
 */
export function firstStep(current: Membership, target: MembershipTarget): Membership {
  invariant(!isJoint(current), 'one membership change at a time', current);
  const goal = normalizedMembership({ ...target, clusterId: current.clusterId, outgoing: [] });
  if (sameIds(goal.voters, current.voters)) return goal;
  const leaving = pick(current.members, current.voters);
  return normalizedMembership({
    ...goal,
    outgoing: current.voters,
    members: { ...leaving, ...goal.members },
  });
}

/** The second step: the outgoing voters lose their vote, and who is nothing else is gone. */
export function finalStep(joint: Membership): Membership {
  return normalizedMembership({ ...joint, outgoing: [] });
}
