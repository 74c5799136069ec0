import type { OpenChannel } from '../protocol/index.ts';
import { streamBackup, type BackupOptions } from './backup-stream.ts';
import { knownOptions } from './call-options.ts';
import { nodeTls } from './client-tls.ts';
import { ClusterLink } from './cluster-link.ts';
import { parseDuration } from './duration.ts';
import type { ClientEnvironment } from './environment.ts';
import type { EndpointEvents, OpenEndpoint } from './link.ts';
import { MemberCalls, type OpenMember } from './member-calls.ts';
import type { ClientTls, RegistrySettings } from './options.ts';
import type { Registry } from './registry.ts';
import { RegistryClient } from './registry-client.ts';
import { Replicas } from './replicas.ts';
import { tcpEndpoints } from './tcp-endpoint.ts';

/** For messages: there is no address within a process. */
const HERE = 'this node';
const CONNECT_TIMEOUT_MS = 1_000;
const SILENCE_MS = 1_000;

export interface EmbeddedOptions {
  readonly openChannel: OpenChannel;
  readonly nodeId: string;
  readonly clusterName: string;
  readonly environment: ClientEnvironment;
  readonly settings: RegistrySettings;
  /** Towards the other members. */
  readonly tls: ClientTls | undefined;
}

/** What a node offers within its process. */
export interface EmbeddedParts {
  readonly registry: Registry;
  /** The care of all replicas from here. */
  readonly replicas: Replicas;
  /** A backup of the registry as it is on this node. */
  readonly backup: (how?: BackupOptions) => AsyncIterable<Uint8Array>;
}

/** The registry over channels within this process, and what goes with it. */
export function embeddedRegistry(options: EmbeddedOptions): EmbeddedParts {
  const { openChannel, nodeId, environment, settings } = options;
  const openHere: OpenEndpoint = (_address, events) => {
    const channel = openChannel(events);
    events.opened(nodeId);
    return channel;
  };
  const link = new ClusterLink({
    endpoints: [HERE],
    open: openHere,
    environment,
    followLeader: false,
    maxInFlight: settings.maxInFlight,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: 0,
  });
  const members = new MemberCalls(link, {
    open: membersOver(options, openHere),
    environment,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: SILENCE_MS,
  });
  const registry = new RegistryClient(link, environment, settings, members);
  return {
    registry,
    replicas: new Replicas(registry, members, settings),
    backup: (how = {}) => backupHere(options, openHere, how),
  };
}

function backupHere(
  { environment, settings }: EmbeddedOptions,
  openHere: OpenEndpoint,
  how: BackupOptions,
): AsyncIterable<Uint8Array> {
  knownOptions('read', how);
  const { timeout } = how;
  const startTimeoutMs =
    timeout === undefined ? settings.requestTimeoutMs : parseDuration(timeout, 'timeout');
  const source = {
    endpoints: [HERE],
    open: openHere,
    environment,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    startTimeoutMs,
    silenceMs: 0,
  };
  return streamBackup(source, how);
}

/** This node without a detour, the others where the cluster knows them to be. */
function membersOver(
  { nodeId, clusterName, environment, tls }: EmbeddedOptions,
  openHere: OpenEndpoint,
): OpenMember {
  const openThere = tcpEndpoints({
    clusterName,
    // The node's own membership says where they are, and what it is may change with a reinstall.
    pin: undefined,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    environment,
    tls: tls === undefined ? undefined : nodeTls(tls),
  });
  return ({ id, address }, events: EndpointEvents) =>
    id === nodeId ? openHere(address, events) : openThere(address, events);
}
