/** Runs a program of the suite in a process of its own and takes what it prints. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { adopt } from './workspace.ts';

const run = promisify(execFile);

export interface ProgramOptions {
  /** For node itself. */
  readonly nodeArguments?: readonly string[];
  /** Keeps it on the first processor, where the system has a way to. */
  readonly onOneCore?: boolean;
}

/** @param program a compiled file; `input` is its only argument, in JSON, as is what it prints */
export async function runProgram<T>(
  program: string,
  input: unknown,
  options: ProgramOptions = {},
): Promise<T> {
  const command = [...(options.nodeArguments ?? []), program, JSON.stringify(input)];
  const isPinned = options.onOneCore === true && (await canPin());
  const running = isPinned
    ? run('taskset', ['-c', '0', process.execPath, ...command])
    : run(process.execPath, command);
  adopt(running.child);
  const { stdout } = await running;
  return JSON.parse(stdout) as T;
}

let pinning: Promise<boolean> | undefined;

/** Whether `taskset` (util-linux) is there. */
export function canPin(): Promise<boolean> {
  pinning ??= run('taskset', ['--version']).then(
    () => true,
    () => false,
  );
  return pinning;
}
