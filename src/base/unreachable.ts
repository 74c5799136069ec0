/** Ends a `switch` over a discriminated union: a compile error when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}

/**
 * States an invariant. A failure means the program, not its input, is wrong, so it throws an
 * `InvariantError`, which the node runtime answers by stopping before anything more is written.
 */
export function invariant(condition: boolean, message: string, state?: unknown): asserts condition {
  if (!condition) throw new InvariantError(message, state);
}

/** An invariant did not hold; `state` is what broke it. */
export class InvariantError extends Error {
  readonly state: unknown;
  constructor(message: string, state?: unknown) {
    super(state === undefined ? message : `${message}: ${JSON.stringify(state)}`);
    this.name = 'InvariantError';
    this.state = state;
  }
}
