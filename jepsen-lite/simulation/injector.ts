/** Carries out the faults of a run, each when its time has come, and notes what it did. */
import { unreachable } from '../../src/base/index.ts';
import { LEADER } from '../faults/fault.ts';
import type { DirectedLink, Fault, NodeTarget, PartitionFault } from '../faults/fault.ts';
import type { ClientNetwork } from './client-network.ts';
import type { Place, SimulatedCluster } from './cluster.ts';
import type { Operator } from './operator.ts';
import type { InjectedFault, NodeDisk } from './run-record.ts';

/** A crash that is to fall into a write waits for one so often. */
const PENDING_LOOKS = 40;

/** What a fault did: whom it hit and how it is undone; or why it did nothing. */
interface Effect {
  readonly targets: readonly string[];
  /** Called after `forMs`, unless the faults are over by then. */
  readonly undo?: () => void;
  readonly note?: string;
}

const nothing = (why: string): Effect => ({ targets: [], note: `not carried out: ${why}` });

interface Entry {
  readonly fault: Fault;
  readonly effect: Effect;
  readonly fromMs: number;
  toMs: number;
}

export class FaultInjector {
  readonly #cluster: SimulatedCluster;
  readonly #clients: ClientNetwork;
  readonly #operator: Operator;
  readonly #entries: Entry[] = [];
  #isOver = false;

  constructor(cluster: SimulatedCluster, clients: ClientNetwork, operator: Operator) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#operator = operator;
  }

  /** From now on; `atMs` of each counts from here. */
  begin(faults: readonly Fault[]): void {
    const { world } = this.#cluster;
    for (const fault of faults) world.after(fault.atMs, () => this.#carryOut(fault));
  }

  /** No fault begins or ends any more: what lasts is permanent until somebody heals it. */
  end(): void {
    this.#isOver = true;
  }

  /** Everything that still lasts is undone now. */
  healed(): void {
    for (const entry of this.#entries) entry.toMs = Math.min(entry.toMs, this.#cluster.world.now);
  }

  records(): InjectedFault[] {
    return this.#entries.map(({ fault, effect, fromMs, toMs }) => {
      const { targets, note } = effect;
      const untilMs = Math.min(toMs, this.#cluster.world.now);
      return { fault, targets, fromMs, toMs: untilMs, ...(note !== undefined && { note }) };
    });
  }

  #carryOut(fault: Fault): void {
    if (this.#isOver) return;
    const { world } = this.#cluster;
    const effect = this.#effectOf(fault);
    const { undo } = effect;
    const fromMs = world.now;
    world.logged(`${fromMs.toFixed(1)} FAULT ${JSON.stringify({ ...fault, ...effect })}`);
    const entry = { fault, effect, fromMs, toMs: undo === undefined ? fromMs : Infinity };
    this.#entries.push(entry);
    if (undo === undefined) return;
    world.after(fault.forMs, () => {
      if (this.#isOver) return;
      entry.toMs = world.now;
      undo();
    });
  }

  #effectOf(fault: Fault): Effect {
    switch (fault.type) {
      case 'partition':
        return this.#partition(fault);
      case 'weather':
        this.#cluster.network.weather = fault;
        return { targets: this.#names(), undo: () => (this.#cluster.network.weather = undefined) };
      case 'slowLink':
        return this.#slowLink(fault.from, fault.to, fault.delayMs);
      case 'powerLoss':
        return this.#powerLoss();
      case 'clientPause':
        this.#clients.pause(fault.client, this.#cluster.world.now + fault.forMs);
        return { targets: [`client-${fault.client}`], undo: () => {} };
      case 'clientCut':
        this.#clients.cut(fault.client, fault.how, this.#cluster.world.now + fault.forMs);
        return { targets: [`client-${fault.client}`], undo: () => {} };
      case 'transfer':
        return this.#operator.members.transfer(fault.to);
      case 'membership':
        return this.#operator.members.change(fault);
      case 'crash':
      case 'pause':
      case 'clockRate':
      case 'clockJump':
      case 'disk':
      case 'damage':
      case 'wipe':
      case 'oldDisk':
        return this.#onNode(fault);
      default:
        return unreachable(fault);
    }
  }

  #onNode(fault: Extract<Fault, { node: NodeTarget }>): Effect {
    const place = this.#resolve(fault.node);
    if (place === undefined) return nothing('nobody leads');
    const { id, clock } = place;
    const { world } = this.#cluster;
    switch (fault.type) {
      case 'crash':
        return this.#crash(place, fault.whilePending, fault.power);
      case 'pause':
        return this.#pause(place, world.now + fault.forMs);
      case 'clockRate':
        clock.rate = fault.rate;
        return { targets: [id], undo: () => (clock.rate = place.clockRate) };
      case 'clockJump':
        clock.jump(fault.byMs);
        return { targets: [id] };
      case 'disk':
        return this.#disk(place, fault.how);
      case 'damage':
        return this.#operator.damage(place, fault.how, fault.where);
      case 'wipe':
        return this.#operator.wipe(place);
      case 'oldDisk':
        return this.#operator.useOldDisk(place);
      case 'membership':
        return this.#operator.members.change(fault);
      default:
        return unreachable(fault);
    }
  }

  #names(): string[] {
    return [...this.#cluster.places.keys()];
  }

  #resolve(target: NodeTarget): Place | undefined {
    const id = target === LEADER ? this.#cluster.leader()?.id : target;
    return id === undefined ? undefined : this.#cluster.places.get(id);
  }

  #partition(fault: PartitionFault): Effect {
    const { network, world } = this.#cluster;
    const links = fault.shape === 'leader' ? this.#linksOfLeader() : fault.links;
    if (links.length === 0) return nothing('nobody leads');
    let isCut = false;
    const set = (cut: boolean): void => {
      if (cut === isCut) return;
      isCut = cut;
      for (const [from, to] of links) {
        if (cut) network.cut(from, to);
        else network.heal(from, to);
      }
    };
    set(true);
    let isOver = false;
    const flap = (): void => {
      if (isOver || this.#isOver) return;
      set(!isCut);
      world.after(fault.flapMs, flap);
    };
    if (fault.flapMs > 0) world.after(fault.flapMs, flap);
    const undo = (): void => {
      isOver = true;
      set(false);
    };
    return { targets: [...new Set(links.flat())], undo };
  }

  #linksOfLeader(): DirectedLink[] {
    const leader = this.#cluster.leader()?.id;
    if (leader === undefined) return [];
    const others = this.#names().filter((name) => name !== leader);
    return others.flatMap((name): DirectedLink[] => [
      [leader, name],
      [name, leader],
    ]);
  }

  #slowLink(from: string, to: string, delayMs: number): Effect {
    const { network } = this.#cluster;
    network.slow(from, to, delayMs);
    return { targets: [from, to], undo: () => network.slow(from, to, 0) };
  }

  #crash(place: Place, whilePending: boolean, power: boolean): Effect {
    const { id, disk } = place;
    if (place.node === undefined) return nothing(`${id} is down already`);
    const { node } = place;
    let looksLeft = whilePending ? PENDING_LOOKS : 0;
    const crash = (): void => {
      if (this.#isOver || place.node !== node) return;
      // A loss of power is waited for first where it takes something: that is seldom so.
      const isSoon = disk.pending !== undefined && (!power || looksLeft <= PENDING_LOOKS / 2);
      if (looksLeft > 0 && !isSoon && !(power && disk.hasUnsynced)) {
        looksLeft -= 1;
        this.#cluster.world.after(disk.options.maxLatencyMs / 2, crash);
        return;
      }
      this.#operator.end(id, power);
    };
    crash();
    return { targets: [id], undo: () => this.#cluster.start(id) };
  }

  #powerLoss(): Effect {
    const names = this.#names().filter((id) => this.#cluster.at(id).node !== undefined);
    for (const id of names) this.#operator.end(id, true);
    return { targets: names, undo: () => names.forEach((id) => this.#cluster.start(id)) };
  }

  #pause({ id, node, timeline }: Place, untilMs: number): Effect {
    if (node === undefined) return nothing(`${id} is down`);
    const { world, sometimes } = this.#cluster;
    node.life.stalledUntil = Math.max(node.life.stalledUntil, untilMs);
    timeline.life(world.now, 'paused');
    if (untilMs > world.now && node.life.stalledUntil >= untilMs) sometimes.met('processPaused');
    const undo = (): void => {
      if (!node.life.over) timeline.life(world.now, 'up');
    };
    return { targets: [id], undo };
  }

  #disk({ id, disk, timeline }: Place, how: Extract<Fault, { type: 'disk' }>['how']): Effect {
    const { world } = this.#cluster;
    disk.set(how);
    timeline.disk(world.now, SHOWN_AS[how.type]);
    const undo = (): void => {
      disk.set(undefined);
      timeline.disk(world.now, 'ok');
    };
    return { targets: [id], undo };
  }
}

const SHOWN_AS: Readonly<Record<Extract<Fault, { type: 'disk' }>['how']['type'], NodeDisk>> = {
  slow: 'slow',
  stuck: 'stuck',
  error: 'failing',
  full: 'full',
};
