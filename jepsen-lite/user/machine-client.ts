/** A client of a simulated cluster that replicates a user's state machine. */
import { HoldfastError } from '../../src/base/index.ts';
import type { Consistency } from '../../src/node/index.ts';
import type { RecordingContext } from '../simulation/recorder.ts';
import type { WorkloadContext } from '../workloads/workload.ts';

/**
 * One client of a run, which calls one node and goes on to another after an error. Time and chance
 * are the run's own: never use the platform's clock, timers or randomness here. Every function may
 * be taken out of the object.
 */
export interface MachineClient extends Pick<
  WorkloadContext,
  'random' | 'pause' | 'stopped' | 'invoke' | 'note'
> {
  /** Counts from 0. */
  readonly client: number;
  /**
   * Resolves to what `apply` returned, once the command is durable on a majority. Not retried; its
   * outcome may be `unknown`.
   * @throws HoldfastError
   */
  readonly propose: (command: Uint8Array) => Promise<Uint8Array>;
  /**
   * Resolves to what `query` returned, `linearizable` unless told otherwise.
   * @throws HoldfastError, `invalid-argument` with the message of what `query` threw
   */
  readonly query: (request: Uint8Array, consistency?: Consistency) => Promise<Uint8Array>;
}

/** @param timeoutMs how long a call waits for its answer */
export function machineClient(
  context: RecordingContext,
  client: number,
  timeoutMs: number,
): MachineClient {
  const { calls } = context;
  const nodes = calls.nodes();
  let at = client;
  const toOneNode = async <T>(call: (node: string) => Promise<T>): Promise<T> => {
    try {
      return await call(nodes[at % nodes.length]!);
    } catch (error) {
      if (error instanceof HoldfastError) at += 1;
      throw error;
    }
  };
  return {
    client,
    random: context.random,
    pause: (ms) => context.pause(ms),
    stopped: context.stopped,
    invoke: (f, what, call, output) => context.invoke(f, what, call, output),
    note: (f, what) => context.note(f, what),
    propose: (command) => toOneNode((node) => calls.propose(node, command, timeoutMs)),
    query: (request, consistency = 'linearizable') =>
      toOneNode((node) => calls.query(node, request, consistency, timeoutMs)),
  };
}
