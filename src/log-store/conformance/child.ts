/** Child processes that work on a store. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DurableStoreOptions } from './options.ts';

export interface ChildTask {
  readonly type: 'work' | 'fillDisk' | 'hold';
  readonly module: string;
  readonly exportName: string;
  readonly directory: string;
  /** The script to do, and the first of its operations. */
  readonly seed: number;
  readonly count: number;
  readonly from: number;
  /** End by closing the store, not by being killed. */
  readonly closeAtEnd: boolean;
  readonly progressFile: string;
  readonly faultFile: string;
}

const PROGRAM = fileURLToPath(new URL('./crash-child.js', import.meta.url));

export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;
  #errors = '';
  #begun: number;
  #done: number;

  constructor(
    options: DurableStoreOptions,
    task: Pick<ChildTask, 'type' | 'directory'> & Partial<ChildTask>,
    environment: Readonly<Record<string, string>> = {},
  ) {
    const whole: ChildTask = {
      module: options.module.href,
      exportName: options.exportName ?? 'createStore',
      seed: 0,
      count: 0,
      from: 0,
      closeAtEnd: false,
      progressFile: '',
      faultFile: '',
      ...task,
    };
    this.#begun = whole.from;
    this.#done = whole.from;
    this.#process = spawn(process.execPath, [PROGRAM, JSON.stringify(whole)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('a child without pipes');
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#exited = once(this.#process, 'exit');
  }

  /** The next line it says. Throws with what it complained of when it has ended. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done !== true) return value;
    await this.#exited;
    throw new Error(`the child ended: ${this.#errors}`);
  }

  /** Waits until it says `wanted`, or ends; returns whether it did say so. */
  async said(wanted: string): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) return false;
      const [word, number] = value.split(' ');
      if (word === 'begin') this.#begun = Number(number);
      if (word === 'done') this.#done = Number(number);
      if (value === wanted) return true;
    }
  }

  /** How many operations it said it had begun, and done, before it ended. */
  async progress(): Promise<{ readonly begun: number; readonly done: number }> {
    await this.said('nothing more');
    return { begun: this.#begun, done: this.#done };
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** Resolves when it has ended by itself, throws unless as asked. */
  async ended(expected: 'killed' | 'closed'): Promise<void> {
    await this.#exited;
    const { exitCode, signalCode } = this.#process;
    const asExpected = expected === 'killed' ? signalCode === 'SIGKILL' : exitCode === 0;
    if (!asExpected) throw new Error(`the child ended with ${exitCode}: ${this.#errors}`);
  }
}
