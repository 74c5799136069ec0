import type { Violation } from './run-record.ts';

/** What must never happen, as soon as it has. Keeps the first: what follows, follows from it. */
export class Violations {
  readonly #now: () => number;
  first: Violation | undefined = undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `check`: the rule that was broken, as a short name; `message`: how, in one sentence. */
  report(check: string, message: string, nodes: readonly string[] = []): void {
    this.first ??= { check, message, atMs: this.#now(), nodes, operations: [] };
  }
}
