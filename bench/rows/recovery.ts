/** Much state: what a snapshot does to those who wait, and how a node comes back. */
import { rm } from 'node:fs/promises';
import { BenchCluster } from '../clusters/bench-cluster.ts';
import { ClientProcess } from '../load/client-handle.ts';
import { connectionsFor } from '../load/load-spec.ts';
import type { Figures } from '../measure/figures.ts';
import type { Contestant } from '../measure/turns.ts';
import { VALUE_BYTES } from './contestants.ts';
import { contest, type Bench, type Family } from './family.ts';
import type { KeysPoint } from './keys.ts';

const SIZES = [1_000, 1_000_000];
const QUICK_SIZES = [1_000, 100_000];
const IN_FLIGHT = 100;
const MAX_WINDOWS = 600;
const WINDOW_MS = 1000;

class Subject {
  readonly #cluster: BenchCluster;
  readonly #client = new ClientProcess();
  #filled = 0;

  constructor(cluster: BenchCluster) {
    this.#cluster = cluster;
  }

  async measure({ keys }: KeysPoint): Promise<Figures> {
    const before = performance.now();
    if (this.#filled < keys) await this.#client.fill(this.#cluster.endpoints, keys);
    const fillSeconds = (performance.now() - before) / 1000;
    this.#filled = Math.max(this.#filled, keys);
    const leader = await this.#cluster.leader();
    const stall = await this.#stallDuringSnapshot(leader, keys);
    const usage = await this.#cluster.usage(leader);
    return {
      fillSeconds,
      ...stall,
      ...(usage && { residentMiB: usage.residentMiB }),
      restartMs: await this.#comeBack(false),
      catchUpMs: await this.#comeBack(true),
    };
  }

  async stop(): Promise<void> {
    await this.#client.stop();
    await this.#cluster.stop();
  }

  /** From when one snapshot became current until the next did, under load. */
  async #stallDuringSnapshot(leader: string, keys: number): Promise<Figures> {
    const snapshotIndex = async (): Promise<number> =>
      (await this.#cluster.statusOf(leader))?.snapshotIndex ?? 0;
    await this.#loadUntil(keys, await snapshotIndex(), snapshotIndex);
    await this.#cluster.longestStall(leader);
    const p99s = await this.#loadUntil(keys, await snapshotIndex(), snapshotIndex);
    return {
      stallMs: await this.#cluster.longestStall(leader),
      putP99Ms: Math.max(...p99s),
    };
  }

  /** Resolves to the 99th percentile of each second of load. */
  async #loadUntil(
    keys: number,
    since: number,
    snapshotIndex: () => Promise<number>,
  ): Promise<number[]> {
    const p99s: number[] = [];
    while ((await snapshotIndex()) === since) {
      if (p99s.length === MAX_WINDOWS) throw new Error('no snapshot was taken under load');
      const figures = await this.#client.load({
        operation: 'put',
        endpoints: this.#cluster.endpoints,
        route: 'leader',
        inFlight: IN_FLIGHT,
        connections: connectionsFor(IN_FLIGHT),
        valueBytes: VALUE_BYTES,
        keys,
        warmUpMs: 0,
        measureMs: WINDOW_MS,
      });
      p99s.push(figures['p99Ms'] ?? 0);
    }
    return p99s;
  }

  /** How long a follower takes from its start until it has applied what the leader had. */
  async #comeBack(isWiped: boolean): Promise<number> {
    const follower = await this.#cluster.follower();
    await this.#cluster.stopNode(follower);
    if (isWiped) await rm(this.#cluster.directory(follower), { recursive: true, force: true });
    const leader = await this.#cluster.leader();
    const status = await this.#cluster.statusOf(leader);
    const begun = performance.now();
    this.#cluster.startNode(follower);
    await this.#cluster.caughtUp(follower, status?.commitIndex ?? 0);
    return performance.now() - begun;
  }
}

async function start(bench: Bench, store: 'sqlite' | 'level'): Promise<Contestant<KeysPoint>> {
  const { profileDirectory } = bench.options;
  const options = { store, nodes: 3, profileDirectory, probesStalls: true };
  const subject = new Subject(await BenchCluster.start(options));
  return {
    name: store,
    measure: (point) => subject.measure(point),
    stop: () => subject.stop(),
  };
}

export const recovery: Family = {
  name: 'recovery',
  about: 'with so many keys of 256 B: stalls while a snapshot is taken, restart, an emptied disk',
  columns: [
    { figure: 'stallMs', title: 'stall ms', digits: 1 },
    { figure: 'putP99Ms', title: 'put p99 ms', digits: 1 },
    { figure: 'restartMs', title: 'restart ms', digits: 0 },
    { figure: 'catchUpMs', title: 'catch-up ms', digits: 0 },
    { figure: 'residentMiB', title: 'leader MiB', digits: 0 },
  ],
  headline: 'stallMs',
  drawn: 'size',
  run: (bench) => {
    const { quick, stores } = bench.options;
    const points = (quick ? QUICK_SIZES : SIZES).map((keys): KeysPoint => {
      return { label: `${keys.toLocaleString('en')} keys`, x: keys, keys };
    });
    const entrants = stores.map((store) => () => start(bench, store));
    return contest(bench, 'recovery', points, entrants);
  },
};
