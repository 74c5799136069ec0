/** Has a process work on a store under strace, which writes down all it does to its files. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import type { ChildTask } from '../../../src/log-store/conformance/child.ts';
import type { StoreKind, StoreSafety } from './stores.ts';
import { NOT_UNDERSTOOD, parseTrace, TRACED, type Step } from './trace.ts';

const PROGRAM = new URL('../../../src/log-store/conformance/crash-child.js', import.meta.url);
const LONGEST_STRING = 16 * 1024 * 1024;

export interface RecordOptions {
  readonly kind: StoreKind;
  readonly safety: StoreSafety;
  /** Of the script of operations. */
  readonly seed: number;
  readonly operations: number;
  /** Gets files of its own. */
  readonly home: string;
}

export interface Recording {
  readonly steps: readonly Step[];
  /** Where the store's files were. */
  readonly directory: string;
}

/** @throws Error where strace is not installed or may not trace */
export async function record(options: RecordOptions): Promise<Recording> {
  const { kind, safety, seed, operations, home } = options;
  const directory = join(home, 'store');
  const progressFile = join(home, 'progress');
  const traceFile = join(home, 'trace');
  mkdirSync(directory, { recursive: true });
  writeFileSync(progressFile, '      0       0\n');
  const task: ChildTask = {
    type: 'work',
    module: new URL(`./${kind}-child.js`, import.meta.url).href,
    exportName: safety,
    directory,
    seed,
    count: operations,
    from: 0,
    closeAtEnd: false,
    progressFile,
    faultFile: '',
  };
  const calls = `trace=${[...TRACED, ...NOT_UNDERSTOOD].join(',')}`;
  const strace = ['-f', '-y', '-xx', '-s', String(LONGEST_STRING), '-e', calls, '-o', traceFile];
  const work = [process.execPath, fileURLToPath(PROGRAM), JSON.stringify(task)];
  const child = spawn('strace', [...strace, ...work], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  await once(child, 'close').catch((error: unknown) => {
    throw new Error('crash images need strace, which does not run here', { cause: error });
  });
  const steps = parseTrace(readFileSync(traceFile, 'utf8'), { directory, progressFile });
  const done = steps.findLast((step) => step.type === 'progress')?.done ?? 0;
  if (done <= operations) {
    throw new Error(`the store did ${done} of ${operations + 1} operations: ${complaint}`);
  }
  return { steps, directory };
}
