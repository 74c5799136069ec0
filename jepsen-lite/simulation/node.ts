/** One life of a node in a simulated cluster: the real node, store, registry and service. */
import { BackedLogStore, BlockBackend } from '../../src/log-store/index.ts';
import { createNode, defaultSettings } from '../../src/node/index.ts';
import type { NodeSettings, RaftNode, StateMachine } from '../../src/node/index.ts';
import type { OpenChannel } from '../../src/protocol/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { RegistryStateMachine } from '../../src/registry/index.ts';
import type { RegistryLimits } from '../../src/registry/index.ts';
import { RegistryService } from '../../src/server/index.ts';
import { runTreeWork } from '../../src/server/tree-work.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Life } from './life.ts';
import { SimulatedMedium } from './medium.ts';
import type { SimulatedNetwork } from './network.ts';
import { ObservedMachine } from './observed-machine.ts';
import { ObservedStore, type StoreObserver } from './observed-store.ts';
import type { MachineObserver } from './observed-machine.ts';
import { SimulatedTransport } from './transport.ts';
import type { World } from './world.ts';

const CLUSTER_NAME = 'simulated';

export interface NodeParts {
  readonly id: NodeId;
  readonly address: string;
  /** Whom to found a cluster with; empty to join one. */
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly world: World;
  readonly life: Life;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly settings: Partial<NodeSettings>;
  readonly limits: Partial<RegistryLimits>;
  readonly store: StoreObserver;
  readonly machine: MachineObserver;
  /** Sees the node's proposals: gives back the node that clients are served from. */
  readonly watching: (node: RaftNode) => RaftNode;
  /** It knows another leader, or none. */
  readonly leaderChanged: () => void;
  /** It could not be started, or stopped itself. */
  readonly failed: (error: unknown) => void;
}

export class SimulatedNode {
  readonly id: NodeId;
  readonly address: string;
  readonly life: Life;
  readonly raft: RaftNode;
  readonly registry: RegistryStateMachine;
  readonly openChannel: OpenChannel;
  readonly transport: SimulatedTransport;
  isStarted = false;
  readonly #service: RegistryService;
  readonly #endTreeWork: () => void;

  constructor(parts: NodeParts) {
    const { id, address, life, network, world } = parts;
    this.id = id;
    this.address = address;
    this.life = life;
    this.transport = new SimulatedTransport(network, life, id, address);
    this.registry = new RegistryStateMachine({ limits: parts.limits });
    const node = this.#createNode(parts, new ObservedMachine(this.registry, parts.machine));
    this.raft = parts.watching(node);
    this.#service = new RegistryService({
      node: this.raft,
      registry: this.registry,
      clusterName: CLUSTER_NAME,
      environment: life,
      maintain: () => Promise.reject(new Error('nobody is asked for this in simulation')),
    });
    this.openChannel = this.#service.openChannel;
    this.#endTreeWork = runTreeWork(this.registry, life);
    world.wakeFully();
    void this.#start(node, parts.failed);
  }

  #createNode(parts: NodeParts, stateMachine: StateMachine): RaftNode {
    const { id, address, peers, world, life, disk } = parts;
    const medium = new SimulatedMedium(disk, life, world);
    const store = new BackedLogStore(new BlockBackend(medium));
    return createNode({
      id,
      clusterName: CLUSTER_NAME,
      address,
      peers,
      store: new ObservedStore(store, world, parts.store),
      transport: this.transport,
      stateMachine,
      environment: life,
      settings: { ...defaultSettings, ...parts.settings },
      onApplied: () => this.#service.applied(),
      onLeaderChanged: () => {
        parts.leaderChanged();
        this.#service.leaderChanged();
      },
      onFatal: parts.failed,
    });
  }

  async #start(node: RaftNode, failed: NodeParts['failed']): Promise<void> {
    try {
      await node.start();
      this.isStarted = true;
    } catch (error) {
      failed(error);
    }
  }

  /** Nothing of it happens any more. `silently`: its peers are not told. */
  end(silently: boolean): void {
    this.life.end();
    this.#endTreeWork();
    this.transport.end(silently);
  }
}
