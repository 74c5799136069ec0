/** Runs the built command line as a user would, and keeps what it printed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../jepsen-lite/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runJepsenLite(...args: readonly string[]): Promise<CliResult> {
  return resultOf(start(args));
}

/** As a user who presses Ctrl-C once something has been printed. */
export function interruptedJepsenLite(...args: readonly string[]): Promise<CliResult> {
  const child = start(args);
  child.stdout?.once('data', () => child.kill('SIGINT'));
  return resultOf(child);
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function resultOf(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
