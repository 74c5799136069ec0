/**
 * Sees to it that nothing of a run outlives it, however it ends. Who is killed at once cannot clean
 * up, and a node that stands still does not notice; so a small process of its own, `guard-main.ts`,
 * waits for the end of the run's, kills what is left then, and removes the run's directory.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./guard-main.js', import.meta.url));

export class Guard {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
    // Without a guard a run is as good as with one.
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
  }

  /** `directory`: goes with the run. */
  static start(directory: string): Guard {
    // What the terminal sends is not for the guard: it has work to do only after that.
    const [command, detached] = [process.execPath, true];
    const stdio: StdioOptions = ['pipe', 'ignore', 'ignore'];
    return new Guard(spawn(command, [MAIN, directory], { stdio, detached }));
  }

  /** From now on a process is not to outlive this one. */
  begun(pid: number): void {
    this.#process.stdin?.write(`+${pid}\n`);
  }

  /** It is gone, and its number may become another's. */
  ended(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  /** Ends whatever is left, as if this process had ended, and waits until that is done. */
  async close(): Promise<void> {
    const child = this.#process;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.stdin?.end();
    await over;
  }
}
