/**
 * What a lock is taken for: a counter outside the registry, read and written by whoever holds the
 * lock. With a fence it refuses tokens older than it has seen; without, it takes whoever comes.
 */
export class GuardedCounter {
  readonly #hasFence: boolean;
  #newest = 0;
  #value = 0;

  constructor(hasFence: boolean) {
    this.#hasFence = hasFence;
  }

  /** Undefined when the token is too old. */
  read(token: number): number | undefined {
    return this.#admits(token) ? this.#value : undefined;
  }

  /** False when the token is too old. */
  write(token: number, value: number): boolean {
    if (!this.#admits(token)) return false;
    this.#value = value;
    return true;
  }

  #admits(token: number): boolean {
    if (this.#hasFence && token < this.#newest) return false;
    this.#newest = Math.max(this.#newest, token);
    return true;
  }
}
