/** A client of a cluster of real processes: the network client, behind proxies of its own. */
import { ClusterLink } from '../../src/client/cluster-link.ts';
import { ClusterPin } from '../../src/client/cluster-pin.ts';
import { systemClientEnvironment, type ClientEnvironment } from '../../src/client/environment.ts';
import type { Registry, RegistryOptions } from '../../src/client/index.ts';
import type { OpenEndpoint } from '../../src/client/link.ts';
import { MemberCalls, type OpenMember } from '../../src/client/member-calls.ts';
import { registrySettings } from '../../src/client/options.ts';
import { RegistryClient } from '../../src/client/registry-client.ts';
import { tcpEndpoints } from '../../src/client/tcp-endpoint.ts';
import type { ClientCutFault } from '../faults/fault.ts';
import { ClientProxies } from './proxies.ts';

const CONNECT_TIMEOUT_MS = 1_000;
const SILENCE_MS = 1_000;

/** The platform's clock and timers, which can stand still as if the event loop did. */
class StallableEnvironment implements ClientEnvironment {
  readonly random: () => number;
  #stalledUntilMs = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  stall(forMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.now() + forMs);
  }

  now(): number {
    return systemClientEnvironment.now();
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    let cancel = systemClientEnvironment.setTimer(delayMs, () => {
      const leftMs = this.#stalledUntilMs - this.now();
      if (leftMs <= 0) callback();
      else cancel = this.setTimer(leftMs, callback);
    });
    return () => cancel();
  }

  /** After everything that is due by then. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(ms, () => this.setTimer(0, resolve));
    });
  }
}

export interface RealClientParts {
  /** As the nodes call themselves; the first is where the client is at home. */
  readonly endpoints: readonly string[];
  readonly clusterName: string;
  readonly options: RegistryOptions;
  readonly random: () => number;
}

export class RealClient {
  readonly registry: Registry;
  readonly #environment: StallableEnvironment;
  readonly #proxies: ClientProxies;

  private constructor(parts: RealClientParts, proxies: ClientProxies) {
    this.#environment = new StallableEnvironment(parts.random);
    this.#proxies = proxies;
    const environment = this.#environment;
    const settings = registrySettings(parts.options);
    const connectTimeoutMs = CONNECT_TIMEOUT_MS;
    const { clusterName } = parts;
    const pin = new ClusterPin('');
    const reach = tcpEndpoints({
      clusterName,
      pin,
      connectTimeoutMs,
      environment,
      tls: undefined,
    });
    const open: OpenEndpoint = (address, events) => reach(proxies.addressOf(address), events);
    const patience = { environment, connectTimeoutMs, silenceMs: SILENCE_MS };
    const link = new ClusterLink({
      ...patience,
      endpoints: parts.endpoints,
      open,
      followLeader: true,
      maxInFlight: settings.maxInFlight,
    });
    const openMember: OpenMember = ({ address }, events) => open(address, events);
    const members = new MemberCalls(link, { ...patience, open: openMember });
    this.registry = new RegistryClient(link, environment, settings, members);
  }

  static async create(parts: RealClientParts): Promise<RealClient> {
    return new RealClient(parts, await ClientProxies.open(parts.endpoints, parts.random));
  }

  pause(ms: number): Promise<void> {
    return this.#environment.pause(ms);
  }

  /** No timer fires, nothing is heard: the process stands still. */
  stall(forMs: number): () => void {
    this.#environment.stall(forMs);
    this.#proxies.silence();
    return () => this.#proxies.endSilence();
  }

  /** Returns what ends it. */
  cut(how: ClientCutFault['how']): () => void {
    if (how !== 'silence') {
      this.#proxies.cut(how);
      return () => undefined;
    }
    this.#proxies.silence();
    return () => this.#proxies.endSilence();
  }

  heal(): void {
    this.#proxies.healAll();
  }

  async close(): Promise<void> {
    await this.registry.close();
    await this.#proxies.close();
  }
}
