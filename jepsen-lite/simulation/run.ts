/** A run: a cluster is founded, clients work while faults come and go, and all of it is judged. */
import type { Fault } from '../faults/fault.ts';
import { drawFaults } from '../faults/draw-faults.ts';
import { workloads } from '../workloads/index.ts';
import { judge } from '../workloads/judging.ts';
import type { CreateWorkload, Workload, WorkloadContext } from '../workloads/workload.ts';
import { ClientNetwork } from './client-network.ts';
import { nodeName, SimulatedCluster, type ClusterParts } from './cluster.ts';
import { drawConfiguration, type Configuration, type Wishes } from './configuration.ts';
import { FaultInjector } from './injector.ts';
import { Healing } from './healing.ts';
import { NodeCalls } from './node-calls.ts';
import { Operator } from './operator.ts';
import { Dice, randomByMoment, randomFor } from './random.ts';
import { Recorder, RecordingContext, type ScheduledOperation } from './recorder.ts';
import { RUN_RECORD_VERSION } from './run-record.ts';
import type { CheckResult, Phase, RunRecord } from './run-record.ts';
import { checkAnswered } from './unanswered.ts';

/** All that decides a run: plain JSON. What is absent is drawn from the seed. */
export interface Schedule {
  readonly seed: number;
  readonly configuration?: Configuration;
  readonly faults?: readonly Fault[];
  /** Calls of clients that are carried out; all when absent. */
  readonly operations?: readonly ScheduledOperation[];
}

export interface SimulationOptions extends Schedule {
  /** What of the configuration is not to be drawn. */
  readonly wishes?: Wishes;
  /** From then on nothing is of interest: it ends there, unjudged. In simulated time. */
  readonly endsAtMs?: number;
  /** In place of the one the configuration names. */
  readonly workload?: CreateWorkload;
  /** What takes the place of the cluster's own parts. */
  readonly parts?: ClusterParts;
}

/** A run and what decided it, whole: to be repeated, and to be cut down. */
export interface SimulationResult {
  readonly record: RunRecord;
  readonly schedule: Required<Schedule>;
  /** The latest log lines of all nodes. */
  readonly lines: readonly string[];
}

/** How long a whole cluster may take to be founded, in election timeouts. */
const SETUP_TIMEOUTS = 100;
/** What the end of a workload may take besides, for the times it waits for. */
const ALONE_MS = 120_000;
/** The nodes are looked at so many times in an election timeout. */
const LOOKS = 10;

/** Runs a simulation. It never rejects for what goes wrong in it: that is in the record. */
export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  return await new SimulationRun(options).run();
}

class SimulationRun {
  readonly #schedule: Required<Omit<Schedule, 'operations'>>;
  readonly #workload: Workload;
  readonly #cluster: SimulatedCluster;
  readonly #clients: ClientNetwork;
  readonly #operator: Operator;
  readonly #injector: FaultInjector;
  readonly #recorder: Recorder;
  readonly #phases: Phase[] = [];
  readonly #contexts: WorkloadContext[] = [];
  #clientsDone = 0;
  #stopped = false;

  constructor(options: SimulationOptions) {
    const { seed } = options;
    const configuration = options.configuration ?? drawConfiguration(seed, options.wishes);
    const create = options.workload ?? workloads[configuration.workload];
    if (create === undefined) throw new RangeError(`no workload ${configuration.workload}`);
    this.#workload = create();
    this.#schedule = {
      seed,
      configuration,
      faults: options.faults ?? faultsOf(seed, configuration, this.#workload),
    };
    this.#cluster = new SimulatedCluster(seed, configuration, options.parts);
    this.#cluster.violations.endsAtMs = options.endsAtMs ?? Infinity;
    if (this.#workload.trustsClocks === true) {
      this.#cluster.acknowledgements.freshReads.add('lease');
    }
    this.#clients = new ClientNetwork(this.#cluster);
    this.#operator = new Operator(this.#cluster, this.#clients);
    this.#injector = new FaultInjector(this.#cluster, this.#clients, this.#operator);
    this.#recorder = new Recorder(this.#cluster.world, options.operations);
    this.#recorder.onUnknown = () => this.#cluster.sometimes.met('unknownOutcome');
  }

  get #timeoutMs(): number {
    return this.#schedule.configuration.settings.electionTimeoutMs ?? 1_000;
  }

  async run(): Promise<SimulationResult> {
    const begunAt = performance.now();
    const { violations } = this.#cluster;
    const { faultsMs, clients } = this.#schedule.configuration;
    this.#lookAround();
    await this.#phase('setup', () => this.#setUp());
    const healing = new Healing(this.#cluster, this.#clients, this.#operator);
    await this.#phase('safety', async () => {
      for (let client = 0; client < clients; client++) this.#begin(client);
      this.#injector.begin(this.#schedule.faults);
      await this.#cluster.world.runUntil(this.#cluster.world.now + faultsMs, this.#isOver);
      this.#injector.end();
    });
    await this.#phase('liveness', () => healing.healCore());
    await this.#phase('convergence', async () => {
      this.#stopped = true;
      this.#injector.healed();
      await healing.healAll(() => this.#clientsDone === clients);
    });
    await this.#phase('finish', () => this.#finish());
    const results = violations.isOver ? [] : this.#check();
    const record = this.#record(results, performance.now() - begunAt);
    const operations = this.#recorder.scheduled;
    return {
      record,
      schedule: { ...this.#schedule, operations },
      lines: this.#cluster.world.lines,
    };
  }

  readonly #isOver = (): boolean => this.#cluster.violations.isOver;

  async #phase(name: Phase['name'], carryOut: () => Promise<void>): Promise<void> {
    if (this.#isOver()) return;
    const { world, violations } = this.#cluster;
    const fromMs = world.now;
    try {
      await carryOut();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      violations.report('harness', `the run broke off: ${text}`);
    }
    this.#phases.push({ name, fromMs, toMs: world.now });
  }

  #lookAround(): void {
    this.#cluster.lookAround();
    // Whatever was not woken by what it waited for goes on now.
    this.#cluster.world.wakeFully();
    this.#cluster.world.after(this.#timeoutMs / LOOKS, () => this.#lookAround());
  }

  async #setUp(): Promise<void> {
    const { world, places, violations } = this.#cluster;
    for (const id of places.keys()) this.#cluster.start(id);
    const deadline = world.now + SETUP_TIMEOUTS * this.#timeoutMs;
    await world.runUntil(deadline, () => this.#cluster.leader() !== undefined || this.#isOver());
    if (this.#cluster.leader() === undefined) {
      violations.report('liveness', 'a cluster without any fault has no leader');
      return;
    }
    const { clients } = this.#schedule.configuration;
    for (let client = 0; client < clients; client++) this.#contexts.push(this.#newContext());
    const first = this.#contexts[0];
    if (first === undefined || this.#workload.setup === undefined) return;
    await this.#carriedOut('the setup of the workload', this.#workload.setup(first));
  }

  #newContext(pace = this.#schedule.configuration.pace): WorkloadContext {
    const { configuration, seed } = this.#schedule;
    const number = this.#clients.size;
    const names = Array.from({ length: configuration.nodes }, (_, i) => nodeName(i));
    const node = names[number % names.length]!;
    const isPinned = configuration.pinnedClients[number] === true;
    const { life, registry } = this.#clients.add(isPinned ? [node] : names);
    return new RecordingContext({
      recorder: this.#recorder,
      registry,
      calls: new NodeCalls(this.#cluster, life),
      life,
      client: number,
      node,
      randomBy: (calls) => randomByMoment(seed, `workload of client ${number}`, calls),
      pace,
      stopped: () => this.#stopped,
    });
  }

  #begin(client: number): void {
    this.#cluster.world.wake();
    void this.#work(client);
  }

  async #work(client: number): Promise<void> {
    try {
      await this.#workload.run(this.#contexts[client]!, client);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#cluster.violations.report('workload', `client ${client} broke off: ${text}`);
    }
    this.#clientsDone += 1;
  }

  async #finish(): Promise<void> {
    if (this.#workload.finish === undefined) return;
    const before = this.#recorder.history().length;
    await this.#carriedOut('the end of the workload', this.#workload.finish(this.#newContext(1)));
    // One client alone.
    checkAnswered(this.#recorder.history(), before, this.#cluster.violations);
  }

  /** What a client does alone, without faults: it has to come to an end. */
  async #carriedOut(what: string, doing: Promise<void>): Promise<void> {
    const { world, violations } = this.#cluster;
    let isDone = false;
    const watch = async (): Promise<void> => {
      await doing;
      isDone = true;
    };
    const watched = watch();
    world.wake();
    const deadline = world.now + ALONE_MS + SETUP_TIMEOUTS * this.#timeoutMs;
    await world.runUntil(deadline, () => isDone || this.#isOver());
    if (isDone) await watched;
    else violations.report('liveness', `${what} did not come to an end`);
  }

  #check(): readonly CheckResult[] {
    const { results, broken } = judge(this.#workload, this.#recorder.history());
    if (broken !== undefined) {
      const { violations } = this.#cluster;
      violations.report(broken.checker, broken.message, [], broken.operations);
    }
    return results;
  }

  #record(results: readonly CheckResult[], wallMs: number): RunRecord {
    const { world, violations, sometimes, trace, places, messages } = this.#cluster;
    const { seed, configuration } = this.#schedule;
    const { name, promise } = this.#workload;
    return {
      version: RUN_RECORD_VERSION,
      harness: 'simulation',
      seed,
      workload: { name, promise },
      configuration: { ...configuration },
      replay: `npx jepsen-lite replay --seed ${seed}`,
      phases: this.#phases,
      faults: this.#injector.records().toSorted((a, b) => a.fromMs - b.fromMs),
      history: this.#recorder.history(),
      nodes: [...places.values()].map(({ timeline }) => timeline.toRecord()),
      messages: messages.sample(),
      sometimes: sometimes.counts(),
      results,
      ...(violations.first !== undefined && { violation: violations.first }),
      notTested: NOT_TESTED,
      traceHash: trace.text(),
      durationMs: world.now,
      wallMs,
    };
  }
}

const NOT_TESTED = [
  'real sockets, files and drivers: they are replaced by simulated ones',
  'TLS, and the hello of connections',
  'clusters of nodes of different versions',
];

function faultsOf(seed: number, configuration: Configuration, workload: Workload): Fault[] {
  const { nodes, clients, faultsMs, settings } = configuration;
  return drawFaults(new Dice(randomFor(seed, 'faults')), {
    nodes: Array.from({ length: nodes }, (_, i) => nodeName(i)),
    clients,
    faultsMs,
    electionTimeoutMs: settings.electionTimeoutMs ?? 1_000,
    clocksMayPart: workload.trustsClocks !== true,
  });
}
