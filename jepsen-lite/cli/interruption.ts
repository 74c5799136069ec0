/** Ctrl-C ends a command early, with word of what it has done so far. Pressed again, at once. */

/** What the shell gives for a command that SIGINT ended. */
const KILLED_BY_INTERRUPT = 130;

export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #came = new Promise<undefined>((resolve) => {
    this.#controller.signal.addEventListener('abort', () => resolve(undefined));
  });

  constructor() {
    process.on('SIGINT', this.#interrupt);
    process.on('SIGTERM', this.#interrupt);
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get hasCome(): boolean {
    return this.signal.aborted;
  }

  /** What was begun goes on, but nobody waits for it any more: undefined when interrupted. */
  async unlessInterrupted<T>(begun: Promise<T>): Promise<T | undefined> {
    return await Promise.race([begun, this.#came]);
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#interrupt);
  }

  readonly #interrupt = (): void => {
    if (this.hasCome) process.exit(KILLED_BY_INTERRUPT);
    this.#controller.abort();
  };
}
