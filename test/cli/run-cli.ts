/** Runs the command line, as a process or within this one, and keeps what it printed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createProgram } from '../../src/cli/program.ts';
import { runHere } from './run-here.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly result: Promise<CliResult>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves once stdout or stderr matches; rejects when the process ended without. */
  readonly printed: (pattern: RegExp) => Promise<void>;
}

/** Starts `holdfast ...args` with this stdin, built, as a user would. */
export function startCli(args: readonly string[], stdin = ''): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  // A command that does not read its stdin may be gone before all of it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const result = new Promise<CliResult>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const printed = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(stdout + stderr)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void result.then(() => reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`)));
    });
  return { result, kill: (signal) => child.kill(signal), printed };
}

/** Runs `holdfast ...args` within this process: some 20 times quicker than starting one. */
export function runCli(args: readonly string[]): Promise<CliResult> {
  return runHere(createProgram(), args);
}
