import type { OpenChannel } from '../protocol/index.ts';
import { ClusterLink } from './cluster-link.ts';
import type { ClientEnvironment } from './environment.ts';
import type { RegistrySettings } from './options.ts';
import type { Registry } from './registry.ts';
import { RegistryClient } from './registry-client.ts';

/** For messages: there is no address within a process. */
const HERE = 'this node';
const CONNECT_TIMEOUT_MS = 1_000;

/** The registry over channels within this process. */
export function embeddedRegistry(
  openChannel: OpenChannel,
  nodeId: string,
  environment: ClientEnvironment,
  settings: RegistrySettings,
): Registry {
  const link = new ClusterLink({
    endpoints: [HERE],
    open: (_address, events) => {
      const channel = openChannel(events);
      events.opened(nodeId);
      return channel;
    },
    environment,
    followLeader: false,
    maxInFlight: settings.maxInFlight,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    silenceMs: 0,
  });
  return new RegistryClient(link, environment, settings);
}
