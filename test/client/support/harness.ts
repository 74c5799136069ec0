import { HoldfastError, type RegistryOptions } from '../../../src/client/index.ts';
import { ClusterLink } from '../../../src/client/cluster-link.ts';
import { MemberCalls } from '../../../src/client/member-calls.ts';
import { registrySettings, type RegistrySettings } from '../../../src/client/options.ts';
import { RegistryClient } from '../../../src/client/registry-client.ts';
import { FakeCluster } from './fake-cluster.ts';
import { VirtualTime } from './virtual-time.ts';

export const ADDRESSES: readonly string[] = ['a:1', 'b:1', 'c:1'];

export interface Harness {
  readonly time: VirtualTime;
  readonly cluster: FakeCluster;
  readonly link: ClusterLink;
  readonly registry: RegistryClient;
  /** Another client of the same cluster. */
  readonly another: (options?: RegistryOptions) => RegistryClient;
}

export interface HarnessOptions extends RegistryOptions {
  readonly seed?: number;
  readonly endpoints?: readonly string[];
  readonly followLeader?: boolean;
}

/** A client and a cluster of three nodes, led by the first, in virtual time. */
export function harness(options: HarnessOptions = {}): Harness {
  const { seed = 1, endpoints = ADDRESSES, followLeader = true, ...registry } = options;
  const time = new VirtualTime(seed);
  const cluster = new FakeCluster(time, ADDRESSES);
  const newLink = (settings: { maxInFlight: number }): ClusterLink =>
    new ClusterLink({
      endpoints,
      open: cluster.open,
      environment: time,
      followLeader,
      maxInFlight: settings.maxInFlight,
      connectTimeoutMs: 500,
      silenceMs: 500,
    });
  const newRegistry = (over: ClusterLink, settings: RegistrySettings): RegistryClient => {
    const members = new MemberCalls(over, {
      open: ({ address }, events) => cluster.open(address, events),
      environment: time,
      connectTimeoutMs: 500,
      silenceMs: 500,
    });
    return new RegistryClient(over, time, settings, members);
  };
  const another = (other: RegistryOptions = {}): RegistryClient => {
    const settings = registrySettings({ ...registry, ...other });
    return newRegistry(newLink(settings), settings);
  };
  const settings = registrySettings(registry);
  const link = newLink(settings);
  return { time, cluster, link, another, registry: newRegistry(link, settings) };
}

/** The error a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<HoldfastError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
