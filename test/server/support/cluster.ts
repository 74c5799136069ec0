import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { MemoryLogStore } from '../../../src/log-store/index.ts';
import type { Channel, ChannelEvents, Request, Response } from '../../../src/protocol/index.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../../src/server/index.ts';
import { until } from './network.ts';

/** Quick elections, yet patient enough for a busy machine. */
const SETTINGS = { tickMs: 20, heartbeatMs: 60, electionTimeoutMs: 400 };

/** Something that holds a port until it is closed. */
export async function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, server };
}

async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, occupyPort));
  await Promise.all(
    held.map(async ({ server }) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return held.map(({ port }) => port);
}

/** Three nodes on loopback, in this process. */
export class TestCluster {
  readonly servers: Map<string, RunningServer> = new Map();
  readonly options: Map<string, ServerOptions> = new Map();
  readonly log: string[] = [];

  static async start(more: Partial<ServerOptions> = {}): Promise<TestCluster> {
    const cluster = new TestCluster();
    const ids = ['a', 'b', 'c'];
    const ports = await freePorts(ids.length);
    const peers = Object.fromEntries(ids.map((id, i) => [id, `127.0.0.1:${ports[i]}`]));
    await Promise.all(
      ids.map(async (id) => {
        const store = new MemoryLogStore();
        const options = { id, listen: peers[id]!, peers, store, settings: SETTINGS, ...more };
        cluster.options.set(id, options);
        await cluster.run(id);
      }),
    );
    return cluster;
  }

  async run(id: string): Promise<RunningServer> {
    const log = (level: string, line: string): void => void this.log.push(`${id} ${level} ${line}`);
    const server = await startServer({ ...this.options.get(id)!, log });
    this.servers.set(id, server);
    return server;
  }

  async stop(id: string): Promise<void> {
    await this.servers.get(id)?.stop();
    this.servers.delete(id);
  }

  /** The one that leads, once all that run agree on it. */
  async leader(): Promise<RunningServer> {
    const leading = (): RunningServer | undefined => {
      const known = [...this.servers.values()].map((server) => server.node.status().leader);
      return known.every((id) => id === known[0]) ? this.servers.get(known[0] ?? '') : undefined;
    };
    await until(() => leading() !== undefined, 'there is a leader');
    return leading()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.stop()));
  }
}

/** A request before it has its id. */
type Unnumbered = Request extends infer One
  ? One extends Request
    ? Omit<One, 'id'>
    : never
  : never;

/** A client that asks one thing at a time. */
export class Asker implements ChannelEvents {
  readonly responses: Response[] = [];
  readonly #channel: Channel;
  #nextId = 1;
  closedFor: string | undefined = undefined;

  constructor(server: RunningServer) {
    this.#channel = server.service.openChannel(this);
  }

  response(response: Response): void {
    this.responses.push(response);
  }

  closed(reason: string): void {
    this.closedFor = reason;
  }

  /** The first response. */
  async ask(request: Unnumbered): Promise<Response> {
    const id = this.send(request);
    await until(() => this.of(id).length > 0, `an answer to ${request.type}`);
    return this.of(id)[0]!;
  }

  send(request: Unnumbered): number {
    const id = this.#nextId++;
    this.#channel.send({ ...request, id });
    return id;
  }

  of(id: number): Response[] {
    return this.responses.filter((response) => response.id === id);
  }
}
