import { HoldfastError } from '../base/index.ts';
import type { MemberStatus } from '../protocol/index.ts';
import { streamBackup, type BackupOptions } from './backup-stream.ts';
import { knownOptions } from './call-options.ts';
import { nodeTls } from './client-tls.ts';
import { ClusterLink } from './cluster-link.ts';
import { ClusterPin } from './cluster-pin.ts';
import { systemClientEnvironment } from './environment.ts';
import type { Link, LinkRequest, OpenEndpoint } from './link.ts';
import { connectSettings, type ConnectOptions, type ConnectSettings } from './options.ts';
import { parseDuration } from './duration.ts';
import type { CallOptions, Registry } from './registry.ts';
import { RegistryClient } from './registry-client.ts';
import { probe, type EndpointStatus } from './probe.ts';
import { MemberCalls } from './member-calls.ts';
import { Replicas } from './replicas.ts';
import { tcpEndpoints } from './tcp-endpoint.ts';
import type { ReplicaCare, Verification, VerifyOptions } from './verify-types.ts';

export interface NewMember {
  readonly id: string;
  /** Where it can be reached, as `host:port`. */
  readonly address: string;
  /** Make it a voter by itself once it has caught up; true by default. */
  readonly promote?: boolean;
}

/** A connection to a cluster: its registry, and what operators need. */
export interface HoldfastClient extends ReplicaCare, AsyncDisposable {
  readonly registry: Registry;
  /** Every configured endpoint, in the order given. Never rejects for one that is away. */
  status(options?: CallOptions): Promise<readonly EndpointStatus[]>;
  /** The cluster's members as the node we talk to knows them. */
  members(options?: CallOptions): Promise<readonly MemberStatus[]>;
  /** Rejects with `membership-refused` when the cluster cannot change now. */
  addMember(member: NewMember, options?: CallOptions): Promise<void>;
  /** Makes a learner that has caught up a voter. */
  promote(id: string, options?: CallOptions): Promise<void>;
  demote(id: string, options?: CallOptions): Promise<void>;
  removeMember(id: string, options?: CallOptions): Promise<void>;
  /** Hands leadership to a node, or to the best follower. */
  transfer(to?: string, options?: CallOptions): Promise<void>;
  /**
   * A backup of the whole registry, as the bytes that `saveBackup` writes into a file and
   * `restoreBackup` reads; anything that keeps bytes will do. From the first endpoint that serves,
   * over a connection of its own. The iteration rejects when it breaks off, and then there is no
   * backup: one whose iteration came to its end is whole.
   *
   * @throws HoldfastError `overloaded` when the node gives too many backups already, `overrun` when
   * it was read too slowly, `aborted`, and what a read can fail with.
   */
  backup(options?: BackupOptions): AsyncIterable<Uint8Array>;
  /** Ends the registry's own session and closes every connection. Idempotent. */
  close(): Promise<void>;
}

const MAX_CONNECT_TIMEOUT_MS = 1_000;
const MIN_CONNECT_TIMEOUT_MS = 100;
const SILENCE_MS = 1_000;
/** A status that takes longer comes from a node that is as good as away. */
const STATUS_TIMEOUT_MS = 2_000;

/**
 * Connects to a cluster through any of its nodes and follows its leader from then on. Resolves when
 * a node has accepted the connection. From then on it talks to this cluster only: when the nodes of
 * another have taken its endpoints over, calls fail with `wrong-cluster`.
 *
 * @throws HoldfastError `invalid-argument` for options that break a rule, `connection-lost` when no
 * endpoint could be reached within `requestTimeout` (with what each said), and without waiting when
 * all of them refuse for good: `wrong-cluster` when they belong to another one than `clusterName`
 * or `clusterId` says, `wrong-certificate` when TLS trusts us or them not, `wrong-version`, and
 * `invalid-argument` when they run a state machine of their own, which has no clients.
 * @example
 * await using client = await connect({ endpoints: ['127.0.0.1:7400'], clusterName: 'orders' });
 * const lock = await client.registry.lock('jobs/nightly', { wait: '5s' });
 */
export async function connect(options: ConnectOptions): Promise<HoldfastClient> {
  const settings = connectSettings(options);
  const client = new ClusterClient(settings);
  try {
    await client.reached();
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/**
 * Asks every endpoint for its status, each on its own: unlike `connect`, none needs to answer.
 *
 * @throws HoldfastError `invalid-argument` for options that break a rule.
 */
export async function statusOf(options: ConnectOptions): Promise<readonly EndpointStatus[]> {
  const settings = connectSettings(options);
  const { requestTimeoutMs } = settings.registry;
  return await probeAll(settings, requestTimeoutMs);
}

/** Whatever cluster each is of: that is among what is asked. */
function probeAll(settings: ConnectSettings, timeoutMs: number): Promise<EndpointStatus[]> {
  const { endpoints } = settings;
  const open = endpointsOf(settings, undefined);
  const patienceMs = Math.min(STATUS_TIMEOUT_MS, timeoutMs);
  return Promise.all(
    endpoints.map((endpoint) => probe(endpoint, open, systemClientEnvironment, patienceMs)),
  );
}

function endpointsOf(settings: ConnectSettings, pin: ClusterPin | undefined): OpenEndpoint {
  return tcpEndpoints({
    clusterName: settings.clusterName,
    pin,
    connectTimeoutMs: connectTimeoutMs(settings),
    environment: systemClientEnvironment,
    tls: settings.tls === undefined ? undefined : nodeTls(settings.tls),
  });
}

/** Endpoints that hang are tried one after another, and one that works may be the last. */
function connectTimeoutMs({ endpoints, registry }: ConnectSettings): number {
  const share = registry.requestTimeoutMs / (endpoints.length + 1);
  return Math.max(MIN_CONNECT_TIMEOUT_MS, Math.min(share, MAX_CONNECT_TIMEOUT_MS));
}

class ClusterClient implements HoldfastClient {
  readonly registry: RegistryClient;
  readonly #replicas: Replicas;
  readonly #link: Link;
  readonly #settings: ConnectSettings;
  readonly #open: OpenEndpoint;

  constructor(settings: ConnectSettings) {
    this.#settings = settings;
    const open = endpointsOf(settings, new ClusterPin(settings.clusterId));
    this.#open = open;
    this.#link = new ClusterLink({
      endpoints: settings.endpoints,
      open,
      environment: systemClientEnvironment,
      followLeader: true,
      maxInFlight: settings.registry.maxInFlight,
      connectTimeoutMs: connectTimeoutMs(settings),
      silenceMs: SILENCE_MS,
    });
    const members = new MemberCalls(this.#link, {
      open: ({ address }, events) => open(address, events),
      environment: systemClientEnvironment,
      connectTimeoutMs: MAX_CONNECT_TIMEOUT_MS,
      silenceMs: SILENCE_MS,
    });
    const { registry } = settings;
    this.registry = new RegistryClient(this.#link, systemClientEnvironment, registry, members);
    this.#replicas = new Replicas(this.registry, members, registry);
  }

  async reached(): Promise<void> {
    await this.#call({ type: 'status' }, undefined, true);
  }

  status(options?: CallOptions): Promise<readonly EndpointStatus[]> {
    return probeAll(this.#settings, this.#timeoutMs(options));
  }

  async members(options?: CallOptions): Promise<readonly MemberStatus[]> {
    const answer = await this.#call({ type: 'status' }, options, true);
    if (answer.response.type !== 'status') throw new HoldfastError('internal', 'no status came');
    return answer.response.status.members;
  }

  async addMember(member: NewMember, options?: CallOptions): Promise<void> {
    const { id, address, promote = true } = member;
    await this.#call({ type: 'member', change: { type: 'add', id, address, promote } }, options);
  }

  async promote(id: string, options?: CallOptions): Promise<void> {
    await this.#call({ type: 'member', change: { type: 'promote', id } }, options);
  }

  async demote(id: string, options?: CallOptions): Promise<void> {
    await this.#call({ type: 'member', change: { type: 'demote', id } }, options);
  }

  async removeMember(id: string, options?: CallOptions): Promise<void> {
    await this.#call({ type: 'member', change: { type: 'remove', id } }, options);
  }

  async transfer(to = '', options?: CallOptions): Promise<void> {
    await this.#call({ type: 'transfer', to }, options);
  }

  verify(options?: VerifyOptions): Promise<Verification> {
    return this.#replicas.verify(options);
  }

  quarantine(id: string, options?: CallOptions): Promise<void> {
    return this.#replicas.quarantine(id, options);
  }

  endQuarantine(id: string, options?: CallOptions): Promise<void> {
    return this.#replicas.endQuarantine(id, options);
  }

  reinstall(id: string, options?: CallOptions): Promise<void> {
    return this.#replicas.reinstall(id, options);
  }

  backup(options: BackupOptions = {}): AsyncIterable<Uint8Array> {
    const source = {
      endpoints: this.#settings.endpoints,
      open: this.#open,
      environment: systemClientEnvironment,
      connectTimeoutMs: connectTimeoutMs(this.#settings),
      startTimeoutMs: this.#timeoutMs(options, 'read'),
      silenceMs: SILENCE_MS,
    };
    return streamBackup(source, options);
  }

  close(): Promise<void> {
    return this.registry.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call(
    request: LinkRequest,
    options: CallOptions | undefined,
    repeatable = false,
  ): ReturnType<Link['call']> {
    const timeoutMs = this.#timeoutMs(options);
    return this.#link.call({ request, repeatable, timeoutMs, signal: options?.signal });
  }

  #timeoutMs(options: CallOptions | undefined, kind: 'call' | 'read' = 'call'): number {
    knownOptions(kind, options);
    if (options?.timeout === undefined) return this.#settings.registry.requestTimeoutMs;
    return parseDuration(options.timeout, 'timeout');
  }
}
