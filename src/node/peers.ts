/** Who the others are: handshakes, addresses, and whose replies count. */
import { isMember, memberOf } from '../raft/index.ts';
import type { Membership, NodeId, SnapshotMeta } from '../raft/index.ts';
import type { PeerIdentity, PeerMessage } from '../transport/index.ts';
import { HoldfastError } from '../base/index.ts';
import { differingLines } from './configuration.ts';
import type { NodeOptions } from './contract.ts';
import {
  describeDifference,
  foundingTerms,
  foundingText,
  grewFrom,
  shownDigest,
} from './founding-terms.ts';
import type { Seed } from './seed.ts';

const REPLIES: ReadonlySet<PeerMessage['type']> = new Set([
  'voteResponse',
  'preVoteResponse',
  'appendResponse',
  'heartbeatResponse',
  'readIndexResponse',
  'snapshotChunkResponse',
]);

export interface PeersHooks {
  /** Undefined before this node knows its cluster. */
  readonly membership: () => Membership | undefined;
  /** The founding record, while the store still holds it. */
  readonly founding: () => SnapshotMeta | undefined;
  /**
   * This node, which has no data yet, and a peer of its were started with different peer lists or
   * configurations; `text` says how.
   */
  readonly disagreement: (text: string) => void;
  readonly isLeader: () => boolean;
}

/** A member silent towards its leader for so many election timeouts is gone, whoever says what. */
const SILENT_TIMEOUTS = 5;

/** A hello has room for so much, with all else it tells. */
const MAX_CONFIGURATION_CHARS = 8 * 1024;

export class Peers {
  readonly #options: NodeOptions;
  readonly #storeId: string;
  readonly #hooks: PeersHooks;
  readonly #seed: Seed | undefined;
  readonly #foundingTerms: string;
  readonly #configuration: string;
  /** Those a handshake was completed with and whose connection did not break since. */
  readonly #connected = new Map<NodeId, PeerIdentity>();
  /** When each of these was last heard, under the store it is connected with. */
  readonly #aliveAt = new Map<NodeId, number>();
  /** Of these, those that were heard leading since. */
  readonly #heard = new Set<NodeId>();
  /** Where each was last reached. */
  readonly #addresses = new Map<NodeId, string>();
  #announced = '';

  constructor(options: NodeOptions, storeId: string, seed: Seed | undefined, hooks: PeersHooks) {
    this.#options = options;
    this.#storeId = storeId;
    this.#hooks = hooks;
    this.#seed = seed;
    this.#foundingTerms = foundingTerms(options.peers, seed?.digest);
    const configuration = options.stateMachine.configuration ?? '';
    if (configuration.length > MAX_CONFIGURATION_CHARS) {
      const rule = `at most ${MAX_CONFIGURATION_CHARS}: every connection opens with it`;
      const text = `the state machine's configuration has ${configuration.length} characters`;
      throw new HoldfastError('invalid-argument', `${text}; ${rule}`);
    }
    this.#configuration = configuration;
  }

  identity(): PeerIdentity {
    const { id, clusterName, address } = this.#options;
    return {
      id,
      clusterName,
      address,
      clusterId: this.#hooks.membership()?.clusterId ?? '',
      storeId: this.#storeId,
      foundingPeers: this.#foundingTerms,
      configuration: this.#configuration,
      founding: this.#hooks.founding(),
    };
  }

  /** Why a peer may not take part, or undefined. */
  admit(peer: PeerIdentity): string | undefined {
    const { id, clusterName } = this.#options;
    const membership = this.#hooks.membership();
    if (peer.id === id) return `duplicate node id: this node is called ${id} too`;
    if (peer.clusterName !== clusterName) {
      return `wrong cluster: this is ${clusterName}, not ${peer.clusterName}`;
    }
    const clusterId = membership?.clusterId ?? '';
    if (clusterId !== '' && peer.clusterId !== '' && clusterId !== peer.clusterId) {
      return `wrong cluster: this one has the id ${clusterId}, not ${peer.clusterId}`;
    }
    const differences = this.#differences(peer, membership);
    if (differences !== undefined) return differences;
    const foreign = this.#foreign(peer, membership);
    if (foreign !== undefined) return foreign;
    return this.#disagreement(peer, membership) ?? this.#duplicate(peer, membership);
  }

  /** A node that is to found a cluster from a seed takes no part in any other. */
  #foreign(peer: PeerIdentity, membership: Membership | undefined): string | undefined {
    const seed = this.#seed;
    if (seed === undefined || membership !== undefined || peer.clusterId === '') return undefined;
    if (grewFrom(peer.clusterId, seed.digest)) return undefined;
    const text =
      `${this.#options.id} is to found a cluster from the restored backup ` +
      `${shownDigest(seed.digest)}, but ${peer.id} belongs to another, ${peer.clusterId}`;
    // One elsewhere does not stand in the way.
    if (this.#options.peers.get(peer.id) === peer.address) {
      this.#hooks.disagreement(`${text}: stop it, or restore on ${peer.id} too`);
    }
    return `wrong cluster: ${text}`;
  }

  #disagreement(peer: PeerIdentity, membership: Membership | undefined): string | undefined {
    const [terms, theirs] = [this.#foundingTerms, peer.foundingPeers];
    if (membership !== undefined || peer.clusterId !== '' || terms === '') return undefined;
    if (theirs === terms || theirs === '') return undefined;
    const { id, peers } = this.#options;
    const text = describeDifference({ id, terms }, { id: peer.id, terms: theirs });
    if (peers.has(peer.id)) this.#hooks.disagreement(text);
    return `founding members disagree: ${text}`;
  }

  /** Replicas whose state machines were configured differently would part without a word. */
  #differences(peer: PeerIdentity, membership: Membership | undefined): string | undefined {
    const { id, peers } = this.#options;
    const differing = differingLines(this.#configuration, peer.configuration);
    if (differing.length === 0) return undefined;
    const text =
      `${id} and ${peer.id} are configured differently, which would part their states: ` +
      differing.map(({ here, there }) => `${here} on ${id}, ${there} on ${peer.id}`).join('; ');
    const isOurs = peers.has(peer.id) || peer.clusterId !== '';
    if (membership === undefined && isOurs) this.#hooks.disagreement(text);
    return text;
  }

  /**
   * Two processes under one id would take turns at being the wiped one; the first to come stays.
   * The end of a connection can go unnoticed for a while, so a leader, which everyone answers all
   * the time, goes by that; once it has recorded the new one's store, the others follow. A follower
   * hears nothing of the others, and waits for its transport to notice.
   */
  #duplicate(peer: PeerIdentity, membership: Membership | undefined): string | undefined {
    const present = this.#connected.get(peer.id);
    if (present === undefined || present.storeId === peer.storeId) return undefined;
    const recorded = membership && memberOf(membership, peer.id)?.storeId;
    if (recorded !== undefined && recorded === peer.storeId) return undefined;
    if (this.#hooks.isLeader() && this.#isSilent(peer.id)) return undefined;
    return `duplicate node id: another node called ${peer.id} is connected`;
  }

  #isSilent(id: NodeId): boolean {
    const { environment, settings } = this.#options;
    const silentMs = environment.now() - (this.#aliveAt.get(id) ?? -Infinity);
    return silentMs > SILENT_TIMEOUTS * settings.electionTimeoutMs;
  }

  seen(peer: PeerIdentity): void {
    this.#connected.set(peer.id, peer);
    this.alive(peer);
    this.#addresses.set(peer.id, peer.address);
    this.announce();
  }

  /** A message came from this peer. */
  alive({ id, storeId }: PeerIdentity): void {
    if (this.#connected.get(id)?.storeId !== storeId) return;
    this.#aliveAt.set(id, this.#options.environment.now());
  }

  lost(id: NodeId): void {
    this.#connected.delete(id);
    this.#heard.delete(id);
  }

  heard(id: NodeId): void {
    this.#heard.add(id);
  }

  /**
   * Whether work may be sent to it as to a leader. One that was lost may have been restarted, which
   * this node cannot tell before it is heard of again.
   */
  servesAsLeader(id: NodeId): boolean {
    return this.#connected.has(id) && this.#heard.has(id);
  }

  connected(id: NodeId): PeerIdentity | undefined {
    return this.#connected.get(id);
  }

  all(): IterableIterator<PeerIdentity> {
    return this.#connected.values();
  }

  /**
   * Tells the transport whom to keep connections to. What a peer said of itself is newest, then
   * comes what the members agreed on, then what this node was started with.
   */
  announce(): void {
    const addresses = new Map(this.#options.peers);
    const membership = this.#hooks.membership();
    for (const [id, { address }] of Object.entries(membership?.members ?? {})) {
      addresses.set(id as NodeId, address);
    }
    for (const [id, address] of this.#addresses) {
      const gone = membership !== undefined && !isMember(membership, id);
      // A stranger is kept while it is connected: it may be about to join.
      if (!gone || this.#connected.has(id)) addresses.set(id, address);
    }
    addresses.delete(this.#options.id);
    const text = foundingText(addresses);
    if (text === this.#announced) return;
    this.#announced = text;
    this.#options.transport.setPeers(addresses);
  }

  /**
   * Whether a reply may count. One from a node whose disk is not the one on record speaks for a
   * log that was lost: its votes and acknowledgements are void (dragonboat #256).
   */
  counts(message: PeerMessage, peer: PeerIdentity): boolean {
    if (!REPLIES.has(message.type)) return true;
    const membership = this.#hooks.membership();
    const recorded = membership && memberOf(membership, peer.id)?.storeId;
    return recorded === undefined || recorded === '' || recorded === peer.storeId;
  }
}
