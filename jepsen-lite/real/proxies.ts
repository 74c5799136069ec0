/** The network of a cluster of real processes: a port of its own for everyone's way to everyone. */
import type { DirectedLink, WeatherFault } from '../faults/fault.ts';
import { ProxyPort } from './proxy-port.ts';

/**
 * Nodes send to each other on connections they made themselves, so what `from` sends to `to` is one
 * direction of one port's connections. The other direction only says that the stream lives, and is
 * left alone.
 */
export class PeerProxies {
  readonly #ports: ReadonlyMap<string, ReadonlyMap<string, ProxyPort>>;

  private constructor(ports: ReadonlyMap<string, ReadonlyMap<string, ProxyPort>>) {
    this.#ports = ports;
  }

  static async open(
    endpoints: ReadonlyMap<string, string>,
    random: () => number,
  ): Promise<PeerProxies> {
    const ports = new Map<string, Map<string, ProxyPort>>();
    for (const from of endpoints.keys()) {
      ports.set(from, new Map());
      for (const [to, endpoint] of endpoints) {
        if (to !== from) ports.get(from)!.set(to, await ProxyPort.open(endpoint, random));
      }
    }
    return new PeerProxies(ports);
  }

  /** As `--route` takes it. */
  routesOf(id: string): string {
    const ports = this.#ports.get(id) ?? [];
    return [...ports].map(([to, port]) => `${to}=${port.address}`).join(',');
  }

  cut(links: readonly DirectedLink[]): void {
    for (const [from, to] of links) this.#port(from, to).forth.cut();
  }

  heal(links: readonly DirectedLink[]): void {
    for (const [from, to] of links) this.#port(from, to).forth.heal();
  }

  slow(from: string, to: string, delayMs: number): void {
    // So slow that what is under way in between stays about the size of a heartbeat's answer.
    const bytesPerMs = delayMs > 0 ? SLOW_BYTES_PER_MS : Infinity;
    this.#port(from, to).forth.slow(delayMs, bytesPerMs);
  }

  setWeather(weather: WeatherFault | undefined): void {
    for (const port of this.#all()) port.forth.setWeather(weather);
  }

  healAll(): void {
    for (const port of this.#all()) port.forth.healAll();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all()].map((port) => port.close()));
  }

  #port(from: string, to: string): ProxyPort {
    const port = this.#ports.get(from)?.get(to);
    if (port === undefined) throw new Error(`there is no link ${from} to ${to}`);
    return port;
  }

  *#all(): Iterable<ProxyPort> {
    for (const ports of this.#ports.values()) yield* ports.values();
  }
}

/** What a slow link lets through. */
const SLOW_BYTES_PER_MS = 100;

/** One client's ways to the nodes, whose addresses it hears from them. */
export class ClientProxies {
  readonly #ports: ReadonlyMap<string, ProxyPort>;

  private constructor(ports: ReadonlyMap<string, ProxyPort>) {
    this.#ports = ports;
  }

  static async open(endpoints: readonly string[], random: () => number): Promise<ClientProxies> {
    const ports = new Map<string, ProxyPort>();
    for (const endpoint of endpoints) ports.set(endpoint, await ProxyPort.open(endpoint, random));
    return new ClientProxies(ports);
  }

  /** Where this client reaches what calls itself so. */
  addressOf(endpoint: string): string {
    return this.#ports.get(endpoint)?.address ?? endpoint;
  }

  silence(): void {
    for (const port of this.#ports.values()) port.back.cut();
  }

  endSilence(): void {
    for (const port of this.#ports.values()) port.back.heal();
  }

  /** Connections break: at once, in the middle of a frame, or after a flipped bit. */
  cut(how: 'reset' | 'frame' | 'corrupt'): void {
    for (const port of this.#ports.values()) {
      if (how === 'reset') port.breakAll();
      else port.spoilAll(how);
    }
  }

  healAll(): void {
    for (const port of this.#ports.values()) port.back.healAll();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ports.values()].map((port) => port.close()));
  }
}
