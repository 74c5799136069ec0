/** Waiting for something with an end: a signal, a deadline, a session that is lost. */
import { setMaxListeners } from 'node:events';
import { HoldfastError } from '../base/index.ts';
import type { ClientEnvironment } from './environment.ts';

/** For signals that many wait on at once by design, of which Node would warn as of a leak. */
export function sharedController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** What waiting needs of an `AbortSignal`. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Every lock that is asked for has one, and hardly any ever stops: this takes a small part of the
 * time and memory of an `AbortController`.
 */
class EndSignal implements StopSignal {
  reason: HoldfastError | undefined = undefined;
  #listeners: Set<() => void> | undefined = undefined;

  get aborted(): boolean {
    return this.reason !== undefined;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** The first reason stays. */
  abort(reason: HoldfastError): void {
    if (this.aborted) return;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }
}

export function abortError(signal: StopSignal, what: string): HoldfastError {
  const cause: unknown = signal.reason;
  return new HoldfastError('aborted', `${what} was aborted by its signal`, { cause });
}

/**
 * Ends a wait for the first of several causes; `signal` carries it to everything that takes part.
 * Dispose of it when the wait is over.
 */
export class WaitEnd {
  readonly #signal = new EndSignal();
  readonly #releases: (() => void)[] = [];

  get signal(): StopSignal {
    return this.#signal;
  }

  /** Why it ended; undefined while it goes on. */
  get error(): HoldfastError | undefined {
    return this.#signal.reason;
  }

  throwIfEnded(): void {
    const { error } = this;
    if (error !== undefined) throw error;
  }

  end(error: HoldfastError): void {
    this.#signal.abort(error);
  }

  onAbortOf(signal: StopSignal | undefined, error: () => HoldfastError): this {
    if (signal === undefined) return this;
    const listener = (): void => this.end(error());
    if (signal.aborted) listener();
    signal.addEventListener('abort', listener);
    this.#releases.push(() => signal.removeEventListener('abort', listener));
    return this;
  }

  after(
    delayMs: number | undefined,
    environment: ClientEnvironment,
    error: () => HoldfastError,
  ): this {
    if (delayMs === undefined) return this;
    this.#releases.push(environment.setTimer(delayMs, () => this.end(error())));
    return this;
  }

  /** The promise's result, or the end's error when that comes first. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(this.error ?? new Error('the wait ended'));
      if (this.signal.aborted) ended();
      this.signal.addEventListener('abort', ended);
      promise.then(resolve, reject).finally(() => {
        this.signal.removeEventListener('abort', ended);
      });
    });
  }

  dispose(): void {
    for (const release of this.#releases) release();
    this.#releases.length = 0;
  }
}

/** Resolves after `delayMs`, or at once when the signal is aborted. */
export function pause(
  delayMs: number,
  environment: ClientEnvironment,
  signal: StopSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = environment.setTimer(delayMs, finish);
    signal?.addEventListener('abort', finish);
  });
}
