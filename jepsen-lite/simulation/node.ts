/** One life of a node in a simulated cluster: the real node, with all around it simulated. */
import type { LogStore } from '../../src/log-store/index.ts';
import { createNode, defaultSettings } from '../../src/node/index.ts';
import type { NodeSettings, RaftNode } from '../../src/node/index.ts';
import type { OpenChannel } from '../../src/protocol/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { CLUSTER_NAME } from './application.ts';
import type { Application, Service } from './application.ts';
import type { Life } from './life.ts';
import type { SimulatedNetwork } from './network.ts';
import { ObservedMachine } from './observed-machine.ts';
import type { MachineObserver } from './observed-machine.ts';
import { SimulatedTransport } from './transport.ts';
import type { World } from './world.ts';

export interface NodeParts {
  readonly id: NodeId;
  readonly address: string;
  /** Whom to found a cluster with; empty to join one. */
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly world: World;
  readonly life: Life;
  readonly network: SimulatedNetwork;
  readonly store: LogStore;
  readonly settings: Partial<NodeSettings>;
  readonly application: Application;
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
  readonly application: Application;
  isStarted = false;
  readonly #transport: SimulatedTransport;
  readonly #service: Service | undefined;

  constructor(parts: NodeParts) {
    const { id, address, life, network, application } = parts;
    this.id = id;
    this.address = address;
    this.life = life;
    this.application = application;
    this.#transport = new SimulatedTransport(network, life, id, address);
    const node = this.#createNode(parts);
    this.raft = parts.watching(node);
    this.#service = application.serve?.(this.raft, life);
    parts.world.wakeFully();
    void this.#start(node, parts.failed);
  }

  /** Undefined where clients call the node itself. */
  get openChannel(): OpenChannel | undefined {
    return this.#service?.openChannel;
  }

  #createNode(parts: NodeParts): RaftNode {
    const { id, address, peers, life, store, application } = parts;
    return createNode({
      id,
      clusterName: CLUSTER_NAME,
      address,
      peers,
      store,
      transport: this.#transport,
      stateMachine: new ObservedMachine(application, parts.machine),
      environment: life,
      settings: { ...defaultSettings, ...parts.settings },
      onApplied: () => this.#service?.applied(),
      onLeaderChanged: () => {
        parts.leaderChanged();
        this.#service?.leaderChanged();
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
    this.#service?.end();
    this.#transport.end(silently);
  }
}
