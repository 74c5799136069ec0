/** Someone who waits for the leader to do something, here or on another node. */
import { HoldfastError } from '../base/index.ts';
import type { ErrorCode, HoldfastErrorOptions } from '../base/index.ts';
import type { Answer } from './contract.ts';

/** Takes the answers to one forwarded request; see `ForwardReceiver`. */
export interface AnswerBatch {
  answer(slot: number, answer: Answer): void;
}

/**
 * One per command, so kept small and of one shape: either `done` is set (a caller of this node) or
 * `batch` and `slot` (a caller of another node, whose request was forwarded here).
 */
export interface Waiter {
  readonly command: Uint8Array;
  readonly done: ((answer: Answer) => void) | undefined;
  readonly batch: AnswerBatch | undefined;
  readonly slot: number;
  /** By the environment's clock. */
  readonly deadline: number;
}

export function answerWaiter(waiter: Waiter, answer: Answer): void {
  if (waiter.done !== undefined) waiter.done(answer);
  else waiter.batch?.answer(waiter.slot, answer);
}

export function failure(code: ErrorCode, message: string, options?: HoldfastErrorOptions): Answer {
  return { type: 'error', error: new HoldfastError(code, message, options) };
}

/** Tells everyone still waiting in the list the same. */
export function answerAll(waiters: readonly (Waiter | undefined)[], answer: Answer): void {
  for (const waiter of waiters) {
    if (waiter !== undefined) answerWaiter(waiter, answer);
  }
}
