/** A cluster on virtual time, network and disks: start, crash, cut, wipe, and look inside. */
import type { HoldfastError } from '../../../src/base/index.ts';
import { createNode, defaultSettings } from '../../../src/node/index.ts';
import type {
  Answer,
  Consistency,
  LeaderSide,
  NodeSettings,
  NodeStatus,
  RaftNode,
} from '../../../src/node/index.ts';
import type { NodeId } from '../../../src/raft/index.ts';
import { MemoryNetwork, MemoryTransport } from '../../../src/transport/index.ts';
import { Disk, DiskStore } from './disk.ts';
import { bytes, CountingMachine, text } from './machine.ts';
import type { Applied } from './machine.ts';
import { FaultyTransport } from './wire.ts';
import type { WireFaults } from './wire.ts';
import { Life } from '../../../jepsen-lite/simulation/life.ts';
import { World } from '../../../jepsen-lite/simulation/world.ts';

export interface ClusterOptions {
  readonly seed?: number;
  readonly settings?: Partial<NodeSettings>;
  readonly leaderSide?: (id: string) => LeaderSide;
  /** Sees every command any node applies. */
  readonly onApply?: (node: string, applied: Applied) => void;
}

/** One life of a node in the cluster. */
export interface Instance {
  readonly id: NodeId;
  readonly life: Life;
  readonly node: RaftNode;
  readonly machine: CountingMachine;
  readonly transport: FaultyTransport;
  readonly started: Promise<void>;
  /** Settled outcome of `start`. */
  startError: unknown;
  isStarted: boolean;
  fatal: HoldfastError | undefined;
}

/** A call that a test waits for. */
export interface Call {
  answer: Answer | undefined;
  /** How often it was answered: never more than once. */
  answers: number;
}

export const id = (name: string): NodeId => name as NodeId;

export class Cluster {
  readonly world: World;
  readonly network: MemoryNetwork;
  readonly faults: WireFaults = { delayMs: 0, loss: 0, repeat: 0 };
  readonly disks: Map<string, Disk> = new Map();
  readonly instances: Map<string, Instance> = new Map();
  readonly peers: ReadonlyMap<NodeId, string>;
  readonly #options: ClusterOptions;

  constructor(names: readonly string[], options: ClusterOptions = {}) {
    this.#options = options;
    this.world = new World(options.seed);
    const { world } = this;
    this.network = new MemoryNetwork({
      environment: {
        defer: (callback) => world.at(world.now, callback),
        setTimer: (delayMs, callback) => {
          let live = true;
          world.after(delayMs, () => {
            if (live) callback();
          });
          return () => {
            live = false;
          };
        },
      },
    });
    this.peers = new Map(names.map((name) => [id(name), `${name}:1`]));
  }

  disk(name: string): Disk {
    let disk = this.disks.get(name);
    if (disk === undefined) {
      disk = new Disk();
      this.disks.set(name, disk);
    }
    return disk;
  }

  start(
    name: string,
    peers: ReadonlyMap<NodeId, string> = this.peers,
    overrides: { readonly address?: string; readonly clusterName?: string } = {},
  ): Instance {
    const life = new Life(this.world, name);
    const address = overrides.address ?? peers.get(id(name)) ?? `${name}:1`;
    const inner = new MemoryTransport({ network: this.network, address });
    const transport = new FaultyTransport(inner, this.world, life, this.faults);
    const { leaderSide, onApply } = this.#options;
    const machine = new CountingMachine(leaderSide?.(name));
    if (onApply !== undefined) machine.onApply = (applied) => onApply(name, applied);
    const node = createNode({
      id: id(name),
      clusterName: overrides.clusterName ?? 'test',
      address,
      peers,
      store: new DiskStore(this.disk(name), this.world, life),
      transport,
      stateMachine: machine,
      environment: life,
      settings: { ...defaultSettings, checkInvariants: true, ...this.#options.settings },
      onFatal: (error) => {
        instance.fatal = error;
      },
    });
    const instance: Instance = {
      id: id(name),
      life,
      node,
      machine,
      transport,
      started: node.start(),
      startError: undefined,
      isStarted: false,
      fatal: undefined,
    };
    void this.#watchStart(instance);
    this.instances.set(name, instance);
    return instance;
  }

  async #watchStart(instance: Instance): Promise<void> {
    try {
      await instance.started;
      instance.isStarted = true;
    } catch (error) {
      instance.startError = error;
    }
  }

  /** Starts everyone and waits for a leader. */
  async startAll(): Promise<Instance> {
    for (const name of this.peers.keys()) this.start(name);
    return this.leader();
  }

  at(name: string): Instance {
    return this.instances.get(name)!;
  }

  status(name: string): NodeStatus {
    return this.at(name).node.status();
  }

  /** The power goes: nothing of this life happens any more, and what was not durable is lost. */
  async crash(name: string): Promise<void> {
    const instance = this.at(name);
    instance.life.end();
    this.instances.delete(name);
    const disk = this.disk(name);
    disk.waiting = [];
    await instance.transport.close();
    // A store that was being opened can be closed only after that.
    for (let closed = false; !closed;) {
      await World.settled();
      closed = await disk.inner.close().then(
        () => true,
        () => false,
      );
    }
  }

  async stop(name: string): Promise<void> {
    const instance = this.at(name);
    let stopped = false;
    const stopping = (async () => {
      await instance.node.stop();
      stopped = true;
    })();
    await this.world.until(`${name} stops`, () => stopped);
    await stopping;
    instance.life.end();
    this.instances.delete(name);
  }

  async wipe(name: string): Promise<void> {
    if (this.instances.has(name)) await this.crash(name);
    this.disks.delete(name);
  }

  running(): Instance[] {
    return [...this.instances.values()];
  }

  currentLeader(): Instance | undefined {
    const leaders = this.running().filter(({ node }) => node.status().role === 'leader');
    let newest: Instance | undefined;
    for (const one of leaders) {
      if (newest === undefined || one.node.status().term > newest.node.status().term) newest = one;
    }
    return newest;
  }

  /** Waits until one leads and every other running member follows it. */
  async leader(among: readonly string[] = [...this.instances.keys()]): Promise<Instance> {
    let found: Instance | undefined;
    await this.world.until('a leader for all', () => {
      found = this.currentLeader();
      return (
        found !== undefined &&
        among.includes(found.id) &&
        among.every((name) => this.status(name).leader === found!.id)
      );
    });
    return found!;
  }

  follower(): Instance {
    return this.running().find(({ node }) => node.status().role === 'follower')!;
  }

  propose(instance: Instance, command: string, timeoutMs?: number): Call {
    const call: Call = { answer: undefined, answers: 0 };
    instance.node.propose(
      bytes(command),
      (answer) => {
        call.answer = answer;
        call.answers += 1;
      },
      timeoutMs === undefined ? {} : { timeoutMs },
    );
    return call;
  }

  async write(instance: Instance, command: string): Promise<string> {
    const call = this.propose(instance, command);
    await this.world.until(`${command} is answered`, () => call.answer !== undefined);
    return resultOf(call);
  }

  /** Reads how often a command was applied, at the consistency asked for. */
  read(instance: Instance, command: string, consistency: Consistency, timeoutMs?: number): Call {
    const call: Call = { answer: undefined, answers: 0 };
    instance.node.readBarrier(
      consistency,
      (error) => {
        call.answers += 1;
        call.answer =
          error === undefined
            ? { type: 'ok', payload: instance.machine.query(bytes(command)) }
            : { type: 'error', error };
      },
      timeoutMs === undefined ? {} : { timeoutMs },
    );
    return call;
  }

  async answered(...calls: Call[]): Promise<void> {
    await this.world.until('calls are answered', () => calls.every((one) => one.answers > 0));
  }

  cut(a: string, b: string): void {
    this.network.cut(id(a), id(b));
    this.network.cut(id(b), id(a));
  }

  isolate(name: string): void {
    for (const other of this.instances.keys()) if (other !== name) this.cut(name, other);
  }

  heal(): void {
    this.network.healAll();
  }

  /** Waits until all running nodes have applied the same and equal state. */
  async converged(): Promise<void> {
    await this.world.until('all states are equal', () => {
      const running = this.running();
      const { appliedIndex } = running[0]!.node;
      if (running.some(({ node }) => node.appliedIndex !== appliedIndex)) return false;
      if (running.some(({ node }) => node.status().commitIndex !== appliedIndex)) return false;
      const states = running.map(({ machine }) => machine.digest());
      return states.every((state) => state === states[0]);
    });
  }

  async stopAll(): Promise<void> {
    for (const name of this.peers.keys()) if (this.instances.has(name)) await this.crash(name);
  }
}

export function resultOf(call: Call): string {
  const { answer } = call;
  if (answer === undefined) return 'pending';
  if (answer.type === 'ok') return text(answer.payload);
  return `${answer.error.code} ${answer.error.outcome}`;
}
