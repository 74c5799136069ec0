/** A run on real processes: the shipped command line, real sockets, files and signals. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createStore } from '../../src/cli/store-choice.ts';
import type { Duration } from '../../src/client/index.ts';
import { drawFaults } from '../faults/draw-faults.ts';
import type { Fault } from '../faults/fault.ts';
import { Dice, randomFor } from '../simulation/random.ts';
import { RUN_RECORD_VERSION } from '../simulation/run-record.ts';
import type { CheckResult, Phase, RunRecord } from '../simulation/run-record.ts';
import { checkAnswered } from '../simulation/unanswered.ts';
import { Violations } from '../simulation/violations.ts';
import { judge } from '../workloads/judging.ts';
import type { Workload } from '../workloads/workload.ts';
import { DiskShim } from './disk-shim/shim.ts';
import { DiskTroubles } from './disk-troubles.ts';
import { ALL_GROUPS, kindsOf } from './fault-groups.ts';
import { Guard } from './guard.ts';
import { Healing } from './healing.ts';
import { FaultInjector } from './injector.ts';
import { Lives } from './lives.ts';
import { Observer } from './observer.ts';
import { OldDisks } from './old-disks.ts';
import { Operator } from './operator.ts';
import type { RealOptions } from './options.ts';
import { ProcessCluster } from './process-cluster.ts';
import { PeerProxies } from './proxies.ts';
import { RealClient } from './real-client.ts';
import { Recorder, RecordingContext } from './recorder.ts';

const DEFAULT_NODES = 3;
const DEFAULT_CLIENTS = 5;
const DEFAULT_ROUND_MS = 20_000;
const DEFAULT_PACE = 4;
const READY_MS = 60_000;
/** How long clients may take to come to their end, and the workload to read what is left. */
const END_MS = 60_000;
/** A call that waits longer, with all healed, is one that nobody answers. */
const PATIENT = '20s';
const POLL_MS = 50;
const ELECTION_TIMEOUT_MS = 400;
/** Small snapshots, often: they are to be taken and sent in the middle of everything. */
const SETTINGS: readonly string[] = [
  `electionTimeoutMs=${ELECTION_TIMEOUT_MS}`,
  'snapshotEveryEntries=300',
  'trailingEntries=50',
  'snapshotChunkBytes=4096',
  'checkInvariants=true',
];
const PRELOAD = new URL('./child-preload.js', import.meta.url).href;

/** Runs it. Never rejects for what goes wrong in it: that is in the record. */
export async function runReal(options: RealOptions): Promise<RunRecord> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-real-'));
  const guard = Guard.start(directory);
  try {
    const run = await RealRun.prepare(options, directory, guard);
    return await run.run();
  } finally {
    await rm(directory, { recursive: true, force: true });
    await guard.close();
  }
}

interface Parts {
  readonly cluster: ProcessCluster;
  readonly proxies: PeerProxies;
  readonly recorder: Recorder;
  readonly troubles: DiskTroubles;
}

class RealRun {
  readonly #options: RealOptions;
  readonly #workload: Workload;
  readonly #cluster: ProcessCluster;
  readonly #proxies: PeerProxies;
  readonly #recorder: Recorder;
  readonly #violations: Violations;
  readonly #observer: Observer;
  readonly #troubles: DiskTroubles;
  readonly #lives: Lives;
  readonly #operator: Operator;
  readonly #injector: FaultInjector;
  readonly #healing: Healing;
  readonly #clients: RealClient[] = [];
  readonly #contexts: RecordingContext[] = [];
  readonly #phases: Phase[] = [];
  #stopped = false;
  #clientsDone = 0;

  private constructor(options: RealOptions, parts: Parts) {
    const { cluster, proxies, recorder, troubles } = parts;
    this.#options = options;
    this.#workload = options.workload();
    this.#cluster = cluster;
    this.#proxies = proxies;
    this.#recorder = recorder;
    const now = (): number => recorder.now();
    const violations = new Violations(now);
    const observer = new Observer(cluster, now);
    const founders = options.nodes ?? DEFAULT_NODES;
    const random = randomFor(options.seed, 'operator');
    const living = { cluster, founders, observer, troubles, violations, now, random };
    const lives = new Lives(living);
    const oldDisks = new OldDisks(options.store, observer);
    const operator = new Operator({ ...living, lives, oldDisks });
    const clients = this.#clients;
    const shared = { cluster, proxies, clients, observer, lives, operator, troubles };
    this.#troubles = troubles;
    this.#lives = lives;
    this.#violations = violations;
    this.#observer = observer;
    this.#operator = operator;
    const failed = (error: unknown): void => {
      violations.report('harness', `a fault could not be carried out: ${String(error)}`);
    };
    this.#injector = new FaultInjector({ ...shared, now, failed });
    const dice = new Dice(randomFor(options.seed, 'healing'));
    this.#healing = new Healing({ ...shared, violations, dice, isOver: this.#isOver });
  }

  static async prepare(options: RealOptions, directory: string, guard: Guard): Promise<RealRun> {
    const { nodes = DEFAULT_NODES, store, seed } = options;
    // A driver that is not installed is found out before a node fails for the lack of it.
    await createStore(store, join(directory, 'driver'));
    let proxies: PeerProxies | undefined;
    let run: RealRun | undefined;
    const troubles = new DiskTroubles(directory, DiskShim.build(directory));
    const cluster = await ProcessCluster.prepare({
      nodes,
      spares: 1,
      store,
      clusterName: `jepsen-lite-${randomUUID()}`,
      directory,
      guard,
      isDetached: true,
      serveArguments: ['--set', ...SETTINGS],
      nodeArguments: ['--import', PRELOAD],
      environmentOf: (id) => troubles.environmentOf(id),
      argumentsOf: (id) => ['--route', proxies?.routesOf(id) ?? ''],
      onExit: (id, code) => run?.exited(id, code),
    });
    const endpoints = new Map(cluster.ids.map((id) => [id, cluster.endpoint(id)]));
    proxies = await PeerProxies.open(endpoints, randomFor(seed, 'network'));
    run = new RealRun(options, { cluster, proxies, recorder: new Recorder(), troubles });
    return run;
  }

  exited(id: string, code: number | null): void {
    this.#lives.exited(id, code);
  }

  readonly #isOver = (): boolean => {
    return this.#violations.first !== undefined || this.#options.signal?.aborted === true;
  };

  async run(): Promise<RunRecord> {
    const begunAt = performance.now();
    const working: Promise<void>[] = [];
    try {
      await this.#phase('setup', () => this.#setUp());
      working.push(...this.#contexts.map((_context, client) => this.#work(client)));
      await this.#rounds();
      await this.#phase('finish', () => this.#finish(working));
    } finally {
      await this.#stop();
    }
    return this.#record(this.#check(), performance.now() - begunAt);
  }

  async #phase(name: Phase['name'], carryOut: () => Promise<void>): Promise<void> {
    if (this.#isOver()) return;
    const fromMs = this.#recorder.now();
    try {
      await carryOut();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#violations.report('harness', `the run broke off: ${text}`);
    }
    this.#phases.push({ name, fromMs, toMs: this.#recorder.now() });
  }

  async #setUp(): Promise<void> {
    for (const id of this.#lives.founders) this.#lives.start(id);
    const hasLeader = (): boolean => this.#observer.leader() !== undefined;
    if (!(await this.#until(READY_MS, hasLeader))) {
      this.#violations.report('liveness', 'a cluster without any fault has no leader');
      return;
    }
    const { clients = DEFAULT_CLIENTS } = this.#options;
    for (let client = 0; client < clients; client++) this.#contexts.push(await this.#addClient());
    const [first] = this.#contexts;
    if (first !== undefined) await this.#workload.setup?.(first);
  }

  async #addClient(requestTimeout: Duration = '2s'): Promise<RecordingContext> {
    const { seed, pace = DEFAULT_PACE } = this.#options;
    const { founders } = this.#lives;
    const number = this.#clients.length;
    const home = number % founders.length;
    const names = [...founders.slice(home), ...founders.slice(0, home)];
    const client = await RealClient.create({
      endpoints: [...names, ...this.#cluster.ids.filter((id) => !names.includes(id))].map((id) =>
        this.#cluster.endpoint(id),
      ),
      clusterName: this.#cluster.clusterName,
      options: { requestTimeout, sessionTtl: '3s' },
      random: randomFor(seed, `client ${number}`),
    });
    this.#clients.push(client);
    return new RecordingContext({
      recorder: this.#recorder,
      client,
      node: names[0]!,
      random: randomFor(seed, `workload of client ${number}`),
      // What is waited for at the end is not to be waited for longer.
      pace: () => (this.#stopped ? 1 : pace),
      stopped: () => this.#stopped || this.#isOver(),
    });
  }

  async #work(client: number): Promise<void> {
    try {
      await this.#workload.run(this.#contexts[client]!, client);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#violations.report('workload', `client ${client} broke off: ${text}`);
    }
    this.#clientsDone += 1;
  }

  async #rounds(): Promise<void> {
    const { faultsMs, roundMs = DEFAULT_ROUND_MS, onProgress } = this.#options;
    for (let round = 0, left = faultsMs; left > 0 && !this.#isOver(); round++, left -= roundMs) {
      const forMs = Math.min(left, roundMs);
      await this.#phase('safety', async () => {
        this.#injector.begin(this.#faultsOf(round, forMs));
        const until = this.#recorder.now() + forMs;
        await this.#until(forMs + READY_MS, () => this.#recorder.now() >= until);
        await this.#injector.end();
      });
      await this.#phase('liveness', () => this.#healing.healCore());
      await this.#phase('convergence', async () => {
        this.#injector.healed();
        await this.#healing.healAll();
      });
      const count = this.#injector.records().length;
      onProgress?.(`round ${round + 1}: ${this.#recorder.size} calls, ${count} faults`);
    }
    this.#injector.healed();
  }

  #faultsOf(round: number, faultsMs: number): Fault[] {
    const { seed, faults = ALL_GROUPS, clients = DEFAULT_CLIENTS } = this.#options;
    const targets = {
      nodes: this.#lives.founders,
      clients,
      faultsMs,
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      kinds: kindsOf(faults),
      clocksMayPart: this.#workload.trustsClocks !== true,
    };
    // Real time is dear: two mixes at once.
    return ['one mix', 'another mix']
      .flatMap((mix) => drawFaults(new Dice(randomFor(seed, `${mix} of round ${round}`)), targets))
      .toSorted((a, b) => a.atMs - b.atMs);
  }

  async #finish(working: readonly Promise<void>[]): Promise<void> {
    this.#stopped = true;
    const areDone = (): boolean => this.#clientsDone === working.length;
    if (!(await this.#until(END_MS, areDone))) {
      this.#violations.report('liveness', 'a client did not come to its end');
      return;
    }
    if (this.#workload.finish === undefined) return;
    const before = this.#recorder.size;
    // Nothing is in the way any more but the machine's other work.
    await this.#workload.finish(await this.#addClient(PATIENT));
    if (!this.#isOver()) checkAnswered(this.#recorder.history(), before, this.#violations);
  }

  async #until(patienceMs: number, ask: () => boolean): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    while (!ask()) {
      if (this.#isOver()) return true;
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  async #stop(): Promise<void> {
    this.#stopped = true;
    await this.#injector.end();
    this.#proxies.healAll();
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#operator.stop();
    await this.#observer.stop();
    await this.#cluster.stop();
    await this.#proxies.close();
  }

  #check(): readonly CheckResult[] {
    const { results, broken } = judge(this.#workload, this.#recorder.history());
    if (broken !== undefined) {
      this.#violations.report(broken.checker, broken.message, [], broken.operations);
    }
    return results;
  }

  #record(results: readonly CheckResult[], wallMs: number): RunRecord {
    const { seed, store, faultsMs, faults = ALL_GROUPS } = this.#options;
    const { nodes = DEFAULT_NODES, clients = DEFAULT_CLIENTS } = this.#options;
    const { name, promise } = this.#workload;
    const { sometimes } = this.#observer;
    for (let i = this.#recorder.unknowns; i > 0; i--) sometimes.met('unknownOutcome');
    const sizes = `--time ${faultsMs}ms --nodes ${nodes} --clients ${clients}`;
    const kinds = `--workload ${name} --faults ${faults.join()}`;
    return {
      version: RUN_RECORD_VERSION,
      harness: 'real',
      seed,
      workload: { name, promise },
      configuration: { store, nodes, clients, faultsMs, faults: [...faults], settings: SETTINGS },
      replay: `npx jepsen-lite real --seed ${seed} --store ${store} ${sizes} ${kinds}`,
      phases: this.#phases,
      faults: this.#injector.records().toSorted((a, b) => a.fromMs - b.fromMs),
      history: this.#recorder.history(),
      nodes: this.#observer.timelines(),
      messages: { sent: 0, kept: [], choice: 'none: real sockets are not looked into' },
      sometimes: sometimes.counts(),
      results,
      ...(this.#violations.first !== undefined && { violation: this.#violations.first }),
      notTested: this.#notTested(),
      traceHash: null,
      durationMs: this.#recorder.now(),
      wallMs,
    };
  }

  #notTested(): string[] {
    const { whyNot } = this.#troubles;
    return whyNot === undefined
      ? NOT_TESTED
      : [...NOT_TESTED, `disks that are slow, stuck, full or fail: ${whyNot}`];
  }
}

const NOT_TESTED: string[] = [
  'power loss: a killed process loses nothing that the system caches (crash images do that)',
  'messages lost, doubled or overtaking: TCP allows none of it, so connections break instead',
  'clusters of nodes of different versions',
];
