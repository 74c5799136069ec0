/** A client's connection to a node: protocol frames both ways, as over TCP. */
import type { EndpointEvents } from '../../src/client/link.ts';
import {
  decodeRequest,
  decodeResponse,
  frameRequest,
  frameResponse,
  type Channel,
  type Request,
  type Response,
} from '../../src/protocol/index.ts';
import { OutgoingBatch } from '../../src/wire/index.ts';
import { ClientStream, type StreamOptions } from './client-stream.ts';
import { takeBytes } from './frame-bytes.ts';
import type { Life } from './life.ts';
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

const batch = new OutgoingBatch(Number.MAX_SAFE_INTEGER);

export interface ConnectionHost {
  readonly world: World;
  readonly random: () => number;
  readonly latencyMs: () => number;
  /** Who runs at this address now. */
  nodeAt(address: string): SimulatedNode | undefined;
  /** Whether a dialer is refused there, or hears nothing because the machine is off. */
  answersAt(address: string): boolean;
  opened(connection: ClientConnection): void;
  closed(connection: ClientConnection): void;
  broken(): void;
  acceptedDamage(): void;
}

export class ClientConnection implements Channel {
  readonly #host: ConnectionHost;
  readonly #life: Life;
  readonly #events: EndpointEvents;
  readonly #address: string;
  #node: SimulatedNode | undefined = undefined;
  #channel: Channel | undefined = undefined;
  #toNode: ClientStream | undefined = undefined;
  #toClient: ClientStream | undefined = undefined;
  #closed = false;
  #silentUntilMs = 0;

  constructor(host: ConnectionHost, life: Life, address: string, events: EndpointEvents) {
    this.#host = host;
    this.#life = life;
    this.#address = address;
    this.#events = events;
    host.world.after(host.latencyMs(), () => this.#dial());
  }

  get node(): SimulatedNode | undefined {
    return this.#node;
  }

  #dial(): void {
    if (this.#closed) return;
    const node = this.#host.nodeAt(this.#address);
    if (node === undefined) {
      if (this.#host.answersAt(this.#address)) this.reset('connection refused');
      return;
    }
    this.#node = node;
    this.#host.opened(this);
    node.life.run(() => this.#accept(node));
  }

  #accept(node: SimulatedNode): void {
    if (this.#closed) return;
    const { world, random, latencyMs } = this.#host;
    const common = { world, random, latencyMs, acceptedDamage: () => this.#host.acceptedDamage() };
    this.#toNode = new ClientStream({
      ...common,
      receiver: node.life,
      frame: ({ head }) => this.#channel?.send(decodeRequest(head)),
      broken: (reason) => this.#broken(reason),
    } satisfies StreamOptions);
    this.#toClient = new ClientStream({
      ...common,
      receiver: this.#life,
      frame: ({ head }) => this.#events.response(decodeResponse(head)),
      broken: (reason) => this.#broken(reason),
    });
    this.silence(this.#silentUntilMs);
    const { leaderAddress = '' } = node.raft.status();
    world.at(Math.max(this.#silentUntilMs, world.now + latencyMs()), () => {
      this.#life.run(() => this.#opened(node.id, leaderAddress));
    });
    this.#channel = node.openChannel?.({
      response: (response) => this.#answer(response),
      closed: (reason) => this.reset(reason),
    });
  }

  /** As a welcome over TCP, which tells who leads, or that nobody is known to. */
  #opened(nodeId: string, leaderAddress: string): void {
    if (this.#closed) return;
    this.#events.opened(nodeId);
    this.#events.response({ type: 'leader', id: 0, address: leaderAddress });
  }

  send(request: Request): void {
    if (this.#closed || this.#toNode === undefined) return;
    if (this.#node?.life.over === true) {
      // The machine is back and knows nothing of this connection.
      if (this.#host.nodeAt(this.#address) !== undefined) this.reset('connection reset');
      return;
    }
    frameRequest(batch, request);
    this.#toNode.send(takeBytes(batch));
  }

  #answer(response: Response): void {
    if (this.#closed || this.#toClient === undefined) return;
    frameResponse(batch, response);
    this.#toClient.send(takeBytes(batch));
  }

  /** By the client. */
  close(): void {
    if (this.#closed) return;
    const node = this.#node;
    const channel = this.#channel;
    this.#end();
    this.#host.world.after(this.#host.latencyMs(), () => node?.life.run(() => channel?.close()));
  }

  /** The connection breaks, and both sides hear of it. */
  reset(reason: string): void {
    if (this.#closed) return;
    const { world, latencyMs } = this.#host;
    const channel = this.#channel;
    const node = this.#node;
    this.#end();
    node?.life.run(() => channel?.close());
    world.after(latencyMs(), () => this.#life.run(() => this.#events.closed(reason)));
  }

  #broken(reason: string): void {
    this.#host.broken();
    this.reset(reason);
  }

  damage(trouble: 'frame' | 'corrupt'): void {
    const stream = this.#host.random() < 0.5 ? this.#toNode : this.#toClient;
    if (stream !== undefined) stream.trouble = trouble;
  }

  /** Nothing arrives, either way, before. */
  silence(untilMs: number): void {
    this.#silentUntilMs = untilMs;
    for (const stream of [this.#toNode, this.#toClient]) {
      if (stream !== undefined) stream.silentUntilMs = untilMs;
    }
  }

  #end(): void {
    this.#closed = true;
    this.#toNode?.end();
    this.#toClient?.end();
    this.#host.closed(this);
  }
}
