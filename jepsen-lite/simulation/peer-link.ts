import type { NodeId } from '../../src/raft/index.ts';
import { refusePeer } from '../../src/transport/admission.ts';
import type { PeerIdentity, TransportHandlers } from '../../src/transport/index.ts';
import type { SimulatedNetwork } from './network.ts';
import type { SimulatedTransport } from './transport.ts';

/** One connection, from a completed handshake until it breaks. */
export interface LinkSession {
  readonly target: SimulatedTransport;
  readonly targetHandlers: TransportHandlers;
  /** What the sender said of itself. */
  readonly sender: PeerIdentity;
}

/** What one node keeps up towards one peer. */
export class PeerLink {
  session: LinkSession | undefined = undefined;
  /** When what was sent last arrives. */
  lastArrivalMs = 0;
  readonly id: NodeId;
  readonly address: string;
  readonly random: () => number;
  readonly #network: SimulatedNetwork;
  readonly #owner: SimulatedTransport;
  readonly #handlers: TransportHandlers;
  #closed = false;
  /** What was last said of it in the log. */
  #said: string | undefined = undefined;

  constructor(owner: SimulatedTransport, handlers: TransportHandlers, id: NodeId, address: string) {
    this.id = id;
    this.address = address;
    this.#owner = owner;
    this.#network = owner.network;
    this.#handlers = handlers;
    this.random = owner.network.options.randomOf(`${owner.id}>${id}`);
    owner.life.setTimer(this.#network.latencyMs(this.random), () => this.#connect());
  }

  close(): void {
    this.#closed = true;
    this.session = undefined;
  }

  /** The connection broke: what was under way is lost. */
  lost(): void {
    if (this.session === undefined) return;
    this.session = undefined;
    this.#owner.life.run(() => {
      if (this.#closed) return;
      this.#handlers.peerLost(this.id);
      this.#retry();
    });
  }

  #retry(): void {
    this.#owner.life.setTimer(this.#network.options.retryMs, () => this.#connect());
  }

  #connect(): void {
    if (this.#closed) return;
    const reason = this.#shakeHands();
    if (reason !== undefined) this.#retry();
    if (reason !== undefined && reason !== this.#said) {
      this.#handlers.notice(`peer '${this.id}' at ${this.address}: ${reason}`);
    }
    this.#said = reason;
  }

  /** Why it came to nothing, or undefined. */
  #shakeHands(): string | undefined {
    const target = this.#network.at(this.address);
    const theirs = target?.handlers;
    if (target === undefined || theirs === undefined) return 'nobody listens there';
    const own = this.#handlers.identity();
    const isCut = this.#network.isCut(own.id, target.id) || this.#network.isCut(target.id, own.id);
    if (isCut || target.life.stalledUntil > this.#network.world.now) return 'no answer';
    const peer = theirs.identity();
    const theirView = { own: peer, peer: own, expected: undefined };
    const theirRefusal = refusePeer({ ...theirView, admit: (one) => theirs.admit(one) });
    if (theirRefusal !== undefined) return `refused this node: ${theirRefusal.reason}`;
    const ownView = { own, peer, expected: { id: this.id, address: this.address } };
    const refusal = refusePeer({ ...ownView, admit: (one) => this.#handlers.admit(one) });
    if (refusal !== undefined) return `refused by this node: ${refusal.reason}`;
    this.session = { target, targetHandlers: theirs, sender: own };
    // A node may have waited for just this handshake.
    this.#network.world.wakeFully();
    theirs.peerSeen(own);
    this.#handlers.peerSeen(peer);
    return undefined;
  }
}
