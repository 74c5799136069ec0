/** Majorities by the book, written apart from the core's so that one can judge the other. */
import type { Membership, NodeId } from '../../src/raft/index.ts';

function majority(ids: readonly NodeId[], agrees: (id: NodeId) => boolean): boolean {
  return ids.filter(agrees).length * 2 > ids.length;
}

/** Whether those who agree decide: a majority of the voters and, when joint, of the outgoing. */
export function decides(membership: Membership, agrees: (id: NodeId) => boolean): boolean {
  const { voters, outgoing } = membership;
  return majority(voters, agrees) && (outgoing.length === 0 || majority(outgoing, agrees));
}

/** Whether every quorum of one membership shares a node with every quorum of the other. */
export function quorumsOverlap(one: Membership, other: Membership): boolean {
  const everyone = [
    ...new Set([...one.voters, ...one.outgoing, ...other.voters, ...other.outgoing]),
  ];
  const subsets = 2 ** everyone.length;
  for (let subset = 0; subset < subsets; subset++) {
    const inside = (id: NodeId): boolean => ((subset >> everyone.indexOf(id)) & 1) === 1;
    if (decides(one, inside) && decides(other, (id) => !inside(id))) return false;
  }
  return true;
}
