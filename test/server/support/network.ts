import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { NodeId } from '../../../src/node/index.ts';
import {
  decodeResponse,
  frameRequest,
  type Request,
  type Response,
} from '../../../src/protocol/index.ts';
import { TcpTransport } from '../../../src/transport/index.ts';
import {
  CLIENT_PROTOCOL_VERSION,
  decodeClientWelcome,
  encodeClientHello,
  FrameWriter,
  offerHello,
  parseAddress,
  receiveFrames,
  type ClientWelcome,
} from '../../../src/wire/index.ts';
import { TestService, type ServiceSetup } from './service.ts';

const DEADLINE_MS = 20_000;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

function setTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** Waits until something holds; fails after a generous deadline. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

/** A service behind a real port. */
export class NetworkService extends TestService {
  readonly transport: TcpTransport;
  /** Connections accepted, in order, as the server sees them. */
  readonly accepted: Socket[] = [];

  constructor(setup: ServiceSetup = {}) {
    super(setup);
    this.transport = new TcpTransport({
      host: '127.0.0.1',
      port: 0,
      environment: {
        setTimer,
        defer: (callback) => void setImmediate(callback),
        random: () => 0.5,
      },
      onClient: (connection) => {
        this.accepted.push(connection.socket);
        this.service.serveClient(connection);
      },
    });
  }

  static async start(setup: ServiceSetup = {}): Promise<NetworkService> {
    const made = new NetworkService(setup);
    await made.transport.start({
      identity: () => ({
        id: 'a' as NodeId,
        clusterName: 'test-cluster',
        clusterId: 'cluster',
        storeId: 'store',
        address: made.transport.address(),
        foundingPeers: '',
        configuration: '',
        founding: undefined,
      }),
      admit: () => undefined,
      peerSeen: () => undefined,
      message: () => undefined,
      peerLost: () => undefined,
      notice: () => undefined,
    });
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.service.close();
    await this.transport.close();
  }
}

/** A client that speaks the protocol by hand. */
export class NetworkClient {
  readonly socket: Socket;
  readonly welcome: ClientWelcome;
  readonly frames: FrameWriter;
  readonly responses: Response[] = [];
  closed = false;

  private constructor(socket: Socket, welcome: ClientWelcome) {
    this.socket = socket;
    this.welcome = welcome;
    this.frames = new FrameWriter(socket, { maxFrameBytes: MAX_FRAME_BYTES });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(service: NetworkService): Promise<NetworkClient> {
    const { host, port } = parseAddress(service.transport.address());
    const socket = connect(port, host);
    await once(socket, 'connect');
    const hello = { clientProtocolVersion: CLIENT_PROTOCOL_VERSION, clusterName: '' };
    const payload = encodeClientHello(hello);
    return new Promise((resolve, reject) => {
      const options = { timeoutMs: DEADLINE_MS, setTimer };
      offerHello(socket, { streamKind: 'client', payload }, options, (result) => {
        if (result.type !== 'accepted') {
          reject(new Error(result.type));
          return;
        }
        const client = new NetworkClient(socket, decodeClientWelcome(result.payload));
        result.decoder.maxFrameBytes = MAX_FRAME_BYTES;
        receiveFrames(socket, result.decoder, {
          frame: (frame) => client.responses.push(decodeResponse(frame.head)),
          closed: () => undefined,
        });
        resolve(client);
      });
    });
  }

  send(...requests: readonly Request[]): void {
    for (const request of requests) frameRequest(this.frames, request);
    this.frames.flush();
  }

  of(id: number): Response[] {
    return this.responses.filter((response) => response.id === id);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
