/** What every part of a node gets: who it is, its limits, and the way back into the turn loop. */
import type { NodeId } from '../raft/index.ts';
import type { Environment, NodeSettings } from './contract.ts';

export interface Runtime {
  readonly id: NodeId;
  readonly settings: NodeSettings;
  readonly environment: Environment;
  /** Hands a finished asynchronous step to the loop: it runs inside a turn, never beside one. */
  post(completion: () => void): void;
  /** Asks for a turn, once everything that has arrived so far was handed in. */
  schedule(): void;
}

/** Lets a promise re-enter through the loop, whichever way it settles. */
export function settle<T>(
  runtime: Runtime,
  promise: Promise<T>,
  settled: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  promise.then(
    (value) => runtime.post(() => settled(value)),
    (error: unknown) => runtime.post(() => failed(error)),
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Resolves once everything else that waits for this turn of the event loop had its chance. */
export function nextTurn(environment: Environment): Promise<void> {
  return new Promise((resolve) => environment.defer(resolve));
}
