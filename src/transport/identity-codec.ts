/** A peer's identity as the hello of its streams carries it, and as the answer returns it. */
import { ByteReader, ByteWriter } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { PeerIdentity } from './contract.ts';
import { readSnapshotMeta, writeSnapshotMeta } from './snapshot-meta-codec.ts';

export function encodeIdentity(identity: PeerIdentity): Uint8Array {
  const writer = new ByteWriter().text(identity.id).text(identity.clusterName);
  writer.text(identity.clusterId).text(identity.storeId).text(identity.address);
  writer.text(identity.foundingPeers).text(identity.configuration);
  writer.boolean(identity.founding !== undefined);
  if (identity.founding !== undefined) writeSnapshotMeta(writer, identity.founding);
  return writer.finish();
}

/** @throws MalformedBytesError */
export function decodeIdentity(bytes: Uint8Array): PeerIdentity {
  const reader = new ByteReader(bytes);
  const identity = {
    id: reader.text() as NodeId,
    clusterName: reader.text(),
    clusterId: reader.text(),
    storeId: reader.text(),
    address: reader.text(),
    foundingPeers: reader.text(),
    configuration: reader.text(),
    founding: reader.boolean() ? readSnapshotMeta(reader) : undefined,
  };
  reader.end();
  return identity;
}
