/** Deferred work that runs when the test says so. */
export class ManualSchedule {
  readonly #waiting: (() => void)[] = [];

  readonly defer = (callback: () => void): void => {
    this.#waiting.push(callback);
  };

  get pending(): number {
    return this.#waiting.length;
  }

  /** Runs the oldest piece of work; false when there is none. */
  step(): boolean {
    const work = this.#waiting.shift();
    work?.();
    return work !== undefined;
  }

  /** Runs until nothing is left; what never ends is a failure. */
  drain(): void {
    for (let steps = 0; this.step(); steps++) {
      if (steps > 100_000) throw new Error('deferred work goes on for ever');
    }
  }
}
