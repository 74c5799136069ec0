/** Holdfast as a cluster of processes on loopback, as users run it: `holdfast serve`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ProcessCluster } from '../../jepsen-lite/real/process-cluster.ts';
import { statusOf, type EndpointStatus } from '../../src/client/index.ts';
import { cpuMsOf, usageOf, type Usage } from '../measure/usage.ts';
import { makeWorkspace, removeWorkspace } from '../workspace.ts';

export type StoreKind = 'sqlite' | 'level' | 'memory';

export interface BenchClusterOptions {
  readonly store: StoreKind;
  readonly nodes: number;
  /** `--set` of `holdfast serve`, as `name=value`. */
  readonly settings?: readonly string[];
  /** Has every node write a processor profile there when it ends. */
  readonly profileDirectory?: string | undefined;
  /** For `longestStall`. The probe wakes a node a thousand times a second: not for other rows. */
  readonly probesStalls?: boolean;
}

const STALL_PROBE = fileURLToPath(new URL('../probes/stall-probe.js', import.meta.url));
const STALL_LINE = 'bench-stall ';
const READY_PATIENCE_MS = 60_000;
const POLL_MS = 20;
/** Only what is needed: the heap of 10^6 keys with their history. */
const HEAP_MIB = 4096;

type StallReports = Map<string, (maxMs: number) => void>;
type MemberStatus = NonNullable<EndpointStatus['status']>;

export class BenchCluster {
  readonly #cluster: ProcessCluster;
  readonly #directory: string;
  /** Who waits for what a node's probe says. */
  readonly #reports: StallReports;

  private constructor(cluster: ProcessCluster, directory: string, reports: StallReports) {
    this.#cluster = cluster;
    this.#directory = directory;
    this.#reports = reports;
  }

  /** Resolves once a node leads. */
  static async start(options: BenchClusterOptions): Promise<BenchCluster> {
    const { store, nodes, settings = [], profileDirectory, probesStalls = false } = options;
    const directory = await makeWorkspace();
    const profiling =
      profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
    const probing = probesStalls ? ['--import', STALL_PROBE] : [];
    const reports: StallReports = new Map();
    const cluster = await ProcessCluster.start({
      nodes,
      store,
      directory,
      serveArguments: settings.flatMap((setting) => ['--set', setting]),
      nodeArguments: [`--max-old-space-size=${HEAP_MIB}`, ...probing, ...profiling],
      onLog: (id, line) => {
        if (!line.startsWith(STALL_LINE)) return;
        reports.get(id)?.(Number(line.slice(STALL_LINE.length)));
        reports.delete(id);
      },
    });
    const started = new BenchCluster(cluster, directory, reports);
    await started.leader();
    return started;
  }

  get endpoints(): readonly string[] {
    return this.#cluster.endpoints;
  }

  get pids(): readonly (number | undefined)[] {
    return this.#cluster.ids.map((id) => this.#cluster.pid(id));
  }

  /** The id of the node that leads; waits until every running node agrees on it. */
  async leader(): Promise<string> {
    return await this.#eventually('a leader', async () => {
      const known = (await this.statuses()).filter((status) => status !== undefined);
      const running = this.#cluster.ids.filter((id) => this.#cluster.isRunning(id));
      const leader = known.find(({ role }) => role === 'leader');
      const agreed = known.every((status) => status.leader === leader?.id);
      return leader !== undefined && agreed && known.length === running.length
        ? leader.id
        : undefined;
    });
  }

  async follower(): Promise<string> {
    const leader = await this.leader();
    return this.#cluster.ids.find((id) => id !== leader)!;
  }

  async statuses(): Promise<readonly (MemberStatus | undefined)[]> {
    const all = await statusOf({ endpoints: this.endpoints });
    return all.map(({ status }) => status);
  }

  async statusOf(id: string): Promise<MemberStatus | undefined> {
    const [first] = await statusOf({ endpoints: [this.#cluster.endpoint(id)] });
    return first?.status;
  }

  /** Until a node has applied what another one has. */
  async caughtUp(id: string, index: number): Promise<void> {
    await this.#eventually(`${id} at ${index}`, async () => {
      const status = await this.statusOf(id);
      return status !== undefined && status.appliedIndex >= index ? true : undefined;
    });
  }

  usage(id: string): Promise<Usage | undefined> {
    return usageOf(this.#cluster.pid(id));
  }

  /** Of all nodes. */
  cpuMs(): Promise<number | undefined> {
    return cpuMsOf(this.pids);
  }

  /** How long the event loop of a node stood still at most, in ms, since it was asked last. */
  async longestStall(id: string): Promise<number> {
    const told = new Promise<number>((resolve) => this.#reports.set(id, resolve));
    const pid = this.#cluster.pid(id);
    if (pid === undefined) throw new Error(`node ${id} does not run`);
    process.kill(pid, 'SIGUSR2');
    return await told;
  }

  async kill(id: string): Promise<void> {
    await this.#cluster.signal(id, 'SIGKILL');
  }

  async stopNode(id: string): Promise<void> {
    await this.#cluster.signal(id, 'SIGTERM');
  }

  startNode(id: string): void {
    this.#cluster.startNode(id);
  }

  directory(id: string): string {
    return this.#cluster.directory(id);
  }

  endpoint(id: string): string {
    return this.#cluster.endpoint(id);
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
    await removeWorkspace(this.#directory);
  }

  async #eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + READY_PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        const lines = this.#cluster.ids.flatMap((id) => this.#cluster.log(id).slice(-3));
        throw new Error(`waited in vain for ${what}; nodes said: ${lines.join(' | ')}`);
      }
      await sleep(POLL_MS);
    }
  }
}
