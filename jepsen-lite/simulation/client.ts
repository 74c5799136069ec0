/** A client of a simulated cluster: the real network client, on virtual time. */
import { ClusterLink } from '../../src/client/cluster-link.ts';
import type { OpenEndpoint } from '../../src/client/link.ts';
import { MemberCalls } from '../../src/client/member-calls.ts';
import { registrySettings } from '../../src/client/options.ts';
import { RegistryClient } from '../../src/client/registry-client.ts';
import type { Registry, RegistryOptions } from '../../src/client/index.ts';
import type { Life } from './life.ts';

export interface ClientParts {
  readonly life: Life;
  /** Where nodes are to be found. Of a single one the client expects that it forwards. */
  readonly endpoints: readonly string[];
  readonly open: OpenEndpoint;
  readonly options: RegistryOptions;
  readonly connectTimeoutMs: number;
  /** With requests under way and nothing heard for this long, a connection is doubted. */
  readonly silenceMs: number;
}

/** The registry as `connect` gives it. */
export function simulatedRegistry(parts: ClientParts): Registry {
  const { life, endpoints, open, connectTimeoutMs, silenceMs } = parts;
  const settings = registrySettings(parts.options);
  const link = new ClusterLink({
    endpoints,
    open,
    environment: life,
    followLeader: endpoints.length > 1,
    maxInFlight: settings.maxInFlight,
    connectTimeoutMs,
    silenceMs,
  });
  const members = new MemberCalls(link, {
    open: ({ address }, events) => open(address, events),
    environment: life,
    connectTimeoutMs,
    silenceMs,
  });
  return new RegistryClient(link, life, settings, members);
}
