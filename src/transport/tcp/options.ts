import type { Socket } from 'node:net';
import type { ClientHello, FrameDecoder } from '../../wire/index.ts';
import type { TransportEnvironment } from '../environment.ts';

/** Every limit and pace of the transport. Units are in the names. */
export interface TcpLimits {
  /** Longest frame between peers, header included. One entry must fit with room to spare. */
  readonly maxFrameBytes: number;
  /** Bytes waiting for one peer; at or beyond it messages are dropped until half has left. */
  readonly maxQueueBytes: number;
  /** The same for the snapshot stream; below it `snapshotReady` is true. */
  readonly maxSnapshotQueueBytes: number;
  /** Connections that have not said who they are; one more is closed at once. */
  readonly maxPendingHandshakes: number;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** How often each side of a peer stream shows that it lives. */
  readonly pingIntervalMs: number;
  /** Intervals without a sign of life after which a stream is given up. */
  readonly missedPings: number;
  /** Pause before the first retry; doubles with each failure up to `maxRetryMs`. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  /** Pause after a refusal, which only an operator or a membership change will lift. */
  readonly refusedRetryMs: number;
  /** How long `close` lets what was sent drain. */
  readonly closeGraceMs: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  maxFrameBytes: 64 * 1024 * 1024,
  maxQueueBytes: 32 * 1024 * 1024,
  maxSnapshotQueueBytes: 4 * 1024 * 1024,
  maxPendingHandshakes: 256,
  connectTimeoutMs: 2000,
  handshakeTimeoutMs: 2000,
  pingIntervalMs: 500,
  missedPings: 6,
  minRetryMs: 20,
  maxRetryMs: 500,
  refusedRetryMs: 1000,
  closeGraceMs: 500,
};

/** PEM texts. With these set, everything on the port is TLS: peers, snapshots and clients. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
  /** Who may sign the other side's certificate; the system's authorities when absent. */
  readonly ca?: string;
  /** Demand a certificate signed by `ca` of everyone who connects, clients included. */
  readonly requestClientCertificate?: boolean;
  /** The name peers' certificates must carry; by default the host that was dialed. */
  readonly serverName?: string;
}

/** A client whose hello was read and found fitting. The receiver answers it and owns the socket. */
export interface ClientConnection {
  readonly socket: Socket;
  readonly hello: ClientHello;
  /** May hold frames already: hand it to `receiveFrames`. */
  readonly decoder: FrameDecoder;
}

export interface TcpTransportOptions {
  /** Interface to listen on. */
  readonly host: string;
  /** 0 takes a free one; see `TcpTransport.address`. */
  readonly port: number;
  readonly environment: TransportEnvironment;
  readonly tls?: TlsOptions;
  /** Where this node reaches certain peers, in place of the addresses they give themselves. */
  readonly routes?: ReadonlyMap<string, string>;
  /** What differs from `DEFAULT_TCP_LIMITS`. */
  readonly limits?: Partial<TcpLimits>;
  /** Without it clients are refused. The socket is paused, and closed with the transport. */
  readonly onClient?: (connection: ClientConnection) => void;
}
