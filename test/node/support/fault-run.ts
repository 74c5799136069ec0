/** A seeded run: clients write and read while nodes crash, links break and disks misbehave. */
import { createHash } from 'node:crypto';
import assert from 'node:assert/strict';
import { HoldfastError } from '../../../src/base/index.ts';
import type { MembershipChange } from '../../../src/node/index.ts';
import { Cluster, id, resultOf } from './cluster.ts';
import type { Call, Instance } from './cluster.ts';
import type { Applied } from './machine.ts';
import { createRandom } from '../../../jepsen-lite/simulation/random.ts';

interface Write {
  readonly command: string;
  readonly call: Call;
  readonly life: Instance['life'];
}

interface Read {
  readonly command: string;
  readonly call: Call;
}

export interface RunReport {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly reads: number;
  readonly trace: string;
}

const RUN_MS = 5_000;
const FAULTS = [
  'crash',
  'cut',
  'oneWay',
  'hold',
  'slow',
  'fail',
  'stall',
  'transfer',
  'wipe',
  'demote',
];
const NAMES = ['a', 'b', 'c', 'd', 'e'];

export class FaultRun {
  readonly seed: number;
  readonly #random: () => number;
  readonly #cluster: Cluster;
  readonly #names: readonly string[];
  readonly #writes: Write[] = [];
  readonly #reads: Read[] = [];
  /** What stands at each log index, as first applied anywhere. */
  readonly #log = new Map<number, Applied>();
  readonly #hash = createHash('sha256');
  readonly #intensity: Record<string, number> = {};
  #healed = false;

  constructor(seed: number) {
    this.seed = seed;
    this.#random = createRandom(seed ^ 0x5eed);
    const size = [3, 3, 3, 5, 1][Math.floor(this.#random() * 5)]!;
    this.#names = NAMES.slice(0, size);
    this.#cluster = new Cluster(this.#names, {
      seed,
      settings: {
        tickMs: 10,
        electionTimeoutMs: 150,
        heartbeatMs: 30,
        slowWriteMs: 120,
        snapshotEveryEntries: 10 + Math.floor(this.#random() * 60),
        trailingEntries: Math.floor(this.#random() * 10),
        snapshotChunkBytes: 1024,
        maxAppendBytes: 200,
        maxCachedBytes: 200,
        maxUncommittedBytes: 400,
      },
      onApply: (node, applied) => this.#checkApplied(node, applied),
    });
    for (const fault of FAULTS) {
      this.#intensity[fault] = this.#random() < 0.5 ? 0 : this.#random();
    }
    const { faults } = this.#cluster;
    faults.delayMs = this.#random() < 0.3 ? 0 : 20 * this.#random();
    faults.loss = this.#random() < 0.5 ? 0 : 0.1 * this.#random();
    faults.repeat = this.#random() < 0.5 ? 0 : 0.2 * this.#random();
  }

  async run(): Promise<RunReport> {
    const { world } = this.#cluster;
    const { faults } = this.#cluster;
    for (const name of this.#names) this.#cluster.start(name);
    await this.#cluster.leader();
    this.#schedule(() => this.#act(), 15);
    this.#schedule(() => this.#breakSomething(), 100);
    await world.run(RUN_MS);
    this.#healed = true;
    faults.loss = 0;
    faults.repeat = 0;
    await this.#heal();
    await this.#progress();
    await this.#cluster.converged();
    this.#judge();
    await this.#cluster.stopAll();
    return this.#report();
  }

  #schedule(act: () => void, everyMs: number): void {
    const { world } = this.#cluster;
    const again = (): void => {
      if (this.#healed) return;
      act();
      world.after(2 * everyMs * this.#random(), again);
    };
    again();
  }

  #checkApplied(node: string, applied: Applied): void {
    this.#hash.update(`${node} ${applied.index} ${applied.command} ${applied.time}\n`);
    const known = this.#log.get(applied.index);
    if (known === undefined) this.#log.set(applied.index, applied);
    else assert.deepEqual(applied, known, `${node} applied something else`);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  #act(): void {
    const running = this.#cluster.running().filter(({ isStarted }) => isStarted);
    if (running.length === 0) return;
    const instance = this.#pick(running);
    if (this.#random() < 0.7) {
      const count = this.#random() < 0.2 ? 20 : 1;
      for (let i = 0; i < count; i++) {
        const command = `c${this.#writes.length}`;
        const call = this.#cluster.propose(instance, command, 300 + 1500 * this.#random());
        this.#writes.push({ command, call, life: instance.life });
      }
      return;
    }
    const done = this.#writes.filter(({ call }) => call.answer?.type === 'ok');
    if (done.length === 0) return;
    const { command } = done.at(-1)!;
    const consistency = this.#random() < 0.5 ? 'linearizable' : 'lease';
    this.#reads.push({ command, call: this.#cluster.read(instance, command, consistency, 1000) });
  }

  #breakSomething(): void {
    const fault = this.#pick(Object.keys(this.#intensity));
    if (this.#random() > this.#intensity[fault]!) return;
    const name = this.#pick(this.#names);
    const healsAfterMs = 600 * this.#random();
    const { world } = this.#cluster;
    const later = (heal: () => void): void => {
      world.after(healsAfterMs, () => {
        if (!this.#healed) heal();
      });
    };
    world.logged(`${world.now.toFixed(1)} FAULT ${fault} ${name} ${healsAfterMs.toFixed(0)}`);
    this.#inject(fault, name, later);
  }

  #inject(fault: string, name: string, later: (heal: () => void) => void): void {
    const cluster = this.#cluster;
    const disk = cluster.disk(name);
    const instance = cluster.instances.get(name);
    const other = this.#pick(this.#names);
    switch (fault) {
      case 'crash':
        if (instance === undefined) return;
        void cluster.crash(name);
        later(() => cluster.start(name));
        return;
      case 'cut':
        cluster.isolate(name);
        later(() => cluster.heal());
        return;
      case 'oneWay':
        cluster.network.cut(id(name), id(other));
        later(() => cluster.network.heal(id(name), id(other)));
        return;
      case 'hold':
        disk.held = true;
        later(() => disk.release());
        return;
      case 'slow':
        disk.latencyMs = 100 * this.#random();
        later(() => {
          disk.latencyMs = this.#random();
        });
        return;
      case 'fail':
        disk.failing = new HoldfastError('disk-full', 'no space is left');
        later(() => {
          disk.failing = undefined;
        });
        return;
      case 'stall':
        if (instance !== undefined) instance.life.stalledUntil = cluster.world.now + 400;
        return;
      case 'wipe':
        if (!this.#mayWipe()) return;
        void cluster.wipe(name);
        later(() => cluster.start(name));
        return;
      case 'demote': {
        const target = { id: id(name) };
        void this.#change(instance, { type: 'demote', ...target });
        later(() => void this.#change(cluster.currentLeader(), { type: 'promote', ...target }));
        return;
      }
      default:
        instance?.node.transfer(id(other), { timeoutMs: 500 }).catch(() => {});
    }
  }

  /** One at a time, and not before the last one is a voter again with all it had lost. */
  #mayWipe(): boolean {
    if (this.#names.length === 1) return false;
    return this.#names.every((one) => {
      const instance = this.#cluster.instances.get(one);
      const membership = instance?.node.status().membership;
      if (instance?.isStarted !== true || membership === undefined) return false;
      const whole =
        membership.outgoing.length === 0 && membership.voters.length === this.#names.length;
      const recorded = this.#cluster.currentLeader()?.node.status().membership?.members[id(one)];
      return whole && recorded?.storeId === instance.node.status().storeId;
    });
  }

  async #change(via: Instance | undefined, change: MembershipChange): Promise<void> {
    try {
      await via?.node.changeMembership(change, { timeoutMs: 500 });
    } catch (error) {
      assert.ok(error instanceof HoldfastError);
    }
  }

  async #heal(): Promise<void> {
    this.#cluster.heal();
    for (const name of this.#names) {
      const disk = this.#cluster.disk(name);
      disk.failing = undefined;
      disk.latencyMs = 0;
      disk.release();
      // A start right after a crash may have found the store still open.
      if (this.#cluster.instances.get(name)?.startError !== undefined) {
        await this.#cluster.crash(name);
      }
      if (!this.#cluster.instances.has(name)) {
        await this.#cluster.world.run(1);
        this.#cluster.start(name);
      }
    }
    await this.#cluster.leader(this.#names);
  }

  /** With all faults gone, a write through every node succeeds. */
  async #progress(): Promise<void> {
    for (const instance of this.#cluster.running()) {
      let call = await this.#writeFinally(instance, 1);
      // What was sent to a leader that had just been restarted may be unknown, once.
      if (call.answer!.type === 'error') call = await this.#writeFinally(instance, 2);
      const command = `final-${instance.id}`;
      assert.equal(call.answer!.type, 'ok', `seed ${this.seed}: ${command} ${resultOf(call)}`);
    }
    const calls = this.#writes.filter(({ life }) => !life.over).map(({ call }) => call);
    await this.#cluster.answered(...calls);
  }

  async #writeFinally(instance: Instance, attempt: number): Promise<Call> {
    const command = `final-${instance.id}-${attempt}`;
    const call = this.#cluster.propose(instance, command, 10_000);
    this.#writes.push({ command, call, life: instance.life });
    await this.#cluster.answered(call);
    return call;
  }

  #judge(): void {
    const { counts } = this.#cluster.running()[0]!.machine;
    for (const { command, call } of this.#writes) {
      const count = counts.get(command) ?? 0;
      const { answer } = call;
      const told = `seed ${this.seed}: ${command} ${resultOf(call)}, applied ${count} times`;
      assert.ok(call.answers <= 1, `${told}, answered ${call.answers} times`);
      assert.ok(count <= 1, told);
      if (answer?.type === 'ok') assert.equal(count, 1, told);
      if (answer?.type === 'error' && answer.error.outcome === 'not-applied') {
        assert.equal(count, 0, told);
      }
    }
    for (const { command, call } of this.#reads) {
      if (call.answer?.type !== 'ok') continue;
      assert.equal(resultOf(call), '1', `seed ${this.seed}: a read missed ${command}`);
    }
    for (const { fatal, id: name } of this.#cluster.running()) {
      assert.equal(fatal, undefined, `seed ${this.seed}: ${name} died`);
    }
  }

  #report(): RunReport {
    const outcomes = this.#writes.map(({ call }) => call.answer);
    const errors = outcomes.flatMap((one) => (one?.type === 'error' ? [one.error] : []));
    return {
      acknowledged: outcomes.filter((one) => one?.type === 'ok').length,
      unknown: errors.filter(({ outcome }) => outcome === 'unknown').length,
      refused: errors.filter(({ outcome }) => outcome === 'not-applied').length,
      reads: this.#reads.filter(({ call }) => call.answer?.type === 'ok').length,
      trace: this.#hash.digest('hex'),
    };
  }

  /** The latest lines of everybody's log, for a failing seed. */
  get lines(): readonly string[] {
    return this.#cluster.world.lines;
  }
}

/** Seeds to run, as `HOLDFAST_SEEDS=a..b` (inclusive) says. */
export function seedsToRun(first: number, last: number): [number, number] {
  const match = /^(\d+)\.\.(\d+)$/.exec(process.env.HOLDFAST_SEEDS ?? '');
  return match === null ? [first, last] : [Number(match[1]), Number(match[2])];
}
