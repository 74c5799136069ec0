/** One life of a server's node: a node that is installed anew begins another. */
import {
  createNode,
  type Environment,
  type NodeId,
  type NodeOptions,
  type RaftNode,
} from '../node/index.ts';
import type { HoldfastError } from '../base/index.ts';
import { RegistryStateMachine } from '../registry/index.ts';
import { TcpTransport } from '../transport/index.ts';
import type { Maintain } from './conversation.ts';
import { RegistryService } from './registry-service.ts';
import type { ResolvedOptions, ServerOptions, ServerTls } from './server-options.ts';
import { runTreeWork } from './tree-work.ts';

export interface ServerLife {
  readonly node: RaftNode;
  readonly service: RegistryService;
  readonly registry: RegistryStateMachine;
  readonly endTreeWork: () => void;
}

export interface LifeOptions {
  readonly options: ServerOptions;
  readonly resolved: ResolvedOptions;
  readonly environment: Environment;
  /** Whom to found a cluster with; none to join the one that exists. */
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly maintain: Maintain;
  readonly fatal: (error: HoldfastError) => void;
}

/** Puts the parts together; nothing is opened before the node is started. */
export function assembleLife(life: LifeOptions): ServerLife {
  const { options, resolved, environment, peers, maintain, fatal } = life;
  const { id, clusterName, address, settings } = resolved;
  const registry = new RegistryStateMachine({ limits: resolved.limits });
  const transport = new TcpTransport({
    ...resolved.listen,
    environment,
    routes: resolved.routes,
    ...tlsOf(options.tls),
    onClient: (connection) => service.serveClient(connection),
  });
  const nodeOptions: NodeOptions = {
    id,
    clusterName,
    address,
    peers,
    store: options.store,
    transport,
    stateMachine: registry,
    environment,
    settings,
    onApplied: () => service.applied(),
    onLeaderChanged: () => service.leaderChanged(),
    onFatal: (error) => {
      service.close();
      fatal(error);
    },
  };
  const node = createNode(nodeOptions);
  const limits = resolved.serviceLimits;
  const service = new RegistryService({
    node,
    registry,
    clusterName,
    environment,
    limits,
    maintain,
  });
  const endTreeWork = runTreeWork(registry, environment);
  return { node, service, registry, endTreeWork };
}

/** Clients are told first, so that they go elsewhere while the node hands over. */
export async function endLife({ node, service, endTreeWork }: ServerLife): Promise<void> {
  service.stopAccepting();
  await node.stop();
  endTreeWork();
  service.close();
}

function tlsOf(
  tls: ServerTls | undefined,
): Pick<ConstructorParameters<typeof TcpTransport>[0], 'tls'> {
  if (tls === undefined) return {};
  return { tls: { ...tls, requestClientCertificate: tls.ca !== undefined } };
}
