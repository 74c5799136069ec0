/** One node of the development cluster: a `serve` process, its prefixed log, its restarts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { errorLine } from '../exit.ts';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const RESTART_DELAY_MS = 1000;
/** A node that dies this soon after its start is not started again: it would only do the same. */
const TOO_SOON_MS = 3000;

export interface NodeProcessOptions {
  readonly id: string;
  readonly args: readonly string[];
  /** One line of the node's output, or about the node. */
  readonly print: (line: string) => void;
  /** The node ended and will not come back. */
  readonly gaveUp: (reason: string) => void;
}

export class NodeProcess {
  readonly id: string;
  readonly #options: NodeProcessOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #startedAt = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: NodeProcessOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { args, print } = this.#options;
    this.#startedAt = performance.now();
    // The ipc channel tells the node when this process is gone, however it went.
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN, 'serve', ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the whole terminal; only this process is to act on it.
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', print);
    }
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        this.#exited(signal ?? `exit code ${code}`);
      });
      child.once('error', (error) => print(errorLine(error)));
    });
  }

  #exited(how: string): void {
    this.#child = undefined;
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt < TOO_SOON_MS) {
      this.#options.gaveUp(`node ${this.id} ended right after its start (${how})`);
      return;
    }
    this.#options.print(`ended (${how}); starting it again in ${RESTART_DELAY_MS / 1000} s`);
    this.#restart = setTimeout(() => this.start(), RESTART_DELAY_MS);
  }

  /** Asks the node to stop, and kills it if it has not within `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
