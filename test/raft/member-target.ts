/** Membership targets in words: what an operator would ask for, given the membership now. */
import type { Member, MembershipTarget, NodeId } from '../../src/raft/index.ts';
import type { Cluster } from './cluster.ts';

/**
 * - `add`: learners that become voters by themselves; `add-learner`: that stay learners
 * - `promote`: voters at once; `remove`: gone; `set`: exactly these voters and nobody else
 */
export function targetOf(
  cluster: Cluster,
  at: NodeId,
  change: string,
  ids: readonly NodeId[],
): MembershipTarget {
  const now = cluster.core(at).membership;
  const without = (list: readonly NodeId[]): NodeId[] => list.filter((id) => !ids.includes(id));
  const set = change === 'set';
  let voters = set ? [...ids] : without(now.voters);
  let learners = set ? [] : without(now.learners);
  let promotable = set ? [] : without(now.promotable);
  if (change === 'promote') voters = [...voters, ...ids];
  if (change === 'add' || change === 'add-learner') learners = [...learners, ...ids];
  if (change === 'add') promotable = [...promotable, ...ids];
  const members: Record<string, Member> = {};
  for (const id of [...voters, ...learners]) {
    const known = (now.members as Readonly<Record<string, Member>>)[id];
    // A voter leaves with the disk it is known by; a learner may come back with another one.
    const keeps = known !== undefined && (now.voters.includes(id) || !ids.includes(id));
    members[id] = keeps ? known : cluster.memberOf(id);
  }
  return {
    voters: voters.toSorted(),
    learners: learners.toSorted(),
    promotable: promotable.toSorted(),
    members,
  };
}
