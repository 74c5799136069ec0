/** What the founding members of a cluster must all have been given alike. */
import { createHash } from 'node:crypto';
import type { NodeId } from '../raft/index.ts';

const IDS_HASH_CHARS = 8;
const CLUSTER_HASH_CHARS = 32;
/** Characters of a seed's digest in messages, and in the id of the cluster that grew from it. */
const SHOWN_DIGEST_CHARS = 16;
const SEEDED = ' seeded with ';

/** Founding members as one text: equal when two nodes were given the same list. */
export function foundingText(peers: ReadonlyMap<NodeId, string>): string {
  return [...peers]
    .map(([id, address]) => `${id}=${address}`)
    .toSorted()
    .join(',');
}

/** The list, and the digest of what the cluster is to begin with if that is not nothing. */
export function foundingTerms(
  peers: ReadonlyMap<NodeId, string>,
  seedDigest: string | undefined,
): string {
  const list = foundingText(peers);
  return seedDigest === undefined ? list : `${list}${SEEDED}${seedDigest}`;
}

/** Why two nodes with different terms cannot found a cluster. */
export function describeDifference(
  here: { readonly id: NodeId; readonly terms: string },
  there: { readonly id: NodeId; readonly terms: string },
): string {
  const [peersHere = '', seedHere] = here.terms.split(SEEDED);
  const [peersThere = '', seedThere] = there.terms.split(SEEDED);
  if (peersHere !== peersThere) {
    return (
      `${here.id} was started with the peers ${peersHere}, ${there.id} with ${peersThere}: ` +
      'start all founding members with the same list'
    );
  }
  return (
    `${here.id} begins with ${describeSeed(seedHere)}, ${there.id} with ` +
    `${describeSeed(seedThere)}: restore the same backup in the same way on all, or on none`
  );
}

function describeSeed(digest: string | undefined): string {
  return digest === undefined ? 'no backup' : `the restored backup ${shownDigest(digest)}`;
}

/** Enough of a digest to tell it from others. */
export function shownDigest(digest: string): string {
  return digest.slice(0, SHOWN_DIGEST_CHARS);
}

/**
 * The id of the cluster that these members found: a hash of it all, what tells the seed, and what
 * tells the founding members' ids, both long after the founding record is gone.
 */
export function newClusterId(
  clusterName: string,
  storeIds: ReadonlyMap<NodeId, string>,
  seedDigest: string | undefined,
): string {
  const ids = [...storeIds.keys()].toSorted();
  const identities = ids.map((id) => `${id}=${storeIds.get(id)!}`);
  const seed = seedDigest === undefined ? [] : [seedDigest];
  const whole = hash([clusterName, ...identities, ...seed], CLUSTER_HASH_CHARS);
  return [whole, ...seed.map(shownDigest), idsHash(ids)].join('-');
}

export function wasFoundedBy(clusterId: string, ids: Iterable<NodeId>): boolean {
  return clusterId.endsWith(`-${idsHash(ids)}`);
}

export function grewFrom(clusterId: string, seedDigest: string): boolean {
  const [, shown, ids] = clusterId.split('-');
  return ids !== undefined && shown === shownDigest(seedDigest);
}

function idsHash(ids: Iterable<NodeId>): string {
  return hash([...ids].toSorted(), IDS_HASH_CHARS);
}

function hash(lines: readonly string[], chars: number): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, chars);
}
