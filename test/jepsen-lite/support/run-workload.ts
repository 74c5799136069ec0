/** Runs a workload on real nodes in this process, without faults, and gives back its history. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../../jepsen-lite/history/operation.ts';
import type {
  Answer,
  Invocation,
  Workload,
  WorkloadContext,
} from '../../../jepsen-lite/workloads/workload.ts';
import { connect, HoldfastError, type Registry } from '../../../src/index.ts';

export interface RunOptions {
  readonly endpoints: readonly string[];
  readonly clients: number;
  /** Calls of all clients together, after which they end. */
  readonly calls: number;
  /** What a pause is shortened to: its share. */
  readonly pace: number;
}

/** What all clients of a run share. */
class Run {
  readonly history: Operation[] = [];
  readonly options: RunOptions;
  calls = 0;
  nextProcess = 0;
  #seed = 1;

  constructor(options: RunOptions) {
    this.options = options;
  }

  /** Reproducible as far as the order of calls is. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

class Client implements WorkloadContext {
  readonly registry: Registry;
  readonly node = 'a';
  readonly #run: Run;
  #process: number;

  constructor(run: Run, registry: Registry) {
    this.#run = run;
    this.registry = registry;
    this.#process = run.nextProcess++;
  }

  random(): number {
    return this.#run.random();
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms * this.#run.options.pace);
  }

  stopped(): boolean {
    return this.#run.calls >= this.#run.options.calls;
  }

  async invoke<T>(
    f: string,
    what: Invocation,
    call: () => Promise<T>,
    output?: (result: T) => Answer,
  ): Promise<T | undefined> {
    this.#run.calls++;
    const begun = { process: this.#process, f, ...what, output: null, call: nowNs() };
    try {
      const result = await call();
      const answer = output?.(result) ?? {};
      this.#run.history.push({ ...begun, return: nowNs(), type: 'ok', ...answer });
      return result;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const isOpen = error.outcome === 'unknown';
      const end = isOpen ? null : nowNs();
      const type = isOpen ? 'info' : 'fail';
      this.#run.history.push({ ...begun, return: end, type, error: error.code });
      if (isOpen) this.#process = this.#run.nextProcess++;
      return undefined;
    }
  }

  note(f: string, what: Invocation & Partial<Answer>): void {
    const call = nowNs();
    const { process } = { process: this.#process };
    this.#run.history.push({ process, f, output: null, ...what, call, return: call, type: 'ok' });
  }
}

function nowNs(): number {
  return Math.round(performance.now() * 1e6);
}

export async function runWorkload(workload: Workload, options: RunOptions): Promise<Operation[]> {
  const run = new Run(options);
  const { endpoints } = options;
  const clients = await Promise.all(
    Array.from({ length: options.clients + 1 }, () => connect({ endpoints })),
  );
  try {
    const contexts = clients.map(({ registry }) => new Client(run, registry));
    const [first, ...others] = contexts;
    await workload.setup?.(first!);
    await Promise.all(others.map((context, i) => workload.run(context, i)));
    await workload.finish?.(first!);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  return run.history;
}
