/** Has a process work on a store, with all written down that it does to its files. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import type { ChildTask } from '../../../src/log-store/conformance/child.ts';
import type { Recorder } from './recorder.ts';
import type { StoreKind, StoreSafety } from './stores.ts';
import { parseTrace, type Step } from './trace.ts';

const PROGRAM = new URL('../../../src/log-store/conformance/crash-child.js', import.meta.url);

export interface RecordOptions {
  readonly recorder: Recorder;
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

/** @throws Error when the process did not come to the end of its work */
export async function record(options: RecordOptions): Promise<Recording> {
  const { recorder, kind, safety, seed, operations, home } = options;
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
  const places = { directory, progressFile, traceFile };
  const { command, prefix, environment } = recorder.commandFor(process.execPath, places);
  const child = spawn(command, [...prefix, fileURLToPath(PROGRAM), JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  await once(child, 'close');
  const steps = parseTrace(readFileSync(traceFile, 'utf8'), { directory, progressFile });
  const done = steps.findLast((step) => step.type === 'progress')?.done ?? 0;
  if (done <= operations) {
    throw new Error(`the store did ${done} of ${operations + 1} operations: ${complaint}`);
  }
  return { steps, directory };
}
