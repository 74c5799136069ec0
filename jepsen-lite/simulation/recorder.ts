/** The history of a run, written by its clients as they go. */
import { HoldfastError } from '../../src/base/index.ts';
import type { Registry } from '../../src/client/index.ts';
import type { Operation, OperationType } from '../history/operation.ts';
import type { Answer, Invocation, WorkloadContext } from '../workloads/workload.ts';
import type { Life } from './life.ts';
import type { NodeCalls } from './node-calls.ts';
import type { World } from './world.ts';

const NS_PER_MS = 1e6;
/** A client none of whose further calls is wanted waits so long at each of them. */
const IDLE_MS = 20;
/** Calls of one client at one moment: more, and its workload lets no time pass. */
const MOST_CALLS_AT_ONCE = 10_000;

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
  /** By client. */
  readonly #lastWanted = new Map<number, number>();
  readonly #slots: Slot[] = [];
  #processes = 0;
  /** Told of each outcome that is not known. */
  onUnknown: () => void = () => {};

  constructor(world: World, wanted: readonly ScheduledOperation[] | undefined) {
    this.world = world;
    this.#wanted =
      wanted && new Map(wanted.map(({ client, number, atMs }) => [`${client}/${number}`, atMs]));
    for (const { client, number } of wanted ?? []) {
      this.#lastWanted.set(client, Math.max(number, this.#lastWanted.get(client) ?? -1));
    }
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

  /** Whether any call of this client from this one on is wanted. */
  wantsMore(client: number, number: number): boolean {
    return number <= (this.#lastWanted.get(client) ?? -1);
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
  readonly calls: NodeCalls;
  readonly life: Life;
  readonly client: number;
  readonly node: string;
  /** What the workload draws before one of its calls hangs on the number of that call. */
  readonly randomBy: (calls: () => number) => () => number;
  /** What a workload's pauses are multiplied by. */
  readonly pace: number;
  readonly stopped: () => boolean;
}

export class RecordingContext implements WorkloadContext {
  readonly registry: Registry;
  /** To the nodes themselves, where they replicate no registry. */
  readonly calls: NodeCalls;
  readonly node: string;
  readonly random: () => number;
  readonly stopped: () => boolean;
  readonly #parts: ContextParts;
  #process: number;
  #calls = 0;
  #callsAtOnce = 0;
  #calledAt = -1;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.registry = parts.registry;
    this.calls = parts.calls;
    this.node = parts.node;
    this.random = parts.randomBy(() => this.#calls);
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
    if (notBefore === undefined) {
      if (!recorder.wantsMore(client, number)) await this.#pause(IDLE_MS);
      return undefined;
    }
    if (notBefore > recorder.world.now) await this.#pause(notBefore - recorder.world.now);
    this.#checkTimePasses();
    recorder.scheduled.push({ client, number, atMs: recorder.world.now });
    return await this.#record(f, what, call, output);
  }

  /** A loop of calls that fail at once would never let go of the event loop. */
  #checkTimePasses(): void {
    const { now } = this.#parts.recorder.world;
    this.#callsAtOnce = now === this.#calledAt ? this.#callsAtOnce + 1 : 0;
    this.#calledAt = now;
    if (this.#callsAtOnce < MOST_CALLS_AT_ONCE) return;
    throw new Error(`${MOST_CALLS_AT_ONCE} calls at one moment: let time pass with pause()`);
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
