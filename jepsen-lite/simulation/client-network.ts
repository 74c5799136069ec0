/** The clients of a run: their lives, their connections, and the faults that hit them. */
import type { Channel } from '../../src/protocol/index.ts';
import type { EndpointEvents } from '../../src/client/link.ts';
import type { Registry } from '../../src/client/index.ts';
import type { ClientCutFault } from '../faults/fault.ts';
import { ClientConnection, type ConnectionHost } from './client-connection.ts';
import { simulatedRegistry } from './client.ts';
import type { SimulatedCluster } from './cluster.ts';
import { Clock, Life } from './life.ts';
import { randomByMoment } from './random.ts';

interface SimulatedClient {
  readonly life: Life;
  readonly registry: Registry;
  readonly connections: Set<ClientConnection>;
  silentUntilMs: number;
}

export class ClientNetwork {
  readonly #cluster: SimulatedCluster;
  readonly #clients: SimulatedClient[] = [];

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  get size(): number {
    return this.#clients.length;
  }

  /** One more client, of these nodes. */
  add(nodes: readonly string[]): SimulatedClient {
    const cluster = this.#cluster;
    const number = this.#clients.length;
    const { electionTimeoutMs = 1_000 } = cluster.configuration.settings;
    const name = `client-${number}`;
    const { seed, world } = cluster;
    const random = randomByMoment(seed, name, () => world.now);
    const clock = new Clock(world, 1_000_000 * random());
    const life = new Life(world, name, { clock, random, wakes: true });
    const connections = new Set<ClientConnection>();
    const host = this.#host(
      connections,
      randomByMoment(seed, `connections of ${name}`, () => world.now),
    );
    const open = (address: string, events: EndpointEvents): Channel => {
      const connection = new ClientConnection(host, life, address, events);
      if (client.silentUntilMs > cluster.world.now) connection.silence(client.silentUntilMs);
      return connection;
    };
    const registry = simulatedRegistry({
      life,
      endpoints: nodes.map((id) => cluster.at(id).address),
      open,
      options: cluster.configuration.client,
      connectTimeoutMs: electionTimeoutMs,
      silenceMs: 2 * electionTimeoutMs,
    });
    const client: SimulatedClient = { life, registry, connections, silentUntilMs: 0 };
    this.#clients.push(client);
    return client;
  }

  #host(connections: Set<ClientConnection>, random: () => number): ConnectionHost {
    const { world, network, places, sometimes, violations } = this.#cluster;
    const placeAt = (address: string) =>
      [...places.values()].find((place) => place.address === address);
    return {
      world,
      random,
      latencyMs: () => network.latencyMs(random),
      nodeAt: (address) => {
        const node = placeAt(address)?.node;
        return node?.isStarted === true ? node : undefined;
      },
      answersAt: (address) => placeAt(address)?.isPowered === true,
      opened: (connection) => connections.add(connection),
      closed: (connection) => connections.delete(connection),
      broken: () => sometimes.met('clientCut'),
      acceptedDamage: () => {
        violations.report('damage-refused', 'a damaged frame between client and node was taken');
      },
    };
  }

  /** The node's process is gone. `silently`: its machine too, so that nobody says so. */
  nodeGone(id: string, silently: boolean): void {
    if (silently) return;
    for (const { connections } of this.#clients) {
      for (const connection of connections) {
        if (connection.node?.id === id) connection.reset('connection reset');
      }
    }
  }

  pause(client: number, untilMs: number): void {
    const life = this.#clients[client]?.life;
    if (life !== undefined) life.stalledUntil = Math.max(life.stalledUntil, untilMs);
  }

  cut(client: number, how: ClientCutFault['how'], untilMs: number): void {
    const target = this.#clients[client];
    if (target === undefined) return;
    if (how === 'silence') target.silentUntilMs = untilMs;
    for (const connection of target.connections) {
      if (how === 'silence') connection.silence(untilMs);
      else if (how === 'reset') connection.reset('connection reset');
      else connection.damage(how);
    }
  }
}
