import type { OpenChannel } from '../protocol/index.ts';
import { nodeTls } from './client-tls.ts';
import { ClusterLink } from './cluster-link.ts';
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

/** The registry over channels within this process, and the care of all replicas from here. */
export function embeddedRegistry(options: EmbeddedOptions): {
  readonly registry: Registry;
  readonly replicas: Replicas;
} {
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
  return { registry, replicas: new Replicas(registry, members, settings) };
}

/** This node without a detour, the others where the cluster knows them to be. */
function membersOver(
  { nodeId, clusterName, environment, tls }: EmbeddedOptions,
  openHere: OpenEndpoint,
): OpenMember {
  const openThere = tcpEndpoints({
    clusterName,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    environment,
    tls: tls === undefined ? undefined : nodeTls(tls),
  });
  return ({ id, address }, events: EndpointEvents) =>
    id === nodeId ? openHere(address, events) : openThere(address, events);
}
