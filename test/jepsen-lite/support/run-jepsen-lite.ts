/** Runs the command line, within this process or as one, and keeps what it printed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { codeOfError } from '../../../jepsen-lite/cli/exit.ts';
import { createProgram } from '../../../jepsen-lite/cli/program.ts';
import type { CliResult } from '../../cli/run-cli.ts';
import { runHere } from '../../cli/run-here.ts';

export const MAIN: string = fileURLToPath(
  new URL('../../../jepsen-lite/cli/main.js', import.meta.url),
);

export async function runJepsenLite(...args: readonly string[]): Promise<CliResult> {
  return await runHere(await createProgram(args), args, { codeOf: codeOfError });
}

/** The built program, as a user who presses Ctrl-C once something has been printed. */
export function interruptedJepsenLite(...args: readonly string[]): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.once('data', () => child.kill('SIGINT'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
