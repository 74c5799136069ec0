/** The registries a client process speaks through, opened when first needed and then kept. */
import { ClusterLink } from '../../src/client/cluster-link.ts';
import {
  connect,
  systemClientEnvironment,
  type HoldfastClient,
  type Registry,
} from '../../src/client/index.ts';
import { MemberCalls } from '../../src/client/member-calls.ts';
import { RegistryClient } from '../../src/client/registry-client.ts';
import { tcpEndpoints } from '../../src/client/tcp-endpoint.ts';
import type { LoadSpec } from './load-spec.ts';

const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 1_000;
const SILENCE_MS = 5_000;

export class Clients {
  readonly #following: HoldfastClient[] = [];
  readonly #staying: RegistryClient[] = [];

  async of(spec: Pick<LoadSpec, 'endpoints' | 'route' | 'connections'>): Promise<Registry[]> {
    const { endpoints, route, connections } = spec;
    if (route === 'any') return this.#stayingAt(endpoints, connections);
    while (this.#following.length < connections) {
      this.#following.push(await connect({ endpoints, requestTimeout: TIMEOUT_MS }));
    }
    return this.#following.slice(0, connections).map(({ registry }) => registry);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#following, ...this.#staying].map((client) => client.close()));
  }

  #stayingAt(endpoints: readonly string[], connections: number): Registry[] {
    while (this.#staying.length < connections) {
      this.#staying.push(stayingAt(endpoints[this.#staying.length % endpoints.length]!));
    }
    return this.#staying.slice(0, connections);
  }
}

/** A registry that talks to one node only, which forwards what only the leader can do. */
function stayingAt(endpoint: string): RegistryClient {
  const environment = systemClientEnvironment;
  const shared = {
    environment,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: SILENCE_MS,
  };
  const pin = undefined;
  const open = tcpEndpoints({ ...shared, clusterName: '', pin, tls: undefined });
  const link = new ClusterLink({
    ...shared,
    endpoints: [endpoint],
    open,
    followLeader: false,
    maxInFlight: 10_000,
  });
  const members = new MemberCalls(link, {
    ...shared,
    open: ({ address }, events) => open(address, events),
  });
  const settings = {
    requestTimeoutMs: TIMEOUT_MS,
    defaultTtlMs: 0,
    sessionTtlMs: 15_000,
    exactlyOnce: true,
    maxInFlight: 10_000,
  };
  return new RegistryClient(link, environment, settings, members);
}
