/**
 * What the clients of a run do. A workload knows the public `Registry` and a `WorkloadContext`
 * only, so the same one runs in simulation and on real processes.
 */
import type { Registry } from '../../src/client/index.ts';
import type { Checker } from '../checkers/verdict.ts';

/** What is called, beside the name of the call. */
export interface Invocation {
  readonly key?: string;
  readonly value?: unknown;
}

/** What a result says in the history. */
export interface Answer {
  readonly output: unknown;
  readonly revision?: number;
}

/**
 * One client of a run. Time and chance are the harness's own, so that a seed decides both: a
 * workload never looks at the platform's clock, timers or randomness.
 */
export interface WorkloadContext {
  readonly registry: Registry;
  /** The node it is connected to at first. */
  readonly node: string;
  /** At least 0, below 1. */
  random(): number;
  pause(ms: number): Promise<void>;
  /** True from the moment when clients shall end their loops. */
  stopped(): boolean;
  /**
   * Records one operation around `call`, and resolves to its result, or to undefined when it failed
   * with a `HoldfastError`. Outcome `not-applied` is recorded as `fail`; after `unknown`, recorded
   * as `info`, the client goes on under another process number, since that call may still happen.
   * Any other error is thrown on.
   * @param output what the history says of the result; the result itself is left out without it
   */
  invoke<T>(
    f: string,
    what: Invocation,
    call: () => Promise<T>,
    output?: (result: T) => Answer,
  ): Promise<T | undefined>;
  /** Records what is no call: an event seen, a lock believed lost. It takes no time. */
  note(f: string, what: Invocation & Partial<Answer>): void;
}

/** Made anew for every run by a `CreateWorkload`; what its clients share, it may keep itself. */
export interface Workload {
  /** As `--workload` takes it. */
  readonly name: string;
  /** Which promises it puts to the test, in one sentence. */
  readonly promise: string;
  /**
   * What it promises, and the times it waits for, hold only while clocks run at about one pace:
   * where leases are at work.
   */
  readonly trustsClocks?: boolean;
  /** What its histories are judged by. */
  readonly checkers: readonly Checker[];
  /**
   * Of a positive control: the checker whose verdict has to be `illegal`, since the workload does
   * what must go wrong: that counts as `ok`, and else the run is `unknown`. All others must be
   * satisfied.
   */
  readonly mustFail?: string;
  /** Once, before the clients and before any fault. */
  setup?(context: WorkloadContext): Promise<void>;
  /** What each client does until `context.stopped()`; `client` counts from 0. */
  run(context: WorkloadContext, client: number): Promise<void>;
  /**
   * Once, after all clients ended and everything was healed: some of all it does, so that a run in
   * which nothing else succeeded can be judged, and final reads. The clients' registries and
   * contexts are still there.
   */
  finish?(context: WorkloadContext): Promise<void>;
}

export type CreateWorkload = () => Workload;
