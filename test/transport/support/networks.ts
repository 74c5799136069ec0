/** The two networks under one roof, so that one table of tests holds for both. */
import type { NodeId } from '../../../src/raft/index.ts';
import {
  MemoryNetwork,
  MemoryTransport,
  TcpTransport,
  type PeerIdentity,
  type TcpTransportOptions,
  type Transport,
} from '../../../src/transport/index.ts';
import { identityOf, Recorder, systemEnvironment } from './recorder.ts';

/** Quick retries, so that tests wait for conditions and not for pauses. */
export const QUICK_LIMITS = {
  minRetryMs: 2,
  maxRetryMs: 20,
  refusedRetryMs: 10,
  closeGraceMs: 200,
};

export interface TestNode {
  readonly name: string;
  readonly transport: Transport;
  readonly recorder: Recorder;
  readonly address: string;
}

export interface StartOptions {
  /** Called with the transport before it is started. */
  readonly prepare?: (transport: Transport) => void;
}

export interface TestNetwork {
  /** Starts a node; the address of an earlier one may be given again once that one is closed. */
  start(
    name: string,
    changes?: Partial<PeerIdentity>,
    address?: string,
    options?: StartOptions,
  ): Promise<TestNode>;
  closeAll(): Promise<void>;
}

export class MemoryTestNetwork implements TestNetwork {
  readonly network: MemoryNetwork;
  readonly #nodes: TestNode[] = [];
  #count = 0;

  constructor(throughCodec: boolean) {
    this.network = new MemoryNetwork({
      environment: systemEnvironment,
      retryMs: 5,
      throughCodec,
    });
  }

  async start(
    name: string,
    changes: Partial<PeerIdentity> = {},
    address = `place-${++this.#count}`,
    options: StartOptions = {},
  ): Promise<TestNode> {
    const recorder = new Recorder(identityOf(name, { address, ...changes }));
    const transport = new MemoryTransport({ network: this.network, address });
    const node = { name, transport, recorder, address };
    this.#nodes.push(node);
    options.prepare?.(transport);
    await transport.start(recorder);
    return node;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.transport.close()));
  }
}

export interface TcpTestNode extends TestNode {
  readonly transport: TcpTransport;
}

export class TcpTestNetwork implements TestNetwork {
  readonly #options: Partial<TcpTransportOptions>;
  readonly #nodes: TcpTestNode[] = [];

  constructor(options: Partial<TcpTransportOptions> = {}) {
    this.#options = options;
  }

  async start(
    name: string,
    changes: Partial<PeerIdentity> = {},
    address = '127.0.0.1:0',
    options: StartOptions & Partial<TcpTransportOptions> = {},
  ): Promise<TcpTestNode> {
    const transport = new TcpTransport({
      host: '127.0.0.1',
      port: Number(address.split(':')[1]),
      environment: systemEnvironment,
      ...this.#options,
      ...options,
      limits: { ...QUICK_LIMITS, ...this.#options.limits, ...options.limits },
    });
    const recorder = new Recorder(identityOf(name, changes));
    const node = { name, transport, recorder, address };
    this.#nodes.push(node);
    options.prepare?.(transport);
    await transport.start(recorder);
    const bound = transport.address();
    recorder.own = { ...recorder.own, address: bound };
    return { ...node, address: bound };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.transport.close()));
  }
}

/** Addresses of these nodes by id, as a node's operator writes them. */
export function addressesOf(...nodes: readonly TestNode[]): Map<NodeId, string> {
  return new Map(nodes.map((node) => [node.name as NodeId, node.address]));
}

/** Makes every node dial every other. */
export function introduce(...nodes: readonly TestNode[]): void {
  for (const node of nodes) node.transport.setPeers(addressesOf(...nodes));
}
