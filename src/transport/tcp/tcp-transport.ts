import type { Socket } from 'node:net';
import { HoldfastError, MalformedBytesError, unreachable } from '../../base/index.ts';
import type { NodeId } from '../../raft/index.ts';
import {
  decodeClientHello,
  formatAddress,
  refuseClient,
  refuseHello,
  type ClientHello,
  type Refusal,
} from '../../wire/index.ts';
import type { PeerMessage, Transport, TransportHandlers } from '../contract.ts';
import { InboundStreams } from './inbound-streams.ts';
import { Listener, type Introduction } from './listener.ts';
import { DEFAULT_TCP_LIMITS, type TcpLimits, type TcpTransportOptions } from './options.ts';
import { PeerLink } from './peer-link.ts';
import { StrangerNotices } from './stranger-notices.ts';

/**
 * Peers over TCP, or TLS. One port takes peers, snapshot streams and clients; the hello tells
 * which. Each node sends on connections it made itself and receives on those made to it.
 */
export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions;
  readonly #limits: TcpLimits;
  readonly #links = new Map<NodeId, PeerLink>();
  #peers: ReadonlyMap<NodeId, string> = new Map();
  #handlers: TransportHandlers | undefined = undefined;
  #listener: Listener | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_TCP_LIMITS, ...options.limits };
  }

  /** Where this node listens, `host:port`; after the start with the port the system chose. */
  address(): string {
    return this.#listener?.address ?? formatAddress(this.#options);
  }

  async start(handlers: TransportHandlers): Promise<void> {
    if (this.#closing !== undefined) throw new HoldfastError('closed', 'transport is closed');
    if (this.#listener !== undefined) {
      throw new HoldfastError('invalid-argument', 'transport was started already');
    }
    const guarded = this.#guard(handlers);
    const notices = new StrangerNotices((line) => guarded.notice(line));
    const shared = { limits: this.#limits, environment: this.#options.environment };
    const inbound = new InboundStreams({ ...shared, handlers: guarded, notices });
    this.#listener = new Listener({
      ...shared,
      host: this.#options.host,
      port: this.#options.port,
      tls: this.#options.tls,
      introduced: (introduction) => this.#introduced(introduction, inbound, guarded, notices),
      strange: (remote, reason) => {
        notices.say(remote, `closed a connection from ${remote}: ${reason}`);
      },
    });
    await this.#listener.listen();
    if (this.#closing !== undefined) throw new HoldfastError('closed', 'transport is closed');
    this.#handlers = guarded;
    this.setPeers(this.#peers);
  }

  #routed(addresses: ReadonlyMap<NodeId, string>): Map<NodeId, string> {
    const { routes } = this.#options;
    return new Map([...addresses].map(([id, address]) => [id, routes?.get(id) ?? address]));
  }

  setPeers(addresses: ReadonlyMap<NodeId, string>): void {
    this.#peers = this.#routed(addresses);
    const handlers = this.#handlers;
    if (handlers === undefined || this.#closing !== undefined) return;
    for (const [id, link] of this.#links) {
      if (this.#peers.get(id) === link.address) continue;
      link.stop();
      this.#links.delete(id);
    }
    const ownId = handlers.identity().id;
    const { environment, tls } = this.#options;
    for (const [id, address] of this.#peers) {
      if (id === ownId || this.#links.has(id)) continue;
      const link = { id, address, limits: this.#limits, tls, environment, handlers };
      this.#links.set(id, new PeerLink(link));
    }
  }

  send(message: PeerMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  snapshotReady(id: NodeId): boolean {
    return this.#links.get(id)?.snapshotReady ?? false;
  }

  /** What was sent may drain for a moment; then every connection, clients' included, is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const draining = [...this.#links.values()].flatMap((link) => link.stop());
    this.#links.clear();
    const listener = this.#listener;
    const ended = draining.map((socket) => hasClosed(socket));
    if (listener !== undefined) ended.push(listener.stop());
    listener?.hangUp();
    const cancelTimer = this.#options.environment.setTimer(this.#limits.closeGraceMs, () => {
      listener?.destroyAll();
    });
    await Promise.all(ended);
    cancelTimer();
  }

  #introduced(
    introduction: Introduction,
    inbound: InboundStreams,
    handlers: TransportHandlers,
    notices: StrangerNotices,
  ): void {
    const { streamKind } = introduction.hello;
    if (this.#closing !== undefined) {
      introduction.socket.destroy();
      return;
    }
    switch (streamKind) {
      case 'peer':
      case 'snapshot':
        inbound.accept(introduction);
        return;
      case 'client':
        this.#acceptClient(introduction, handlers.identity().clusterName, notices);
        return;
      default:
        unreachable(streamKind);
    }
  }

  #acceptClient(introduction: Introduction, clusterName: string, notices: StrangerNotices): void {
    const { socket, hello, decoder, remote } = introduction;
    const { onClient, environment } = this.#options;
    const judged = judgeClient(hello.payload, clusterName, onClient !== undefined);
    if (judged.type === 'fits') {
      onClient?.({ socket, hello: judged.hello, decoder });
      return;
    }
    const { reason } = judged.refusal;
    notices.say(`client ${remote}`, `refused a client from ${remote}: ${reason}`);
    refuseHello(socket, 'client', judged.refusal, environment.setTimer.bind(environment));
  }

  /** What reaches the node: nothing more once it has let go of a closing transport. */
  #guard(handlers: TransportHandlers): TransportHandlers {
    const open = (): boolean => this.#closing === undefined;
    return {
      identity: () => handlers.identity(),
      admit: (peer) => (open() ? handlers.admit(peer) : 'this node is stopping'),
      peerSeen: (peer) => {
        if (!open()) return;
        this.#links.get(peer.id)?.hurry();
        handlers.peerSeen(peer);
      },
      message: (message, peer) => void (open() && handlers.message(message, peer)),
      peerLost: (id) => void (open() && handlers.peerLost(id)),
      notice: (line) => void (open() && handlers.notice(line)),
    };
  }
}

function hasClosed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

const NO_CLIENTS =
  'this node serves no clients: it runs a state machine of its own; ask the program it is part of';

type ClientJudgement =
  | { readonly type: 'fits'; readonly hello: ClientHello }
  | { readonly type: 'refused'; readonly refusal: Refusal };

function judgeClient(
  payload: Uint8Array,
  clusterName: string,
  clientsServed: boolean,
): ClientJudgement {
  try {
    const hello = decodeClientHello(payload);
    const refusal = clientsServed
      ? refuseClient(hello, clusterName)
      : { code: 'invalid-argument', reason: NO_CLIENTS };
    return refusal === undefined ? { type: 'fits', hello } : { type: 'refused', refusal };
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    const reason = `unreadable hello: ${error.message}`;
    return { type: 'refused', refusal: { code: 'wrong-version', reason } };
  }
}
