/** A port that stands for another one: bytes pass both ways, as the conditions allow. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseAddress } from '../../src/wire/index.ts';
import { LinkConditions } from './link-conditions.ts';
import { Pipe, type Spoiling } from './pipe.ts';

interface ProxiedConnection {
  readonly pipes: readonly [forth: Pipe, back: Pipe];
  readonly breakOff: () => void;
}

export class ProxyPort {
  /** From who connects here to whom this port stands for. */
  readonly forth: LinkConditions = new LinkConditions();
  /** The other way. */
  readonly back: LinkConditions = new LinkConditions();
  readonly #target: string;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();

  private constructor(target: string, random: () => number) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** `target`: `host:port`, which need not be open yet. */
  static async open(target: string, random: () => number): Promise<ProxyPort> {
    const proxy = new ProxyPort(target, random);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port is open');
    return `127.0.0.1:${address.port}`;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Every connection breaks now. */
  breakAll(): void {
    for (const { breakOff } of this.#connections) breakOff();
  }

  /** Every connection: in the middle of the next piece, or with one bit of it flipped. */
  spoilAll(how: Spoiling): void {
    for (const { pipes } of this.#connections) {
      for (const pipe of pipes) pipe.spoiling = how;
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.breakAll();
    await closed;
  }

  #connected(near: Socket): void {
    const far = connect({ ...parseAddress(this.#target), noDelay: true });
    near.setNoDelay(true);
    const breakOff = (): void => {
      this.#connections.delete(connection);
      for (const pipe of connection.pipes) pipe.end();
      for (const socket of [near, far]) socket.destroySoon();
      // What the other side does not take in is not waited for.
      setTimeout(() => [near, far].map((socket) => socket.destroy()), LINGER_MS).unref();
    };
    const random = this.#random;
    const forth = { source: near, sink: far, conditions: this.forth, random, breakOff };
    const back = { source: far, sink: near, conditions: this.back, random, breakOff };
    const connection: ProxiedConnection = { pipes: [new Pipe(forth), new Pipe(back)], breakOff };
    this.#connections.add(connection);
    // Every error is followed by the end, which the pipes see.
    for (const socket of [near, far]) socket.on('error', () => undefined);
  }
}

const LINGER_MS = 200;
