/** Whether a cluster agrees with itself. */
import { invariant } from '../../src/base/index.ts';
import type { Cluster } from './cluster.ts';
import type { SimNode } from './sim-node.ts';

/** Why the members of the leader's membership do not agree yet, or undefined when they do. */
export function disagreement(cluster: Cluster): string | undefined {
  const leader = cluster.leader();
  if (leader?.raft === undefined) return 'nobody leads';
  const { lastIndex, membership } = leader.raft.status();
  for (const node of cluster.alive()) {
    if (!(node.id in membership.members)) continue;
    const reason = lag(node, leader, lastIndex);
    if (reason !== undefined) return `${node.id} ${reason}`;
  }
  return undefined;
}

function lag(node: SimNode, leader: SimNode, lastIndex: number): string | undefined {
  const status = node.raft?.status();
  if (status?.leader !== leader.id) return `does not follow ${leader.id}`;
  if (status.lastIndex !== lastIndex) return `ends at ${status.lastIndex}, not ${lastIndex}`;
  if (status.commitIndex !== lastIndex)
    return `has committed ${status.commitIndex} of ${lastIndex}`;
  if (node.machine.index !== lastIndex) return `has applied ${node.machine.index} of ${lastIndex}`;
  if (node.disk.lastIndex !== lastIndex)
    return `has ${node.disk.lastIndex} of ${lastIndex} on disk`;
  if (node.machine.hash !== leader.machine.hash) return 'has another state';
  return undefined;
}

/** Throws unless everyone agrees and the leader's books are balanced. */
export function assertConverged(cluster: Cluster): void {
  const reason = disagreement(cluster);
  invariant(reason === undefined, 'the cluster does not agree', reason);
  const leader = cluster.leader();
  if (leader?.raft === undefined) return;
  const { uncommittedBytes, progress } = leader.raft.status();
  invariant(uncommittedBytes === 0, 'uncommitted bytes leak', uncommittedBytes);
  for (const [id, follower] of Object.entries(progress)) {
    if (follower.state !== 'replicate' || cluster.nodes.get(id as never)?.raft === undefined) {
      continue;
    }
    const { inflightMessages, inflightBytes } = follower;
    const balanced = inflightMessages === 0 && inflightBytes === 0;
    invariant(balanced, 'in-flight counters leak', { id, inflightMessages, inflightBytes });
  }
}
