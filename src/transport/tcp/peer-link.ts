import type { Socket } from 'node:net';
import type { NodeId } from '../../raft/index.ts';
import type { PeerIdentity, PeerMessage, TransportHandlers } from '../contract.ts';
import type { TransportEnvironment } from '../environment.ts';
import type { TcpLimits, TlsOptions } from './options.ts';
import { OutboundStream } from './outbound-stream.ts';

export interface PeerLinkOptions {
  readonly id: NodeId;
  readonly address: string;
  readonly limits: TcpLimits;
  readonly tls: TlsOptions | undefined;
  readonly environment: TransportEnvironment;
  readonly handlers: TransportHandlers;
}

/**
 * Everything this node sends to one peer: a stream for messages, and once that one is open another
 * for snapshot chunks, so that a heartbeat never waits behind megabytes.
 */
export class PeerLink {
  readonly address: string;
  readonly #messages: OutboundStream;
  readonly #snapshots: OutboundStream;
  /** Who is at the other end of the stream of messages, while that is open. */
  #peer: PeerIdentity | undefined = undefined;

  constructor(options: PeerLinkOptions) {
    const { id, handlers, limits } = options;
    // Messages are lost, but the connection stands: the node must not take the peer to be gone.
    const lostSome = (): void => {
      handlers.peerLost(id);
      if (this.#peer !== undefined) handlers.peerSeen(this.#peer);
    };
    this.address = options.address;
    this.#snapshots = new OutboundStream({
      ...options,
      streamKind: 'snapshot',
      maxQueueBytes: limits.maxSnapshotQueueBytes,
      opened: () => undefined,
      // A stream that closes takes one chunk with it, which is sent again in time.
      lost: (cause) => {
        if (cause === 'overflow') lostSome();
      },
    });
    this.#messages = new OutboundStream({
      ...options,
      streamKind: 'peer',
      maxQueueBytes: limits.maxQueueBytes,
      opened: (peer) => {
        this.#peer = peer;
        this.#snapshots.start();
        handlers.peerSeen(peer);
      },
      lost: (cause) => {
        if (cause === 'overflow') {
          lostSome();
          return;
        }
        this.#peer = undefined;
        // A peer that is gone is dialed, and complained of, once and not twice.
        this.#snapshots.abort();
        handlers.peerLost(id);
      },
    });
    this.#messages.start();
  }

  get snapshotReady(): boolean {
    return this.#snapshots.hasRoom;
  }

  /** The peer has just connected to this node: dial it now if it was away. */
  hurry(): void {
    this.#messages.hurry();
  }

  send(message: PeerMessage): void {
    const stream = message.type === 'snapshotChunkRequest' ? this.#snapshots : this.#messages;
    stream.send(message);
  }

  flush(): void {
    this.#messages.flush();
    this.#snapshots.flush();
  }

  /** Returns the sockets that may still be draining. */
  stop(): Socket[] {
    this.#peer = undefined;
    const sockets = [this.#messages.stop(), this.#snapshots.stop()];
    return sockets.filter((socket) => socket !== undefined);
  }
}
