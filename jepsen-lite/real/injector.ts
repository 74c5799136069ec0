/** Carries out the faults of a round on real processes, each when its time has come. */
import { unreachable } from '../../src/base/index.ts';
import { LEADER } from '../faults/fault.ts';
import type {
  CrashFault,
  DirectedLink,
  Fault,
  NodeTarget,
  PartitionFault,
} from '../faults/fault.ts';
import type { InjectedFault } from '../simulation/run-record.ts';
import type { DiskTroubles } from './disk-troubles.ts';
import type { Lives } from './lives.ts';
import type { Observer } from './observer.ts';
import type { Operator } from './operator.ts';
import { nothing, type OperatorEffect } from './operator-effect.ts';
import type { ProcessCluster } from './process-cluster.ts';
import type { PeerProxies } from './proxies.ts';
import type { RealClient } from './real-client.ts';

/** A pause shorter than this may be a blocked event loop instead of a stopped process. */
const LONGEST_STALL_MS = 1_000;

interface Entry {
  readonly fault: Fault;
  readonly effect: OperatorEffect;
  readonly fromMs: number;
  toMs: number;
}

export interface InjectorParts {
  readonly cluster: ProcessCluster;
  readonly proxies: PeerProxies;
  readonly clients: readonly RealClient[];
  readonly observer: Observer;
  readonly lives: Lives;
  readonly operator: Operator;
  readonly troubles: DiskTroubles;
  readonly now: () => number;
  /** Called when a fault could not be carried out for a reason of the harness's own. */
  readonly failed: (error: unknown) => void;
}

export class FaultInjector {
  readonly #parts: InjectorParts;
  readonly #entries: Entry[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #doing = new Set<Promise<void>>();
  /** Between rounds. */
  #isOver = true;

  constructor(parts: InjectorParts) {
    this.#parts = parts;
  }

  /** From now on; `atMs` of each counts from here. */
  begin(faults: readonly Fault[]): void {
    this.#isOver = false;
    for (const fault of faults) this.#after(fault.atMs, () => this.#begin(fault));
  }

  /** No fault begins or ends any more: what lasts is permanent until somebody heals it. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#doing);
  }

  /** Everything that still lasts is undone now. */
  healed(): void {
    for (const entry of this.#entries) entry.toMs = Math.min(entry.toMs, this.#parts.now());
  }

  records(): InjectedFault[] {
    return this.#entries.map(({ fault, effect, fromMs, toMs }) => {
      const { targets, note } = effect;
      return { fault, targets, fromMs, toMs, ...(note !== undefined && { note }) };
    });
  }

  #after(delayMs: number, what: () => void): void {
    // What took long to be carried out may come to its undoing only now.
    if (this.#isOver) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, delayMs);
    this.#timers.add(timer);
  }

  #begin(fault: Fault): void {
    const doing = this.#carryOut(fault)
      .catch(this.#parts.failed)
      .finally(() => this.#doing.delete(doing));
    this.#doing.add(doing);
  }

  async #carryOut(fault: Fault): Promise<void> {
    const fromMs = this.#parts.now();
    const effect = await this.#effectOf(fault);
    const { undo } = effect;
    const entry = { fault, effect, fromMs, toMs: undo === undefined ? fromMs : Infinity };
    this.#entries.push(entry);
    if (undo === undefined) return;
    this.#after(fault.forMs, () => {
      entry.toMs = this.#parts.now();
      undo();
    });
  }

  #effectOf(fault: Fault): OperatorEffect | Promise<OperatorEffect> {
    const { operator, proxies, observer } = this.#parts;
    switch (fault.type) {
      case 'partition':
        return this.#partition(fault);
      case 'weather':
        proxies.setWeather(fault);
        return { targets: operator.founders, undo: () => proxies.setWeather(undefined) };
      case 'slowLink': {
        const { from, to, delayMs } = fault;
        proxies.slow(from, to, delayMs);
        return { targets: [from, to], undo: () => proxies.slow(from, to, 0) };
      }
      case 'powerLoss':
        return this.#powerLoss();
      case 'clientPause':
        return this.#onClient(fault.client, (client) => client.stall(fault.forMs));
      case 'clientCut':
        observer.sometimes.met('clientCut');
        return this.#onClient(fault.client, (client) => client.cut(fault.how));
      case 'transfer':
        return operator.transfer(fault.to);
      case 'crash':
      case 'pause':
      case 'clockRate':
      case 'clockJump':
      case 'damage':
      case 'wipe':
      case 'membership':
      case 'disk':
      case 'oldDisk':
        return this.#onNode(fault);
      default:
        return unreachable(fault);
    }
  }

  #onNode(fault: Extract<Fault, { node: NodeTarget }>): OperatorEffect | Promise<OperatorEffect> {
    const { operator, cluster, observer, troubles, now } = this.#parts;
    const id = fault.node === LEADER ? observer.leader()?.id : fault.node;
    if (id === undefined) return nothing('nobody leads');
    if (!cluster.isRunning(id)) return nothing(`${id} is down`);
    switch (fault.type) {
      case 'crash':
        return this.#crash(id, fault);
      case 'pause':
        return this.#pause(id, fault.forMs);
      case 'clockRate': {
        const { rate } = fault;
        cluster.tell(id, { type: 'clockRate', rate });
        const undo = (): void => cluster.tell(id, { type: 'clockRate', rate: 1 });
        return { targets: [id], undo };
      }
      case 'clockJump':
        cluster.tell(id, { type: 'clockJump', byMs: fault.byMs });
        return { targets: [id] };
      case 'damage':
        return operator.damage(id, fault.how, fault.where);
      case 'wipe':
        return operator.wipe(id);
      case 'membership':
        return operator.changeMembership(fault, id);
      case 'disk':
        return troubles.begin(id, fault.how, observer, now);
      case 'oldDisk':
        return operator.useOldDisk(id);
      default:
        return unreachable(fault);
    }
  }

  async #crash(id: string, { power, whilePending, forMs }: CrashFault): Promise<OperatorEffect> {
    const { lives, troubles, observer } = this.#parts;
    const kill = (): Promise<void> => lives.kill(id, power);
    const undo = (): void => lives.start(id);
    if (!whilePending) {
      await kill();
      return { targets: [id], undo };
    }
    // Every other one after the bytes were written.
    const isPending = await troubles.whilePending(id, forMs % 2 === 0, kill);
    if (isPending) observer.sometimes.met('crashedWhilePending');
    return { targets: [id], undo, ...(!isPending && { note: 'no write was under way' }) };
  }

  async #powerLoss(): Promise<OperatorEffect> {
    const { lives, operator, cluster } = this.#parts;
    const running = operator.founders.filter((id) => cluster.isRunning(id));
    await Promise.all(running.map((id) => lives.kill(id, true)));
    const undo = (): void => running.forEach((id) => lives.start(id));
    return { targets: running, undo, note: 'killed: what the system caches is kept' };
  }

  async #pause(id: string, forMs: number): Promise<OperatorEffect> {
    const { lives, cluster } = this.#parts;
    // Every other short one, so that either way is met.
    if (forMs < LONGEST_STALL_MS && forMs % 2 === 0) {
      cluster.tell(id, { type: 'stall', forMs });
      return { targets: [id], undo: () => undefined, note: 'its event loop is blocked' };
    }
    await lives.pause(id);
    return { targets: [id], undo: () => void lives.goOn(id), note: 'SIGSTOP' };
  }

  #onClient(number: number, what: (client: RealClient) => () => void): OperatorEffect {
    const client = this.#parts.clients[number];
    if (client === undefined) return nothing(`there is no client ${number}`);
    return { targets: [`client-${number}`], undo: what(client) };
  }

  #partition(fault: PartitionFault): OperatorEffect {
    const { proxies, observer } = this.#parts;
    const links = fault.shape === 'leader' ? this.#linksOfLeader() : fault.links;
    if (links.length === 0) return nothing('nobody leads');
    let isCut = false;
    let isOver = false;
    const set = (cut: boolean): void => {
      if (cut === isCut) return;
      isCut = cut;
      if (cut) proxies.cut(links);
      else proxies.heal(links);
    };
    const flap = (): void => {
      if (isOver) return;
      set(!isCut);
      this.#after(fault.flapMs, flap);
    };
    set(true);
    observer.sometimes.met('messageCut');
    if (fault.flapMs > 0) this.#after(fault.flapMs, flap);
    const undo = (): void => {
      isOver = true;
      set(false);
    };
    return { targets: [...new Set(links.flat())], undo };
  }

  #linksOfLeader(): DirectedLink[] {
    const { observer, operator } = this.#parts;
    const leader = observer.leader()?.id;
    if (leader === undefined) return [];
    const others = operator.founders.filter((id) => id !== leader);
    return others.flatMap((id): DirectedLink[] => [
      [leader, id],
      [id, leader],
    ]);
  }
}
