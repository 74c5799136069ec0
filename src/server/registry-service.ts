import type { Environment, NodeStatus, RaftNode } from '../node/index.ts';
import type {
  BackupOrigin,
  Channel,
  ChannelEvents,
  MemberStatus,
  StatusReport,
} from '../protocol/index.ts';
import type { ClientConnection } from '../transport/index.ts';
import { Backups, type BackupSource } from './backups.ts';
import type { ClientEnd, ConversationContext, Maintain } from './conversation.ts';
import { Grants, type PlaceSource } from './grants.ts';
import type { WatchSource } from './history-reader.ts';
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './limits.ts';
import { LocalChannel } from './local-channel.ts';
import { SocketClient } from './socket-client.ts';
import { WatchHub } from './watch-hub.ts';

/** What the service needs of a `RegistryStateMachine`. */
export interface ServedRegistry extends WatchSource, PlaceSource, BackupSource {
  query(request: Uint8Array): Uint8Array;
}

export interface RegistryServiceOptions {
  readonly node: RaftNode;
  readonly registry: ServedRegistry;
  readonly clusterName: string;
  readonly environment: Pick<Environment, 'defer' | 'setTimer' | 'log'>;
  readonly limits?: Partial<ServiceLimits>;
  readonly maintain: Maintain;
}

/** How long clients may take to read their last answers when the service closes. */
const CLOSE_PATIENCE_MS = 1000;
/** Bytes a message of events has around its payload, and then some. */
const MESSAGE_OVERHEAD_BYTES = 1024;

/**
 * Serves a node's registry to clients, in process and over the network. Call `applied` and
 * `leaderChanged` from the node's hooks of these names.
 */
export class RegistryService {
  readonly limits: ServiceLimits;
  readonly #options: RegistryServiceOptions;
  readonly #context: ConversationContext;
  readonly #hub: WatchHub;
  readonly #grants: Grants;
  readonly #backups: Backups;
  readonly #clients = new Set<ClientEnd>();
  #leaderAddress: string;
  #quarantined: string | undefined = undefined;
  #state: 'open' | 'stopping' | 'closed' = 'open';

  constructor(options: RegistryServiceOptions) {
    this.#options = options;
    const limits = { ...DEFAULT_SERVICE_LIMITS, ...options.limits };
    this.limits = limits;
    this.#hub = new WatchHub(options.registry, {
      defer: (callback) => options.environment.defer(callback),
      windowBytes: limits.watchWindowBytes,
      sliceBytes: limits.watchSliceBytes,
      maxPayloadBytes: limits.maxFrameBytes - MESSAGE_OVERHEAD_BYTES,
      markEveryRevisions: limits.watchMarkRevisions,
    });
    this.#grants = new Grants(options.registry);
    this.#backups = new Backups(options.registry, options.environment, limits);
    this.#leaderAddress = options.node.status().leaderAddress ?? '';
    this.#context = {
      node: options.node,
      hub: this.#hub,
      grants: this.#grants,
      backups: this.#backups,
      limits,
      query: (request) => options.registry.query(request),
      statusReport: () => this.statusReport(),
      maintain: options.maintain,
      quarantined: () => this.#quarantined,
      backupOrigin: () => this.#backupOrigin(),
      leaderAddress: () => this.#leaderAddress,
    };
  }

  /** A channel in this process, as `OpenChannel` has it. */
  readonly openChannel = (events: ChannelEvents): Channel => {
    const channel = new LocalChannel(this.#context, events, {
      onClosed: (end) => this.#clients.delete(end),
      onFault: (error) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#options.environment.log('error', `a receiver of responses threw: ${text}`);
      },
    });
    this.#admit(channel);
    const address = this.#leaderAddress;
    if (address !== '') channel.notify({ type: 'leader', id: 0, address });
    return channel;
  };

  /** Answers a client's hello and serves it until it or the service closes. */
  serveClient(client: ClientConnection): void {
    if (this.#state === 'closed') {
      client.socket.on('error', () => undefined).destroy();
      return;
    }
    const { remoteAddress, remotePort } = client.socket;
    const name = `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`;
    const connection = new SocketClient(this.#context, client, {
      onClosed: (end, fault) => {
        this.#clients.delete(end);
        if (fault === undefined) return;
        this.#options.environment.log('info', `client ${name} disconnected: ${fault}`);
      },
    });
    this.#admit(connection);
    const { id, clusterId } = this.#options.node.status();
    const { clusterName } = this.#options;
    const leaderAddress = this.#leaderAddress;
    connection.start({ nodeId: id, clusterName, clusterId, leaderAddress });
  }

  /** Why clients are refused, if they are. */
  get quarantined(): string | undefined {
    return this.#quarantined;
  }

  /** Refuses clients for this reason and ends their watches, until called with undefined. */
  quarantine(reason: string | undefined): void {
    this.#quarantined = reason;
    if (reason === undefined) return;
    this.#hub.stop(reason);
    this.#grants.stop(reason);
  }

  /** How many clients are connected now, channels in this process included. */
  get clients(): number {
    return this.#clients.size;
  }

  /** The node applied a batch, or restored a snapshot. */
  applied(): void {
    this.#grants.applied(this.#hub.dispatch());
    this.#backups.applied();
  }

  /** The node knows another leader, or none. */
  leaderChanged(): void {
    const address = this.#options.node.status().leaderAddress ?? '';
    if (address === this.#leaderAddress) return;
    this.#leaderAddress = address;
    for (const client of this.#clients) client.notify({ type: 'leader', id: 0, address });
  }

  statusReport(): StatusReport {
    const status = this.#options.node.status();
    return {
      id: status.id,
      address: status.address,
      role: status.role,
      term: status.term,
      leader: status.leader ?? '',
      leaderAddress: status.leaderAddress ?? '',
      commitIndex: status.commitIndex,
      appliedIndex: status.appliedIndex,
      snapshotIndex: status.snapshotIndex,
      lastIndex: status.lastIndex,
      revision: this.#options.registry.revision,
      store: status.store,
      storeId: status.storeId,
      clusterName: this.#options.clusterName,
      clusterId: status.clusterId,
      unhealthy: status.unhealthy ?? '',
      members: membersOf(status),
    };
  }

  /** What a backup cut now would show. */
  #backupOrigin(): BackupOrigin {
    const { node, registry, clusterName } = this.#options;
    const { clusterId } = node.status();
    const { revision, time } = registry;
    return { clusterName, clusterId, node: node.id, revision, index: node.appliedIndex, time };
  }

  /** New requests are refused and watches end; what is under way goes on. Before the node stops. */
  stopAccepting(): void {
    if (this.#state !== 'open') return;
    this.#state = 'stopping';
    for (const client of this.#clients) client.conversation.stopAccepting();
    this.#hub.stop();
    this.#grants.stop('the node stops');
  }

  /** Answers everything still open and ends every conversation. After the node has stopped. */
  close(): void {
    this.stopAccepting();
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const clients = [...this.#clients];
    for (const client of clients) client.finish('the node stopped');
    const connections = clients.filter((client) => client instanceof SocketClient);
    if (connections.length === 0) return;
    this.#options.environment.setTimer(CLOSE_PATIENCE_MS, () => {
      for (const connection of connections) connection.cut();
    });
  }

  #admit(client: ClientEnd): void {
    if (this.#state === 'closed') {
      client.finish('the node stopped');
      return;
    }
    if (this.#state === 'stopping') client.conversation.stopAccepting();
    this.#clients.add(client);
  }
}

function membersOf(status: NodeStatus): MemberStatus[] {
  const { membership } = status;
  if (membership === undefined) return [];
  const voting = new Set([...membership.voters, ...membership.outgoing]);
  return Object.entries(membership.members).map(([id, member]) => ({
    id,
    address: member.address,
    role: voting.has(id as NodeStatus['id']) ? 'voter' : 'learner',
  }));
}
