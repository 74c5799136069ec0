/** The history of a run on real processes, written by its clients as they go. */
import { HoldfastError } from '../../src/client/index.ts';
import type { Registry } from '../../src/client/index.ts';
import type { Operation, OperationType } from '../history/operation.ts';
import type { Answer, Invocation, WorkloadContext } from '../workloads/workload.ts';
import type { RealClient } from './real-client.ts';

const NS_PER_MS = 1e6;

interface Slot {
  operation: Operation;
}

export class Recorder {
  readonly #beganMs = performance.now();
  readonly #slots: Slot[] = [];
  #processes = 0;
  /** Outcomes nobody knows. */
  unknowns = 0;

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#beganMs;
  }

  nowNs(): number {
    return Math.round(this.now() * NS_PER_MS);
  }

  newProcess(): number {
    return this.#processes++;
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Returns how it is ended; one that never is has an unknown outcome. */
  begin(operation: Operation): (end: Operation) => void {
    const slot = { operation };
    this.#slots.push(slot);
    return (end) => {
      slot.operation = end;
    };
  }

  history(): Operation[] {
    return this.#slots.map(({ operation }) => operation);
  }
}

export interface ContextParts {
  readonly recorder: Recorder;
  readonly client: RealClient;
  readonly node: string;
  readonly random: () => number;
  /** What a workload's pauses are multiplied by, now. */
  readonly pace: () => number;
  readonly stopped: () => boolean;
}

export class RecordingContext implements WorkloadContext {
  readonly registry: Registry;
  readonly node: string;
  readonly random: () => number;
  readonly stopped: () => boolean;
  readonly #parts: ContextParts;
  #process: number;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.registry = parts.client.registry;
    this.node = parts.node;
    this.random = parts.random;
    this.stopped = parts.stopped;
    this.#process = parts.recorder.newProcess();
  }

  pause(ms: number): Promise<void> {
    return this.#parts.client.pause(ms * this.#parts.pace());
  }

  async invoke<T>(
    f: string,
    what: Invocation,
    call: () => Promise<T>,
    output?: (result: T) => Answer,
  ): Promise<T | undefined> {
    const { recorder } = this.#parts;
    const begun = { process: this.#process, f, ...what, call: recorder.nowNs(), node: this.node };
    const open: Operation = { ...begun, return: null, type: 'info', output: null };
    const end = recorder.begin(open);
    try {
      const result = await call();
      const answer = output?.(result) ?? { output: null };
      end({ ...begun, return: recorder.nowNs(), type: 'ok', ...answer });
      return result;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const type: OperationType = error.outcome === 'unknown' ? 'info' : 'fail';
      const returned = type === 'info' ? null : recorder.nowNs();
      end({ ...open, return: returned, type, error: error.code });
      if (type === 'info') {
        this.#process = recorder.newProcess();
        recorder.unknowns += 1;
      }
      return undefined;
    }
  }

  note(f: string, what: Invocation & Partial<Answer>): void {
    const { recorder } = this.#parts;
    const now = recorder.nowNs();
    const { output = null, ...rest } = what;
    const seen = { process: this.#process, f, ...rest, node: this.node, output };
    recorder.begin({ ...seen, call: now, return: now, type: 'ok' });
  }
}
