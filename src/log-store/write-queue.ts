/** Runs writes one at a time, in the order they were asked for. */

type Task = () => void | Promise<void>;

interface Waiting {
  readonly task: Task;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const DONE: Promise<void> = Promise.resolve();

export class WriteQueue {
  readonly #waiting: Waiting[] = [];
  #current: Promise<void> | undefined;

  /**
   * Runs `task` at once when nothing is under way: one that returns undefined is then over before
   * `run` returns, without a promise of its own.
   */
  run(task: Task): Promise<void> {
    if (this.#current !== undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ task, resolve, reject });
      });
    }
    try {
      const pending = task();
      if (pending === undefined) return DONE;
      this.#follow(pending);
      return pending;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Resolves when everything asked for so far is over, well or badly. */
  async idle(): Promise<void> {
    if (this.#current === undefined) return;
    await this.run(() => {});
  }

  #follow(pending: Promise<void>): void {
    this.#current = pending;
    pending.then(
      () => this.#next(),
      () => this.#next(),
    );
  }

  #next(): void {
    this.#current = undefined;
    while (this.#current === undefined) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      try {
        const pending = waiting.task();
        if (pending === undefined) {
          waiting.resolve();
        } else {
          this.#follow(pending);
          pending.then(waiting.resolve, waiting.reject);
        }
      } catch (error) {
        waiting.reject(error);
      }
    }
  }
}
