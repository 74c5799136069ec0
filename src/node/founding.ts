/** How a node without any data finds its cluster: by founding it with others, or by joining. */
import { HoldfastError } from '../base/index.ts';
import { foundingMembership, foundingSnapshot, memberOf } from '../raft/index.ts';
import type { Member, Membership, NodeId, SnapshotMeta } from '../raft/index.ts';
import type { PeerIdentity } from '../transport/index.ts';
import type { NodeOptions } from './contract.ts';
import { foundingTerms, newClusterId, shownDigest, wasFoundedBy } from './founding-terms.ts';
import type { Seed } from './seed.ts';

const DISAGREEMENT_MS = 1_000;

/**
 * The same on every founding node: it follows from the peer list, everybody's store id, and what
 * the cluster begins with.
 */
export function foundingRecord(
  clusterName: string,
  peers: ReadonlyMap<NodeId, string>,
  storeIds: ReadonlyMap<NodeId, string>,
  seed: Seed | undefined,
): SnapshotMeta {
  const voters = [...peers.keys()].toSorted();
  const members = voters.map((id): [NodeId, Member] => {
    return [id, { address: peers.get(id)!, storeId: storeIds.get(id)! }];
  });
  const clusterId = newClusterId(clusterName, storeIds, seed?.digest);
  const membership = foundingMembership(clusterId, Object.fromEntries(members));
  const empty = foundingSnapshot(membership);
  return seed === undefined ? empty : { ...empty, index: seed.index, time: seed.time };
}

export type FoundingOutcome =
  /** Write this record, then take part. */
  | { readonly type: 'record'; readonly record: SnapshotMeta; readonly how: string }
  /**
   * The cluster exists and has left its founding record behind: its leader will send a snapshot.
   */
  | { readonly type: 'join'; readonly how: string }
  | { readonly type: 'refused'; readonly error: HoldfastError };

/**
 * Waits until every founding peer has met every other, or one of them tells of a cluster that
 * exists. Either way this node learns who it is there: a member when the record names its own store
 * id; a wiped or new node otherwise, which neither votes nor campaigns until the leader has made
 * it a learner and promoted it.
 */
export class Founding {
  readonly #options: NodeOptions;
  readonly #storeId: string;
  readonly #seed: Seed | undefined;
  readonly #terms: string;
  readonly #settle: (outcome: FoundingOutcome) => void;
  readonly #met = new Map<NodeId, PeerIdentity>();
  #settled = false;

  constructor(
    options: NodeOptions,
    storeId: string,
    seed: Seed | undefined,
    settle: (outcome: FoundingOutcome) => void,
  ) {
    this.#options = options;
    this.#storeId = storeId;
    this.#seed = seed;
    this.#terms = foundingTerms(options.peers, seed?.digest);
    this.#settle = settle;
  }

  /** Those not met yet. */
  missing(): NodeId[] {
    const { id, peers } = this.#options;
    return [...peers.keys()].filter((peer) => peer !== id && !this.#met.has(peer));
  }

  begin(): void {
    this.#foundIfComplete();
  }

  peerSeen(peer: PeerIdentity): void {
    if (peer.clusterId !== '') {
      this.#joinExisting(peer);
      return;
    }
    if (!this.#options.peers.has(peer.id)) return;
    if (peer.foundingPeers !== this.#terms) return;
    this.#met.set(peer.id, peer);
    this.#foundIfComplete();
  }

  peerLost(id: NodeId): void {
    this.#met.delete(id);
  }

  disagreement(text: string): void {
    const error = new HoldfastError('configuration-mismatch', text);
    // The others are to see it too, so this node can still be asked for a while.
    this.#options.environment.setTimer(DISAGREEMENT_MS, () =>
      this.#end({ type: 'refused', error }),
    );
  }

  #foundIfComplete(): void {
    const { id, clusterName, peers } = this.#options;
    if (!peers.has(id) || this.missing().length > 0) return;
    const storeIds = new Map([[id, this.#storeId]]);
    for (const [peer, { storeId }] of this.#met) storeIds.set(peer, storeId);
    const record = foundingRecord(clusterName, peers, storeIds, this.#seed);
    this.#end({
      type: 'record',
      record,
      how: `founded with ${record.membership.voters.join(', ')}${this.#beginning()}`,
    });
  }

  #beginning(): string {
    const seed = this.#seed;
    return seed === undefined ? '' : `, from the restored backup ${shownDigest(seed.digest)}`;
  }

  /** One that did not grow from this node's seed was not let in. */
  #joinExisting(peer: PeerIdentity): void {
    const record = peer.founding;
    // Who has no seed cannot begin where the founding members did.
    if (record === undefined || record.index !== (this.#seed?.index ?? 0)) {
      this.#end({ type: 'join', how: `joining the cluster of ${peer.id}` });
      return;
    }
    const self = memberOf(record.membership, this.#options.id);
    const how =
      self?.storeId === this.#storeId
        ? `founding record taken over from ${peer.id}`
        : self === undefined
          ? `joining the cluster of ${peer.id}`
          : `the cluster knows this node with another store (${self.storeId}): joining anew`;
    this.#end({ type: 'record', record, how });
  }

  #end(outcome: FoundingOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(outcome);
  }
}

/**
 * Compares what the node was started with to what its store says. After membership changes the
 * founding list, today's members, and anything in between that names another member are accepted;
 * a list that was never true is not. Returns what is worth a line in the log.
 */
export function checkConfiguration(
  options: NodeOptions,
  storeId: string,
  membership: Membership,
): string[] {
  const { id, peers } = options;
  const ids = Object.keys(membership.members) as NodeId[];
  const owner = ids.find((other) => membership.members[other]!.storeId === storeId);
  if (owner !== undefined && owner !== id) {
    const text = `this store belongs to ${owner}, not to ${id}: start it with --id ${owner}`;
    throw new HoldfastError('configuration-mismatch', text);
  }
  if (peers.size === 0 || membership.clusterId === '') return [];
  const same = peers.size === ids.length && ids.every((other) => peers.has(other));
  if (!same && !wasFoundedBy(membership.clusterId, peers.keys())) {
    const changed = !wasFoundedBy(membership.clusterId, ids);
    const others = [...peers.keys()].filter((other) => other !== id);
    const overlaps = others.length === 0 || others.some((other) => ids.includes(other));
    const text =
      `the peer list names ${[...peers.keys()].join(', ')}, but the members of the stored ` +
      `cluster ${membership.clusterId} are ${ids.join(', ')}`;
    if (!changed || !overlaps) {
      const advice = 'correct the list, or use another data directory';
      throw new HoldfastError('configuration-mismatch', `${text}; ${advice}`);
    }
    return [`${text}; the stored ones hold`];
  }
  return ids.flatMap((other) => {
    const listed = peers.get(other);
    const { address } = membership.members[other]!;
    if (listed === undefined || listed === address) return [];
    return [`the peer list has ${other} at ${listed}, the members know it at ${address}`];
  });
}
