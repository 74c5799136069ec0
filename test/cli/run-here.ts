/** Runs a command line within this process, which starts none, and keeps what it printed. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Command } from 'commander';
import { runProgram, type RunOptions } from '../../src/cli/run-program.ts';
import type { CliResult } from './run-cli.ts';

type Stream = 'stdout' | 'stderr';

/** Where what a command prints goes; commands that run side by side have one each. */
const capture = new AsyncLocalStorage<Record<Stream, string>>();

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name];
  const write = stream.write.bind(stream);
  stream.write = (chunk: Uint8Array | string, ...rest: readonly unknown[]): boolean => {
    const printed = capture.getStore();
    // What is not of a command is the test runner's.
    if (printed === undefined) return Reflect.apply(write, stream, [chunk, ...rest]);
    printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const written = rest.at(-1);
    if (typeof written === 'function') process.nextTick(written);
    return true;
  };
}

const stdin = Object.getOwnPropertyDescriptor(process, 'stdin');
Object.defineProperty(process, 'stdin', {
  get: () => {
    if (capture.getStore() === undefined) return stdin?.get?.call(process);
    throw new Error('a command that reads stdin has to be started: its end would never come');
  },
});

/**
 * As if the program had been started with these arguments. Not for commands that start another
 * (it would not print here), read stdin or wait for signals; those are started (`startCli`).
 */
export async function runHere(
  program: Command,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CliResult> {
  const printed = { stdout: '', stderr: '' };
  const code = await capture.run(printed, () => runProgram(program, { ...options, args }));
  return { code, ...printed };
}
