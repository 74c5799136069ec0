import type { ConnectionId } from '../registry/index.ts';

/**
 * Acknowledges in the background: one command at a time, each with all that has gathered while the
 * one before was under way.
 */
export class NoticeAcknowledger {
  readonly #send: (connections: readonly ConnectionId[]) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #gathered: ConnectionId[] = [];
  /** Under way, or given up. */
  #batch: readonly ConnectionId[] = [];
  #working: Promise<void> | undefined = undefined;

  /** `send` goes on until it is done or can no longer be; then `failed` is told why. */
  constructor(
    send: (connections: readonly ConnectionId[]) => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.#send = send;
    this.#failed = failed;
  }

  add(connections: readonly ConnectionId[]): void {
    if (connections.length === 0) return;
    this.#gathered.push(...connections);
    this.#working ??= this.#work();
  }

  /** Resolves when nothing is left to be acknowledged, or can be. */
  settled(): Promise<void> {
    return this.#working ?? Promise.resolve();
  }

  /** What is not known to be acknowledged. */
  unsettled(): readonly ConnectionId[] {
    return [...this.#batch, ...this.#gathered];
  }

  async #work(): Promise<void> {
    try {
      while (this.#gathered.length > 0) {
        this.#batch = this.#gathered;
        this.#gathered = [];
        await this.#send(this.#batch);
        this.#batch = [];
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#working = undefined;
    }
  }
}
