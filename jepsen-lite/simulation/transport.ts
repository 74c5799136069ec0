/** One life of a node as its peers reach it. */
import { HoldfastError } from '../../src/base/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type { PeerMessage, Transport, TransportHandlers } from '../../src/transport/index.ts';
import type { Life } from './life.ts';
import type { SimulatedNetwork } from './network.ts';
import { PeerLink } from './peer-link.ts';

export class SimulatedTransport implements Transport {
  readonly network: SimulatedNetwork;
  readonly life: Life;
  readonly id: NodeId;
  readonly #address: string;
  readonly #links = new Map<NodeId, PeerLink>();
  #peers: ReadonlyMap<NodeId, string> = new Map();
  #handlers: TransportHandlers | undefined = undefined;
  #closed = false;

  constructor(network: SimulatedNetwork, life: Life, id: NodeId, address: string) {
    this.network = network;
    this.life = life;
    this.id = id;
    this.#address = address;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Undefined before the start and after the end. */
  get handlers(): TransportHandlers | undefined {
    return this.#closed ? undefined : this.#handlers;
  }

  start(handlers: TransportHandlers): Promise<void> {
    if (this.#closed) return Promise.reject(new HoldfastError('closed', 'it is closed'));
    this.network.join(this.#address, this);
    this.#handlers = handlers;
    this.setPeers(this.#peers);
    return Promise.resolve();
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
    for (const [id, address] of this.#peers) {
      if (id === this.id || this.#links.has(id)) continue;
      this.#links.set(id, new PeerLink(this, handlers, id, address));
    }
  }

  send(message: PeerMessage): void {
    if (this.life.over) return;
    const link = this.#links.get(message.to);
    if (link?.session !== undefined) this.network.carry(link, link.session, message);
  }

  /** Nothing to do: every message travels by itself. */
  flush(): void {}

  snapshotReady(id: NodeId): boolean {
    return this.#links.get(id)?.session !== undefined;
  }

  close(): Promise<void> {
    this.end(false);
    return Promise.resolve();
  }

  /** `silently`: as when the power goes, so that nobody is told. */
  end(silently: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.network.leave(this.#address, this, silently);
  }

  /** Called by the network when another node has closed. */
  targetGone(target: SimulatedTransport): void {
    for (const link of this.#links.values()) if (link.session?.target === target) link.lost();
  }
}
