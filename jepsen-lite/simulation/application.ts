/** What the nodes of a simulated cluster replicate: the registry, or a state machine of a user. */
import { createHash } from 'node:crypto';
import type { RaftNode, StateMachine } from '../../src/node/index.ts';
import type { OpenChannel } from '../../src/protocol/index.ts';
import { RegistryStateMachine } from '../../src/registry/index.ts';
import type { RegistryLimits } from '../../src/registry/index.ts';
import { RegistryService } from '../../src/server/index.ts';
import { runTreeWork } from '../../src/server/tree-work.ts';
import type { Life } from './life.ts';

export const CLUSTER_NAME = 'simulated';

/** One life of a node's application. */
export interface Application {
  readonly stateMachine: StateMachine;
  /** Equal exactly for equal states. */
  hash(): Promise<string>;
  /** Begins to serve clients; absent where they call the node itself. */
  serve?(node: RaftNode, life: Life): Service;
}

export interface Service {
  readonly openChannel: OpenChannel;
  /** A batch was applied, or a snapshot restored. */
  applied(): void;
  leaderChanged(): void;
  end(): void;
}

/** Made anew for each life of each node. */
export type CreateApplication = () => Application;

/** Hash of everything an application has in it, by way of its snapshot. */
export async function snapshotHash(machine: Pick<StateMachine, 'snapshot'>): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of machine.snapshot()) hash.update(chunk);
  return hash.digest('hex');
}

/** The registry, with these limits on every node. */
export function registryApplication(limits: Partial<RegistryLimits>): Application {
  const registry = new RegistryStateMachine({ limits });
  return {
    stateMachine: registry,
    hash: () => {
      const hash = createHash('sha1');
      for (const chunk of registry.snapshotChunks()) hash.update(chunk);
      return Promise.resolve(hash.digest('hex'));
    },
    serve(node, life) {
      const service = new RegistryService({
        node,
        registry,
        clusterName: CLUSTER_NAME,
        environment: life,
        maintain: () => Promise.reject(new Error('nobody is asked for this in simulation')),
      });
      const endTreeWork = runTreeWork(registry, life);
      return {
        openChannel: service.openChannel,
        applied: () => service.applied(),
        leaderChanged: () => service.leaderChanged(),
        end: endTreeWork,
      };
    },
  };
}
