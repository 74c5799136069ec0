/** Whether two nodes may talk: what every transport checks before the node itself is asked. */
import type { NodeId } from '../raft/index.ts';
import type { Refusal } from '../wire/index.ts';
import type { PeerIdentity } from './contract.ts';

export interface AdmissionQuestion {
  readonly own: PeerIdentity;
  readonly peer: PeerIdentity;
  /** Whom the dialer meant to reach, and where; undefined for the side that was dialed. */
  readonly expected: { readonly id: NodeId; readonly address: string } | undefined;
  /** The node's own judgement, asked last. */
  readonly admit: (peer: PeerIdentity) => string | undefined;
}

/** Why the connection must not be, or undefined. The same rules hold on both sides. */
export function refusePeer(question: AdmissionQuestion): Refusal | undefined {
  const { own, peer, expected } = question;
  if (own.clusterName !== peer.clusterName) {
    const reason = `cluster '${peer.clusterName}' is not this one, '${own.clusterName}'`;
    return { code: 'wrong-cluster', reason };
  }
  if (own.clusterId !== '' && peer.clusterId !== '' && own.clusterId !== peer.clusterId) {
    const reason = `cluster id ${peer.clusterId} is not this cluster's, ${own.clusterId}`;
    return { code: 'wrong-cluster', reason };
  }
  if (peer.id === own.id) return { code: 'configuration-mismatch', reason: sameId(own, peer) };
  if (expected !== undefined && peer.id !== expected.id) {
    const reason = `'${expected.id}' was expected at ${expected.address}, '${peer.id}' answered`;
    return { code: 'configuration-mismatch', reason };
  }
  const reason = question.admit(peer);
  return reason === undefined ? undefined : { code: 'configuration-mismatch', reason };
}

function sameId(own: PeerIdentity, peer: PeerIdentity): string {
  if (own.storeId === peer.storeId && own.storeId !== '') {
    return `duplicate node id '${own.id}': this node reached itself at ${peer.address}`;
  }
  return `duplicate node id '${own.id}': ${peer.address} and ${own.address} both use it`;
}
