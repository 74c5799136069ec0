/** How nodes of one cluster talk to each other. */
import type { Message, NodeId, SnapshotMeta } from '../raft/index.ts';

/** Who speaks, exchanged when a connection opens. */
export interface PeerIdentity {
  readonly id: NodeId;
  /** The cluster's name, set by the operator; both ends must agree. */
  readonly clusterName: string;
  /** '' before this node knows its cluster. Two that know different ones refuse each other. */
  readonly clusterId: string;
  readonly storeId: string;
  /** Where this node can be reached. */
  readonly address: string;
  /** Founding members as `id=address` sorted, so that a founding round can see disagreement. */
  readonly foundingPeers: string;
  /**
   * What all replicas must be given alike, one `name=value` a line; `StateMachine.configuration`.
   */
  readonly configuration: string;
  /** The founding record (snapshot meta at index 0) once this node has one. */
  readonly founding: SnapshotMeta | undefined;
}

/** Work a follower hands to the leader on behalf of its clients. */
export interface ForwardRequest {
  readonly type: 'forwardRequest';
  readonly from: NodeId;
  readonly to: NodeId;
  readonly requestId: number;
  /**
   * `propose`: append and answer with the result. `leaderQuery`: confirm leadership, then ask the
   * state machine's leader-only side.
   */
  readonly kind: 'propose' | 'leaderQuery' | 'membership' | 'transfer';
  readonly payload: Uint8Array;
}
export interface ForwardResponse {
  readonly type: 'forwardResponse';
  readonly from: NodeId;
  readonly to: NodeId;
  readonly requestId: number;
  readonly result:
    | { readonly type: 'ok'; readonly payload: Uint8Array }
    | {
        readonly type: 'error';
        readonly code: string;
        readonly message: string;
        readonly outcome: 'not-applied' | 'unknown';
        readonly leader: string | undefined;
      };
}

export type PeerMessage = Message | ForwardRequest | ForwardResponse;

export interface TransportHandlers {
  /** This node, as it is now: read anew for every connection. */
  identity(): PeerIdentity;
  /** Judges a peer by its handshake; a string is the reason to refuse it. */
  admit(peer: PeerIdentity): string | undefined;
  /** A handshake was completed, by either side; or the connection outlived a loss of messages. */
  peerSeen(peer: PeerIdentity): void;
  /** In order per sender and stream; `peer` is whom the handshake proved. */
  message(message: PeerMessage, peer: PeerIdentity): void;
  /**
   * What was in flight to this peer may be lost, and the peer is gone, unless `peerSeen` follows.
   * A connection this node made whose other end vanished is told of too, in bounded time and though
   * nothing is sent on it: a node with another store stays outside as long as its name is in use.
   */
  peerLost(id: NodeId): void;
  /** One line for the log: a refused or broken connection and why. */
  notice(line: string): void;
}

/**
 * Best effort: messages may be lost, delayed, repeated or reordered, never altered. Snapshot chunks
 * travel apart from everything else, so that heartbeats never wait behind them.
 */
export interface Transport {
  /** Begins listening; rejects with `address-in-use` or the like. */
  start(handlers: TransportHandlers): Promise<void>;
  /** Whom to keep connections to, and where. This node itself may be named and is passed over. */
  setPeers(addresses: ReadonlyMap<NodeId, string>): void;
  /** Never waits. Drops the message when the peer is away or its queue is full. */
  send(message: PeerMessage): void;
  /** Hands everything sent in this turn to the operating system. */
  flush(): void;
  /** Whether the snapshot stream to this peer has room for another chunk now. */
  snapshotReady(id: NodeId): boolean;
  close(): Promise<void>;
}
