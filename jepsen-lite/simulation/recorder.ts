/** The history of a run, written by its clients as they go. */
import { HoldfastError } from '../../src/base/index.ts';
import type { Registry } from '../../src/client/index.ts';
import type { Operation, OperationType } from '../history/operation.ts';
import type { Answer, Invocation, WorkloadContext } from '../workloads/workload.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

const NS_PER_MS = 1e6;

/** A call of a client, so that a run can be repeated with fewer. */
export interface ScheduledOperation {
  /** Counts from 0. */
  readonly client: number;
  /** Counts the client's calls, from 0. */
  readonly number: number;
  /** When it was called, in milliseconds of simulated time. */
  readonly atMs: number;
}

/** A place in the history, taken when the call begins. */
interface Slot {
  operation: Operation;
}

export class Recorder {
  readonly world: World;
  readonly scheduled: ScheduledOperation[] = [];
  /** Only these are called, and not before their time; all when undefined. */
  readonly #wanted: ReadonlyMap<string, number> | undefined;
  readonly #slots: Slot[] = [];
  #processes = 0;
  /** Told of each outcome that is not known. */
  onUnknown: () => void = () => {};

  constructor(world: World, wanted: readonly ScheduledOperation[] | undefined) {
    this.world = world;
    this.#wanted =
      wanted && new Map(wanted.map(({ client, number, atMs }) => [`${client}/${number}`, atMs]));
  }

  newProcess(): number {
    return this.#processes++;
  }

  now(): number {
    return Math.round(this.world.now * NS_PER_MS);
  }

  /** When a call may begin; undefined when it is left out. */
  timeOf(client: number, number: number): number | undefined {
    if (this.#wanted === undefined) return 0;
    return this.#wanted.get(`${client}/${number}`);
  }

  begin(operation: Operation): (end: Operation) => void {
    const slot = { operation };
    this.#slots.push(slot);
    return (end) => {
      slot.operation = end;
    };
  }

  /** By time of the calls; one that is not over has an unknown outcome. */
  history(): Operation[] {
    return this.#slots.map(({ operation }) => operation);
  }
}

export interface ContextParts {
  readonly recorder: Recorder;
  readonly registry: Registry;
  readonly life: Life;
  readonly client: number;
  readonly node: string;
  readonly random: () => number;
  /** What a workload's pauses are multiplied by. */
  readonly pace: number;
  readonly stopped: () => boolean;
}

export class RecordingContext implements WorkloadContext {
  readonly registry: Registry;
  readonly node: string;
  readonly random: () => number;
  readonly stopped: () => boolean;
  readonly #parts: ContextParts;
  #process: number;
  #calls = 0;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.registry = parts.registry;
    this.node = parts.node;
    this.random = parts.random;
    this.stopped = parts.stopped;
    this.#process = parts.recorder.newProcess();
  }

  pause(ms: number): Promise<void> {
    return this.#pause(ms * this.#parts.pace);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.life.setTimer(ms, resolve);
    });
  }

  async invoke<T>(
    f: string,
    what: Invocation,
    call: () => Promise<T>,
    output?: (result: T) => Answer,
  ): Promise<T | undefined> {
    const { recorder, client } = this.#parts;
    const number = this.#calls++;
    const notBefore = recorder.timeOf(client, number);
    if (notBefore === undefined) return undefined;
    if (notBefore > recorder.world.now) await this.#pause(notBefore - recorder.world.now);
    recorder.scheduled.push({ client, number, atMs: recorder.world.now });
    return await this.#record(f, what, call, output);
  }

  async #record<T>(
    f: string,
    what: Invocation,
    call: () => Promise<T>,
    output: ((result: T) => Answer) | undefined,
  ): Promise<T | undefined> {
    const { recorder } = this.#parts;
    const process = this.#process;
    const begun = { process, f, ...what, call: recorder.now(), node: this.node };
    const open: Operation = { ...begun, return: null, type: 'info', output: null };
    const end = recorder.begin(open);
    try {
      const result = await call();
      const answer = output?.(result) ?? { output: null };
      end({ ...begun, return: recorder.now(), type: 'ok', ...answer });
      return result;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const type: OperationType = error.outcome === 'unknown' ? 'info' : 'fail';
      const returned = type === 'info' ? null : recorder.now();
      end({ ...open, return: returned, type, error: error.code });
      if (type === 'info') this.#process = recorder.newProcess();
      if (type === 'info') recorder.onUnknown();
      return undefined;
    }
  }

  note(f: string, what: Invocation & Partial<Answer>): void {
    const { recorder } = this.#parts;
    const now = recorder.now();
    const { output = null, ...rest } = what;
    const type = 'ok' as const;
    const operation = { process: this.#process, f, ...rest, call: now, return: now, type, output };
    recorder.begin({ ...operation, node: this.node });
  }
}
