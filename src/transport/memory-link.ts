import type { NodeId } from '../raft/index.ts';
import { refusePeer } from './admission.ts';
import type { PeerIdentity, TransportHandlers } from './contract.ts';
import type { MemoryNetwork, MemoryTransport } from './memory.ts';
import { RepeatedNotice } from './repeated-notice.ts';

/** One completed handshake of a link; a new one begins with each reconnection. */
export interface LinkSession {
  readonly target: MemoryTransport;
  readonly targetHandlers: TransportHandlers;
  /** What the sender said of itself. */
  readonly sender: PeerIdentity;
  readonly targetId: NodeId;
}

/** What one node keeps up towards one peer. */
export class MemoryLink {
  session: LinkSession | undefined = undefined;
  readonly id: NodeId;
  readonly address: string;
  readonly #network: MemoryNetwork;
  readonly #handlers: TransportHandlers;
  readonly #notice: RepeatedNotice;
  #closed = false;
  #cancelTimer: () => void = () => undefined;

  constructor(network: MemoryNetwork, handlers: TransportHandlers, id: NodeId, address: string) {
    this.id = id;
    this.address = address;
    this.#network = network;
    this.#handlers = handlers;
    this.#notice = new RepeatedNotice((line) => handlers.notice(line));
    this.#network.environment.defer(() => this.#connect());
  }

  close(): void {
    this.#closed = true;
    this.session = undefined;
    this.#cancelTimer();
  }

  /** The other side has closed: what was under way is lost. */
  lost(): void {
    this.session = undefined;
    this.#retry();
    this.#handlers.peerLost(this.id);
  }

  #retry(): void {
    this.#cancelTimer = this.#network.environment.setTimer(this.#network.retryMs, () => {
      this.#connect();
    });
  }

  #connect(): void {
    if (this.#closed) return;
    const target = this.#network.at(this.address);
    const own = this.#handlers.identity();
    const theirs = target?.handlers;
    const peer = theirs?.identity();
    if (target === undefined || theirs === undefined || peer === undefined) {
      this.#fail(`peer '${this.id}' at ${this.address}: nobody listens there`);
      return;
    }
    if (this.#network.isCut(own.id, peer.id) || this.#network.isCut(peer.id, own.id)) {
      this.#fail(`peer '${this.id}' at ${this.address}: no answer`);
      return;
    }
    const refusal = this.#judge(target, theirs, own, peer);
    if (refusal !== undefined) {
      this.#fail(`peer '${this.id}' at ${this.address}: ${refusal}`);
      return;
    }
    this.#notice.clear();
    const session = { target, targetHandlers: theirs, sender: own, targetId: peer.id };
    this.session = session;
    theirs.peerSeen(own);
    this.#handlers.peerSeen(peer);
  }

  #judge(
    target: MemoryTransport,
    theirs: TransportHandlers,
    own: PeerIdentity,
    peer: PeerIdentity,
  ): string | undefined {
    const theirView = { own: peer, peer: own, expected: undefined };
    const theirRefusal = refusePeer({ ...theirView, admit: (one) => theirs.admit(one) });
    if (theirRefusal !== undefined) {
      target.refused(own.id, `refused '${own.id}': ${theirRefusal.reason}`);
      return `refused this node: ${theirRefusal.reason}`;
    }
    target.admitted(own.id);
    const ownView = { own, peer, expected: { id: this.id, address: this.address } };
    const refusal = refusePeer({ ...ownView, admit: (one) => this.#handlers.admit(one) });
    return refusal === undefined ? undefined : `refused by this node: ${refusal.reason}`;
  }

  #fail(line: string): void {
    this.#notice.say(line);
    this.#retry();
  }
}
