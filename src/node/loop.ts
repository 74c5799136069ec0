/** When turns happen: after what arrived together, after a finished write, and on every tick. */
import type { Environment } from './contract.ts';

/** Runs `turn` never nested, and not at all any more once it threw or was stopped. */
export class Loop {
  readonly #environment: Environment;
  readonly #turn: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #tickMs: number;
  #completions: (() => void)[] = [];
  #running = false;
  #scheduled = false;
  #stopped = false;
  #cancelTimer: (() => void) | undefined;

  constructor(
    environment: Environment,
    tickMs: number,
    turn: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#environment = environment;
    this.#tickMs = tickMs;
    this.#turn = turn;
    this.#failed = failed;
  }

  start(): void {
    this.#armTimer();
    this.schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#completions = [];
    this.#cancelTimer?.();
  }

  /** A completion gets a turn of its own at once: what waits for a disk should wait no longer. */
  post(completion: () => void): void {
    if (this.#stopped) return;
    this.#completions.push(completion);
    if (this.#running) this.schedule();
    else this.#run();
  }

  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#environment.defer(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  /** Called by the turn where its order wants them. */
  runCompletions(): void {
    const completions = this.#completions;
    if (completions.length === 0) return;
    this.#completions = [];
    for (const completion of completions) completion();
  }

  #armTimer(): void {
    // Through `schedule`, so that messages which arrived during a stall are in the same turn.
    this.#cancelTimer = this.#environment.setTimer(this.#tickMs, () => {
      if (this.#stopped) return;
      this.schedule();
      this.#armTimer();
    });
  }

  #run(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      this.#turn();
    } catch (error) {
      this.stop();
      this.#failed(error);
    } finally {
      this.#running = false;
    }
  }
}
