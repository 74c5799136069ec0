/** A cluster on virtual time, network and disks, every step of which is checked. */
import { HoldfastError } from '../../src/base/index.ts';
import type { WriteBatch } from '../../src/log-store/index.ts';
import { decodeMembership, type Membership, type NodeId } from '../../src/raft/index.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { registryApplication, type CreateApplication } from './application.ts';
import type { Configuration, DiskConfiguration } from './configuration.ts';
import { DiskDelay } from './disk-delay.ts';
import { SimulatedDisk } from './disk.ts';
import { Clock, Life } from './life.ts';
import { LogSafety } from './log-safety.ts';
import { MessageLog } from './message-log.ts';
import { SimulatedNetwork, type Loss, type NetworkObserver } from './network.ts';
import { SimulatedNode } from './node.ts';
import type { MachineObserver } from './observed-machine.ts';
import { ObservedStore, type StoreObserver } from './observed-store.ts';
import { Dice, randomByMoment } from './random.ts';
import { Sometimes } from './sometimes.ts';
import { StateSafety } from './state-safety.ts';
import { simulatedStore, type RealStores } from './stores.ts';
import { Timeline } from './timeline.ts';
import { TransferSafety, type TransferView } from './transfer-safety.ts';
import { TraceHash } from './trace-hash.ts';
import { Violations } from './violations.ts';
import { World } from './world.ts';

/** The next change begins only when the one before is committed, and who leads has told of it. */
const MEMBERSHIPS_KEPT = 3;

/** Election timeouts until a silent end is noticed: longer than over TCP with its defaults. */
const NOTICE_TIMEOUTS = 20;

export const nodeName = (i: number): NodeId => `n${i + 1}` as NodeId;

/** What a node is, whichever of its lives it is in. */
export interface Place {
  readonly id: NodeId;
  readonly address: string;
  readonly number: number;
  readonly disk: SimulatedDisk;
  readonly clock: Clock;
  /** The pace of its clock while nothing is done to it. */
  readonly clockRate: number;
  readonly timeline: Timeline;
  node: SimulatedNode | undefined;
  /** It founds the cluster with the others when its disk is empty; else it waits to be found. */
  founds: boolean;
  /** Its machine is on, though the process may be down. */
  isPowered: boolean;
  /** Identity of the store that was last opened here. */
  storeId: string;
  /** What was last seen to be in force here. */
  membership: Membership | undefined;
  /** The latest that it appended, which come and go between two looks. */
  readonly memberships: Membership[];
  /** Log index of the last of them. */
  membershipIndex: number;
  /** Nothing was written, applied or decided since it was last looked at. */
  isStill: boolean;
  wasLeader: boolean;
  /** Log index of the snapshot that was last opened. */
  readingSnapshot: number;
}

/** What a user puts in the place of the parts that a cluster has by itself. */
export interface ClusterParts {
  readonly application?: CreateApplication | undefined;
  readonly stores?: RealStores | undefined;
}

export class SimulatedCluster {
  readonly seed: number;
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly configuration: Configuration;
  readonly violations: Violations;
  readonly sometimes: Sometimes = new Sometimes();
  readonly trace: TraceHash = new TraceHash();
  readonly messages: MessageLog = new MessageLog();
  readonly log: LogSafety;
  readonly transfers: TransferSafety;
  readonly state: StateSafety;
  readonly acknowledgements: Acknowledgements;
  readonly places: Map<string, Place> = new Map();
  /** Told of nodes that stopped by themselves, or could not be started. */
  onFailure: (place: string, error: unknown) => void = () => {};
  readonly #parts: ClusterParts;
  readonly #founders: ReadonlyMap<NodeId, string>;

  constructor(seed: number, configuration: Configuration, parts: ClusterParts = {}) {
    this.seed = seed;
    this.#parts = parts;
    this.configuration = configuration;
    this.world = new World(seed, { wakesOnly: true });
    this.violations = new Violations(() => this.world.now);
    this.log = new LogSafety(this.violations, this.sometimes);
    const { electionTimeoutMs = 1_000 } = configuration.settings;
    this.transfers = new TransferSafety(this.violations, electionTimeoutMs);
    this.state = new StateSafety(this.violations);
    this.acknowledgements = new Acknowledgements(this.violations, this.sometimes);
    this.acknowledgements.lastCommitted = () => this.log.lastCommitted;
    const { network, settings, nodes, disks } = configuration;
    this.network = new SimulatedNetwork(this.world, {
      ...network,
      randomOf: (link) => this.#randomByMoment(`link ${link}`),
      retryMs: (settings.electionTimeoutMs ?? 0) / 4 + 1,
      noticeMs: NOTICE_TIMEOUTS * electionTimeoutMs,
      observer: this.#networkObserver(),
    });
    for (let i = 0; i < nodes; i++) this.addPlace(disks[i]!, true);
    this.#founders = new Map([...this.places.values()].map(({ id, address }) => [id, address]));
  }

  #randomByMoment(purpose: string): () => number {
    return randomByMoment(this.seed, purpose, () => this.world.now);
  }

  addPlace(disk: DiskConfiguration, founds: boolean): Place {
    const number = this.places.size;
    const id = nodeName(number);
    const dice = new Dice(this.#randomByMoment(`disk ${id}`));
    const clock = new Clock(this.world, 1_000_000 * dice.random());
    const clockRate = this.configuration.clockRates[number] ?? 1;
    clock.rate = clockRate;
    const place: Place = {
      id,
      address: `${id}:7400`,
      number,
      disk: new SimulatedDisk(disk, dice),
      clock,
      clockRate,
      timeline: new Timeline(id),
      node: undefined,
      founds,
      isPowered: true,
      storeId: '',
      membership: undefined,
      memberships: [],
      membershipIndex: 0,
      isStill: false,
      wasLeader: false,
      readingSnapshot: 0,
    };
    this.places.set(id, place);
    return place;
  }

  at(id: string): Place {
    const place = this.places.get(id);
    if (place === undefined) throw new HoldfastError('invalid-argument', `there is no node ${id}`);
    return place;
  }

  running(): SimulatedNode[] {
    return [...this.places.values()].flatMap(({ node }) => node ?? []);
  }

  /** Of those that lead, the one of the latest term. */
  leader(): SimulatedNode | undefined {
    let newest: SimulatedNode | undefined;
    let newestTerm = -1;
    for (const node of this.running()) {
      const { role, term } = node.raft.status();
      if (role !== 'leader' || term <= newestTerm) continue;
      newest = node;
      newestTerm = term;
    }
    return newest;
  }

  start(id: string): void {
    const place = this.at(id);
    if (place.node !== undefined) return;
    place.isPowered = true;
    place.isStill = false;
    const life = new Life(this.world, id, {
      clock: place.clock,
      random: this.#randomByMoment(`life of ${id}`),
    });
    this.state.begun(id);
    place.timeline.life(this.world.now, 'up');
    const node: SimulatedNode = new SimulatedNode({
      id: place.id,
      address: place.address,
      peers: place.founds ? this.#founders : new Map(),
      world: this.world,
      life,
      network: this.network,
      store: this.#storeFor(place, life),
      settings: this.configuration.settings,
      application: this.#parts.application?.() ?? registryApplication(this.configuration.limits),
      machine: this.#machineObserver(place),
      watching: (raft) => this.acknowledgements.watching(raft),
      leaderChanged: () => {
        place.isStill = false;
      },
      failed: (error) => this.#failed(place, node, error),
    });
    place.node = node;
  }

  #storeFor(place: Place, life: Life): ObservedStore {
    const real = this.#parts.stores?.create(place.id);
    const store = real ?? simulatedStore(place.disk, life, this.world);
    return new ObservedStore(store, {
      world: this.world,
      life,
      real: real && new DiskDelay(place.disk, life, this.world),
      observer: this.#storeObserver(place),
    });
  }

  #failed(place: Place, node: SimulatedNode, error: unknown): void {
    if (place.node !== node || node.life.over) return;
    this.end(place.id, false);
    this.onFailure(place.id, error);
  }

  /** The process is gone, and with `power` its machine. */
  end(id: string, power: boolean): void {
    const place = this.at(id);
    const { node, disk, timeline } = place;
    if (power) place.isPowered = false;
    if (node === undefined) return;
    if (disk.pending !== undefined) this.sometimes.met('crashedWhilePending');
    place.membership = node.raft.status().membership ?? place.membership;
    node.end(power);
    if (disk.crash(power)) this.sometimes.met('unsyncedLost');
    this.#parts.stores?.crashed(id);
    place.node = undefined;
    timeline.life(this.world.now, 'down');
  }

  /** Its disk is gone, and with it what was promised on it. */
  empty(id: string): void {
    const place = this.at(id);
    place.storeId = '';
    place.disk.replace(undefined);
    place.timeline.disk(this.world.now, 'wiped');
    this.log.forget(id);
    this.#parts.stores?.wiped(id);
  }

  /** Whether disks are simulated ones, which faults can be done to. */
  get hasSimulatedDisks(): boolean {
    return this.#parts.stores === undefined;
  }

  /** What a look at every running node shows, for the report. */
  lookAround(): void {
    let leaders = 0;
    for (const place of this.places.values()) {
      const { node, timeline } = place;
      if (node === undefined) continue;
      if (place.isStill) {
        if (place.wasLeader) leaders += 1;
        continue;
      }
      place.isStill = true;
      const status = node.raft.status();
      const { role, membership } = status;
      place.membership = membership ?? place.membership;
      place.wasLeader = role === 'leader';
      if (place.wasLeader) leaders += 1;
      // Without a membership it is still about to open its store.
      if (role === 'joining' && membership !== undefined) timeline.outside(this.world.now);
      if (role === 'joining' || role === 'stopped') continue;
      const isLearner = membership?.learners.includes(node.id) === true;
      timeline.moment(this.world.now, {
        role: isLearner ? 'learner' : role,
        term: status.term,
        commit: status.commitIndex,
        applied: status.appliedIndex,
        lastIndex: status.lastIndex,
        snapshot: status.snapshotIndex,
      });
    }
    if (leaders < 2) return;
    this.sometimes.met('twoLeaders');
    this.#readFromLeaders();
  }

  /**
   * Of two who lead, only one may let reads through: each is asked, whatever clients do meanwhile.
   * What comes of it is checked as with any read.
   */
  #readFromLeaders(): void {
    for (const { life, raft } of this.running()) {
      if (raft.status().role !== 'leader') continue;
      life.run(() => {
        raft.readBarrier('linearizable', () => {});
        raft.readBarrier('lease', () => {});
      });
    }
  }

  /** Whether it holds for the membership that any node has, or was last seen to have, in force. */
  #anyMembership(isEnough: (membership: Membership) => boolean): boolean {
    for (const { membership, memberships } of this.places.values()) {
      if (membership !== undefined && isEnough(membership)) return true;
      if (memberships.some(isEnough)) return true;
    }
    return this.running().some(({ raft }) => {
      const { membership } = raft.status();
      return membership !== undefined && isEnough(membership);
    });
  }

  /**
   * What the node has in force, and what was lately. Its own disk may lag: but what it counted
   * under by now stands on those of others.
   */
  #membershipsOf(id: string): readonly Membership[] {
    const { node, membership } = this.at(id);
    const lately = [...this.places.values()].flatMap(({ memberships }) => memberships);
    const known = [node?.raft.status().membership, membership, ...lately];
    return known.flatMap((one) => one ?? []);
  }

  /** What it appends is in force from here on, and what is counted under it is told of later. */
  #noteMembership(place: Place, { entries = [] }: WriteBatch): void {
    for (const { type, index, data } of entries) {
      if (type !== 'membership') continue;
      place.membershipIndex = index;
      place.memberships.push(decodeMembership(data));
      if (place.memberships.length > MEMBERSHIPS_KEPT) place.memberships.shift();
    }
  }

  #transferViewOf(id: string): TransferView | undefined {
    const { node, clock } = this.at(id);
    if (node === undefined) return undefined;
    const { role, transferTo, lastIndex } = node.raft.status();
    return { isLeader: role === 'leader', transferTo, lastIndex, nowMs: clock.now() };
  }

  #storeObserver(place: Place): StoreObserver {
    const { id, number, timeline } = place;
    return {
      opened: (recovered) => {
        place.storeId = recovered.storeId;
        this.log.opened(id, recovered);
        const { damage } = place.disk;
        if (damage !== undefined) {
          const text = `${id} opened its store without noticing a damaged ${damage}`;
          this.violations.report('damage-found', text, [id]);
        } else {
          place.disk.foundSound();
        }
        timeline.disk(this.world.now, 'ok');
        if (recovered.repaired.some((line) => line.includes('torn'))) {
          this.sometimes.met('tornTail');
        }
      },
      asked: (batch) => {
        place.isStill = false;
        this.#traced(1, number, batch.entries?.at(-1)?.index ?? 0, batch.truncateFrom ?? 0);
        this.#noteMembership(place, batch);
        this.log.asked(id, batch);
      },
      durable: (batch) => {
        place.isStill = false;
        this.#traced(2, number, batch.entries?.at(-1)?.index ?? 0, batch.metadata?.term ?? 0);
        this.log.durable(id, batch);
      },
      failed: () => this.sometimes.met('writeFailed'),
      saved: (meta) => {
        this.#traced(3, number, meta.index, meta.term);
        this.log.snapshotSaved(id, meta);
        this.sometimes.met('snapshotSaved');
      },
      reading: (meta) => {
        place.readingSnapshot = meta.index;
      },
    };
  }

  #machineObserver(place: Place): MachineObserver {
    const { id, number } = place;
    return {
      applied: (command, { index, term }, result) => {
        place.isStill = false;
        this.#traced(4, number, index, term);
        if (this.state.applied(id, index, command, result)) {
          this.acknowledgements.committed(id, command);
        }
        this.log.applied(id, index, term, (isEnough) => this.#anyMembership(isEnough));
      },
      cut: () => {
        const position = this.state.positionOf(id);
        return (hash) => this.state.snapshot(id, position, hash);
      },
      restored: (hash) => {
        this.state.restored(id, place.readingSnapshot);
        this.state.snapshot(id, this.state.positionOf(id), hash);
        if (place.node?.isStarted !== true) return;
        this.sometimes.met('snapshotInstalled');
        if (this.network.hasCuts) this.sometimes.met('snapshotInPartition');
      },
    };
  }

  #networkObserver(): NetworkObserver {
    return {
      sent: (message) => {
        this.log.sent(
          message,
          (id) => this.#membershipsOf(id),
          (id) => this.at(id).node?.raft.status().commitIndex ?? 0,
        );
        this.transfers.sent(
          message,
          this.world.now,
          (id) => this.#transferViewOf(id),
          (id) => this.log.lastDurable(id),
        );
        return this.messages.sent(message, this.world.now);
      },
      delivered: ({ from, to }, bytes) => {
        const checksum = new DataView(bytes.buffer, bytes.byteOffset).getInt32(8, true);
        this.#traced(5, this.at(from).number, this.at(to).number, checksum);
      },
      lost: (_from, _to, why: Loss) => {
        if (why === 'cut') this.sometimes.met('messageCut');
        if (why === 'lost') this.sometimes.met('messageLost');
      },
      repeated: () => this.sometimes.met('messageRepeated'),
      refused: () => this.sometimes.met('frameRefused'),
      acceptedDamage: (from, to) => {
        const text = `${to} took a damaged frame of ${from} for a message`;
        this.violations.report('damage-refused', text, [from, to]);
      },
    };
  }

  #traced(what: number, a: number, b: number, c: number): void {
    const { trace } = this;
    trace.add(this.world.now);
    trace.add(what * 1_000 + a);
    trace.add(b);
    trace.add(c);
  }
}
