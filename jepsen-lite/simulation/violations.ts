import type { Violation } from './run-record.ts';

/** What must never happen, as soon as it has. Keeps the first: what follows, follows from it. */
export class Violations {
  readonly #now: () => number;
  first: Violation | undefined = undefined;
  /** From then on nothing is of interest. */
  endsAtMs: number = Infinity;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Something was violated, or nothing more is of interest. */
  get isOver(): boolean {
    return this.first !== undefined || this.#now() >= this.endsAtMs;
  }

  /**
   * @param check the rule that was broken, as a short name
   * @param message how, in one sentence
   * @param operations as places in the history
   */
  report(
    check: string,
    message: string,
    nodes: readonly string[] = [],
    operations: readonly number[] = [],
  ): void {
    if (this.isOver) return;
    this.first = { check, message, atMs: this.#now(), nodes, operations };
  }
}
