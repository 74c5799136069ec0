import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { HoldfastError } from '../../base/index.ts';
import {
  formatAddress,
  readHello,
  refuseHello,
  type FrameDecoder,
  type Hello,
} from '../../wire/index.ts';
import type { TransportEnvironment } from '../environment.ts';
import { KEEP_ALIVE_DELAY_MS } from './dial.ts';
import type { TcpLimits, TlsOptions } from './options.ts';

/** A connection that has said what it is. Its socket is paused. */
export interface Introduction {
  readonly socket: Socket;
  readonly hello: Hello;
  readonly decoder: FrameDecoder;
  /** IP address of the other side. */
  readonly remote: string;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly limits: TcpLimits;
  readonly environment: TransportEnvironment;
  readonly introduced: (introduction: Introduction) => void;
  /** A connection from this address was closed before it said anything useful. */
  readonly strange: (remote: string, reason: string) => void;
}

/** The one port of a node: accepts connections and reads their hello, whatever they are for. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** Accepted but not introduced yet, by remote address and port. */
  readonly #pending = new Map<string, Socket>();
  readonly #introduced = new Set<Socket>();
  #crowded = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = this.#createServer();
    this.#server.on('connection', (socket: Socket) => this.#count(socket));
  }

  /** Where it listens, with the port the system chose. */
  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') return formatAddress(this.#options);
    return formatAddress({ host: this.#options.host, port: bound.port });
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    const where = formatAddress(this.#options);
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        const taken = error.code === 'EADDRINUSE';
        const reason = taken ? 'another process listens there' : error.message;
        const message = `cannot listen on ${where}: ${reason}`;
        const code = taken ? 'address-in-use' : 'invalid-argument';
        reject(new HoldfastError(code, message, { cause: error }));
      };
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#options.strange(where, error.message));
        resolve();
      });
    });
  }

  /** Accepts nothing more; resolves when every connection accepted has ended. */
  stop(): Promise<void> {
    for (const socket of this.#pending.values()) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** Lets what was written drain, then hangs up. */
  hangUp(): void {
    for (const socket of this.#introduced) socket.destroySoon();
  }

  destroyAll(): void {
    for (const socket of this.#pending.values()) socket.destroy();
    for (const socket of this.#introduced) socket.destroy();
  }

  #createServer(): Server {
    const { tls, limits } = this.#options;
    const socketOptions = {
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    };
    if (tls === undefined) return createServer(socketOptions, (socket) => this.#welcome(socket));
    const { key, cert, ca, requestClientCertificate = false } = tls;
    const server = createTlsServer(
      {
        ...socketOptions,
        key,
        cert,
        ...(ca === undefined ? {} : { ca }),
        requestCert: requestClientCertificate,
        // Judged in `#welcomeSecure`: the server itself would hang up without a reason.
        rejectUnauthorized: false,
        handshakeTimeout: limits.handshakeTimeoutMs,
      },
      (socket) => this.#welcomeSecure(socket, requestClientCertificate),
    );
    server.on('tlsClientError', (error, socket) => {
      const remote = socket.remoteAddress;
      socket.destroy();
      if (remote !== undefined) this.#options.strange(remote, `TLS failed: ${plainly(error)}`);
    });
    return server;
  }

  #welcomeSecure(socket: TLSSocket, certificateDemanded: boolean): void {
    if (socket.authorized || !certificateDemanded) {
      this.#welcome(socket);
      return;
    }
    const remote = remoteOf(socket);
    const given = Object.keys(socket.getPeerCertificate()).length > 0;
    const fault = given ? `is not trusted (${String(socket.authorizationError)})` : 'is missing';
    const { environment, strange } = this.#options;
    const rule = "this port wants one signed by the cluster's authority";
    const reason = `your certificate ${fault}: ${rule}`;
    const refusal = { code: 'wrong-certificate', reason };
    // It has not been listened to, so what it is remains unknown; the reason is read all the same.
    refuseHello(socket, 'client', refusal, environment.setTimer.bind(environment));
    strange(remote, `TLS failed: its certificate ${fault}`);
  }

  /** Strangers cost memory and descriptors before they have said a word: bound their number. */
  #count(socket: Socket): void {
    const { limits, strange } = this.#options;
    if (this.#pending.size >= limits.maxPendingHandshakes) {
      socket.destroy();
      const rule = `more than ${limits.maxPendingHandshakes} connections without a hello`;
      if (!this.#crowded) strange(remoteOf(socket), rule);
      this.#crowded = true;
      return;
    }
    this.#crowded = false;
    const key = endpointOf(socket);
    this.#pending.set(key, socket);
    socket.once('close', () => {
      if (this.#pending.get(key) === socket) this.#pending.delete(key);
    });
  }

  #welcome(socket: Socket): void {
    const { environment, limits, introduced, strange } = this.#options;
    const remote = remoteOf(socket);
    const key = endpointOf(socket);
    this.#introduced.add(socket);
    socket.once('close', () => this.#introduced.delete(socket));
    const handshake = {
      timeoutMs: limits.handshakeTimeoutMs,
      setTimer: environment.setTimer.bind(environment),
    };
    readHello(socket, handshake, (result) => {
      this.#pending.delete(key);
      if (result.type === 'failed') {
        // A health check that connects and hangs up is no news.
        if (!result.silent) strange(remote, result.error.message);
        return;
      }
      socket.on('error', () => undefined);
      introduced({ socket, hello: result.hello, decoder: result.decoder, remote });
    });
  }
}

/** OpenSSL's text, or what it most likely means. */
function plainly(error: Error): string {
  if (!/wrong version number|http request/.test(error.message)) return error.message.trim();
  return 'plain speech to a port with TLS';
}

function remoteOf(socket: Socket): string {
  return socket.remoteAddress ?? 'unknown address';
}

function endpointOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
