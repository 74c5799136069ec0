/** Nodes of one process talking without sockets: for tests, and for embedding several nodes. */
import { HoldfastError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { FrameDecoder, OutgoingBatch } from '../wire/index.ts';
import type { PeerMessage, Transport, TransportHandlers } from './contract.ts';
import type { TransportEnvironment } from './environment.ts';
import { MemoryLink, type LinkSession } from './memory-link.ts';
import { decodePeerMessage, encodePeerMessage } from './message-codec.ts';
import { RepeatedNotice } from './repeated-notice.ts';

const DEFAULT_RETRY_MS = 20;

export interface MemoryNetworkOptions {
  readonly environment: Pick<TransportEnvironment, 'setTimer' | 'defer'>;
  /** Sends every message through the binary codec; otherwise the objects themselves are passed. */
  readonly throughCodec?: boolean;
  /** Pause before a peer that is away, or that refused, is tried again. */
  readonly retryMs?: number;
}

/** A message under way, and the link it was sent on. */
interface Parcel {
  readonly link: MemoryLink;
  readonly session: LinkSession;
  readonly message: PeerMessage;
}

/**
 * The switchboard: everything that leaves in one turn arrives at the turn's end, in the order it
 * was sent. Links can be cut in one direction: what is sent then vanishes without a word, as in a
 * network that drops packets, and no new handshake succeeds.
 */
export class MemoryNetwork {
  readonly environment: Pick<TransportEnvironment, 'setTimer' | 'defer'>;
  readonly retryMs: number;
  readonly #throughCodec: boolean;
  readonly #stations = new Map<string, MemoryTransport>();
  readonly #cuts = new Set<string>();
  #parcels: Parcel[] = [];

  constructor(options: MemoryNetworkOptions) {
    this.environment = options.environment;
    this.retryMs = options.retryMs ?? DEFAULT_RETRY_MS;
    this.#throughCodec = options.throughCodec ?? false;
  }

  /** Drops what `from` sends to `to`, from now on; what is under way is dropped too. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(linkName(from, to));
  }

  heal(from: NodeId, to: NodeId): void {
    this.#cuts.delete(linkName(from, to));
  }

  healAll(): void {
    this.#cuts.clear();
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(linkName(from, to));
  }

  /** Who listens at this address. */
  at(address: string): MemoryTransport | undefined {
    return this.#stations.get(address);
  }

  join(address: string, transport: MemoryTransport): void {
    if (this.#stations.has(address)) {
      throw new HoldfastError('address-in-use', `address ${address} is in use in this network`);
    }
    this.#stations.set(address, transport);
  }

  leave(address: string, transport: MemoryTransport): void {
    if (this.#stations.get(address) !== transport) return;
    this.#stations.delete(address);
    for (const station of this.#stations.values()) station.targetGone(transport);
  }

  post(link: MemoryLink, session: LinkSession, message: PeerMessage): void {
    const sent = this.#throughCodec ? roundTrip(message) : message;
    if (this.#parcels.length === 0) this.environment.defer(() => this.#deliver());
    this.#parcels.push({ link, session, message: sent });
  }

  #deliver(): void {
    const parcels = this.#parcels;
    this.#parcels = [];
    for (const { link, session, message } of parcels) {
      const gone = link.session !== session || session.target.closed;
      if (gone || this.isCut(session.sender.id, session.targetId)) continue;
      session.targetHandlers.message(message, session.sender);
    }
  }
}

function linkName(from: NodeId, to: NodeId): string {
  return JSON.stringify([from, to]);
}

function roundTrip(message: PeerMessage): PeerMessage {
  const batch = new OutgoingBatch(Number.MAX_SAFE_INTEGER);
  encodePeerMessage(batch, message);
  const decoder = new FrameDecoder({ maxFrameBytes: Number.MAX_SAFE_INTEGER });
  for (const chunk of batch.take()) decoder.push(chunk.slice());
  return decodePeerMessage(decoder.next()!, message.from, message.to);
}

export interface MemoryTransportOptions {
  readonly network: MemoryNetwork;
  /** Where this node is reached within the network; any text. */
  readonly address: string;
}

/** A node's place in a `MemoryNetwork`; handshakes and refusals are those of the TCP transport. */
export class MemoryTransport implements Transport {
  readonly network: MemoryNetwork;
  readonly #address: string;
  #handlers: TransportHandlers | undefined = undefined;
  #closed = false;
  #peers: ReadonlyMap<NodeId, string> = new Map();
  readonly #links = new Map<NodeId, MemoryLink>();
  readonly #refusals = new Map<NodeId, RepeatedNotice>();

  constructor(options: MemoryTransportOptions) {
    this.network = options.network;
    this.#address = options.address;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Undefined before the start and after the end. */
  get handlers(): TransportHandlers | undefined {
    return this.#closed ? undefined : this.#handlers;
  }

  async start(handlers: TransportHandlers): Promise<void> {
    if (this.#closed) throw new HoldfastError('closed', 'this transport is closed');
    this.network.join(this.#address, this);
    this.#handlers = handlers;
    this.setPeers(this.#peers);
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    this.#peers = new Map(addresses);
    const { handlers } = this;
    if (handlers === undefined) return;
    for (const [id, link] of this.#links) {
      if (this.#peers.get(id) === link.address) continue;
      link.close();
      this.#links.delete(id);
    }
    const ownId = handlers.identity().id;
    for (const [id, address] of this.#peers) {
      if (id === ownId || this.#links.has(id)) continue;
      this.#links.set(id, new MemoryLink(this.network, handlers, id, address));
    }
  }

  send(message: PeerMessage): void {
    const link = this.#links.get(message.to);
    if (link?.session !== undefined) this.network.post(link, link.session, message);
  }

  /** Nothing to do: the network delivers at the end of the turn. */
  flush(): void {}

  snapshotReady(id: NodeId): boolean {
    return this.#links.get(id)?.session !== undefined;
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.network.leave(this.#address, this);
    return Promise.resolve();
  }

  /** Called by the network when another node has closed. */
  targetGone(target: MemoryTransport): void {
    for (const link of this.#links.values()) {
      if (link.session?.target === target) link.lost();
    }
  }

  /** Called by a link whose handshake this node refused. */
  refused(peer: NodeId, line: string): void {
    let notice = this.#refusals.get(peer);
    if (notice === undefined) {
      notice = new RepeatedNotice((text) => this.#handlers?.notice(text));
      this.#refusals.set(peer, notice);
    }
    notice.say(line);
  }

  /** Called by a link whose handshake this node accepted. */
  admitted(peer: NodeId): void {
    this.#refusals.delete(peer);
  }
}
